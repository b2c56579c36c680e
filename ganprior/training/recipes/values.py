"""Values of a recipe: the names there are, conversion from text, and ranges."""

from __future__ import annotations

import math
from typing import Any

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

_INTEGERS_FROM_ZERO = (
    "seed", "decay_from", "classes", "vae_steps", "input_noise_steps", "monitor_every",
)  # fmt: skip
_POSITIVE = ("learning_rate", "clip")
_WEIGHTS = (
    "penalty_weight", "reconstruction_weight", "kl_weight", "input_noise", "closeness_weight",
    "generator_noise",
)  # fmt: skip
_SHARES = ("ema_decay", "label_flip", "generator_dropout")
_LABELS = ("real_label", "fake_label")
# Numbers whose square float32 can hold.
_LARGEST = 1e18
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a word",
    "bool": "true or false",
}


def check_range(name: str, kind: str, value: Any) -> None:
    """Refuse a value of the right type that makes no sense.

    Raises
    ------
    ValueError
        If it is out of the range of its field.
    """
    if kind == "int":
        least = 0 if name in _INTEGERS_FROM_ZERO else 1
        most = 2**63 - 1 if name == "seed" else 2**31 - 1
        _inside(name, value, value >= least, f"at least {least}")
        _inside(name, value, value <= most, f"at most {most}")
    elif name in _POSITIVE:
        _inside(name, value, 0 < value < math.inf, "positive")
        _inside(name, value, value <= _LARGEST, f"at most {_LARGEST:g}")
    elif name in _WEIGHTS:
        _inside(name, value, 0 <= value < math.inf, ">= 0")
        _inside(name, value, value <= _LARGEST, f"at most {_LARGEST:g}")
    elif name in _SHARES:
        _inside(name, value, 0 <= value < 1, "in [0, 1)")
    elif name in _LABELS:
        _inside(name, value, 0 <= value <= 1, "in [0, 1]")
    elif name == "betas":
        _inside(name, value, all(0 <= beta < 1 for beta in value), "two in [0, 1)")


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


def _inside(name: str, value: object, inside: bool, wanted: str) -> None:
    if not inside:
        raise ValueError(f"recipe: {name} must be {wanted}, got {value}")
