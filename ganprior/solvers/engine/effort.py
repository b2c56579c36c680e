"""Efforts: how much work the engine puts into one signal."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganprior.solvers.engine.adam import Adam
from ganprior.solvers.engine.lbfgs import LBFGS

# Measurements per latent entry from which a problem counts as determined.
DETERMINED = 3
# With more measurements fewer signals end in a wrong minimum, and a search is worth less. The
# power was chosen on Fashion-MNIST at m = 192 and 300, for the sake of time as well.
SURPLUS = 6


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The race's part of the attributes of an :class:`Effort`, which see."""

    steps: int
    race: tuple[tuple[float, int], ...]
    tolerance: float
    window: int
    far_tolerance: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Search(Schedule):
    """What an :class:`Effort` does where the measurements determine the latent."""

    restarts: int
    neighbours: tuple[int, ...] = ()
    penalty: float = 0.0
    release: Schedule | None = None
    rounds: int = 0
    reach: float = math.inf


@dataclass(frozen=True)
class Effort:
    """A schedule of starts, first-order steps, racing and polish.

    Attributes
    ----------
    restarts : int
        Starts per signal that the descent works on.
    steps : int
        First-order steps at most, each an evaluation of objective and gradient.
    learning_rate, final_rate : float
        Adam's rate at the first and the last step, with a cosine between. For L-BFGS the first
        one is the length of the first move and the other one means nothing.
    descent : type
        :class:`Adam` or :class:`LBFGS`.
    bank : int
        Entries of the bank of starts; 0 draws starts at random.
    metric : bool
        L-BFGS sets out from the inverse of the generator's mean curvature in place of a multiple
        of the identity.
    neighbours : tuple of int
        Starts that are regressed on the bank, one for each number: on so many of its nearest
        entries for each entry of the latent (:mod:`ganprior.solvers.engine.measured`). They are
        among ``restarts``.
    unaided : int
        Restarts in place of ``restarts`` where there can be no regression, because the physics
        measures every signal in a way of its own and cannot be cut down to one; 0 for as many.
    candidates : int
        Latents tried per restart, from the bank or random; the best ``restarts`` of all by the
        objective become starts.
    race : tuple of (float, int)
        Successive halving: after this fraction of the steps, so many restarts of each signal
        stay, those with the lowest objective so far.
    polish_steps : int
        Levenberg-Marquardt steps at most on each restart that is left of the signals that have
        not converged by then; 0 for none. Those whose objective goes on falling are the ones that
        the generator can make exactly.
    tolerance : float
        A restart has converged when its best objective fell by less than this fraction over
        ``window`` steps.
    window : int
        Steps over which the decrease is measured.
    far_tolerance : float
        The tolerance, where it is greater, of signals out of ``reach``: far from the generator's
        range the last percents of the objective hardly lower the error.
    polish_tolerance : float
        Levenberg-Marquardt has converged when two steps in turn lower the objective by less
        than this fraction each. A signal in the generator's range falls by far more in each step
        until it is exact; for any other one the polish ends after a few steps.
    penalty : float
        The race minimises the objective plus ``penalty * ||y||^2 * ||z||^2``, which keeps the
        latents where a Gaussian law puts them; minima beside the right one lie further out.
    release : Schedule, optional
        A second race, without the penalty, from the restarts that the first one left and from
        the best start.
    rounds : int
        Times at most that a signal is solved again, while two times do not agree
        (:mod:`ganprior.solvers.engine.rounds`).
    reach : float
        Signals whose objective is this multiple of ||y||^2 or more are not solved again, and not
        an n-th time those of ``reach / n^2`` or more, unless they are nearly exact. Beyond
        ``DETERMINED`` measurements per latent entry it falls with their power ``SURPLUS``.
    determined : Search, optional
        Takes the place of the attributes of the same names where there are at least
        ``DETERMINED`` measurements per latent entry. There a lower objective means a lower
        error, and the one minimum that is exact is worth a longer search.

    Raises
    ------
    ValueError
        If a count, a rate or the race is out of range.
    """

    restarts: int
    steps: int
    learning_rate: float
    final_rate: float
    descent: type[Adam] | type[LBFGS] = Adam
    bank: int = 0
    metric: bool = False
    neighbours: tuple[int, ...] = ()
    unaided: int = 0
    candidates: int = 1
    race: tuple[tuple[float, int], ...] = ()
    polish_steps: int = 0
    tolerance: float = 1e-4
    window: int = 50
    far_tolerance: float = 0.0
    polish_tolerance: float = 5e-3
    penalty: float = 0.0
    release: Schedule | None = None
    rounds: int = 0
    reach: float = math.inf
    determined: Search | None = None

    def __post_init__(self) -> None:
        for name in ("restarts", "steps", "candidates", "window"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        least_0 = "polish_steps", "bank", "penalty", "rounds", "reach", "unaided", "far_tolerance"
        for name in least_0:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        if not 0 < self.final_rate <= self.learning_rate:
            raise ValueError(
                "learning_rate and final_rate must satisfy 0 < final_rate <= learning_rate, "
                f"got {self.learning_rate} and {self.final_rate}"
            )
        if any(not 0 < fraction < 1 or kept < 1 for fraction, kept in self.race):
            raise ValueError(f"race must hold (fraction in (0, 1), restarts kept), got {self.race}")

    def replace(
        self,
        *,
        restarts: int | None = None,
        steps: int | None = None,
        learning_rate: float | None = None,
    ) -> Effort:
        """Return the effort with some numbers replaced, for all problems alike; None keeps one.

        Raises
        ------
        ValueError
            If a number is out of range.
        """
        effort = self
        if restarts is not None or steps is not None:
            effort = replace(effort, determined=None)
        if restarts is not None:
            effort = replace(effort, restarts=restarts, unaided=0)
        if steps is not None:
            effort = replace(effort, steps=steps)
        if learning_rate is not None:
            ratio = effort.final_rate / effort.learning_rate
            effort = replace(effort, learning_rate=learning_rate, final_rate=ratio * learning_rate)
        return effort

    @property
    def most_steps(self) -> int:
        """First-order steps at most, on any problem."""
        return max(_steps(self), _steps(self.determined) if self.determined else 0)

    def on(self, measurements: int, latent_size: int, regressions: bool = True) -> Effort:
        """Return the effort that a problem gets.

        Parameters
        ----------
        measurements : int
            Per signal.
        latent_size : int
            Entries of the latent.
        regressions : bool
            Whether latents can be regressed on the bank.
        """
        effort = self
        if self.determined_by(torch.tensor(measurements), latent_size):
            effort = replace(effort, **vars(self.determined), determined=None)
        if effort.neighbours and not regressions:
            effort = replace(effort, neighbours=(), restarts=self.unaided or effort.restarts)
        return effort

    def determined_by(self, measurements: Tensor, latent_size: int) -> Tensor:
        """Whether signals get ``determined``, by their number of measurements: (B,) to (B,)."""
        return (measurements >= DETERMINED * latent_size) & (self.determined is not None)

    def reach_of(self, measurements: Tensor, latent_size: int) -> Tensor:
        """``reach`` of each signal, by its number of measurements: (B,) to float64 (B,)."""
        surplus = measurements.double() / (DETERMINED * latent_size)
        return self.reach / surplus.clamp(min=1) ** SURPLUS

    def survivors(self, step: int) -> int:
        """Restarts of each signal that are left once ``step`` Adam steps are done."""
        kept = [kept for fraction, kept in self.race if step >= round(fraction * self.steps)]
        return min([self.restarts, *kept])


def _steps(schedule: Effort | Search) -> int:
    return schedule.steps + (schedule.release.steps if schedule.release else 0)
