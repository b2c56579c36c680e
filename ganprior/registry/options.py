"""Options of registered names: how the text of ``restarts=5`` is read, and what it may be.

One class for each kind of value. They are made in the decorators of solvers and physics, and know
nothing of either, so that the command line reads a spec without importing torch.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass

from ganprior.names import check_name
from ganprior.numbers import MOST

Value = str | int | float
# Numbers whose square float32 can hold, as that of their inverse.
LARGEST = 1e18


@dataclass(frozen=True)
class Option(ABC):
    """One option of a registered name.

    Attributes
    ----------
    name : str
        As a user writes it.
    help : str
        What it is, in a few words, and what holds without it.
    example : str, int or float
        A value, for help texts and tests; tests read it.
    argument : str
        The argument of the class or function; the name, when empty.
    required : bool
        Whether it must be given.
    default : str, int or float, optional
        What the name alone stands for, where it may stand without a value.
    """

    name: str
    help: str
    _: KW_ONLY
    example: Value
    argument: str = ""
    required: bool = False
    default: Value | None = None

    @property
    def keyword(self) -> str:
        """The argument that receives the value."""
        return self.argument or self.name

    @property
    @abstractmethod
    def expected(self) -> str:
        """Which values there are, in words."""

    @abstractmethod
    def convert(self, text: str) -> Value:
        """Value of a text.

        Raises
        ------
        ValueError
            If it is none of the option's values.
        """

    def read(self, given: Mapping[str, str]) -> Value | None:
        """Value of the option among those given; the default, if it is not there.

        Raises
        ------
        ValueError
            If it is absent and must not be, or none of its values.
        """
        if self.name in given:
            return self.convert(given[self.name])
        if self.required and self.default is None:
            raise ValueError(
                f"option {self.name!r} is missing; give {self.name}=..., {self.expected}"
            )
        return self.default

    def _refused(self, text: str) -> ValueError:
        return ValueError(f"{self.name} must be {self.expected}, got {text!r}")


@dataclass(frozen=True, kw_only=True)
class Count(Option):
    """A whole number, at least ``minimum`` and at most ``most``.

    Where the number alone decides how much memory or time is taken, ``most`` is far beyond what
    anybody needs, and far below what a machine has.
    """

    minimum: int = 1
    most: int = MOST

    @property
    def expected(self) -> str:
        """The range."""
        return f"a whole number of at least {self.minimum}"

    def convert(self, text: str) -> int:
        """Whole number of a text; see the base class."""
        try:
            value = int(text)
        except ValueError:
            raise self._refused(text) from None
        if value < self.minimum:
            raise self._refused(text)
        if value > self.most:
            raise ValueError(f"{self.name} must be at most {self.most}, got {text!r}")
        return value


@dataclass(frozen=True, kw_only=True)
class Number(Option):
    """A finite number: at least ``minimum``, above ``above`` and below ``below``, where given."""

    minimum: float | None = None
    above: float | None = None
    below: float | None = None

    @property
    def expected(self) -> str:
        """The range."""
        bounds = {"at least": self.minimum, "above": self.above, "below": self.below}
        limits = [f"{word} {limit:g}" for word, limit in bounds.items() if limit is not None]
        return " ".join(["a number", " and ".join(limits)]).strip()

    def convert(self, text: str) -> float:
        """Number of a text; see the base class."""
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        # Comparisons with NaN are false: text that is no number fails like one out of range.
        if not (
            math.isfinite(value)
            and (self.minimum is None or value >= self.minimum)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        ):
            raise self._refused(text)
        if value and not 1 / LARGEST <= abs(value) <= LARGEST:
            raise ValueError(
                f"{self.name} must be 0 or between {1 / LARGEST:g} and {LARGEST:g} in size, "
                f"got {text!r}"
            )
        return value


@dataclass(frozen=True, kw_only=True)
class Choice(Option):
    """One of several words."""

    words: tuple[str, ...]

    @property
    def expected(self) -> str:
        """The words."""
        return f"one of {', '.join(self.words)}"

    def convert(self, text: str) -> str:
        """The word; see the base class."""
        check_name(f"value of {self.name}", text, self.words)
        return text


@dataclass(frozen=True, kw_only=True)
class Flag(Option):
    """``true`` or ``false``."""

    example: Value = "true"

    @property
    def expected(self) -> str:
        """The two words."""
        return "true or false"

    def convert(self, text: str) -> bool:
        """Truth of a text; see the base class."""
        check_name(f"value of {self.name}", text, ("true", "false"))
        return text == "true"


@dataclass(frozen=True, kw_only=True)
class Text(Option):
    """Any text: a path, or the name of something."""

    @property
    def expected(self) -> str:
        """Nothing that would restrict it."""
        return "a text"

    def convert(self, text: str) -> str:
        """Text as it is."""
        return text
