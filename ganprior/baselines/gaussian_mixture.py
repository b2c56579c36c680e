"""Posterior mean under a Gaussian mixture of training images.

    x^ = E[x | y] = sum over j of p(j | y) (mu_j + C_j A^T (A C_j A^T + s^2 I)^-1 (y - A mu_j))
    p(j | y) in proportion to w_j N(y; A mu_j, A C_j A^T + s^2 I)

G. Yu, G. Sapiro, S. Mallat, "Solving inverse problems with piecewise linear estimators: from
Gaussian mixture models to structured sparsity", IEEE Transactions on Image Processing 21(5), 2012,
arXiv 1006.3056, of whole images in place of their patches, and with the mean over all components
where their equation (9) takes the best one. No estimator has a smaller mean squared error where the
images are of that law.

Fitted by :func:`ganprior.training.gaussian_mixture.fit_gaussian_mixture`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from ganprior.baselines.gaussian_posterior import (
    Conditioned,
    GaussianMixturePosterior,
    condition,
)
from ganprior.baselines.gaussian_woodbury import condition_by_woodbury
from ganprior.baselines.inputs import checked_measurements, linear_facts, split_finite
from ganprior.baselines.linear_map import LinearMap, Pixels
from ganprior.baselines.measured_rows import MeasuredRows, measured_rows
from ganprior.baselines.outcome import Outcome
from ganprior.baselines.shared_options import LAW
from ganprior.numbers import check_noise_std
from ganprior.physics import Facts
from ganprior.physics.probing import as_rows
from ganprior.priors import Prior
from ganprior.priors.gaussian_mixture_files import gaussian_mixture_of, load_gaussian_mixture
from ganprior.priors.gaussian_mixture_law import GaussianMixtureLaw
from ganprior.progress import Wish, with_progress
from ganprior.registry import register
from ganprior.solution import Reconstructor, Solution, without_autocast
from ganprior.streams import Streams


@register(
    "solver",
    "gaussian-mixture",
    "posterior mean under a mixture fitted to training images",
    LAW,
    needs="linear",
    uncertain=True,
)
class GaussianMixture(Reconstructor):
    """Posterior mean of a Gaussian mixture; any linear physics.

    Parameters
    ----------
    law : GaussianMixtureLaw
        Law of the images.
    noise_std : float, optional
        Standard deviation of each entry of y, of the real and of the imaginary part where it is
        complex; 0 is allowed. When absent: ``physics.noise_model.sigma`` where there is one, else
        0.
    uncertainty : bool
        Whether a solution holds the standard deviation of every pixel, ``std``.

    Raises
    ------
    ValueError
        If ``noise_std`` is negative or not finite.

    Examples
    --------
    >>> from ganprior import Gaussian, GaussianMixture, demo_images
    >>> physics = Gaussian(100, (1, 28, 28), 0)
    >>> y = physics(demo_images().head(2).floats())
    >>> posterior = GaussianMixture.load("fashion-mnist", noise_std=0.01).posterior(y, physics)
    >>> posterior.std.shape, posterior.log_evidence.shape
    (torch.Size([2, 1, 28, 28]), torch.Size([2]))
    """

    def __init__(
        self,
        law: GaussianMixtureLaw,
        noise_std: float | None = None,
        *,
        uncertainty: bool = False,
    ) -> None:
        super().__init__()
        check_noise_std(noise_std)
        self.law = law
        self.noise_std = noise_std
        self.uncertainty = uncertainty

    @classmethod
    def from_options(
        cls,
        prior: Prior | None = None,
        noise_std: float | None = None,
        law: str = "",
        uncertainty: bool = False,
    ) -> Self:
        """Load the law that ``law`` names, or the shipped one of the data of a prior."""
        if law:
            return cls(load_gaussian_mixture(law), noise_std, uncertainty=uncertainty)
        if prior is None:
            raise ValueError("option 'law' is missing; give law=FILE, or a prior of such images")
        shipped = gaussian_mixture_of(prior.card.get("data_sha256"))
        return cls(shipped, noise_std, uncertainty=uncertainty)

    @classmethod
    def load(cls, name: str | Path, noise_std: float | None = None) -> Self:
        """Load the law by name or path; see ``load_gaussian_mixture``."""
        return cls(load_gaussian_mixture(name), noise_std)

    @classmethod
    def shipped_for(cls, data_sha256: str | None, noise_std: float | None = None) -> Self:
        """Load the shipped law of a data set; see ``gaussian_mixture_of``."""
        return cls(gaussian_mixture_of(data_sha256), noise_std)

    @with_progress
    @without_autocast
    @torch.no_grad()
    def solve(
        self, y: Tensor, physics: Any, *, rng: Streams | int = 0, progress: Wish = False
    ) -> Solution:
        """Reconstruct and report; see :class:`~ganprior.solution.Solution`.

        Parameters
        ----------
        y : Tensor
            Measurements of B signals, first axis B; real or complex.
        physics : object
            Linear, with ``A`` and ``A_adjoint``, as in deepinv. Up to 4,096 measurements its
            matrix is formed; above, see :mod:`ganprior.baselines.gaussian_woodbury`.
        rng : Streams or int
            Not used: nothing here is random.
        progress : bool or callable
            True for a bar of the steps, on a terminal and in notebooks; or a function that is told
            the number of steps done and the number there are at most.

        Returns
        -------
        Solution
            ``objective`` is -log p(y); where it takes conjugate gradients, up to a constant that
            the signals share. A signal whose measurements are not all finite has status
            ``nonfinite`` and an image of zeros; the others are as they would be without it.

        Raises
        ------
        ValueError
            If y is not a tensor, the physics is not linear, has no adjoint or does not fit y, or
            its images have another shape than those of the law; and if ``uncertainty`` is asked
            for and there are more measurements than that.
        """
        measured, finite, known, image = self._checked(y, physics)
        noise_std = known.noise_std(self.noise_std)
        rows = measured_rows(physics, known, measured, image)
        std = None
        if rows is None:
            if self.uncertainty:
                raise ValueError(
                    f"physics {type(physics).__name__} has more measurements than a standard "
                    "deviation of every pixel can be computed from (4,096 in all, fewer where each "
                    "signal has its own); ask for the images alone, or for fewer at a time"
                )
            outcome = self._by_woodbury(physics, known, measured, image, noise_std)
        else:
            found = self._by_matrix(rows, noise_std, variance=self.uncertainty)
            ones = torch.ones_like(finite)
            outcome = Outcome(*self._images(found.mean, found.log_joint, image), ones, ones.long())
            if found.variance is not None:
                std = found.variance.sqrt().reshape(image.shape).to(image)
                std = torch.where(finite[:, None, None, None], std, torch.zeros_like(std))
        outcome = replace(outcome, settings={"noise_std": noise_std})
        return replace(outcome.solution(y, physics, finite), std=std)

    @without_autocast
    @torch.no_grad()
    def posterior(self, y: Tensor, physics: Any) -> GaussianMixturePosterior:
        """Mean and standard deviation of every pixel, evidence, and weights of the components.

        Parameters
        ----------
        y, physics
            As for :meth:`solve`, with at most 4,096 measurements, all finite.

        Raises
        ------
        ValueError
            As :meth:`solve`; and if y holds NaN or infinity or has more measurements than that.
        """
        measured, finite, known, image = self._checked(y, physics)
        if not finite.all():
            raise ValueError("y holds NaN or infinity; leave out the signals that do")
        rows = measured_rows(physics, known, measured, image)
        if rows is None:
            raise ValueError(
                f"physics {type(physics).__name__} has more measurements than a posterior can be "
                "computed from; take solve(), which gives the mean, or fewer signals at a time"
            )
        found = self._by_matrix(rows, known.noise_std(self.noise_std), variance=True)
        assert found.variance is not None
        return GaussianMixturePosterior(
            mean=found.mean.reshape(image.shape),
            std=found.variance.sqrt().reshape(image.shape),
            log_evidence=found.log_joint.logsumexp(1),
            component_weights=found.log_joint.softmax(1),
        )

    def _checked(self, y: Tensor, physics: Any) -> tuple[Tensor, Tensor, Facts, Tensor]:
        """Finite measurements, which are, what is known of the physics, and an image of each."""
        measured, finite = split_finite(checked_measurements(y, physics))
        known, image = linear_facts(measured, physics)
        if tuple(image.shape[1:]) != self.law.image_shape:
            raise ValueError(
                f"y has images of size {tuple(image.shape[1:])} and this Gaussian mixture is of "
                f"those of size {self.law.image_shape}; resize, or fit one of that size"
            )
        return measured, finite, known, image

    def _by_matrix(self, rows: MeasuredRows, noise_std: Tensor, *, variance: bool) -> Conditioned:
        """One factorisation per component for all signals that share a matrix and a noise."""
        law = self.law.to(rows.y.device)
        parts: list[tuple[Tensor, Conditioned]] = [
            (g.signals, condition(law, g.matrix.double(), g.y, g.noise_std, variance=variance))
            for g in rows.groups(noise_std)
        ]
        order = torch.cat([own for own, _ in parts]).argsort()
        return Conditioned(
            mean=torch.cat([found.mean for _, found in parts])[order],
            variance=torch.cat([f.variance for _, f in parts])[order] if variance else None,  # type: ignore[misc]
            log_joint=torch.cat([found.log_joint for _, found in parts])[order],
        )

    def _by_woodbury(
        self, physics: Any, known: Facts, y: Tensor, image: Tensor, noise_std: Tensor
    ) -> Outcome:
        operator = LinearMap.from_physics(physics, known, Pixels(), y, image)
        alike = known.batching.alike and len(noise_std.unique()) == 1
        law = self.law.to(y.device)
        found = condition_by_woodbury(law, operator, as_rows(y), noise_std, alike=alike)
        images = self._images(found.mean, found.log_joint, image)
        return Outcome(*images, found.converged, found.steps)

    def _images(self, mean: Tensor, log_joint: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """Images and -log p(y), in the type of the images."""
        return mean.reshape(image.shape).to(image), -log_joint.logsumexp(1).to(image)
