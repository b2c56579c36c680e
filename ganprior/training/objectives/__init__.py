"""Adversarial objectives, one family per file: pure losses of both players, and their options."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ganprior.names import check_name
from ganprior.registry import entries
from ganprior.training.objectives.f_divergences import DIVERGENCES, Divergence
from ganprior.training.objectives.f_gan import FGAN
from ganprior.training.objectives.hinge import Hinge
from ganprior.training.objectives.least_squares import LeastSquares
from ganprior.training.objectives.minimax import Minimax, NonSaturating
from ganprior.training.objectives.objective import Objective, Score
from ganprior.training.objectives.wasserstein import WassersteinClip, WassersteinGradientClip
from ganprior.training.objectives.wasserstein_gp import WassersteinGP

__all__ = [
    "DIVERGENCES",
    "FGAN",
    "OBJECTIVES",
    "Divergence",
    "Hinge",
    "LeastSquares",
    "Minimax",
    "NonSaturating",
    "Objective",
    "Score",
    "WassersteinClip",
    "WassersteinGP",
    "WassersteinGradientClip",
    "make_objective",
    "objective_options",
]

OBJECTIVES: dict[str, type[Objective]] = {
    name: entry.load() for name, entry in entries("objective").items()
}


def objective_options(name: str) -> list[str]:
    """Names of the options that ``make_objective`` takes for an objective.

    Raises
    ------
    ValueError
        If there is no objective of that name.
    """
    check_name("objective", name, OBJECTIVES)
    return [field.name for field in fields(OBJECTIVES[name])]


def make_objective(name: str, **options: Any) -> Objective:
    """Make an objective by name.

    Parameters
    ----------
    name : str
        One of ``OBJECTIVES``.
    **options
        Fields of its class, such as ``critic_steps``; ``divergence`` of ``"f-gan"`` is one of
        ``DIVERGENCES`` by name, or a ``Divergence``.

    Raises
    ------
    ValueError
        If a name is unknown (the nearest one is suggested) or a value outside its range.
    """
    known = objective_options(name)
    for option in options:
        check_name(f"option of {name}", option, known)
    divergence = options.get("divergence")
    if isinstance(divergence, str):
        check_name("divergence", divergence, DIVERGENCES)
        options["divergence"] = DIVERGENCES[divergence]
    return OBJECTIVES[name](**options)
