"""What a baseline for linear physics asks of its measurements and of their physics."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ganprior.baselines.linear_map import close, probe


def checked_measurements(y: Tensor) -> Tensor:
    """Return y if it is one tensor of floating-point measurements, (B, ...)."""
    if not isinstance(y, Tensor):
        raise ValueError(
            f"y is a {type(y).__name__} where one tensor is needed; "
            "reconstruct from one part of a stacked physics at a time"
        )
    if y.ndim < 2 or not (y.is_floating_point() or y.is_complex()):
        raise ValueError(
            f"y has shape {tuple(y.shape)} and type {y.dtype}; give floating-point measurements "
            "with the signals along the first axis"
        )
    return y


def split_finite(y: Tensor) -> tuple[Tensor, Tensor]:
    """Zero the signals that are not all finite, and say which are finite, bool, (B,)."""
    finite = y.isfinite().flatten(1).all(1)
    rows = finite.reshape(-1, *[1] * (y.ndim - 1))
    return torch.where(rows, y, torch.zeros_like(y)), finite


def adjoint_image(y: Tensor, physics: Any) -> Tensor:
    """Return A^T y, which has the shape of the images, (B, C, H, W)."""
    if not callable(getattr(physics, "A_adjoint", None)):
        raise ValueError(
            f"physics {type(physics).__name__} has no A_adjoint: baselines need a linear one; "
            "use a solver with a prior"
        )
    try:
        image = physics.A_adjoint(y)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"y of shape {tuple(y.shape)} does not fit physics {type(physics).__name__}: {reason}"
        ) from error
    if image.ndim != 4:
        raise ValueError(
            f"physics.A_adjoint(y) has shape {tuple(image.shape)}; it must give images (B, C, H, W)"
        )
    return image.real if image.is_complex() else image


def check_linear(physics: Any, image: Tensor) -> None:
    """Raise ValueError unless A(2x) = 2A(x) at a random image like ``image``."""
    # Some non-linear physics (phase retrieval) have an A_adjoint too.
    x = probe(image)
    if not close(physics.A(2 * x), 2 * physics.A(x)):
        raise ValueError(
            f"physics {type(physics).__name__} is not linear (A(2x) differs from 2A(x)), "
            "which baselines need; use a solver with a prior"
        )


def stated_noise_std(physics: Any, count: int) -> Tensor:
    """Read the noise that the physics itself states, (B,); 0 where it states none."""
    sigma = getattr(getattr(physics, "noise_model", None), "sigma", None)
    levels = torch.as_tensor(0.0 if sigma is None else sigma).flatten()
    if len(levels) not in (1, count):
        raise ValueError(
            f"physics.noise_model.sigma has {len(levels)} entries for {count} signals; "
            "give noise_std"
        )
    return levels
