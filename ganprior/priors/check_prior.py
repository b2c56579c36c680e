"""What a solver asks of the prior that it is handed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganprior.priors.prior import Prior


def check_prior(prior: Any) -> None:
    """Refuse what is no prior, a name among it.

    Raises
    ------
    ValueError
        If it is something else; the message says how to make a prior of it.
    """
    if isinstance(prior, Prior):
        return
    if isinstance(prior, str | Path):
        raise ValueError(
            f"prior must be a Prior, got {str(prior)!r}; give Prior.load({str(prior)!r})"
        )
    raise ValueError(
        f"prior must be a Prior, got {type(prior).__name__}; make one with Prior.from_module"
    )
