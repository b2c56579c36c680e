"""What a solver gives the engine to minimise."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor


class Objective(Protocol):
    """What a solver minimises, in the letters of its paper.

    ``z`` is (R, B, *latent shape), ``x = G(z)`` is (R, B, C, H, W) in [0, 1], ``y`` is
    (B, ...) and ``physics.A(x)`` is (R, B, ...). Signals must not mix.
    """

    def objective(self, z: Tensor, x: Tensor, y: Tensor, physics: Any) -> Tensor:
        """Value of each restart of each signal, (R, B)."""

    def residual(self, z: Tensor, x: Tensor, y: Tensor, physics: Any) -> Tensor | None:
        """Real vector r, (R, B, M), with the objective's curvature; None if there is none.

        The objective is ||r||^2, or close by behaves as a constant and a linear term added to it.
        """

    # Optional: ``scale_of(y)``, the size (B,) of the objective, by which the engine judges what is
    # small, by default the objective of a black image at z = 0; it must be in the objective's unit;
    # ``project(z)``, latents (..., *latent shape) into the set that the paper allows;
    # ``select(signals)``, the objective of some of the signals, where it has weights for each;
    # ``discriminator(x)``, the raw output (N,) of a network that it applies to images (N, C, H, W).
