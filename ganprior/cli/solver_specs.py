"""The ``--solver`` option: which method a spec such as ``csgm:restarts=5`` stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ganprior.cli.specs import check_name, check_options, choice, integer, number, parse_spec

if TYPE_CHECKING:
    from ganprior.priors import Prior
    from ganprior.solution import Reconstructor

Value = str | int | float
# Told the number of steps done, and how many there are at most.
Progress = Callable[[int, int], None]

EFFORT_NAMES = ("reference", "balanced", "fast")


@dataclass(frozen=True)
class SolverSpec:
    """A method of reconstruction, as asked for on the command line.

    Attributes
    ----------
    name : str
        What stands before the colon.
    options : mapping
        Checked options that were given, each of the type it has in the library.
    text : str
        The spec as given.
    """

    name: str
    options: Mapping[str, Value]
    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a spec.

        ``csgm`` with ``restarts``, ``steps``, ``lambda`` and ``effort`` (reference, balanced,
        fast); ``lasso-dct``, ``lasso-pixel`` with ``alpha``; ``lasso-wavelet`` with ``wavelet``
        and ``alpha``. An option that is left out has the library's default.

        Raises
        ------
        ValueError
            If there is no such name or option, or a value cannot be; the message names it, what
            is valid, and the nearest.
        """
        try:
            name, options = parse_spec(text)
            check_name("solver", name, _KINDS)
            check_options(options, _KINDS[name].readers)
            readers = _KINDS[name].readers
            return cls(name, {key: readers[key](options, key) for key in options}, text)
        except ValueError as error:
            raise ValueError(f"--solver {text}: {error}") from None

    def build(
        self, prior: Prior, noise_std: float = 0.0, progress: Progress | None = None
    ) -> Reconstructor:
        """Make the solver; imports torch.

        Parameters
        ----------
        prior : Prior
            Prior of the solvers that have one.
        noise_std : float
            Standard deviation of the noise of each entry of y, from which the defaults of lambda
            and alpha follow.
        progress : callable, optional
            Told the number of steps done and the number there are at most, where a solver tells.

        Raises
        ------
        ValueError
            If a value is one that the library refuses: an unknown wavelet.
        """
        try:
            return _KINDS[self.name].build(self.options, prior, noise_std, progress)
        except ValueError as error:
            raise ValueError(f"--solver {self.text}: {error}") from None


Reader = Callable[[Mapping[str, str], str], Value]


@dataclass(frozen=True)
class _Kind:
    """One name: how each of its options is read, and which solver they make."""

    readers: Mapping[str, Reader]
    build: Callable[[Any, Prior, float, Progress | None], Reconstructor]


def _count(options: Mapping[str, str], key: str) -> int:
    return integer(options, key, minimum=1)


def _weight(options: Mapping[str, str], key: str) -> float:
    return number(options, key, minimum=0)


def _positive(options: Mapping[str, str], key: str) -> float:
    return number(options, key, above=0)


def _effort(options: Mapping[str, str], key: str) -> str:
    return choice(options, key, EFFORT_NAMES)


def _word(options: Mapping[str, str], key: str) -> str:
    return options[key]


def _csgm(
    options: dict[str, Any], prior: Prior, noise_std: float, progress: Progress | None
) -> Reconstructor:
    from ganprior.solvers import CSGM
    from ganprior.solvers.engine import EFFORTS

    effort = EFFORTS[options.get("effort", "balanced")].replace(
        restarts=options.get("restarts"), steps=options.get("steps")
    )

    def tell(step: int) -> None:
        if progress is not None:
            progress(step, effort.steps)

    return CSGM(prior, options.get("lambda"), noise_std=noise_std, effort=effort, progress=tell)


def _lasso(class_name: str) -> Callable[[Any, Prior, float, Progress | None], Reconstructor]:
    def build(options: Any, _: Prior, noise_std: float, __: Progress | None) -> Reconstructor:
        from ganprior import baselines

        solver: Reconstructor = getattr(baselines, class_name)(noise_std=noise_std, **options)
        return solver

    return build


_KINDS = {
    "csgm": _Kind(
        {"restarts": _count, "steps": _count, "lambda": _weight, "effort": _effort}, _csgm
    ),
    "lasso-dct": _Kind({"alpha": _positive}, _lasso("LassoDCT")),
    "lasso-wavelet": _Kind({"wavelet": _word, "alpha": _positive}, _lasso("LassoWavelet")),
    "lasso-pixel": _Kind({"alpha": _positive}, _lasso("LassoPixel")),
}
