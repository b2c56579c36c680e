"""Features of images: what the distances between sets of images are computed from."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

FeatureExtractor = Callable[[Tensor], Tensor]


@torch.no_grad()
def extract_features(extractor: FeatureExtractor, images: Tensor, *, chunk: int = 250) -> Tensor:
    """Features of images, chunk by chunk.

    Parameters
    ----------
    extractor : callable
        Maps images (B, C, H, W) in [0, 1] to features (B, F): a classifier without its last
        layer, ``torch.flatten`` for raw pixels, or any other.
    images : Tensor
        (N, C, H, W), uint8, or float in [0, 1]; floats are clipped to it.
    chunk : int
        Images per call.

    Returns
    -------
    Tensor
        (N, F), float32, on the CPU.
    """
    parts = [extractor(_unit(part)).flatten(1).float().cpu() for part in images.split(chunk)]
    return torch.cat(parts)


def check_features(real: Tensor, fake: Tensor, *, least: int) -> None:
    """Refuse what are not two sets of features.

    Raises
    ------
    ValueError
        If the features are not (N, F) and (M, F) with one F, or N or M is below ``least``.
    """
    if real.dim() != 2 or fake.dim() != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(
            "features must be (N, F) and (M, F) from one extractor, got "
            f"{tuple(real.shape)} and {tuple(fake.shape)}"
        )
    if min(len(real), len(fake)) < least:
        raise ValueError(
            f"features of at least {least} images are needed on both sides, got {len(real)} real "
            f"and {len(fake)} generated ones; give more"
        )


def _unit(images: Tensor) -> Tensor:
    return images.float() / 255 if images.dtype == torch.uint8 else images.clamp(0, 1)
