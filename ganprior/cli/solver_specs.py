"""Solvers by name: which method a ``--solver`` such as ``csgm:restarts=5`` stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from ganprior.registry import Spec, Value
from ganprior.solvers.search_options import DEFAULT_EFFORT

if TYPE_CHECKING:
    from torch import Tensor

    from ganprior.priors import Prior
    from ganprior.solution import Reconstructor


class SolverSpec(Spec):
    """A method of reconstruction, as asked for on the command line."""

    @classmethod
    def parse(cls, text: str, flag: str = "--solver") -> Self:
        """Read a spec; see :meth:`ganprior.registry.Spec.read`."""
        return cls.read("solver", text, flag)

    def check_measured(self, measure: Spec) -> None:
        """Refuse a way to measure of which the method can make nothing, before any work.

        Raises
        ------
        ValueError
            If the method fills missing pixels, and the measurements are no masked images.
        """
        if self.entry.needs == "mask" and measure.name != "mask":
            raise ValueError(
                f"{self.flag} {self.text} fills missing pixels only, and {measure.flag} "
                f"{measure.text} hides none; measure by mask:..., or choose another solver"
            )

    def build(
        self,
        prior: Prior,
        noise_std: float = 0.0,
        *,
        uncertainty: bool = False,
    ) -> Reconstructor:
        """Make the solver; see :func:`ganprior.solvers.by_name.make`. Imports torch."""
        from ganprior.cli.inputs import naming_options
        from ganprior.solvers.by_name import make

        with self.naming(), naming_options():
            return make(self, prior, noise_std, uncertainty=uncertainty)

    def words(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """What the solver went by in the words of the command line, fit for JSON.

        Parameters
        ----------
        settings : mapping
            As those of :class:`~ganprior.solution.Solution`.

        Returns
        -------
        dict
            Numbers, to six digits; a list where signals have one each and they differ.
        """
        names = {option.keyword: option.name for option in self.entry.options}
        found = {names.get(name, name): _plain(value) for name, value in settings.items()}
        if "effort" in names:
            found["effort"] = self.options.get("effort", DEFAULT_EFFORT)
        return found

    def unblended(self) -> Self:
        """The same, ``semantic`` without its blending; other methods as they are."""
        if self.name != "semantic":
            return self
        options = {key: value for key, value in self.options.items() if key != "screening"}
        settings = ",".join(f"{key}={value}" for key, value in options.items())
        return self.parse(f"semantic-raw:{settings}" if settings else "semantic-raw", self.flag)


def _plain(value: float | Tensor) -> Value | list[Value]:
    numbers = value if isinstance(value, int | float) else value.tolist()
    if isinstance(numbers, list) and len(set(numbers)) == 1:
        numbers = numbers[0]
    if isinstance(numbers, list):
        return [_short(number) for number in numbers]
    return _short(numbers)


def _short(number: float) -> Value:
    return number if isinstance(number, int) else float(f"{number:.6g}")
