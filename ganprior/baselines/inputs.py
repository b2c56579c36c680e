"""What solvers ask of their measurements, and a baseline of a linear physics."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ganprior.physics import Facts, facts
from ganprior.physics.copies import private_copy

# Half precision is for networks: factorisations and stopping rules need more digits.
DTYPES = (torch.float32, torch.float64, torch.complex64, torch.complex128)


def checked_measurements(y: Tensor, physics: Any) -> Tensor:
    """Return y if it is one tensor of measurements, (B, ...), and there is a physics to them.

    Raises
    ------
    ValueError
        If y is no dense tensor with data, is in another than single or double precision or is
        empty, or ``physics`` has no ``A``.
    """
    if not isinstance(y, Tensor):
        raise ValueError(
            f"y must be one tensor, got {type(y).__name__}; reconstruct from one part of a stacked "
            "physics at a time, or concatenate the parts in a physics of your own"
        )
    if y.dtype not in DTYPES:
        raise ValueError(
            f"y must hold floating-point or complex numbers in single or double precision, got "
            f"{y.dtype}; convert y and the physics with .float()"
        )
    if y.layout != torch.strided or y.is_meta:
        kind = "meta" if y.is_meta else str(y.layout).removeprefix("torch.")
        raise ValueError(f"y must be a dense tensor with data, got a {kind} one; see .to_dense()")
    if y.ndim < 2 or y.numel() == 0:
        raise ValueError(
            "y must be (batch, ...) with at least one signal and one measurement, got "
            f"{tuple(y.shape)}"
        )
    if not callable(getattr(physics, "A", None)):
        raise ValueError(f"physics must have a method A(x), got {type(physics).__name__}")
    return y


def split_finite(y: Tensor) -> tuple[Tensor, Tensor]:
    """Zero the signals that are not all finite, and say which are finite, bool, (B,)."""
    finite = y.isfinite().flatten(1).all(1)
    rows = finite.reshape(-1, *[1] * (y.ndim - 1))
    return torch.where(rows, y, torch.zeros_like(y)), finite


def linear_facts(y: Tensor, physics: Any) -> tuple[Facts, Tensor]:
    """What is known of a linear physics, and A^T y, images (B, C, H, W).

    Raises
    ------
    ValueError
        If the physics has no ``A_adjoint`` or one that is not the adjoint of A, is not linear, or
        does not fit y.
    """
    name = type(physics).__name__
    if not callable(getattr(physics, "A_adjoint", None)):
        raise ValueError(
            f"physics {name} has no A_adjoint: baselines need a linear one; use a solver with a "
            "prior"
        )
    image = _back(y, physics)
    known = facts(physics, image.shape[1:], count=len(y), like=y)
    known.check(y)
    if not known.linear:
        raise ValueError(
            f"physics {name} is not linear (A(x + x') differs from A(x) + A(x')), which baselines "
            "need; use a solver with a prior"
        )
    if not known.adjoint:
        raise ValueError(
            f"A_adjoint of physics {name} is not the adjoint of its A (<A p, A p> differs from "
            "<p, A_adjoint(A p)>, or A_adjoint(0) from 0), which baselines need; mend it, or use a "
            "solver with a prior"
        )
    return known, image


def _back(y: Tensor, physics: Any) -> Tensor:
    try:
        image = private_copy(physics).A_adjoint(y)
    except Exception as error:
        # Whatever its class: deepinv asserts, and others do as they like.
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(
            f"y of shape {tuple(y.shape)} and type {y.dtype} does not fit physics "
            f"{type(physics).__name__}: {lines[0]}"
        ) from error
    if not isinstance(image, Tensor) or image.ndim != 4 or len(image) != len(y):
        raise ValueError(
            f"physics.A_adjoint(y) has shape {tuple(getattr(image, 'shape', ()))}; it must give "
            f"{len(y)} images (B, C, H, W)"
        )
    return image.real if image.is_complex() else image
