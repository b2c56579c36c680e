"""The linear estimator of least mean squared error, of the mean and covariance of images.

    x^ = mu + C A^T (A C A^T + s^2 I)^-1 (y - A mu)

S. M. Kay, "Fundamentals of Statistical Signal Processing: Estimation Theory", 1993, equation
(12.6) (the Bayesian Gauss-Markov theorem, 12.1). It is the posterior mean where the images are
Gaussian, and where they are not no linear estimator has a smaller mean squared error.
"""

from __future__ import annotations

from ganprior.baselines.gaussian_mixture import GaussianMixture
from ganprior.baselines.shared_options import LAW
from ganprior.priors.gaussian_mixture_law import GaussianMixtureLaw
from ganprior.registry import register


@register(
    "solver",
    "lmmse",
    "linear estimate by mean and covariance of training images",
    LAW,
    needs="linear",
    uncertain=True,
)
class LMMSE(GaussianMixture):
    """LMMSE estimate; any linear physics.

    Parameters
    ----------
    law : GaussianMixtureLaw
        Its mean and covariance alone count, whatever its components.
    noise_std, uncertainty
        As for :class:`~ganprior.baselines.gaussian_mixture.GaussianMixture`.

    Raises
    ------
    ValueError
        If ``noise_std`` is negative or not finite.

    Examples
    --------
    >>> from ganprior import LMMSE, Gaussian, demo_images
    >>> physics = Gaussian(100, (1, 28, 28), 0)
    >>> LMMSE.load("fashion-mnist")(physics(demo_images().head(2).floats()), physics).shape
    torch.Size([2, 1, 28, 28])
    """

    def __init__(
        self,
        law: GaussianMixtureLaw,
        noise_std: float | None = None,
        *,
        uncertainty: bool = False,
    ) -> None:
        super().__init__(law.one_gaussian(), noise_std, uncertainty=uncertainty)
