"""What follows from the registry as text: tables of names, and lines of the ``.pyi`` files.

``python -m experiments.tables --write`` puts both in their places.
"""

from __future__ import annotations

import re
from pathlib import Path

from ganprior.registry import Choice, Entry, Option, entries

ROOT = Path(__file__).parents[1]
STUBS = tuple(
    ROOT / "ganprior" / folder / "__init__.pyi"
    for folder in ("", "solvers", "baselines", "physics")
)
# Lines of a .pyi that follow from the registry, up to its end.
BLOCK = re.compile(r"^(# registered, [^\n]*\n)(.*)\Z", re.MULTILINE | re.DOTALL)


def solvers() -> list[list[str]]:
    """Header and rows of the table of solvers."""
    rows = [["`--solver`", "physics", "method", "options"]]
    for entry in entries("solver").values():
        options = "; ".join(_described(option) for option in entry.options)
        rows.append([f"`{entry.example}`", entry.needs or "any", entry.summary, options])
    return rows


def measurements() -> list[list[str]]:
    """Header and rows of the table of physics, with a row for each mask."""
    rows = [["`--measure`", "what is measured", "options"]]
    for entry in entries("physics").values():
        if entry.one_of:
            rows += [_mask_row(entry, mask) for mask in entries("mask").values()]
        else:
            options = "; ".join(_described(option) for option in entry.options)
            rows.append([f"`{entry.example}`", entry.summary, options])
    return rows


def _mask_row(entry: Entry, mask: Entry) -> list[str]:
    [option] = mask.options
    spec = f"`{entry.name}:{option.name}={option.example}`"
    return [spec, f"all but {mask.summary}", _described(option)]


def _described(option: Option) -> str:
    words = f" ({', '.join(option.words)})" if isinstance(option, Choice) else ""
    return f"`{option.name}`, {option.help}{words}"


def stub(path: Path) -> str:
    """Text of a ``.pyi`` with the lines of what is registered."""
    package = "ganprior" if path.parent.name == "ganprior" else f"ganprior.{path.parent.name}"
    every = [entry for kind in ("solver", "physics") for entry in entries(kind).values()]
    whole = [part for entry in every for part in (entry, *entry.variants)]
    homes = sorted(
        {
            (entry.module.removeprefix(f"{package}."), entry.target)
            for entry in whole
            if entry.module.startswith(f"{package}.") and not entry.target.startswith("_")
        }
    )
    lines = "".join(f"from .{module} import {name} as {name}\n" for module, name in homes)
    return BLOCK.sub(lambda match: match[1] + lines, path.read_text(encoding="utf-8"))
