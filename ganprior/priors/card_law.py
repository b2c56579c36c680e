"""What a prior's card states of its own data, by measurements per latent entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

PLACES = "measurements_per_latent_entry"


@dataclass(frozen=True)
class CardLaw:
    """Numbers at several m / k, positive and finite; a subclass names them.

    Attributes
    ----------
    measurements_per_latent_entry : tuple of float
        m / k, positive, rising.
    """

    KEY: ClassVar[str]  # of the card

    measurements_per_latent_entry: tuple[float, ...]

    @classmethod
    def rows(cls) -> tuple[str, ...]:
        """Names of the rows, m / k first."""
        return tuple(field.name for field in fields(cls))

    @classmethod
    def of_card(cls, card: dict[str, Any], kind: str) -> Self | None:
        """Law that a card states under ``KEY`` and a kind; None where it states none.

        Raises
        ------
        ValueError
            If what it states is no law.
        """
        try:
            stated = card.get(cls.KEY, {}).get(kind)
            if stated is None:
                return None
            law = cls(*(tuple(float(number) for number in stated[row]) for row in cls.rows()))
            law._check()
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise ValueError(
                f"{cls.KEY} in the prior's card are damaged ({error}); take the key out of the card"
            ) from error
        return law

    def _check(self) -> None:
        places, *rows = (getattr(self, name) for name in self.rows())
        if not places or any(len(row) != len(places) for row in rows):
            raise ValueError(f"{', '.join(self.rows())} must be as long as each other")
        if not all(0 < value < np.inf for row in (places, *rows) for value in row):
            raise ValueError("every number must be positive and finite")
        if list(places) != sorted(set(places)):
            raise ValueError(f"{PLACES} must rise")

    def describe(self) -> dict[str, list[float]]:
        """JSON form, read back by :meth:`of_card`."""
        return {row: list(getattr(self, row)) for row in self.rows()}

    def between(self, wanted: Tensor, *rows: Sequence[float]) -> list[Tensor]:
        """Numbers of rows at m / k, (B,) each: linear in log(m / k), constant outside."""
        places = wanted.double().cpu().log().numpy()
        known = np.log(self.measurements_per_latent_entry)
        return [torch.from_numpy(np.interp(places, known, row)).to(wanted.device) for row in rows]
