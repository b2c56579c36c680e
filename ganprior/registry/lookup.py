"""All entries by name."""

from __future__ import annotations

from dataclasses import replace

from ganprior.registry.entries import Entry, Kind, imported
from ganprior.registry.source import shipped


def entries(kind: Kind) -> dict[str, Entry]:
    """Entries of one kind by name, variants within them.

    Parameters
    ----------
    kind : {"solver", "physics", "mask", "architecture", "objective"}
        Which; baselines are solvers.
    """
    every = {(e.name, e.variant): e for e in (*shipped(), *imported()) if e.kind == kind}
    variants = [entry for entry in every.values() if entry.variant]
    return {
        name: _whole(entry, tuple(v for v in variants if v.name == name))
        for (name, variant), entry in every.items()
        if not variant
    }


def _whole(entry: Entry, variants: tuple[Entry, ...]) -> Entry:
    """Entry with the options that it has from elsewhere."""
    options = [*entry.options]
    if entry.one_of == "mask":
        options += [option for mask in entries("mask").values() for option in mask.options]
    for variant in variants:
        options += [option for option in variant.options if option not in options]
    return replace(entry, options=tuple(options), variants=variants)
