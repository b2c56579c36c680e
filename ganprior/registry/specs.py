"""Specs: one registered name with options, ``name:key=value,key=value``.

Reading one imports nothing heavy, so that a typing error is answered at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Self

from ganprior.names import check_name
from ganprior.registry.entries import Entry, Kind
from ganprior.registry.lookup import entries
from ganprior.registry.options import Value

# What an entry of each kind is called in messages.
_WORDS: Mapping[Kind, str] = {"solver": "solver", "physics": "measurement", "mask": "mask"}


def parse_spec(text: str) -> tuple[str, dict[str, str]]:
    """Split ``name:key=value,key=value`` into the name and its options.

    Raises
    ------
    ValueError
        If the name, a key or a value is empty, or a key is given twice.
    """
    name, colon, rest = text.strip().partition(":")
    name = name.strip()
    if not name:
        raise ValueError(f"{text!r} has no name; write name:key=value, for example gaussian:m=100")
    options: dict[str, str] = {}
    for part in rest.split(",") if colon else ():
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals and value):
            raise ValueError(
                f"{part!r} in {text!r} is not key=value; write name:key=value,key=value"
            )
        if key in options:
            raise ValueError(f"option {key!r} is given twice in {text!r}; keep one")
        options[key] = value
    return name, options


@dataclass(frozen=True)
class Spec:
    """A registered name with its options, as a user gave it.

    Attributes
    ----------
    entry : Entry
        What is registered under the name.
    options : mapping
        Checked options that were given, each of the type it has in the library.
    text : str
        The spec as given.
    flag : str
        The option of the command line that it was given to, for messages; empty in Python.
    """

    entry: Entry
    options: Mapping[str, Value]
    text: str
    flag: str = ""

    @classmethod
    def read(cls, kind: Kind, text: str, flag: str = "") -> Self:
        """Read a spec of one kind: names and options are those that are registered.

        Parameters
        ----------
        kind : {"solver", "physics", "mask"}
            What the name is one of.
        text : str
            The spec.
        flag : str
            The option of the command line that it was given to, for messages.

        Raises
        ------
        ValueError
            If there is no such name or option, or a value cannot be; the message names it, what
            is known, and the nearest.
        """
        with _naming(flag, text):
            name, given = parse_spec(text)
            known = entries(kind)
            check_name(_WORDS[kind], name, known)
            return cls(known[name], _read(known[name], given), text, flag)

    @property
    def name(self) -> str:
        """What stands before the colon."""
        return self.entry.name

    def make(self, **context: Any) -> Any:
        """Make it; see ``Entry.make``."""
        return self.entry.make(self.options, context)

    def naming(self) -> AbstractContextManager[None]:
        """Let errors of what is done with the spec begin with its option and text."""
        return _naming(self.flag, self.text)


@contextmanager
def _naming(flag: str, text: str) -> Iterator[None]:
    """Put the option and the spec before the message of an error."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{f'{flag} {text}'.strip()}: {error}") from None


def _read(entry: Entry, given: dict[str, str]) -> dict[str, Value]:
    known = {option.name: option for option in entry.options}
    if entry.one_of and len(given) != 1:
        raise ValueError(
            f"{entry.name} takes exactly one of {', '.join(known)}, got "
            f"{', '.join(given) or 'none'}; write for example {entry.example}"
        )
    for key in given:
        check_name("option", key, known)
    asked = [known[key] for key in given] if entry.one_of else [*known.values()]
    values = {option.name: option.read(given) for option in asked}
    # In the order in which they were given, as a summary repeats them.
    order = [*given, *(name for name in values if name not in given)]
    return {name: value for name in order if (value := values[name]) is not None}
