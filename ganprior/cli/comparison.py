"""Several solvers on the same measurements."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ganprior.cli.measurements import Measurements
from ganprior.cli.progress import progress_bar
from ganprior.cli.solver_specs import SolverSpec
from ganprior.cli.verbosity import remark

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ganprior.priors import Prior
    from ganprior.solution import Solution, Status

# What says how sure a solver is of every pixel.
SPREAD = ("std", "low", "high")
# Seconds of work that is done once per prior from which on they are worth a word.
NOTED = 1.0


@dataclass(frozen=True)
class Recovered:
    """Images that one solver recovered, to be looked at.

    Attributes
    ----------
    solver : str
        The solver as asked for.
    x : Tensor
        Reconstructions, not clipped, (N, C, H, W), on the CPU.
    std : Tensor or None
        Standard deviation of every pixel, (N, C, H, W), where it is known.
    """

    solver: str
    x: Tensor
    std: Tensor | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Attempt(Recovered):
    """What one solver made of N signals, on the CPU.

    Attributes
    ----------
    solver, x, std
        As those of :class:`Recovered`.
    measurement_error : Tensor
        ||y - A(x)||^2, (N,).
    status : tuple of Status
        How each signal ended.
    seconds : float
        Time per signal: that of the batch over its size.
    steps : Tensor
        Steps that each signal took, int64, (N,).
    settings : dict
        What the solver went by, in the words of its spec: numbers, words, or lists of one number
        per signal.
    relative_residual, expected_residual, p_value : Tensor or None
        As in :class:`~ganprior.solution.Solution`, (N,).
    low, high : Tensor or None
        5% and 95% quantiles of every pixel, (N, C, H, W), where they are known.
    """

    measurement_error: Tensor
    status: tuple[Status, ...]
    seconds: float
    steps: Tensor
    settings: dict[str, Any]
    relative_residual: Tensor | None = None
    expected_residual: Tensor | None = None
    p_value: Tensor | None = None
    low: Tensor | None = None
    high: Tensor | None = None

    @property
    def images(self) -> dict[str, Tensor]:
        """All that is an image per signal, by the names that results have for it."""
        known = {"solver": self.x, **{name: getattr(self, name) for name in SPREAD}}
        return {name: images for name, images in known.items() if images is not None}


def compare(
    solvers: Sequence[SolverSpec],
    measured: Measurements,
    prior: Prior,
    seed: int,
    device: torch.device,
    *,
    visible: bool = True,
    uncertainty: bool = False,
) -> list[Attempt]:
    """Reconstruct all signals with each solver: the same y and A for all.

    A solver that blends makes two attempts: the generator's images, then the blended ones.

    Parameters
    ----------
    solvers : sequence of SolverSpec
        The solvers.
    measured : Measurements
        Measurements and physics; the physics is moved to the device.
    prior : Prior
        The prior of those solvers that have one; moved to the device.
    seed : int
        Seed of the starts.
    device : torch.device
        Where to compute.
    visible : bool
        Show on stderr how far it has come.
    uncertainty : bool
        Let solvers that can say how sure they are.

    Raises
    ------
    ValueError
        If a solver does not suit the physics, or has an option that the library refuses.
    """
    from ganprior.progress import telling
    from ganprior.solution import squared_norm
    from ganprior.streams import Streams

    for spec in solvers:
        # All are made before the first one runs: a wrong option shall not cost the others' work.
        spec.build(prior, measured.noise_std)
    prior = prior.to(device)
    physics, y = measured.physics.to(device), measured.y.to(device)
    streams = Streams(seed, measured.indices)
    attempts = []
    for spec in solvers:
        with progress_bar(spec.text, visible=visible) as progress, telling(progress.tell):
            solver = spec.build(prior, measured.noise_std, uncertainty=uncertainty)
            start = time.perf_counter()
            solution = solver.solve(y, physics, rng=streams)
            # Waits for the device: the copy is part of the time.
            x = solution.x.cpu()
            bank = solution.bank_seconds
            seconds = (time.perf_counter() - start - bank) / len(y)
        if bank >= NOTED and visible:
            remark(
                f"{spec.text}: starts for this prior took {bank:.0f} s to compute, once; the "
                "seconds reported are without them"
            )
        attempt = _attempt(spec, solution, x, seconds, uncertainty=uncertainty)
        raw = getattr(solution, "raw", None)
        if raw is not None and raw is not solution.x:
            # What was blended is an attempt of its own: the generator's image, as it was before.
            error = squared_norm(y - physics.A(raw)).cpu()
            name = spec.unblended().text
            attempts.append(replace(attempt, solver=name, x=raw.cpu(), measurement_error=error))
        attempts.append(attempt)
    return attempts


def _attempt(
    spec: SolverSpec, solution: Solution, x: Tensor, seconds: float, *, uncertainty: bool
) -> Attempt:
    spread = {name: getattr(solution, name) for name in SPREAD if uncertainty}
    return Attempt(
        spec.text,
        x,
        solution.measurement_error.cpu(),
        solution.status,
        seconds,
        solution.steps.cpu(),
        spec.words(solution.settings),
        solution.relative_residual,
        solution.expected_residual,
        solution.p_value,
        **{name: None if found is None else found.cpu() for name, found in spread.items()},
    )
