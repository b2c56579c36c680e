"""The quality of a prior, measured: what ``ganprior evaluate`` prints and writes into the card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganprior.datasets import Images
from ganprior.evaluation.classifier import TrainedClassifier
from ganprior.evaluation.features import Features
from ganprior.evaluation.representation import representation_error
from ganprior.evaluation.solving import solving_figures
from ganprior.evaluation.support import support_figures
from ganprior.metrics import (
    FeatureExtractor,
    diversity,
    extract_features,
    frechet_distance,
    nearest_images,
    precision_recall,
)
from ganprior.priors import Prior
from ganprior.streams import derive_seed

_CHUNK = 500
# Images that distances of pairs, and to the training images, are taken of.
_PAIRED, _SHOWN, _NEAREST = 500, 40, 100
_ASKED = 1000


class Samples(NamedTuple):
    """Images that a prior drew.

    Attributes
    ----------
    first : Tensor
        The first of them, (B, C, H, W) in [0, 1].
    features : Tensor or None
        Features of all, (N, F); None without an extractor.
    """

    first: Tensor
    features: Tensor | None


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes
    ----------
    figures : dict
        For the card's ``quality``.
    samples : Tensor
        Some samples in [0, 1], (B, C, H, W).
    nearest : Tensor or None
        The training image nearest to each; None without training images.
    """

    figures: dict[str, Any]
    samples: Tensor
    nearest: Tensor | None


def evaluate_prior(
    prior: Prior,
    held_out: Images,
    training: Images | None,
    features: Features | None,
    *,
    count: int = 10_000,
    fitted: int = 100,
    tuning: Images | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda what: None,
) -> Evaluation:
    """Measure a prior against images that it was not trained on.

    Parameters
    ----------
    prior : Prior
        What is measured.
    held_out : Images
        Real images of the prior's shape; labelled ones for a conditional prior.
    training : Images, optional
        The images that it was trained on, to tell new samples from memorised ones.
    features : Features, optional
        What Fréchet distance, precision and recall are measured in; left out without it.
    count : int
        Images of either kind that are compared, as far as there are so many real ones.
    fitted : int
        Held-out images that CSGM fits for the representation error; 0 for none.
    tuning : Images, optional
        Further images that it was not trained on, which solvers recover; see
        :func:`~ganprior.evaluation.solving.solving_figures`.
    seed : int
        Seed of the samples, fits and measurements.
    progress : callable
        Told what comes next.

    Raises
    ------
    ValueError
        If the images have another shape than the prior's, or a conditional prior has no labels
        to fit by.
    """
    check_held_out(prior, held_out, fitted)
    count = min(count, len(held_out))
    rng = torch.Generator().manual_seed(derive_seed(seed, "evaluation"))
    progress(f"{count} samples")
    samples = draw_samples(prior, count, rng, features.extractor if features else None)
    figures: dict[str, Any] = {}
    if features is not None and samples.features is not None:
        progress("Fréchet distance, precision, recall")
        real = extract_features(features.extractor, held_out.pixels[:count])
        figures |= compare_features(real, samples.features)
        figures |= {"features": features.description, "compared_images": count}
        if training is not None and min(len(training), count) > 1:
            progress("number of different images")
            known = extract_features(features.extractor, training.pixels[:count])
            figures |= support_figures(known, samples.features, real)
    figures["diversity"] = diversity(samples.first)
    figures["real_diversity"] = diversity(held_out.head(len(samples.first)).floats())
    conditional = prior.classes > 0 and prior.component_weights is None
    if conditional and features is not None and features.classifier is not None:
        figures["read_as_asked"] = share_read_as_asked(prior, features.classifier, _ASKED, rng)
        figures["asked_images"] = _ASKED
    nearest = None
    if training is not None:
        progress("nearest training images")
        nearest = _compare_with_training(samples.first, held_out, training, figures)
    if fitted:
        progress(f"representation error of {min(fitted, len(held_out))} images")
        chosen = held_out.head(fitted)
        errors = representation_error(prior, chosen.floats(), chosen.labels, seed=seed)
        figures["representation_error"] = float(errors.mean())
        figures["how"] = "CSGM, A = I, lambda = 0, default effort: mean of ||G(z) - x||^2 / n"
    if tuning is not None and not conditional:
        progress(f"solvers' errors on {len(tuning)} images")
        figures |= solving_figures(prior, tuning.floats(), seed=seed)
    figures = {key: _short(value) for key, value in figures.items()}
    return Evaluation(figures, samples.first[:_SHOWN], nearest)


def check_held_out(prior: Prior, held_out: Images, fitted: int) -> None:
    """Refuse images that a prior cannot be measured against; see :func:`evaluate_prior`.

    Raises
    ------
    ValueError
        If they have another shape than the prior's, or a conditional prior has no labels to fit
        by.
    """
    if held_out.shape != prior.image_shape:
        raise ValueError(
            f"the prior's images have shape {prior.image_shape}, the data {held_out.shape}; "
            "convert it (--resize, --convert) or give the data that the prior was trained on"
        )
    conditional = prior.classes > 0 and prior.component_weights is None
    if fitted and conditional and held_out.labels is None:
        raise ValueError(
            "a conditional prior is fitted to images by their labels, and the data has none; give "
            "labelled images, or fit none (--fitted 0)"
        )


def draw_samples(
    prior: Prior, count: int, rng: torch.Generator, extractor: FeatureExtractor | None
) -> Samples:
    """Draw images in chunks, of which only the first and the features are kept.

    Parameters
    ----------
    prior : Prior
        Draws; the labels of a conditional one go round robin.
    count : int
        Number of images.
    rng : torch.Generator
        Source of the latents.
    extractor : callable, optional
        See :func:`~ganprior.metrics.features.extract_features`.
    """
    first: list[Tensor] = []
    features: list[Tensor] = []
    for images, _ in _drawn(prior, count, rng):
        if sum(map(len, first)) < _PAIRED:
            first.append(images)
        if extractor is not None:
            features.append(extract_features(extractor, images))
    return Samples(torch.cat(first)[:_PAIRED], torch.cat(features) if features else None)


def compare_features(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Fréchet distance, precision and recall of features (N, F) and (M, F), by name."""
    shares = precision_recall(real, fake)
    return {
        "frechet_distance": frechet_distance(real, fake),
        "precision": shares.precision,
        "recall": shares.recall,
    }


def share_read_as_asked(
    prior: Prior, classifier: TrainedClassifier, count: int, rng: torch.Generator
) -> float:
    """Share of a conditional prior's samples that a classifier reads as the label asked for.

    Parameters
    ----------
    prior : Prior
        A conditional prior; labels go round robin.
    classifier : TrainedClassifier
        Trained on real images.
    count : int
        Samples.
    rng : torch.Generator
        Source of the latents.
    """
    right = 0
    for images, labels in _drawn(prior, count, rng):
        assert labels is not None
        right += int((classifier.read(images) == labels).sum())
    return right / count


def update_quality(card: dict[str, Any], figures: dict[str, Any]) -> dict[str, Any]:
    """Card with new figures; earlier ones that differ stay under ``quality_before``.

    Parameters
    ----------
    card : dict
        The card; it is left as it is.
    figures : dict
        New figures. Those of other names stay beside them.
    """
    before = dict(card.get("quality") or {})
    differ = any(before[key] != value for key, value in figures.items() if key in before)
    card = {**card, "quality": {**before, **figures}}
    if differ:
        # The first figures stay: they are what a later training is held against.
        card.setdefault("quality_before", before)
    return card


def _drawn(
    prior: Prior, count: int, rng: torch.Generator
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Samples and their labels in chunks; each chunk begins again at label 0."""
    size = max(_CHUNK // prior.classes, 1) * prior.classes if prior.classes else _CHUNK
    for start in range(0, count, size):
        number = min(size, count - start)
        yield prior.sample(number, rng), prior.round_robin(number)


def _compare_with_training(
    samples: Tensor, held_out: Images, training: Images, figures: dict[str, Any]
) -> Tensor:
    """Distances to the nearest training image, and the images nearest to those shown.

    Samples that were memorised lie nearer to the training images than unseen real images do.
    """
    found = nearest_images(samples[:_NEAREST], training.pixels)
    unseen = nearest_images(held_out.head(_NEAREST).floats(), training.pixels)
    figures["nearest_training_error"] = float(found.per_pixel_error.mean())
    figures["real_nearest_training_error"] = float(unseen.per_pixel_error.mean())
    pixels = training.pixels[found.place[:_SHOWN]]
    return pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _short(own) for key, own in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value
