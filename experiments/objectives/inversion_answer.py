"""What the rows of :mod:`experiments.objectives.inversion` answer: means, correlations, claims."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from experiments.objectives.correlation import Correlation, correlate, correlation_columns
from experiments.objectives.inversion_plot import draw
from experiments.rows import Row
from experiments.sweep.figure import Tables

REPRESENTATION = "representation error"
# Priors from which on a rank correlation is judged, and from which on there is one at all.
ENOUGH, LEAST = 10, 3


def lines_of(found: list[Row]) -> list[Row]:
    """Means over images, a line per prior that has any, best samples first."""
    priors: dict[tuple[str, str], list[Row]] = {}
    for row in found:
        if row["frechet_distance"] != "":
            priors.setdefault((str(row["method"]), str(row["k"])), []).append(row)
    lines = [
        {
            "prior": name,
            "k": k,
            "Fréchet distance": float(own[0]["frechet_distance"]),
            "diversity": float(own[0]["diversity"]),
            **{c: float(np.mean([float(row[c]) for row in own])) for c in columns_of(found)},
        }
        for (name, k), own in priors.items()
    ]
    return sorted(lines, key=lambda line: line["Fréchet distance"])


def columns_of(found: list[Row]) -> list[str]:
    """Columns of errors, in order."""
    return [name for name in found[0] if name == REPRESENTATION or name.startswith("m = ")]


def varied_of(lines: list[Row]) -> list[Row]:
    """Lines of priors that were trained here and draw images that differ from each other.

    A generator that has not learned, or has collapsed, has both a large distance and large errors,
    and makes any coefficient positive by itself. The threshold is half of the diversity of the most
    diverse samples of the figure, as the package's health monitor has it of real images.
    """
    most = max(line["diversity"] for line in lines)
    return [
        line
        for line in lines
        if line["diversity"] >= most / 2 and not line["prior"].startswith("shipped")
    ]


def against_distance(lines: list[Row], column: str) -> Correlation:
    """Spearman's coefficient of Fréchet distance and an error over priors."""
    return correlate([line["Fréchet distance"] for line in lines], [line[column] for line in lines])


def tables(found: list[Row]) -> Tables:
    """Errors per prior, and their correlations with the Fréchet distance and each other."""
    lines, columns = lines_of(found), columns_of(found)
    table = [
        {
            "prior": line["prior"],
            "k": line["k"],
            "Fréchet distance": f"{line['Fréchet distance']:.1f}",
            "diversity": f"{line['diversity']:.3f}",
            **{column: f"{line[column]:.4f}" for column in columns},
        }
        for line in lines
    ]
    correlations: list[Row] = []
    for subset, own in (("all", lines), ("trained here, varied samples", varied_of(lines))):
        if len(own) < LEAST:
            continue
        for one in ("Fréchet distance", REPRESENTATION):
            for other in columns:
                if one != other:
                    pair = [[line[name] for line in own] for name in (one, other)]
                    head = {"priors": f"{subset} ({len(own)})", "quantity": one, "with": other}
                    correlations.append({**head, **correlation_columns(*pair)})
    return {"summary": table, "correlations": correlations}


def claims(found: list[Row]) -> dict[str, bool]:
    """More measurements help; and both hypotheses, where there are priors enough for them."""
    lines, columns = lines_of(found), columns_of(found)
    few, many = columns[1], columns[-1]
    held = {
        f"{REPRESENTATION} is below the error from {few} for every prior": all(
            line[REPRESENTATION] < line[few] for line in lines
        ),
        f"the error from {many} is below that from {few} for every prior": all(
            line[many] < line[few] for line in lines
        ),
    }
    for subset, own in (("", lines), (" among varied priors", varied_of(lines))):
        for column in columns:
            if len(own) >= ENOUGH:
                error = column.replace("m =", "error from m =")
                claim = f"a lower Fréchet distance goes with a lower {error}{subset}"
                held[claim] = against_distance(own, column).low > 0
    return held


def best(lines: list[Row], column: str) -> str:
    """Prior with the lowest error, and its error."""
    line = min(lines, key=lambda line: line[column])
    return f"{line['prior']} (k = {line['k']}) {line[column]:.4f}"


def headline(found: list[Row]) -> str:
    """Correlations, and the best prior trained here by samples and by inversion."""
    lines, columns = lines_of(found), columns_of(found)
    ours = [line for line in lines if not line["prior"].startswith("shipped")]
    varied = varied_of(lines) if len(varied_of(lines)) >= LEAST else lines
    coefficients = ", ".join(
        f"{c} {against_distance(lines, c)} over all {len(lines)} priors and "
        f"{against_distance(varied, c)} over the {len(varied)} trained here with varied samples"
        for c in columns
    )
    winners = "; ".join(f"{c}: {best(ours, c)}" for c in columns)
    return (
        f"Spearman's coefficient with Fréchet distance: {coefficients}. Of the priors trained here "
        f"the best samples are those of {ours[0]['prior']} (k = {ours[0]['k']}), the lowest "
        f"errors: {winners}"
    )


def plot(found: list[Row], path: Path) -> None:
    """Every error against the Fréchet distance, priors by name."""
    lines = lines_of(found)
    titles = {c: f"Spearman {against_distance(lines, c)}" for c in columns_of(found)}
    draw(lines, titles, path)
