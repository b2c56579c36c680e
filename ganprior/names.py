"""Names that a user gives: refuse one that is not known, and suggest the nearest that is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: object, known: Iterable[str]) -> str | None:
    """The known name that looks most like ``name``; None if none looks like it."""
    found = difflib.get_close_matches(str(name), list(known), n=1)
    return found[0] if found else None


def suggestion(name: object, known: Iterable[str]) -> str:
    """``"did you mean 'csgm'? "`` for a message, or nothing."""
    near = nearest(name, known)
    return "" if near is None else f"did you mean {near!r}? "


def check_name(what: str, name: object, known: Iterable[str], other: str = "") -> None:
    """Refuse a name that is not known, and suggest the nearest.

    Parameters
    ----------
    what : str
        What is named, for the message: "solver", "option".
    name : object
        The name given; what is no text is no name.
    known : iterable of str
        The names there are.
    other : str
        What may stand in place of a name, for the message: "or a file".

    Raises
    ------
    ValueError
        If ``name`` is not in ``known``.
    """
    names = list(known)
    if name in names:
        return
    listed = ", ".join(names) or "none"
    end = f", {other}" if other else ""
    raise ValueError(f"unknown {what} {str(name)!r}; {suggestion(name, names)}known: {listed}{end}")
