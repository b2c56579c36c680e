"""A small classifier: the eyes of the quality figures.

The features before its last layer are what Fréchet distance, precision and recall are measured
in, and its reading of conditional samples says whether they are of the class asked for. Those of
an Inception network mean little on digits and clothes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ganprior.datasets import Images
from ganprior.files import reason_of, write_atomically, write_tensors
from ganprior.priors.architectures import Classifier, initialise
from ganprior.priors.network_files import check_size, fill, read_tensors
from ganprior.streams import derive_seed

CLASSIFIERS = Path(__file__).parent / "classifiers"
_BATCH = 128
# Top of the one-cycle schedule of Adam's rate.
_RATE = 5e-3


@dataclass(frozen=True)
class TrainedClassifier:
    """A classifier of images in [0, 1], with what is known about it.

    Attributes
    ----------
    network : Classifier
        In eval mode; takes images in [-1, 1].
    card : dict
        Data and its SHA-256, licence, accuracy.
    """

    network: Classifier
    card: dict[str, Any] = field(default_factory=dict)

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """Features (B, 128) of images (B, C, H, W) in [0, 1]."""
        return self.network.features(2 * images - 1)

    @torch.no_grad()
    def read(self, images: Tensor) -> Tensor:
        """Most likely class of each image in [0, 1], int64, (B,)."""
        parts = [self.network(2 * part - 1).argmax(1) for part in images.split(500)]
        return torch.cat(parts)

    def accuracy(self, images: Images) -> float:
        """Share of labelled images that are read as labelled.

        Raises
        ------
        ValueError
            If the images have no labels.
        """
        return float((self.read(images.floats()) == _labels(images)).double().mean())


def train_classifier(
    images: Images,
    *,
    filters: int = 16,
    steps: int = 460,
    seed: int = 0,
    progress: Callable[[int], None] = lambda step: None,
) -> TrainedClassifier:
    """Train a classifier on labelled images.

    Parameters
    ----------
    images : Images
        Images with labels 0, 1, ...; all are trained on.
    filters : int
        Channels of the first layer.
    steps : int
        Adam steps on 128 images each; 460 are one pass over 59,000 images.
    seed : int
        Seed of weights and order.
    progress : callable
        Told the number of steps done.

    Raises
    ------
    ValueError
        If there are no labels, fewer than two classes, or images that are not square.
    """
    labels, (channels, height, width) = _labels(images), images.shape
    classes = int(labels.max()) + 1
    if classes < 2 or int(labels.min()) < 0:
        raise ValueError(
            f"a classifier needs labels 0, 1, ..., got {int(labels.min())} to {classes - 1}"
        )
    if height != width:
        raise ValueError(f"a classifier takes square images, got {height} x {width}; resize them")
    rng = torch.Generator().manual_seed(derive_seed(seed, "classifier"))
    check_size(lambda: [Classifier(channels, height, classes, filters)])
    network = Classifier(channels, height, classes, filters)
    initialise(network, rng)
    network.train()
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    order = torch.empty(0, dtype=torch.long)
    for step in range(steps):
        if len(order) < min(_BATCH, len(images)):
            order = torch.randperm(len(images), generator=rng)
        chosen, order = order[:_BATCH], order[_BATCH:]
        loss = functional.cross_entropy(network(_signed(images.pixels[chosen])), labels[chosen])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        progress(step + 1)
    return TrainedClassifier(
        network.eval(),
        {
            "architecture": {
                "name": "classifier",
                "channels": channels,
                "size": height,
                "classes": classes,
                "filters": filters,
            },
            "data_sha256": images.sha256,
            "training_images": len(images),
            "steps": steps,
            "seed": seed,
        },
    )


def save_classifier(classifier: TrainedClassifier, path: Path) -> None:
    """Write ``path``.safetensors (float16) and the card ``path``.json.

    Raises
    ------
    ValueError
        If the files cannot be written.
    """
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in classifier.network.state_dict().items()
    }
    write_tensors(_with(path, ".safetensors"), tensors)
    text = json.dumps(classifier.card, indent=2) + "\n"

    def write(file: Path) -> None:
        file.write_text(text, encoding="utf-8")

    write_atomically(_with(path, ".json"), write)


def load_classifier(path: Path) -> TrainedClassifier:
    """Read what :func:`save_classifier` wrote; nothing is unpickled.

    Raises
    ------
    ValueError
        If a file is absent, damaged, or does not fit the other.
    """
    try:
        card = json.loads(_with(path, ".json").read_text(encoding="utf-8"))
        described = dict(card["architecture"])
        described.pop("name")
        with torch.device("meta"):
            network = Classifier(**described)
        fill(network, read_tensors(_with(path, ".safetensors")))
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError, RuntimeError) as error:
        raise ValueError(
            f"{path} is no classifier of ganprior: {reason_of(error)}; train one with "
            "'ganprior train-classifier'"
        ) from error
    return TrainedClassifier(network.eval(), card)


def shipped_classifier(data_sha256: str, shape: tuple[int, int, int]) -> Path | None:
    """Path of the shipped classifier that was trained on a data set, None where there is none.

    Parameters
    ----------
    data_sha256 : str
        SHA-256 of the training images; see :func:`~ganprior.datasets.loading.load_images`.
    shape : tuple of int
        (C, H, W) of the images that it is to read.
    """
    for path in sorted(CLASSIFIERS.glob("*.json")):
        card = json.loads(path.read_text(encoding="utf-8"))
        described = card["architecture"]
        taken = (described["channels"], described["size"], described["size"])
        if card["data_sha256"] == data_sha256 and taken == shape:
            return path
    return None


def _with(path: Path, suffix: str) -> Path:
    name = path.name.removesuffix(".safetensors").removesuffix(".json")
    return path.with_name(name + suffix)


def _labels(images: Images) -> Tensor:
    if images.labels is None:
        raise ValueError(
            "the images have no labels, which a classifier is trained by; give idx files with "
            "their labels, an .npz with the key 'labels', or a folder with one subfolder per class"
        )
    return images.labels


def _signed(pixels: Tensor) -> Tensor:
    unit = pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels
    return unit * 2 - 1
