"""Which features a prior's quality is measured in, and how a card names them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganprior.datasets import Images
from ganprior.evaluation.classifier import (
    TrainedClassifier,
    load_classifier,
    shipped_classifier,
    train_classifier,
)
from ganprior.files import sha256
from ganprior.metrics import FeatureExtractor

# The weights that FID figures in the literature are measured with. The name that torch-fidelity
# gives the file ends in the start of its SHA-256.
_INCEPTION = "weights-inception-2015-12-05-6726825d.pth"


@dataclass(frozen=True)
class Features:
    """A feature extractor, and what it is.

    Attributes
    ----------
    extractor : callable
        Images (B, C, H, W) in [0, 1] to features (B, F).
    description : str
        In words, for a card.
    classifier : TrainedClassifier or None
        The classifier, where the features are one's.
    """

    extractor: FeatureExtractor
    description: str
    classifier: TrainedClassifier | None = None

    @classmethod
    def of(cls, classifier: TrainedClassifier, made: str) -> Features:
        """Features of a classifier, ``made`` saying where it is from."""
        return cls(classifier.features, f"128 features of a small classifier {made}", classifier)


def choose_features(
    data_sha256: str | None,
    shape: tuple[int, int, int],
    training: Images | None,
    *,
    progress: Callable[[int], None] = lambda step: None,
) -> Features | None:
    """Features for images of a data set: the nearest to it that are at hand.

    First the classifier that is shipped for it, then one trained on the spot on its labels, then
    Inception's features if its weights are on this machine; None without any of them.

    Parameters
    ----------
    data_sha256 : str or None
        SHA-256 of the training images.
    shape : tuple of int
        (C, H, W) of the images.
    training : Images or None
        The training images.
    progress : callable
        Told the steps done of a training on the spot.
    """
    shipped = shipped_classifier(data_sha256, shape) if data_sha256 else None
    if shipped is not None:
        return Features.of(load_classifier(shipped), f"shipped as {shipped.stem}")
    if training is not None and training.labels is not None:
        return Features.of(train_classifier(training, progress=progress), "trained on the spot")
    return inception_features()


def inception_features() -> Features | None:
    """Features of Inception v3 as the FID of the literature has them, if they are at hand.

    They need the package torch-fidelity and its weights, which are never fetched from here: they
    lie where torch-fidelity puts them, in ``checkpoints`` of ``torch.hub.get_dir()``.
    """
    weights = Path(torch.hub.get_dir()) / "checkpoints" / _INCEPTION
    if not weights.is_file() or not sha256(weights).startswith(weights.stem.rpartition("-")[2]):
        return None
    try:
        # Untyped, and slow to import.
        from torchmetrics.image.fid import NoTrainInceptionV3

        network = NoTrainInceptionV3("inception-v3-compat", ["2048"], str(weights))
    except ModuleNotFoundError:
        return None

    def extract(images: Tensor) -> Tensor:
        colour = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
        features: Tensor = network((colour * 255).round().byte())
        return features

    return Features(extract, "2048 features of Inception v3, as in the literature's FID")
