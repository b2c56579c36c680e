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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

ROWS = ("measurements_per_latent_entry", "mean", "limit")


@dataclass(frozen=True)
class ResidualLaw:
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

    KEY: ClassVar[str] = "residuals"  # of the card

    measurements_per_latent_entry: tuple[float, ...]
    mean: tuple[float, ...]
    limit: tuple[float, ...]

    @classmethod
    def of_card(cls, card: dict[str, Any], kind: str) -> ResidualLaw | None:
        """Law that a card states for a kind of objective; None where it states none.

        Raises
        ------
        ValueError
            If what it states is no law.
        """
        try:
            stated = card.get(cls.KEY, {}).get(kind)
            if stated is None:
                return None
            law = cls(*(tuple(float(share) for share in stated[row]) for row in ROWS))
            law._check()
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise ValueError(
                f"{cls.KEY} in the prior's card are damaged ({error}); take the key out of the card"
            ) from error
        return law

    def _check(self) -> None:
        places, *shares = (self.measurements_per_latent_entry, self.mean, self.limit)
        if not places or any(len(row) != len(places) for row in shares):
            raise ValueError(f"{', '.join(ROWS)} must be as long as each other")
        if not all(0 < value < np.inf for row in (places, *shares) for value in row):
            raise ValueError("every number must be positive and finite")
        if list(places) != sorted(set(places)):
            raise ValueError(f"{ROWS[0]} must rise")

    def describe(self) -> dict[str, list[float]]:
        """JSON form, read back by :meth:`of_card`."""
        return {row: list(getattr(self, row)) for row in ROWS}

    def at(self, measurements_per_latent_entry: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and limit of q, (B,): linear in log(m / k) between rows, constant outside."""
        places = measurements_per_latent_entry.double().cpu().log().numpy()

        def along(shares: Sequence[float]) -> Tensor:
            known = np.log(self.measurements_per_latent_entry)
            return torch.from_numpy(np.interp(places, known, shares)).to(
                measurements_per_latent_entry.device
            )

        return along(self.mean), along(self.limit)
