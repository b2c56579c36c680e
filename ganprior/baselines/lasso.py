"""The Lasso in a cosine, a wavelet and the pixel basis.

    min over w of  1/2 ||y - A Psi w||^2 + alpha ||w||_1,    x = Psi w

The baselines of A. Bora, A. Jalal, E. Price, A. G. Dimakis, "Compressed sensing using generative
models", 2017, arXiv 1703.03208, Section 6. R. Tibshirani, "Regression shrinkage and selection via
the lasso", J. Royal Statistical Society B 58, 1996.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganprior.baselines.admm import admm
from ganprior.baselines.alphas import default_alpha
from ganprior.baselines.dct import DCT
from ganprior.baselines.fista import Minimum, fista
from ganprior.baselines.inputs import checked_measurements, linear_facts, split_finite
from ganprior.baselines.linear_map import (
    Basis,
    LinearMap,
    Pixels,
    normal_image,
    squared_operator_norm,
)
from ganprior.baselines.outcome import Outcome
from ganprior.baselines.wavelet import WaveletTransform, orthogonal_wavelet
from ganprior.physics import Facts
from ganprior.physics.probing import as_rows
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
        tolerance: float = 1e-4,
        max_steps: int = 5000,
    ) -> None:
        super().__init__()
        if alpha is not None and not 0 < alpha < math.inf:
            raise ValueError(f"alpha={alpha} must be positive; leave it out for the tuned default")
        if noise_std is not None and not 0 <= noise_std < math.inf:
            raise ValueError(f"noise_std={noise_std} must be at least 0 and finite")
        if not tolerance > 0:
            raise ValueError(f"tolerance={tolerance} must be positive, such as 1e-4")
        if max_steps < 1:
            raise ValueError(f"max_steps={max_steps} must be at least 1")
        self.alpha = alpha
        self.noise_std = noise_std
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

    @without_autocast
    @torch.no_grad()
    def solve(
        self, y: Tensor, physics: Any, *, rng: Streams | int = 0, start: Tensor | None = None
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
        operator = LinearMap.from_physics(physics, known, basis, measured, image)
        first = torch.zeros_like(image) if start is None else _sparse(basis, start.to(image))
        alpha = self._alphas(known, image)
        if operator.matrix is not None and len(operator.matrix) <= LARGEST_FACTORISATION:
            found = self._admm(operator.matrix, as_rows(measured), alpha, first)
        else:
            found = self._fista(operator, as_rows(measured), alpha, first)
        x = basis.synthesis(found.w.reshape(image.shape))
        settings = {"alpha": alpha[:, 0]}
        outcome = Outcome(x, found.objective, found.converged, found.steps, settings)
        return outcome.solution(y, physics, finite)

    def _admm(self, matrix: Tensor, y: Tensor, alpha: Tensor, first: Tensor) -> Minimum:
        return admm(
            matrix,
            y,
            alpha,
            start=first.flatten(1),
            scale=self.scale(first).expand(first.shape[1:]).flatten(),
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

    def _alphas(self, known: Facts, image: Tensor) -> Tensor:
        """Weight of every signal, (B, 1)."""
        if self.alpha is not None:
            return torch.full_like(image[:, 0, 0, :1], self.alpha)
        return default_alpha(self.name, known, self.noise_std).to(image)[:, None]


def _sparse(basis: Basis, x: Tensor) -> Tensor:
    """Coefficients of images without those that rounding alone made: which are zero matters."""
    w = basis.analysis(x)
    rounding = ROUNDING * torch.finfo(w.dtype).eps * w.abs().amax((1, 2, 3), keepdim=True)
    return torch.where(w.abs() > rounding, w, 0)


def _falling(image: Tensor) -> Tensor:
    """Scale (H, W) of coefficients whose rows and columns go from coarse to fine.

    Amplitudes of natural images fall as 1 / frequency (D. J. Field, "Relations between the
    statistics of natural images and the response properties of cortical cells", J. Optical Society
    of America A 4(12), 1987). Of the powers 0 to 1 of that the square root took the fewest steps in
    trials: on photographs of faces in both bases, on Fashion-MNIST in the cosine basis; in its
    wavelet basis they hardly differed.
    """
    rows, columns = (torch.arange(side).to(image) for side in image.shape[-2:])
    return (1 + torch.hypot(rows[:, None], columns)).rsqrt()


class LassoDCT(Lasso):
    """Lasso in the orthonormal cosine basis, channel by channel; arguments of :class:`Lasso`."""

    name = "dct"

    def basis(self, image: Tensor) -> Basis:
        """Two-dimensional DCT-II."""
        return DCT(image)

    def scale(self, image: Tensor) -> Tensor:
        """Fall with the frequency."""
        return _falling(image)


class LassoWavelet(Lasso):
    """Lasso in an orthonormal wavelet basis, channel by channel.

    Parameters
    ----------
    wavelet : str
        Name of an orthogonal PyWavelets wavelet: ``db1`` (Haar), ``db4``, ``sym4``, ``coif1`` ...
        The default alpha is that of ``db1`` for all.
    alpha, noise_std, tolerance, max_steps
        As for :class:`Lasso`.

    Raises
    ------
    ValueError
        If the wavelet is unknown or not orthonormal; and as :class:`Lasso`.
    """

    name = "wavelet"

    def __init__(
        self,
        wavelet: str = "db1",
        alpha: float | None = None,
        noise_std: float | None = None,
        *,
        tolerance: float = 1e-4,
        max_steps: int = 5000,
    ) -> None:
        super().__init__(alpha, noise_std, tolerance=tolerance, max_steps=max_steps)
        self.wavelet = wavelet
        self._filters = orthogonal_wavelet(wavelet)

    def basis(self, image: Tensor) -> Basis:
        """Periodic wavelet transform, as deep as both sides of the image stay even."""
        return WaveletTransform(image, self._filters)

    def scale(self, image: Tensor) -> Tensor:
        """Fall from coarse levels to fine ones, which lie at larger row and column numbers."""
        return _falling(image)


class LassoPixel(Lasso):
    """Lasso on the pixels: Psi is the identity; arguments of :class:`Lasso`."""

    name = "pixel"

    def basis(self, image: Tensor) -> Basis:
        """Return the identity."""
        return Pixels()
