"""Numbers that a user gives: refuse what is none, or out of range, in one line."""

from __future__ import annotations

import math
import operator
import reprlib

# What counts and indices of every library here can hold.
MOST = 2**31 - 1


def check_count(
    name: str, value: object, least: int = 1, most: int = MOST, remedy: str = ""
) -> None:
    """Refuse what is no whole number of a range.

    Parameters
    ----------
    name : str
        What is counted, for the message.
    value : object
        The number given. True and False are none, and neither is 2.0.
    least, most : int
        The range.
    remedy : str
        What to do, for the end of the message.

    Raises
    ------
    ValueError
        If it is no whole number, or out of the range.
    """
    try:
        count = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        count = None
    if count is None or count < least:
        raise _refused(name, f"a whole number of at least {least}", value, remedy)
    if count > most:
        raise _refused(name, f"at most {most}", value, remedy)


def check_number(
    name: str,
    value: object,
    *,
    least: float | None = None,
    above: float | None = None,
    remedy: str = "",
) -> None:
    """Refuse what is no finite number of a range.

    Parameters
    ----------
    name, value, remedy
        As for :func:`check_count`. A tensor of one number is one.
    least, above : float, optional
        The number is at least this, or greater than that.

    Raises
    ------
    ValueError
        If it is no number, not finite or out of the range.
    """
    try:
        # Text and truth convert, and are no numbers for that.
        number = math.nan if isinstance(value, str | bytes | bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, RuntimeError):
        number = math.nan
    if not (
        math.isfinite(number)
        and (least is None or number >= least)
        and (above is None or number > above)
    ):
        limits = {"of at least": least, "above": above}
        words = [f"{word} {limit:g}" for word, limit in limits.items() if limit is not None]
        raise _refused(name, " ".join(["a finite number", *words]), value, remedy)


def check_noise_std(noise_std: object) -> None:
    """Refuse a standard deviation of noise that is none; None, for what the physics says, is one.

    Raises
    ------
    ValueError
        If it is neither None nor a finite number of at least 0.
    """
    if noise_std is not None:
        check_number("noise_std", noise_std, least=0)


def _refused(name: str, wanted: str, value: object, remedy: str) -> ValueError:
    got = " ".join(reprlib.repr(value).split())
    return ValueError(f"{name} must be {wanted}, got {got}{remedy and f'; {remedy}'}")
