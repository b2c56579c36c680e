"""Specs: one word with options, ``name:key=value,key=value``.

A spec names a physics or a solver on the command line. Reading one imports nothing heavy, so that
a typing error is answered at once.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping

# What counts and indices of every library below can hold.
MOST = 2**31 - 1
# Numbers whose square float32 can hold, as that of their inverse.
LARGEST = 1e18


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


def check_name(kind: str, name: str, valid: Iterable[str]) -> None:
    """Refuse a name that is not among the valid ones, and suggest the nearest.

    Parameters
    ----------
    kind : str
        What is named, for the message: "measurement", "solver", "option".
    name : str
        The name given.
    valid : iterable of str
        The names there are.

    Raises
    ------
    ValueError
        If ``name`` is not in ``valid``.
    """
    names = list(valid)
    if name in names:
        return
    near = difflib.get_close_matches(name, names, n=1)
    suggestion = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(f"unknown {kind} {name!r}; {suggestion}valid: {', '.join(names) or 'none'}")


def check_options(options: Mapping[str, str], valid: Iterable[str]) -> None:
    """Refuse options that are not among the valid ones, and suggest the nearest.

    Raises
    ------
    ValueError
        If there is such an option.
    """
    valid = list(valid)
    for key in options:
        check_name("option", key, valid)


def integer(
    options: Mapping[str, str], key: str, default: int | None = None, minimum: int | None = None
) -> int:
    """Read an option that is a whole number.

    Parameters
    ----------
    options : mapping
        Options as :func:`parse_spec` gives them.
    key : str
        The option.
    default : int, optional
        Its value when absent; without a default it must be given.
    minimum : int, optional
        Least value allowed.

    Raises
    ------
    ValueError
        If the option is absent without a default, not a whole number, below the minimum or above
        :data:`MOST`.
    """
    if key not in options and default is not None:
        return default
    expected = "a whole number" + ("" if minimum is None else f" of at least {minimum}")
    text = _given(options, key, expected)
    try:
        value = int(text)
    except ValueError:
        raise ValueError(f"{key} must be {expected}, got {text!r}") from None
    if minimum is not None and value < minimum:
        raise ValueError(f"{key} must be {expected}, got {text!r}")
    if abs(value) > MOST:
        raise ValueError(f"{key} must be at most {MOST}, got {text!r}")
    return value


def number(
    options: Mapping[str, str],
    key: str,
    default: float | None = None,
    *,
    minimum: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> float:
    """Read an option that is a finite number.

    Parameters
    ----------
    options : mapping
        Options as :func:`parse_spec` gives them.
    key : str
        The option.
    default : float, optional
        Its value when absent; without a default it must be given.
    minimum, above, below : float, optional
        The value must be at least ``minimum``, above ``above`` and below ``below``.

    Raises
    ------
    ValueError
        If the option is absent without a default, not a finite number, out of range, or too
        large or small for float32, squared.
    """
    if key not in options and default is not None:
        return default
    bounds = {"at least": minimum, "above": above, "below": below}
    limits = [f"{word} {limit:g}" for word, limit in bounds.items() if limit is not None]
    expected = " ".join(["a number", " and ".join(limits)]).strip()
    text = _given(options, key, expected)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    # Comparisons with NaN are false: text that is no number fails like one out of range.
    if not (
        math.isfinite(value)
        and (minimum is None or value >= minimum)
        and (above is None or value > above)
        and (below is None or value < below)
    ):
        raise ValueError(f"{key} must be {expected}, got {text!r}")
    if value and not 1 / LARGEST <= abs(value) <= LARGEST:
        raise ValueError(
            f"{key} must be 0 or between {1 / LARGEST:g} and {LARGEST:g} in size, got {text!r}"
        )
    return value


def choice(
    options: Mapping[str, str], key: str, valid: Iterable[str], default: str | None = None
) -> str:
    """Read an option that is one of several words.

    Parameters
    ----------
    options : mapping
        Options as :func:`parse_spec` gives them.
    key : str
        The option.
    valid : iterable of str
        The words allowed.
    default : str, optional
        Its value when absent; without a default it must be given.

    Raises
    ------
    ValueError
        If the option is absent without a default, or none of the words.
    """
    words = list(valid)
    if key not in options and default is not None:
        return default
    value = _given(options, key, f"one of {', '.join(words)}")
    check_name(f"value of {key}", value, words)
    return value


def _given(options: Mapping[str, str], key: str, expected: str) -> str:
    if key not in options:
        raise ValueError(f"option {key!r} is missing; give {key}=..., {expected}")
    return options[key]
