"""What a sweep varies: ``m=25,50,100``, an option of the measurement, of the solvers, or noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ganprior.cli.measure_specs import MeasureSpec
from ganprior.cli.solver_specs import SolverSpec
from ganprior.names import check_name
from ganprior.registry import Kind, Number, entries, parse_spec

NOISE = "noise_std"


@dataclass(frozen=True)
class Axis:
    """Values of one option, and the specs that each of them makes.

    Attributes
    ----------
    name : str
        What is varied.
    values : tuple of str
        Its values, as given.
    of : {"measure", "solver", "noise"}
        Whose option it is.
    measure : str
        The spec of the measurement, without it.
    """

    name: str
    values: tuple[str, ...]
    of: str
    measure: str

    @classmethod
    def parse(cls, text: str, measure: str, solvers: tuple[str, ...]) -> Self:
        """Read ``--over``, and try each of its values.

        Parameters
        ----------
        text : str
            ``NAME=VALUE,VALUE,...``.
        measure : str
            Spec of the measurement, without what is varied.
        solvers : tuple of str
            Specs of the solvers.

        Raises
        ------
        ValueError
            If there is nothing of that name, a value is none, or is given twice.
        """
        name, equals, rest = (part.strip() for part in text.partition("="))
        values = tuple(value.strip() for value in rest.split(","))
        if not (name and equals and all(values)):
            raise ValueError(f"--over {text} is not NAME=VALUE,VALUE,...; write m=25,50,100")
        if len(set(solvers)) < len(solvers):
            raise ValueError("--solver is given twice with the same spec; keep one")
        axis = cls(name, values, _of(name, measure, solvers), measure)
        same = [_number(value) for value in values]
        twice = [value for i, value in enumerate(values) if same[i] in same[:i]]
        if twice:
            raise ValueError(f"--over {text}: {twice[0]} is given twice; keep one")
        for value in values:
            axis.measured_by(value)
            axis.noise_std(value, 0.0)
            for solver in solvers:
                axis.solved_by(value, solver)
        return axis

    def measured_by(self, value: str) -> MeasureSpec:
        """How images are measured at a value."""
        return MeasureSpec.parse(self._with(self.measure, "measure", value))

    def solved_by(self, value: str, solver: str) -> SolverSpec:
        """What a solver is at a value."""
        return SolverSpec.parse(self._with(solver, "solver", value))

    def noise_std(self, value: str, fixed: float) -> float:
        """Standard deviation of the noise at a value; ``fixed`` where it is not varied."""
        if self.of != "noise":
            return fixed
        return Number(NOISE, "", example=0, minimum=0).convert(value)

    def label(self, attempt: str, value: str | float, solver: str) -> str:
        """Solver of a row without what is varied: the name of its curve."""
        spec = self.solved_by(str(value), solver)
        blends = attempt != spec.text
        # What a solver blends it shows as it was before, too.
        return SolverSpec.parse(solver).unblended().text if blends else solver

    def _with(self, spec: str, of: str, value: str) -> str:
        if self.of != of:
            return spec
        return f"{spec}{',' if ':' in spec else ':'}{self.name}={value}"


def _of(name: str, measure: str, solvers: tuple[str, ...]) -> str:
    """Whose option a name is."""
    if name == NOISE:
        return "noise"
    of_measure = _options("physics", measure, "--measure")
    if name in of_measure:
        return "measure"
    of_solvers = {solver: _options("solver", solver, "--solver") for solver in solvers}
    if any(name in known for known in of_solvers.values()):
        without = [solver for solver, known in of_solvers.items() if name not in known]
        if without:
            raise ValueError(
                f"--over {name}: --solver {without[0]} has no option {name!r}; leave it out"
            )
        return "solver"
    known = {NOISE, *of_measure, *(name for own in of_solvers.values() for name in own)}
    check_name("thing to vary in --over", name, sorted(known))
    raise AssertionError(name)


def _options(kind: Kind, spec: str, flag: str) -> list[str]:
    """Options that the name of a spec has."""
    try:
        name, _ = parse_spec(spec)
        known = entries(kind)
        check_name("solver" if kind == "solver" else "measurement", name, known)
    except ValueError as error:
        raise ValueError(f"{flag} {spec}: {error}") from None
    return [option.name for option in known[name].options]


def _number(value: str) -> str | float:
    try:
        return float(value)
    except ValueError:
        return value
