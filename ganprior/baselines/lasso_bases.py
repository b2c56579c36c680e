"""The Lasso in a cosine, a wavelet and the pixel basis; see :mod:`ganprior.baselines.lasso`."""

from __future__ import annotations

from torch import Tensor

from ganprior.baselines.dct import DCT
from ganprior.baselines.frequency import frequencies
from ganprior.baselines.lasso import Lasso
from ganprior.baselines.linear_map import Basis, Pixels
from ganprior.baselines.shared_options import ALPHA, BOX
from ganprior.baselines.wavelet import WaveletTransform, orthogonal_wavelet
from ganprior.registry import Choice, Text, register


def _falling(image: Tensor) -> Tensor:
    """Scale (H, W) of coefficients whose rows and columns go from coarse to fine.

    Of the powers 0 to 1 of 1 / frequency the square root took the fewest steps in trials: on
    photographs of faces in both bases, on Fashion-MNIST in the cosine basis; in its wavelet basis
    they hardly differed.
    """
    return frequencies(image).rsqrt()


@register(
    "solver",
    "lasso-dct",
    "min over w of 1/2 ||y - A Psi w||^2 + alpha ||w||_1 in a cosine basis",
    ALPHA,
    BOX,
    Choice(
        "weights",
        "of the coefficients, uniform by default",
        words=("uniform", "frequency"),
        example="frequency",
    ),
    needs="linear",
)
class LassoDCT(Lasso):
    """Lasso in the orthonormal cosine basis, channel by channel.

    Parameters
    ----------
    alpha, noise_std, box, tolerance, max_steps
        As for :class:`~ganprior.baselines.lasso.Lasso`.
    weights : {"uniform", "frequency"}
        f: 1 for all coefficients, or :func:`~ganprior.baselines.frequency.frequencies`, by which
        the l1 norm is that of images whose amplitudes fall as 1 / frequency; nothing is trained.

    Raises
    ------
    ValueError
        If ``weights`` is neither; and as :class:`~ganprior.baselines.lasso.Lasso`.

    Examples
    --------
    >>> from ganprior import Gaussian, LassoDCT, demo_images
    >>> physics = Gaussian(50, (1, 28, 28), 0)
    >>> x = demo_images().head(2).floats()
    >>> LassoDCT(weights="frequency")(physics(x), physics).shape
    torch.Size([2, 1, 28, 28])
    """

    name = "dct"

    def __init__(
        self,
        alpha: float | None = None,
        noise_std: float | None = None,
        *,
        weights: str = "uniform",
        box: bool = False,
        tolerance: float = 1e-4,
        max_steps: int = 5000,
    ) -> None:
        super().__init__(alpha, noise_std, box=box, tolerance=tolerance, max_steps=max_steps)
        if weights not in ("uniform", "frequency"):
            raise ValueError(f"weights={weights!r} must be 'uniform' or 'frequency'")
        self.weighting = weights

    def basis(self, image: Tensor) -> Basis:
        """Two-dimensional DCT-II."""
        return DCT(image)

    def scale(self, image: Tensor) -> Tensor:
        """Fall with the frequency."""
        return _falling(image)

    def weights(self, image: Tensor) -> Tensor:
        """One, or 1 + the frequency."""
        return frequencies(image) if self.weighting == "frequency" else image.new_ones(1)

    def _tuned_name(self) -> str:
        weighted = "-frequency" if self.weighting == "frequency" else ""
        return f"{self.name}{weighted}" + ("-box" if self.box else "")


@register(
    "solver",
    "lasso-wavelet",
    "the same in a wavelet basis",
    Text("wavelet", "an orthogonal one of PyWavelets, db1 by default", example="db4"),
    ALPHA,
    BOX,
    needs="linear",
)
class LassoWavelet(Lasso):
    """Lasso in an orthonormal wavelet basis, channel by channel.

    Parameters
    ----------
    wavelet : str
        Name of an orthogonal PyWavelets wavelet: ``db1`` (Haar), ``db4``, ``sym4``, ``coif1`` ...
        The default alpha is that of ``db1`` for all.
    alpha, noise_std, box, tolerance, max_steps
        As for :class:`~ganprior.baselines.lasso.Lasso`.

    Raises
    ------
    ValueError
        If the wavelet is unknown or not orthonormal; and as ``Lasso``.

    Examples
    --------
    >>> from ganprior import Gaussian, LassoWavelet, demo_images
    >>> physics = Gaussian(50, (1, 28, 28), 0)
    >>> x = demo_images().head(2).floats()
    >>> solution = LassoWavelet(wavelet="db4").solve(physics(x), physics)
    >>> sorted(solution.settings)
    ['alpha']
    """

    name = "wavelet"

    def __init__(
        self,
        wavelet: str = "db1",
        alpha: float | None = None,
        noise_std: float | None = None,
        *,
        box: bool = False,
        tolerance: float = 1e-4,
        max_steps: int = 5000,
    ) -> None:
        super().__init__(alpha, noise_std, box=box, tolerance=tolerance, max_steps=max_steps)
        self.wavelet = wavelet
        self._filters = orthogonal_wavelet(wavelet)

    def basis(self, image: Tensor) -> Basis:
        """Periodic wavelet transform, as deep as both sides of the image stay even."""
        return WaveletTransform(image, self._filters)

    def scale(self, image: Tensor) -> Tensor:
        """Fall from coarse levels to fine ones, which lie at larger row and column numbers."""
        return _falling(image)


@register("solver", "lasso-pixel", "the same on the pixels", ALPHA, BOX, needs="linear")
class LassoPixel(Lasso):
    """Lasso on the pixels: Psi is the identity; arguments of ``Lasso``.

    Examples
    --------
    >>> from ganprior import Gaussian, LassoPixel, demo_images
    >>> physics = Gaussian(50, (1, 28, 28), 0)
    >>> LassoPixel(alpha=0.01)(physics(demo_images().head(1).floats()), physics).shape
    torch.Size([1, 1, 28, 28])
    """

    name = "pixel"

    def basis(self, image: Tensor) -> Basis:
        """Return the identity."""
        return Pixels()
