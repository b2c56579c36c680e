"""Efforts: how much work the engine puts into one signal, as stages in their order.

``Effort(Random(10), Descend(Adam(0.1), steps=1000))`` is the protocol of Bora et al. (2017): ten
random starts, a thousand steps of Adam from each. A stage takes candidates, that is latents of each
signal with their objective, and returns better ones; the best that the last one leaves is the
answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, overload

from ganprior.numbers import check_count, check_number
from ganprior.solvers.engine.candidates import Candidates
from ganprior.solvers.engine.problem import Problem
from ganprior.solvers.search_options import MOST_RESTARTS, MOST_STEPS


class Stage:
    """One part of an effort, a frozen dataclass.

    ``holds`` names the fields that are tuples of stages themselves.
    """

    holds: ClassVar[tuple[str, ...]] = ()

    def run(self, problem: Problem, candidates: Candidates) -> Candidates:
        """Return better candidates for the signals of a problem."""
        raise NotImplementedError

    def prepare(self, problem: Problem) -> float:
        """Compute what is needed once per prior; the seconds that it took."""
        return sum(stage.prepare(problem) for name in self.holds for stage in getattr(self, name))

    def on(self, problem: Problem) -> tuple[Stage, ...]:
        """Return what the stage is for one problem."""
        return (self,)

    @property
    def starts(self) -> int:
        """Starts of each signal that the stage makes."""
        return max((_starts(getattr(self, name)) for name in self.holds), default=0)

    @property
    def most_steps(self) -> int:
        """First-order steps at most, further rounds apart."""
        return max((_most_steps(getattr(self, name)) for name in self.holds), default=0)

    def with_starts(self, starts: int) -> Stage:
        """Return the stage with another number of starts, where it makes some."""
        return self

    def with_steps(self, steps: int) -> Stage:
        """Return the stage with another number of first-order steps, where it takes some."""
        return self

    def with_rate(self, rate: float) -> Stage:
        """Return the stage with another rate of its descent, where it has one."""
        return self

    def with_bank(self, entries: int) -> Stage:
        """Return the stage with another number of entries of its bank, where it has one."""
        return self

    def plain(self) -> tuple[Stage, ...]:
        """Return what stands in its place where all problems shall be searched alike."""
        return (self,)


@dataclass(frozen=True, init=False)
class Effort(Sequence[Stage]):
    """Stages in their order, and the one place where their numbers are replaced.

    It reads as a tuple of stages, and ``dataclasses.replace(FAST, bank=3000)`` is ``FAST`` with a
    smaller bank.

    Parameters
    ----------
    own : Stage
        The first one makes starts.
    stages : iterable of Stage
        Further ones, as ``dataclasses.replace`` gives them.
    restarts, steps : int, optional
        Starts and first-order steps of each signal in place of those of the stages. With a number
        of its own for either, all problems are searched alike.
    learning_rate : float, optional
        In place of those of the descents.
    bank : int, optional
        Entries of the bank that starts are taken from.

    Raises
    ------
    ValueError
        If something is no stage, or a number is out of range.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from ganprior.solvers import Adam, Descend, Effort, Random
    >>> effort = Effort(Random(10), Descend(Adam(0.1), steps=1000))
    >>> len(effort), effort.restarts, replace(effort, restarts=3).restarts
    (2, 10, 3)
    """

    stages: tuple[Stage, ...]

    def __init__(
        self,
        *own: Stage,
        stages: Iterable[Stage] = (),
        restarts: int | None = None,
        steps: int | None = None,
        learning_rate: float | None = None,
        bank: int | None = None,
    ) -> None:
        kept: tuple[Stage, ...] = (*own, *stages)
        for stage in kept:
            if not isinstance(stage, Stage):
                raise ValueError(f"an effort must be made of stages, got {stage!r}")
        if restarts is not None or steps is not None:
            kept = tuple(part for stage in kept for part in stage.plain())
        if restarts is not None:
            check_count("restarts", restarts, most=MOST_RESTARTS)
            kept = mapped(kept, lambda stage: stage.with_starts(restarts))
        if steps is not None:
            check_count("steps", steps, most=MOST_STEPS)
            kept = mapped(kept, lambda stage: stage.with_steps(steps))
        if learning_rate is not None:
            check_number("learning_rate", learning_rate, above=0)
            kept = mapped(kept, lambda stage: stage.with_rate(learning_rate))
        if bank is not None:
            check_count("bank", bank)
            kept = mapped(kept, lambda stage: stage.with_bank(bank))
        object.__setattr__(self, "stages", kept)

    def __len__(self) -> int:
        return len(self.stages)

    @overload
    def __getitem__(self, index: int) -> Stage: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Stage, ...]: ...
    def __getitem__(self, index: int | slice) -> Stage | tuple[Stage, ...]:
        return self.stages[index]

    def replace(self, **numbers: Any) -> Effort:
        """Return the effort with some of its numbers replaced, as ``dataclasses.replace`` does."""
        return replace(self, **numbers)

    def map(self, change: Callable[[Stage], Stage | None]) -> Effort:
        """Return the effort with all stages as ``change`` makes them, inner ones first.

        Parameters
        ----------
        change : callable
            Given a stage returns it, another one in its place, or None to leave it out.
        """
        return Effort(*mapped(self, change))

    def change(self, kind: type[Stage], **numbers: Any) -> Effort:
        """Return the effort with fields of all stages of a kind replaced, inner ones too."""

        def changed(stage: Stage) -> Stage:
            return replace(stage, **numbers) if isinstance(stage, kind) else stage  # type: ignore[type-var]

        return self.map(changed)

    def without(self, *kinds: type[Stage]) -> Effort:
        """Return the effort less all stages of some kinds, inner ones too."""
        return self.map(lambda stage: None if isinstance(stage, kinds) else stage)

    def on(self, problem: Problem) -> Effort:
        """Return what the effort is for a problem, by its signal of the fewest measurements."""
        return Effort(*(part for stage in self for part in stage.on(problem)))

    @property
    def restarts(self) -> int:
        """Starts of each signal."""
        return _starts(self)

    @property
    def most_steps(self) -> int:
        """First-order steps at most, on any problem, further rounds apart."""
        return _most_steps(self)


def run(stages: Iterable[Stage], problem: Problem, candidates: Candidates) -> Candidates:
    """Send candidates through stages, one after the other."""
    for stage in stages:
        candidates = stage.run(problem, candidates)
    return candidates


def mapped(stages: Iterable[Stage], change: Callable[[Stage], Stage | None]) -> tuple[Stage, ...]:
    """Stages as ``change`` makes them, those that others hold first; None leaves one out."""
    found = []
    for stage in stages:
        inner = {name: mapped(getattr(stage, name), change) for name in stage.holds}
        own = change(replace(stage, **inner) if inner else stage)  # type: ignore[type-var]
        found += [] if own is None else [own]
    return tuple(found)


def check_at_least(least: int, stage: Any, *names: str) -> None:
    """Refuse fields of a stage that are below a number."""
    known = {field.name for field in fields(stage)}
    for name in names:
        assert name in known
        if not getattr(stage, name) >= least:
            raise ValueError(f"{name} must be at least {least}, got {getattr(stage, name)}")


def _starts(stages: Iterable[Stage]) -> int:
    return max((stage.starts for stage in stages), default=0)


def _most_steps(stages: Iterable[Stage]) -> int:
    return sum(stage.most_steps for stage in stages)
