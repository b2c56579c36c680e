"""How much of their measurements images of a prior's own data leave unexplained, from its card.

An image x of the data is near the range of the generator and not in it. With z^ what a solver
finds, the share

    q = ||y - A G(z^)||^2 / s,    s = max(||A G(z^)||^2, c ||G(z^)||^2) / rms(G(z^))

of noiseless measurements y = A x is what deviates, less what the search has fitted away of it: the
more, the fewer measurements there are per entry of z. The square of what deviates grows with the
brightness of an image, the root mean square of its pixels, and not with its square: so q
varies less from image to image. c is the mean squared norm of A's columns.

For a Gaussian A both parts of s are alike; a blur, which keeps
nearly all of an image and little of what deviates, has the first, and a hole in which most of the
image lies the second.

The figure ``tuning/residuals`` measures q on images that the prior was not trained on, and writes
to the card, by kind of objective, rows of measurements per latent entry, of the mean of q, and of
the limit that hardly any of the images exceeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ganprior.priors.card_law import CardLaw


@dataclass(frozen=True)
class ResidualLaw(CardLaw):
    """Shares q of one prior and one kind of objective.

    Attributes
    ----------
    measurements_per_latent_entry : tuple of float
        m / k at which q was measured, positive, rising.
    mean : tuple of float
        Mean of q at each of them.
    limit : tuple of float
        What hardly any image of the prior's data exceeds.
    """

    KEY: ClassVar[str] = "residuals"

    mean: tuple[float, ...]
    limit: tuple[float, ...]

    def at(self, measurements_per_latent_entry: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and limit of q, (B,)."""
        found = self.between(measurements_per_latent_entry, self.mean, self.limit)
        return found[0], found[1]
