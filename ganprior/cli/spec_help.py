"""Help texts of specs, from what is registered, for ``--solver``, ``--measure`` and ``--mask``.

Each is a paragraph that click prints as it stands.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from ganprior.registry import Choice, Entry, Option, entries

WIDTH = 96
_ONLY = {"mask": "masks: ", "linear": "linear physics: "}


def solver_help() -> str:
    """Every solver with its options."""
    known = entries("solver").values()
    lines = ["SPEC of --solver, with every option that it may have:"]
    for entry in known:
        lines += _entry(entry, f"{_ONLY.get(entry.needs, '')}{entry.summary}")
    return _paragraph([*lines, "where", *_options(known)])


def measure_help() -> str:
    """Every physics with its options, and every mask."""
    known = [entry for entry in entries("physics").values() if not entry.one_of]
    lines = ["SPEC of --measure:"]
    for entry in known:
        lines += _entry(entry, f"{_ONLY.get(entry.needs, '')}{entry.summary}")
    lines += [line for mask in entries("mask").values() for line in _mask(mask, "mask:")]
    return _paragraph([*lines, "where", *_options(known)])


def mask_help() -> str:
    """Every mask."""
    lines = [line for mask in entries("mask").values() for line in _mask(mask, "")]
    return _paragraph(["SPEC of --mask, what is hidden:", *lines])


def _entry(entry: Entry, summary: str) -> list[str]:
    settings = ",".join(f"{option.name}={option.example}" for option in entry.options)
    spec = f"{entry.name}:{settings}" if settings else entry.name
    return [*_wrapped(spec, "  "), *_wrapped(summary, "      ")]


def _mask(mask: Entry, prefix: str) -> list[str]:
    [option] = mask.options
    spec = f"{prefix}{option.name}={option.example}"
    return _wrapped(f"{spec:24}{mask.summary}: {_help(option)}", "  ")


def _options(known: Iterable[Entry]) -> list[str]:
    """A line for each option; one that several entries have alike has one."""
    lines = {
        f"{option.name:15}{_help(option)}": None for entry in known for option in entry.options
    }
    return [part for line in lines for part in _wrapped(line, "  ")]


def _help(option: Option) -> str:
    words = f" ({', '.join(option.words)})" if isinstance(option, Choice) else ""
    return f"{option.help}{words}"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}    ",
        drop_whitespace=True,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _paragraph(lines: list[str]) -> str:
    return "\n".join(["\b", *lines])
