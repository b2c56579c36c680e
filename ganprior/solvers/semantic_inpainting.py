"""Semantic inpainting: the generated image that agrees with the known pixels and looks real.

R. A. Yeh, C. Chen, T. Y. Lim, A. G. Schwing, M. Hasegawa-Johnson, M. N. Do, "Semantic image
inpainting with deep generative models", 2017, arXiv 1607.07539.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ganprior.baselines.blending import poisson_blend
from ganprior.baselines.inpainting import known_pixels
from ganprior.numbers import check_number
from ganprior.physics import Facts
from ganprior.priors import Prior, UniformLatent
from ganprior.progress import Wish, with_progress
from ganprior.registry import Number, register
from ganprior.solution import Solution, squared_norm, without_autocast
from ganprior.solvers.context_weights import Weighting, check_weighting, context_weights
from ganprior.solvers.engine import EFFORTS_L1, Effort, Setup, Stage
from ganprior.solvers.latent_solver import LatentSolver
from ganprior.solvers.prior_loss import (
    PRIOR_LOSSES,
    PriorLoss,
    checked_loss,
    detached_discriminator,
)
from ganprior.solvers.search_options import SEMANTIC
from ganprior.streams import Streams

OTHER_PHYSICS = "use CSGM for other physics"
# Differences below this have the curvature of this one: at 0 that of the L1 norm is infinite.
KINK = 0.01

# Beside the *sum* over pixels and channels of W |G(z) - y|. The authors' lambda is 0.003 with
# images in [-1, 1]; in [0, 1] differences are half as large, and so is lambda: PAPER_WEIGHT. The
# default was chosen on 24 tuning images; on others the two differ by less than chance (see
# experiments/yeh2017/prior_weight.py).
PAPER_WEIGHT = 0.0015
PRIOR_WEIGHT = 0.015

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SemanticObjective:
    """||W (G(z) - y)||_1 + lambda L_p(D(G(z))) (sections 3.1 to 3.3 of the paper).

    Attributes
    ----------
    weighting : str
        Which W; see ``context_weights``.
    prior_weight : float
        lambda.
    prior_loss : callable
        L_p of the discriminator's raw output.
    discriminator : callable
        Raw output (N,) of images (N, C, H, W) in [0, 1].
    support : callable
        Nearest latents that the law allows; see :meth:`project`.
    """

    weighting: Weighting
    prior_weight: float
    prior_loss: Callable[[Tensor], Tensor]
    discriminator: Callable[[Tensor], Tensor]
    support: Callable[[Tensor], Tensor]

    def objective(self, z: Tensor, x: Tensor, y: Tensor, physics: Any) -> Tensor:
        """||W (x - y)||_1 + lambda L_p(D(x)) with x = G(z), (R, B)."""
        context = (self._weights(x, physics) * (x - y)).abs().flatten(2).sum(-1)
        if self.prior_weight == 0:
            return context
        scores = self.discriminator(x.flatten(0, 1)).reshape(context.shape)
        return context + self.prior_weight * self.prior_loss(scores)

    def residual(self, z: Tensor, x: Tensor, y: Tensor, physics: Any) -> Tensor:
        """r with the curvature of iteratively reweighted least squares for the L1 norm, (R, B, M).

        W |d| <= W (d^2 / |d_0| + |d_0|) / 2 with equality at the present difference d_0: the
        parabola on the right is r^2 and a constant, for r = d sqrt(W / (2 |d_0|)). The prior loss
        is left to its gradient.
        """
        difference = x - y
        present = difference.detach().abs().clamp_min(KINK)
        return (difference * (self._weights(x, physics) / (2 * present)).sqrt()).flatten(2)

    def scale_of(self, y: Tensor) -> Tensor:
        """||y||_1, (B,)."""
        # One at a time: threads may share a single long sum.
        return torch.stack([one.abs().sum() for one in y])

    def _weights(self, x: Tensor, physics: Any) -> Tensor:
        # Measured and not stored: the mask of each signal then is that of the signals given.
        return context_weights(physics.A(torch.ones_like(x[:1])), self.weighting)

    def project(self, z: Tensor) -> Tensor:
        """Latents that the law allows, nearest to ``z``, (..., *latent shape), after each step."""
        return self.support(z)


@dataclass(frozen=True, repr=False)
class InpaintingSolution(Solution):
    """A :class:`~ganprior.solution.Solution` whose ``x`` may be blended.

    Attributes
    ----------
    raw : Tensor
        The generator's image G(z), (B, C, H, W); ``x`` itself without blending.
        ``measurement_error`` is that of ``x``, ``objective`` that of ``z``.
    """

    raw: Tensor = field(kw_only=True)


@register(
    "solver",
    "semantic-raw",
    "the same, not blended",
    *SEMANTIC,
    fixed={"blend": False},
    needs="mask",
)
@register(
    "solver",
    "semantic",
    "min over z of ||W (G(z) - y)||_1 + lambda prior loss, then Poisson blending",
    *SEMANTIC,
    Number(
        "screening",
        "how much the blended image keeps to the generated one, 0 by default",
        example=0,
        minimum=0,
    ),
    needs="mask",
)
class SemanticInpainting(LatentSolver):
    """z^ = argmin_z ||W (G(z) - y)||_1 + lambda L_p(D(G(z))), then Poisson blending of G(z^).

    Physics is a mask, one for all images or one per image, known by its ``A`` alone. Known pixels
    may be in any unit: multiplied by one number for each image.

    Parameters
    ----------
    prior : Prior
        Supplies G, and D where lambda is above 0.
    prior_weight : float
        lambda, beside the sum (no mean) of the weighted absolute differences over pixels and
        channels of images in [0, 1]. The default was chosen on tuning images; the paper's 0.003
        for images in [-1, 1] is 0.0015 here.
    prior_loss : {"saturating", "non-saturating", "critic"}, optional
        L_p: log(1 - D), -log D, or -D for the D of a Wasserstein prior. When absent the first
        for a discriminator that gives probabilities and the last for a critic, by
        ``prior.discriminator_output``.
    weighting : {"weighted", "uniform", "inverted"}
        W: see ``context_weights``.
    latent_norm : float, optional
        Bound on ||z|| for a Gaussian latent, none when absent. Uniform latents are always kept
        in [-1, 1], as in the paper.
    blend : bool
        Whether ``x`` is the blended image, with the known pixels as they are in y, or G(z^).
    screening : float
        s of :func:`~ganprior.baselines.blending.poisson_blend`; 0 is the paper's.
    effort : Effort, tuple of Stage or {"reference", "balanced", "fast"}
        How much work goes into one signal, of ``EFFORTS_L1`` or one's own.
    restarts, steps : int, optional
        Starts and first-order steps per signal, in place of those of the effort.
    setup : "auto", float or None
        What may be computed once per prior before the first step, as for
        :class:`~ganprior.solvers.csgm.CSGM`.

    Raises
    ------
    ValueError
        If a number is negative or not finite, an option is none of its words, or the loss needs
        a discriminator that the prior does not have.

    Examples
    --------
    >>> import torch
    >>> from ganprior import Prior, SemanticInpainting, demo_images, inpainting
    >>> mask = torch.ones(1, 28, 28)
    >>> mask[:, 7:21, 7:21] = 0
    >>> physics = inpainting(mask, (1, 28, 28))
    >>> prior = Prior.load("fashion-mnist-dcgan")
    >>> solver = SemanticInpainting(prior, effort="reference", restarts=2, steps=20)
    >>> solver(physics(demo_images().head(1).floats()), physics).shape
    torch.Size([1, 1, 28, 28])
    """

    efforts = EFFORTS_L1
    kind = "semantic"

    def __init__(
        self,
        prior: Prior,
        prior_weight: float = PRIOR_WEIGHT,
        *,
        prior_loss: PriorLoss | None = None,
        weighting: Weighting = "weighted",
        latent_norm: float | None = None,
        blend: bool = True,
        screening: float = 0.0,
        effort: Effort | tuple[Stage, ...] | str = "balanced",
        restarts: int | None = None,
        steps: int | None = None,
        setup: Setup = "auto",
    ) -> None:
        super().__init__(prior, effort, restarts, steps, setup)
        for name, value in (("prior_weight", prior_weight), ("screening", screening)):
            check_number(name, value, least=0)
        if latent_norm is not None:
            check_number("latent_norm", latent_norm, above=0)
        check_weighting(weighting)
        self.prior_weight = prior_weight
        self.prior_loss = checked_loss(prior, prior_loss) if prior_weight else None
        self.weighting = weighting
        self.latent_norm = latent_norm
        self.blend = blend
        self.screening = screening

    def unit(self, y: Tensor, physics: Any, known: Facts) -> Tensor:
        """What the known pixels are multiplied by: the search is among images in [0, 1]."""
        return known_pixels(y, physics, OTHER_PHYSICS)[1].flatten()

    def objective_unit(self, unit: Tensor) -> Tensor:
        """Ones: the objective is one of images, in whatever unit they were measured."""
        return torch.ones_like(unit)

    def objective_for(
        self, y: Tensor, physics: Any, known: Facts | None = None
    ) -> SemanticObjective:
        """Objective of the images ``y`` with their holes."""
        mask, _ = known_pixels(y, physics, OTHER_PHYSICS)
        for i in mask.flatten(1).all(1).nonzero().flatten().tolist():
            raise ValueError(f"physics: its mask hides no pixel of image {i}; leave the image out")
        return SemanticObjective(
            self.weighting,
            self.prior_weight,
            PRIOR_LOSSES[self.prior_loss] if self.prior_loss else torch.zeros_like,
            self._discriminator(y),
            self._support,
        )

    def weights(self, known: Facts) -> dict[str, float | Tensor]:
        """Lambda."""
        return {"prior_weight": self.prior_weight}

    @with_progress
    @without_autocast
    def solve(
        self,
        y: Tensor,
        physics: Any,
        *,
        rng: Streams | int = 0,
        progress: Wish = False,
        starts: Tensor | None = None,
        warm: Tensor | None = None,
    ) -> InpaintingSolution:
        """Inpaint images and report how it went; see ``LatentSolver.solve``.

        Parameters
        ----------
        y : Tensor
            Images of which some pixels are hidden, (B, C, H, W).
        physics : object
            The mask.
        rng, progress, starts, warm
            As for :meth:`~ganprior.solvers.latent_solver.LatentSolver.solve`.

        Returns
        -------
        InpaintingSolution
            ``x`` is blended where asked for; an image with NaN or infinite known pixels has
            status ``nonfinite`` and is not blended.

        Raises
        ------
        ValueError
            If the physics is not a mask, or hides all or nothing of an image.
        """
        found = super().solve(y, physics, rng=rng, starts=starts, warm=warm)
        facts = {**vars(found), "raw": found.x}
        if self.blend:
            logger.info("blending of %d images", len(y))
            with torch.inference_mode(False), torch.no_grad():
                x = self._blended(found.x, y.clone(), physics)
                error = squared_norm(y.clone() - physics.A(x))
            facts |= {"x": x, "measurement_error": error}
        return InpaintingSolution(**facts)

    def _blended(self, generated: Tensor, y: Tensor, physics: Any) -> Tensor:
        mask, gain = known_pixels(y, physics, OTHER_PHYSICS)
        x = poisson_blend(generated, y / gain, mask, screening=self.screening)
        finite = x.flatten(1).isfinite().all(1)
        return torch.where(finite[:, None, None, None], x, generated)

    def _discriminator(self, y: Tensor) -> Callable[[Tensor], Tensor]:
        return detached_discriminator(self.prior, y) if self.prior_weight else nn.Identity()

    def _support(self, z: Tensor) -> Tensor:
        if isinstance(self.prior.latent, UniformLatent):
            return z.clamp(-1, 1)
        if self.latent_norm is None:
            return z
        norm = torch.linalg.vector_norm(z, dim=self._latent_axes, keepdim=True)
        return z * (self.latent_norm / norm).clamp(max=1)

    @property
    def _latent_axes(self) -> tuple[int, ...]:
        return tuple(range(-len(self.prior.latent.shape), 0))
