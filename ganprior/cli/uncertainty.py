"""``--uncertainty``: how sure solvers are of every pixel, and the map that shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ganprior.cli.solver_specs import SolverSpec
from ganprior.registry import entries

if TYPE_CHECKING:
    from torch import Tensor

STD = "std"
# Standard deviation that a map shows as white: that of a pixel that may be anything in [0, 1].
WHITE = 1 / math.sqrt(12)

uncertainty_option = click.option(
    "--uncertainty",
    is_flag=True,
    help="Write how sure solvers are of every pixel, those that can tell: std_0, low_0 and high_0 "
    "(5% and 95% quantiles) in reconstructions.npz, and maps of std (white: 0.29).",
)


def check_uncertainty(solvers: Sequence[SolverSpec]) -> None:
    """Refuse solvers of which none says how sure it is.

    Raises
    ------
    ValueError
        If there is none among them that does.
    """
    if not any(spec.entry.uncertain for spec in solvers):
        able = [name for name, entry in entries("solver").items() if entry.uncertain]
        asked = ", ".join(spec.text for spec in solvers)
        raise ValueError(
            f"--uncertainty: no solver among {asked} says how sure it is; add one of those that "
            f"do, as in --solver {able[0]}: {', '.join(able)}"
        )


def spread_map(std: Tensor) -> Tensor:
    """Gray images (N, 1, H, W) of standard deviations (N, C, H, W), their mean over channels."""
    return std.mean(1, keepdim=True) / WHITE
