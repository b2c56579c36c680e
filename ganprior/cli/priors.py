"""``ganprior priors``: what there is by name, from the cards alone."""

from __future__ import annotations

import math
from typing import Any

import click


@click.command()
def priors() -> None:
    """List the priors that are here: shipped, under GANPRIOR_PRIORS, or in a checkout.

    One line each: name, size of the images, size k of the latent, training data, its licence, the
    representation error, the mean per-pixel error of held-out images fitted from all pixels, the
    error of 'map', or of 'csgm' for a prior without a density, at m = 100 measurements, and, of the
    default prior for some data, the short name that it also goes by.
    """
    from ganprior.priors import cards, find_prior, prior_aliases, prior_names, read_card

    aliases = {name: alias for alias, name in prior_aliases().items()}
    rows = []
    for name in prior_names():
        path = find_prior(name)
        try:
            rows.append(_row(name, aliases.get(name), read_card(path)))
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
            if cards.is_shipped(path):
                raise
            rows.append((name, "its card is damaged", *[""] * 6))
    if not rows:
        click.echo("no prior is shipped with this installation; make one with 'ganprior train'")
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width)
        click.echo("  ".join(cells).rstrip())


def _row(name: str, alias: str | None, card: dict[str, Any]) -> tuple[str, ...]:
    size = "x".join(str(axis) for axis in card.get("image_shape", "?"))
    latent = card.get("latent", {}).get("shape")
    error = card.get("quality", {}).get("representation_error")
    architecture = card.get("architecture", {})
    classes, mixture = architecture.get("classes", 0), architecture.get("mixture", 1)
    kind = f", {classes} classes" if classes else f", {mixture} generators" if mixture > 1 else ""
    return (
        name,
        size,
        f"k={math.prod(latent) if latent else '?'}{kind}",
        str(card.get("data", "data unknown")),
        str(card.get("licence", "licence unknown")),
        "representation error " + ("not measured" if error is None else f"{error:.4f}"),
        _solved(card.get("quality", {}).get("errors", {})),
        f"default, alias {alias}" if alias else "",
    )


def _solved(errors: dict[str, dict[str, float]]) -> str:
    """The error at m = 100 of the first of two solvers that a card has it of."""
    for solver in ("map", "csgm"):
        if "100" in errors.get(solver, {}):
            return f"{solver} at m = 100: {errors[solver]['100']:.4f}"
    return ""
