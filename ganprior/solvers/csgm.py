"""Compressed sensing using generative models (CSGM).

A. Bora, A. Jalal, E. Price, A. G. Dimakis, "Compressed Sensing using Generative Models", 2017,
arXiv 1703.03208.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

from ganprior.numbers import check_noise_std, check_number
from ganprior.physics import Facts
from ganprior.priors import Prior
from ganprior.registry import Number, register
from ganprior.solution import squared_norm
from ganprior.solvers.engine import Effort, Setup, Stage
from ganprior.solvers.latent_solver import LatentSolver
from ganprior.solvers.latent_weights import default_latent_weight
from ganprior.solvers.search_options import SEARCH


@dataclass(frozen=True)
class CSGMObjective:
    """||y - A G(z)||^2 + lambda ||z||^2 (section 3 of the paper).

    Attributes
    ----------
    latent_weight : float or Tensor
        lambda; (B,) where signals have one each.
    """

    latent_weight: float | Tensor

    def objective(self, z: Tensor, x: Tensor, y: Tensor, physics: Any) -> Tensor:
        """||y - A x||^2 + lambda ||z||^2 with x = G(z), (R, B)."""
        return squared_norm(y - physics.A(x), lead=2) + self.latent_weight * squared_norm(z, lead=2)

    def residual(self, z: Tensor, x: Tensor, y: Tensor, physics: Any) -> Tensor:
        """[A x - y; sqrt(lambda) z], whose squared norm the objective is, (R, B, M)."""
        misfit = physics.A(x) - y
        if misfit.is_complex():
            misfit = torch.view_as_real(misfit)
        root = torch.as_tensor(self.latent_weight).to(z).sqrt().reshape(-1, 1)
        return torch.cat([misfit.flatten(2), root * z.flatten(2)], -1)

    def scale_of(self, y: Tensor) -> Tensor:
        """||y||^2, (B,)."""
        # One at a time: threads may share a single long sum.
        return torch.cat([squared_norm(one) for one in y.split(1)])

    def select(self, signals: Tensor) -> Self:
        """Objective of some of the signals, by position."""
        own = {name: w[signals] for name, w in vars(self).items() if isinstance(w, Tensor)}
        return replace(self, **own)


@register(
    "solver",
    "csgm",
    "min over z of ||y - A G(z)||^2 + lambda ||z||^2",
    *SEARCH,
    Number(
        "lambda",
        "weight of ||z||^2, tuned when left out",
        argument="latent_weight",
        example=0.02,
        minimum=0,
    ),
)
class CSGM(LatentSolver):
    """x^ = G(z^) with z^ = argmin_z ||y - A G(z)||^2 + lambda ||z||^2.

    Parameters
    ----------
    prior : Prior
        Supplies G.
    latent_weight : float, optional
        lambda. When absent, the value tuned for the prior, the number of measurements and the
        noise, for images in [0, 1]; it follows the size of A's columns, so that A, y and noise may
        be in any unit.
    noise_std : float, optional
        Standard deviation of the noise on each entry of y, which the default ``latent_weight``
        depends on; read from ``physics.noise_model.sigma`` when absent, else 0.
    effort : Effort, tuple of Stage or {"reference", "balanced", "fast"}
        How much work goes into one signal; ``"reference"`` is the paper's ten restarts.
    restarts, steps : int, optional
        Starts and first-order steps per signal, in place of those of the effort.
    setup : "auto", float or None
        What may be computed once per prior before the first step, a bank of starts and the
        generator's mean curvature: an amount of work that every shipped prior stays below and
        that bounds large generators, so many seconds, or nothing.

    Raises
    ------
    ValueError
        If ``prior`` is no ``Prior``, ``latent_weight`` or ``noise_std`` is
        negative or not finite, there is no such effort, or a number is below 1.

    Examples
    --------
    >>> from ganprior import CSGM, Gaussian, Prior
    >>> prior = Prior.load("mnist")
    >>> x = prior.sample(2, 0)
    >>> physics = Gaussian(100, prior.image_shape, 0)
    >>> solution = CSGM(prior, effort="fast").solve(physics(x), physics, rng=0)
    >>> solution.x.shape, solution.z.shape
    (torch.Size([2, 1, 28, 28]), torch.Size([2, 20]))
    """

    def __init__(
        self,
        prior: Prior,
        latent_weight: float | None = None,
        *,
        noise_std: float | None = None,
        effort: Effort | tuple[Stage, ...] | str = "balanced",
        restarts: int | None = None,
        steps: int | None = None,
        setup: Setup = "auto",
    ) -> None:
        super().__init__(prior, effort, restarts, steps, setup)
        if latent_weight is not None:
            check_number("latent_weight", latent_weight, least=0)
        check_noise_std(noise_std)
        self.latent_weight = latent_weight
        self.noise_std = noise_std

    def objective_for(self, y: Tensor, physics: Any, known: Facts | None = None) -> CSGMObjective:
        """Objective of the measurements ``y``, with lambda filled in."""
        known = known or self.known(y, physics)
        return CSGMObjective(shared_weight(self._latent_weight(known), y))

    def weights(self, known: Facts) -> dict[str, float | Tensor]:
        """Lambda of each signal, (B,)."""
        return {"latent_weight": self._latent_weight(known) * known.unit**2}

    def _latent_weight(self, known: Facts) -> Tensor:
        """lambda of each signal, in the units of ``known``, (B,)."""
        if self.latent_weight is not None:
            return self.latent_weight / known.unit**2
        own = self.prior.card.get("weights_sha256")
        return default_latent_weight(known, self.noise_std, own)


def shared_weight(weight: Tensor, y: Tensor) -> float | Tensor:
    """Weights (B,) of the signals of ``y`` as one number, where it is the same for all."""
    same = bool((weight == weight[0]).all())
    return float(weight[0]) if same else weight.to(y.device, y.dtype.to_real())
