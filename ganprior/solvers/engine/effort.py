"""Efforts: how much work the engine puts into one signal, as a tuple of stages.

``(Random(10), Descend(Adam(0.1), steps=1000))`` is the protocol of Bora et al. (2017): ten random
starts, a thousand steps of Adam from each. A stage takes candidates, that is latents of each signal
with their objective, and returns better ones; the best that the last one leaves is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any, ClassVar

from ganprior.numbers import check_count
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

    def plain(self) -> tuple[Stage, ...]:
        """Return what stands in its place where all problems shall be searched alike."""
        return (self,)


class Effort(tuple[Stage, ...]):
    """Stages in their order.

    Parameters
    ----------
    stages : Stage
        The first one makes starts.

    Raises
    ------
    ValueError
        If something is no stage.
    """

    __slots__ = ()

    def __new__(cls, *stages: Stage) -> Effort:
        """Check that all are stages."""
        for stage in stages:
            if not isinstance(stage, Stage):
                raise ValueError(f"an effort must be made of stages, got {stage!r}")
        return super().__new__(cls, stages)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def replace(
        self,
        *,
        restarts: int | None = None,
        steps: int | None = None,
        learning_rate: float | None = None,
    ) -> Effort:
        """Return the effort with some numbers replaced; None keeps one.

        With a number of restarts or steps of its own it searches all problems alike.

        Raises
        ------
        ValueError
            If a number is out of range.
        """
        stages: Iterable[Stage] = self
        for name, number, most in (
            ("restarts", restarts, MOST_RESTARTS),
            ("steps", steps, MOST_STEPS),
        ):
            if number is not None:
                check_count(name, number, most=most)
        if restarts is not None or steps is not None:
            stages = [part for stage in stages for part in stage.plain()]
        if restarts is not None:
            stages = mapped(stages, lambda stage: stage.with_starts(restarts))
        if steps is not None:
            stages = mapped(stages, lambda stage: stage.with_steps(steps))
        if learning_rate is not None:
            stages = mapped(stages, lambda stage: stage.with_rate(learning_rate))
        return Effort(*stages)

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
