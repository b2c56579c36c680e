"""CSGM with a discriminator term.

A. Bora, A. Jalal, E. Price, A. G. Dimakis, "Compressed Sensing using Generative Models", 2017,
arXiv 1703.03208, minimise ||y - A G(z)||^2 + lambda ||z||^2; their code can add the GAN's
discriminator, which this solver does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ganprior.numbers import check_number
from ganprior.physics import Facts
from ganprior.priors import Prior
from ganprior.registry import Number, register
from ganprior.solvers.csgm import CSGM, CSGMObjective, shared_weight
from ganprior.solvers.engine import Effort, Setup, Stage
from ganprior.solvers.prior_loss import (
    PRIOR_LOSSES,
    PriorLoss,
    checked_loss,
    detached_discriminator,
)


@dataclass(frozen=True)
class DiscriminatorObjective(CSGMObjective):
    """||y - A G(z)||^2 + lambda ||z||^2 + gamma L_p(D(G(z))).

    The residual is that of CSGM: the discriminator term is left to its gradient.

    Attributes
    ----------
    latent_weight : float or Tensor
        lambda; (B,) where signals have one each.
    discriminator_weight : float or Tensor
        gamma; (B,) where signals have one each.
    prior_loss : callable
        L_p of the discriminator's raw output.
    discriminator : callable
        Raw output (N,) of images (N, C, H, W) in [0, 1].
    """

    discriminator_weight: float | Tensor
    prior_loss: Callable[[Tensor], Tensor]
    discriminator: Callable[[Tensor], Tensor]

    def objective(self, z: Tensor, x: Tensor, y: Tensor, physics: Any) -> Tensor:
        """||y - A x||^2 + lambda ||z||^2 + gamma L_p(D(x)) with x = G(z), (R, B)."""
        csgm = super().objective(z, x, y, physics)
        scores = self.discriminator(x.flatten(0, 1)).reshape(csgm.shape)
        return csgm + self.discriminator_weight * self.prior_loss(scores)


@register(
    "solver",
    "csgm",
    "the same with a term that asks the prior's discriminator",
    Number(
        "discriminator",
        "weight of a term that asks the prior's discriminator, none by default",
        argument="discriminator_weight",
        example=0.01,
        above=0,
    ),
    variant="discriminator",
)
class DiscriminatorCSGM(CSGM):
    """x^ = G(z^) with z^ = argmin_z ||y - A G(z)||^2 + lambda ||z||^2 + gamma L_p(D(G(z))).

    Parameters
    ----------
    prior : Prior
        Supplies G and D.
    discriminator_weight : float
        gamma, for images in [0, 1] and A with columns of unit norm, as N(0, 1/m) entries make
        them; above 0. For any other A it is multiplied by the mean squared norm of its columns.
    latent_weight, noise_std, effort, restarts, steps
        As for :class:`~ganprior.solvers.csgm.CSGM`.
    prior_loss : {"non-saturating", "saturating", "critic"}, optional
        L_p: -log D, log(1 - D), or -D for the D of a Wasserstein prior. When absent the first for
        a discriminator that gives probabilities, since it is bounded below and an image that looks
        real costs nothing, and the last for a critic.

    Raises
    ------
    ValueError
        If a weight is out of range, the prior has no discriminator, or the loss does not suit it.

    Examples
    --------
    >>> from ganprior import DiscriminatorCSGM, Prior
    >>> solver = DiscriminatorCSGM(Prior.load("fashion-mnist-dcgan"), 0.01, effort="fast")
    """

    def __init__(
        self,
        prior: Prior,
        discriminator_weight: float,
        latent_weight: float | None = None,
        *,
        prior_loss: PriorLoss | None = None,
        noise_std: float | None = None,
        effort: Effort | tuple[Stage, ...] | str = "balanced",
        restarts: int | None = None,
        steps: int | None = None,
        setup: Setup = "auto",
    ) -> None:
        super().__init__(
            prior,
            latent_weight,
            noise_std=noise_std,
            effort=effort,
            restarts=restarts,
            steps=steps,
            setup=setup,
        )
        check_number(
            "discriminator_weight",
            discriminator_weight,
            above=0,
            remedy="use CSGM to do without",
        )
        if prior_loss is None and prior.discriminator_output == "probability":
            prior_loss = "non-saturating"
        self.discriminator_weight = discriminator_weight
        self.prior_loss = checked_loss(prior, prior_loss, "discriminator_weight")

    def objective_for(
        self, y: Tensor, physics: Any, known: Facts | None = None
    ) -> DiscriminatorObjective:
        """Objective of the measurements ``y``, with lambda filled in and gamma to scale."""
        known = known or self.known(y, physics)
        return DiscriminatorObjective(
            shared_weight(self._latent_weight(known), y),
            shared_weight(self.discriminator_weight * known.scale, y),
            PRIOR_LOSSES[self.prior_loss],
            detached_discriminator(self.prior, y),
        )

    def weights(self, known: Facts) -> dict[str, float | Tensor]:
        """Lambda of each signal, (B,), and gamma as it was given."""
        return {**super().weights(known), "discriminator_weight": self.discriminator_weight}
