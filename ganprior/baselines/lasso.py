"""The Lasso in an orthonormal basis.

    min over w of  1/2 ||y - A Psi w||^2 + alpha sum over i of f_i |w_i|,    x = Psi w

f = 1, or in the cosine basis, if asked for, the frequency; x free, or in the box [0, 1]. With f = 1
and without the box: the baselines of A. Bora, A. Jalal, E. Price, A. G. Dimakis, "Compressed
sensing using generative models", 2017, arXiv 1703.03208, Section 6. R. Tibshirani, "Regression
shrinkage and selection via the lasso", J. Royal Statistical Society B 58, 1996.

Without the box it is solved for f w, by ADMM or FISTA, with it for x, by the primal-dual method.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganprior.baselines.admm import admm
from ganprior.baselines.alphas import default_alpha
from ganprior.baselines.fista import Minimum, fista
from ganprior.baselines.inputs import checked_measurements, linear_facts, split_finite
from ganprior.baselines.linear_map import (
    Basis,
    LinearMap,
    Pixels,
    count_and_scale,
    normal_image,
    squared_operator_norm,
)
from ganprior.baselines.outcome import Outcome
from ganprior.baselines.penalties import CoefficientNorm
from ganprior.baselines.primal_dual import minimise_in_box
from ganprior.numbers import check_count, check_noise_std, check_number
from ganprior.physics import Facts, facts
from ganprior.physics.probing import as_rows
from ganprior.progress import Wish, with_progress
from ganprior.solution import Reconstructor, Solution, without_autocast
from ganprior.streams import Streams

# ADMM factorises B B^T once: a matrix of more rows than this goes to FISTA, which needs none.
LARGEST_FACTORISATION = 1024
# Error of a transform there and back, in units of eps times the largest coefficient, generously.
ROUNDING = 16


class Lasso(Reconstructor):
    """The Lasso in a basis that a subclass gives: what the three have in common.

    Parameters
    ----------
    alpha : float, optional
        Weight of the l1 norm, positive. When absent: tuned for images in [0, 1], m / n and the
        noise, see :func:`~ganprior.baselines.alphas.default_alpha`, and scaled to the columns of
        A where its entries are not N(0, 1/m). (scikit-learn divides the data term by m: its
        alpha is this one divided by m.)
    noise_std : float, optional
        Standard deviation of each entry of y, from which the default alpha follows. When absent:
        ``physics.noise_model.sigma`` where there is one, else 0.
    box : bool
        Whether to keep x in [0, 1].
    tolerance : float
        A signal has converged when its duality gap is at most this fraction of its objective, or
        when its coefficients no longer move beyond rounding.
    max_steps : int
        Steps after which a signal stops in any case.

    Raises
    ------
    ValueError
        If ``alpha`` or ``tolerance`` is not positive, ``noise_std`` is negative or ``max_steps``
        is below 1.
    """

    name: ClassVar[str]

    def __init__(
        self,
        alpha: float | None = None,
        noise_std: float | None = None,
        *,
        box: bool = False,
        tolerance: float = 1e-4,
        max_steps: int = 5000,
    ) -> None:
        super().__init__()
        if alpha is not None:
            check_number("alpha", alpha, above=0, remedy="leave it out for the tuned default")
        check_noise_std(noise_std)
        check_number("tolerance", tolerance, above=0)
        check_count("max_steps", max_steps)
        self.alpha = alpha
        self.noise_std = noise_std
        self.box = box
        self.tolerance = tolerance
        self.max_steps = max_steps

    @abstractmethod
    def basis(self, image: Tensor) -> Basis:
        """Make Psi for images of the size, dtype and device of ``image``, (B, C, H, W)."""

    def scale(self, image: Tensor) -> Tensor:
        """Size to be expected of each coefficient, up to a common factor, positive.

        A better guess takes fewer steps to the same minimum. The same for all here; a basis whose
        coefficients differ in size may override it.

        Parameters
        ----------
        image : Tensor
            (B, C, H, W): gives the size, dtype and device.

        Returns
        -------
        Tensor
            Of a shape that expands to (C, H, W).
        """
        return image.new_ones(1)

    def weights(self, image: Tensor) -> Tensor:
        """f, positive: 1 for all here.

        Parameters
        ----------
        image : Tensor
            (B, C, H, W): gives the size, dtype and device.

        Returns
        -------
        Tensor
            Of a shape that expands to (C, H, W).
        """
        return image.new_ones(1)

    @with_progress
    @without_autocast
    @torch.no_grad()
    def solve(
        self,
        y: Tensor,
        physics: Any,
        *,
        rng: Streams | int = 0,
        progress: Wish = False,
        start: Tensor | None = None,
    ) -> Solution:
        """Reconstruct and report; see :class:`~ganprior.solution.Solution`.

        Parameters
        ----------
        y : Tensor
            Measurements of B signals, first axis B; real or complex. The images have its
            precision and device.
        physics : object
            Linear, with ``A`` and ``A_adjoint``, as in deepinv.
        rng : Streams or int
            Not used: nothing here is random.
        progress : bool or callable
            True for a bar of the steps, on a terminal and in notebooks; or a function that is told
            the number of steps done and the number there are at most.
        start : Tensor, optional
            Images (B, C, H, W) to start from, such as the solution for a larger alpha.

        Returns
        -------
        Solution
            A signal whose measurements are not all finite has status ``nonfinite`` and an image
            of zeros; the others are as they would be without it.

        Raises
        ------
        ValueError
            If y is not a tensor, or the physics is not linear, has no adjoint or does not fit y.
        """
        measured, finite = split_finite(checked_measurements(y, physics))
        known, image = linear_facts(measured, physics)
        basis = self.basis(image)
        alpha = self._alphas(known, measured, image)
        first = None if start is None else start.to(image)
        solve = self._boxed if self.box else self._free
        found = solve(physics, known, measured, basis, alpha, image, first)
        found = replace(found, settings={"alpha": alpha[:, 0]})
        return found.solution(y, physics, finite)

    def _boxed(
        self,
        physics: Any,
        known: Facts,
        y: Tensor,
        basis: Basis,
        alpha: Tensor,
        image: Tensor,
        start: Tensor | None,
    ) -> Outcome:
        return minimise_in_box(
            LinearMap.from_physics(physics, known, Pixels(), y, image),
            CoefficientNorm(basis, self.weights(image)),
            as_rows(y),
            alpha[:, 0],
            image,
            self.tolerance,
            self.max_steps,
            start,
        )

    def _free(
        self,
        physics: Any,
        known: Facts,
        y: Tensor,
        basis: Basis,
        alpha: Tensor,
        image: Tensor,
        start: Tensor | None,
    ) -> Outcome:
        f = self.weights(image)
        operator = LinearMap.from_physics(physics, known, _Divided(basis, f), y, image)
        first = torch.zeros_like(image) if start is None else f * _sparse(basis, start)
        if operator.matrix is not None and len(operator.matrix) <= LARGEST_FACTORISATION:
            found = self._admm(operator.matrix, as_rows(y), alpha, first)
        else:
            found = self._fista(operator, as_rows(y), alpha, first)
        x = basis.synthesis(found.w.reshape(image.shape) / f)
        return Outcome(x, found.objective, found.converged, found.steps)

    def _admm(self, matrix: Tensor, y: Tensor, alpha: Tensor, first: Tensor) -> Minimum:
        return admm(
            matrix,
            y,
            alpha,
            start=first.flatten(1),
            scale=(self.weights(first) * self.scale(first)).expand(first.shape[1:]).flatten(),
            tolerance=self.tolerance,
            max_steps=self.max_steps,
        )

    def _fista(self, operator: LinearMap, y: Tensor, alpha: Tensor, first: Tensor) -> Minimum:
        lipschitz = squared_operator_norm(operator, normal_image(first).flatten(1))
        return fista(
            operator,
            y,
            alpha,
            lipschitz.expand(len(y), 1),
            start=first.flatten(1),
            tolerance=self.tolerance,
            max_steps=self.max_steps,
        )

    def _alphas(self, physics: Any, y: Tensor, image: Tensor) -> Tensor:
        """Weight of every signal, (B, 1), for a physics or what is known of it."""
        if self.alpha is not None:
            return torch.full_like(image[:, 0, 0, :1], self.alpha)
        known = facts(physics, image.shape[1:], count=len(y), like=y)
        m, scale = count_and_scale(known, image)
        noise_std = known.noise_std(self.noise_std)
        alpha = default_alpha(self._tuned_name(), known.n, m, scale, noise_std)
        return alpha.to(image)[:, None]

    def _tuned_name(self) -> str:
        return f"{self.name}-box" if self.box else self.name


@dataclass(frozen=True)
class _Divided:
    """Psi diag(1 / f), and its transpose for analysis."""

    basis: Basis
    f: Tensor

    def analysis(self, x: Tensor) -> Tensor:
        return self.basis.analysis(x) / self.f

    def synthesis(self, w: Tensor) -> Tensor:
        return self.basis.synthesis(w / self.f)


def _sparse(basis: Basis, x: Tensor) -> Tensor:
    """Coefficients of images without those that rounding alone made: which are zero matters."""
    w = basis.analysis(x)
    rounding = ROUNDING * torch.finfo(w.dtype).eps * w.abs().amax((1, 2, 3), keepdim=True)
    return torch.where(w.abs() > rounding, w, 0)
