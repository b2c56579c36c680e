"""Values of a recipe: the names there are, conversion from text, and ranges."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import Field
from typing import Any, NamedTuple

from ganprior.names import check_name
from ganprior.registry import entries

# Those that are registered, and the two that train an encoder and a decoder.
OBJECTIVES = (*entries("objective"), "vae", "vae-gan")
# Written here and not imported, so that recipes are read without torch; a test compares them.
DIVERGENCES = (
    "kl",
    "reverse-kl",
    "jeffreys",
    "pearson",
    "squared-hellinger",
    "bhattacharyya",
    "total-variation",
    "jensen-shannon",
    "gan",
)

# Numbers whose square float32 can hold.
_LARGEST = 1e18


class Bound(NamedTuple):
    """What holds of a value, and how it is said."""

    holds: Callable[[Any], bool]
    words: str


def _ranged(*bounds: Bound) -> Mapping[str, Any]:
    """Metadata of a field whose values are within bounds."""
    return {"bounds": bounds}


# Ranges of fields, as ``field(metadata=...)`` takes them.
_MOST = Bound(lambda v: v <= 2**31 - 1, f"at most {2**31 - 1}")
_FINITE = Bound(lambda v: v <= _LARGEST, f"at most {_LARGEST:g}")
COUNT = _ranged(Bound(lambda v: v >= 1, "at least 1"), _MOST)
FROM_ZERO = _ranged(Bound(lambda v: v >= 0, "at least 0"), _MOST)
COMPONENTS = _ranged(
    Bound(lambda v: v >= 1, "at least 1"), Bound(lambda v: v <= 100, "at most 100")
)
SEED = _ranged(
    Bound(lambda v: v >= 0, "at least 0"), Bound(lambda v: v < 2**63, f"at most {2**63 - 1}")
)
POSITIVE = _ranged(Bound(lambda v: 0 < v < math.inf, "positive"), _FINITE)
WEIGHT = _ranged(Bound(lambda v: 0 <= v < math.inf, ">= 0"), _FINITE)
SHARE = _ranged(Bound(lambda v: 0 <= v < 1, "in [0, 1)"))
LABEL = _ranged(Bound(lambda v: 0 <= v <= 1, "in [0, 1]"))
BETAS = _ranged(Bound(lambda v: all(0 <= beta < 1 for beta in v), "two in [0, 1)"))


def one_of(*known: str) -> Mapping[str, Any]:
    """Metadata of a field that is one of several words."""
    return {"known": known}


_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a word",
    "bool": "true or false",
}


def check(field: Field[Any], value: Any) -> None:
    """Refuse a value of the right type that its field does not have.

    Raises
    ------
    ValueError
        If it is out of the field's range, or none of its words.
    """
    if "known" in field.metadata:
        check_name(field.name, value, field.metadata["known"])
    for bound in field.metadata.get("bounds", ()):
        if not bound.holds(value):
            raise ValueError(f"recipe: {field.name} must be {bound.words}, got {value}")


def convert(name: str, kind: str, value: Any) -> Any:
    """Convert a value of TOML, or the text of a command line, to the type of a field.

    Raises
    ------
    ValueError
        If it does not convert.
    """
    try:
        if kind == "bool":
            return _flag(value)
        if isinstance(value, bool):
            raise TypeError("true and false are no numbers and no words")
        if kind == "int":
            return _whole(value)
        if kind == "float":
            return float(value)
        if kind == "str":
            return str(value)
        parts = value.split(",") if isinstance(value, str) else value
        first, second = (float(part) for part in parts)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        wanted = _WORDS.get(kind, "two numbers a,b")
        raise ValueError(f"recipe option {name} wants {wanted}, got {value!r}") from error
    return first, second


def _whole(value: Any) -> int:
    whole = int(value)
    if isinstance(value, float) and value != whole:
        raise ValueError("int() would cut the fraction")
    return whole


def _flag(value: Any) -> bool:
    return value if isinstance(value, bool) else {"true": True, "false": False}[value.lower()]
