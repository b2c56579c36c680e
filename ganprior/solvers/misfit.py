"""Whether a prior explains measurements as well as those of its own data.

Of y = A x + noise, with x from the prior's data, a solution G(z^) leaves about

    E ||y - A G(z^)||^2 = q s + m noise_std^2

where q is the share that deviates (:mod:`ganprior.priors.residual_law`). An image of another kind,
another A than the one that measured, or noise that nobody stated, leaves more. This is a test of
the residual alone: whether z^ is likely has no say, and what a few measurements cannot tell apart
passes it.

Where the prior is a density, z^ has a say, and what deviates too: the test is that of
:mod:`ganprior.priors.distance_law`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganprior.physics import Facts
from ganprior.priors.residual_law import ResidualLaw
from ganprior.solution import Status, relative_residual, squared_norm

# Standard deviations of the noise's square above its mean.
NOISE_MARGIN = 4.0
# Images of the prior's data have a p-value below it once in a thousand times.
LEAST_P = 1e-3


@dataclass(frozen=True)
class Residual:
    """What images G(z^) leave of the measurements of B signals.

    Attributes
    ----------
    relative : Tensor
        ||y - A G(z^)|| / ||y||, (B,).
    expected : Tensor or None
        What it is for the prior's own data, (B,); None where the prior's card does not say.
    misfit : Tensor
        Whether it is far above, bool, (B,).
    """

    relative: Tensor
    expected: Tensor | None
    misfit: Tensor

    def statuses(self, ended: Sequence[Status]) -> tuple[Status, ...]:
        """How signals ended, with ``misfit`` in place of all but ``nonfinite``."""
        return tuple(
            Status.MISFIT if misfit and status is not Status.NONFINITE else status
            for status, misfit in zip(ended, self.misfit.tolist(), strict=True)
        )


def unlike_statuses(ended: Sequence[Status], p_value: Tensor | None) -> tuple[Status, ...]:
    """How signals ended, with ``unlike_prior`` where p is small, but for ``nonfinite``."""
    if p_value is None:
        return tuple(ended)
    return tuple(
        Status.UNLIKE_PRIOR if p < LEAST_P and status is not Status.NONFINITE else status
        for status, p in zip(ended, p_value.tolist(), strict=True)
    )


def residual_of(
    x: Tensor,
    y: Tensor,
    physics: Any,
    known: Facts,
    law: ResidualLaw | None,
    latent_size: int,
    noise_std: float | None = None,
) -> Residual:
    """Compare what images leave of measurements with what the prior's own data leave.

    Parameters
    ----------
    x : Tensor
        G(z^), (B, C, H, W).
    y : Tensor
        Measurements, (B, ...).
    physics : object
        What they were measured with.
    known : Facts
        What is known of it.
    law : ResidualLaw, optional
        Of the prior's own data.
    latent_size : int
        Entries of z.
    noise_std : float, optional
        Standard deviation of the noise on each entry of y; what the physics states when absent.
    """
    left, size = residual_squares(x, y, physics, known)
    whole = _squares(y, known)
    relative = relative_residual(left, whole).to(x)
    if law is None:
        return Residual(relative, None, torch.zeros_like(relative, dtype=torch.bool))
    mean, limit = law.at(known.m / latent_size)
    noise = known.m * (known.noise_std(noise_std) * known.unit).square()
    most = limit * size + noise * (1 + NOISE_MARGIN * (2 / known.m).sqrt())
    return Residual(relative, relative_residual(mean * size + noise, whole).to(x), left > most)


def residual_squares(x: Tensor, y: Tensor, physics: Any, known: Facts) -> tuple[Tensor, Tensor]:
    """Squared residual of images, and s, what it is a share of.

    Parameters
    ----------
    x : Tensor
        Images of a generator, (B, C, H, W).
    y, physics, known
        As for :func:`residual_of`.

    Returns
    -------
    left : Tensor
        ||y - A x||^2, float64, (B,).
    size : Tensor
        s of :mod:`ganprior.priors.residual_law`, float64, (B,).
    """
    shown, image = physics.A(x), squared_norm(x).double()
    size = torch.maximum(_squares(shown, known), known.scale * known.unit**2 * image)
    brightness = (image / x[0].numel()).sqrt().clamp(min=torch.finfo(x.dtype).tiny)
    return _squares(y - shown, known), size / brightness


def _squares(entries: Tensor, known: Facts) -> Tensor:
    if known.support is not None:  # what does not respond to the image may hold anything
        entries = torch.where(known.support, entries, torch.zeros_like(entries))
    return squared_norm(entries).double()
