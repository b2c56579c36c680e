"""What a comparison is reported as: rows, a summary in JSON, a table, and the files."""

from __future__ import annotations

import json
import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganprior.cli.comparison import Attempt
from ganprior.cli.measurements import Measurements
from ganprior.files import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

Row = dict[str, Any]
PSNR = "PSNR: of the mean per-pixel error"
PLUS_MINUS = "±: 95% interval of the mean over the images, 1.96 standard errors to either side"
SUMMARY, ARRAYS, FIGURE = FILES = ("summary.json", "reconstructions.npz", "figure.png")


def is_result(out: Path) -> Callable[[str], bool]:
    """Tell the files of an earlier comparison in a folder: its summary lists them."""
    try:
        summary = json.loads((out / SUMMARY).read_text(encoding="utf-8"))
        written = {*FILES, *summary["config"].get("files", ())}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        written = set()
    return written.__contains__


def rows(measured: Measurements, attempts: Sequence[Attempt], original: Tensor | None) -> list[Row]:
    """One row per solver and image.

    Parameters
    ----------
    measured : Measurements
        What was reconstructed from.
    attempts : sequence of Attempt
        What the solvers made of it.
    original : Tensor or None
        True images in [0, 1], (N, C, H, W); without them the rows have no errors.

    Returns
    -------
    list of dict
        Numbers that are not finite (the PSNR of an exact image) are None, as is the SSIM of
        images that are smaller than its window.
    """
    counts, n = measured.counts, math.prod(measured.image_shape)
    found = []
    for attempt in attempts:
        errors = {} if original is None else _errors(attempt.x, original)
        for i, name in enumerate(measured.names):
            found.append(
                {
                    "image": name,
                    "solver": attempt.solver,
                    "m": counts[i],
                    "n": n,
                    **{key: values[i] for key, values in errors.items()},
                    "measurement_error": _finite(float(attempt.measurement_error[i])),
                    "relative_residual": _entry(attempt.relative_residual, i),
                    "expected_residual": _entry(attempt.expected_residual, i),
                    "p_value": _entry(attempt.p_value, i),
                    "seconds": attempt.seconds,
                    "steps": int(attempt.steps[i]),
                    "status": str(attempt.status[i]),
                }
            )
    return found


def _errors(x: Tensor, original: Tensor) -> dict[str, list[float | None]]:
    from ganprior.metrics import per_pixel_error, psnr, ssim

    errors = {"per_pixel_error": per_pixel_error(x, original), "psnr": psnr(x, original)}
    found = {key: [_finite(value) for value in values.tolist()] for key, values in errors.items()}
    try:
        found["ssim"] = [_finite(value) for value in ssim(x, original).tolist()]
    except ValueError:
        # The images are smaller than its window.
        found["ssim"] = [None] * len(x)
    return found


def _entry(values: Tensor | None, i: int) -> float | None:
    return None if values is None else _finite(float(values[i]))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def summary_lines(config: Mapping[str, Any], found: Iterable[Row]) -> Iterator[str]:
    """Pieces of the text of ``summary.json``: strict JSON, without NaN, a row at a time."""

    def text(value: object) -> str:
        return json.dumps(value, indent=2, allow_nan=False)

    def inner(value: object, depth: int) -> str:
        # A string has no line break of its own in JSON.
        return text(value).replace("\n", "\n" + " " * depth)

    yield '{\n  "config": ' + inner(config, 2) + ',\n  "rows": ['
    comma = ""
    for row in found:
        yield f"{comma}\n    {inner(row, 4)}"
        comma = ","
    yield "\n  ]\n}\n"


def write_summary(path: Path, config: Mapping[str, Any], found: Iterable[Row]) -> None:
    """Write ``summary.json``.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8") as file:
            file.writelines(summary_lines(config, found))

    write_atomically(path, write)


class Tally:
    """Numbers of one solver's rows that the table needs.

    Attributes
    ----------
    error, ssim, measurement_error, relative_residual, expected_residual, seconds : array of float
        As far as they are finite.
    has_errors : bool
        Whether the true images are known.
    status : Counter
        How often each status occurred.
    """

    def __init__(self) -> None:
        self.error, self.ssim = array("d"), array("d")
        self.measurement_error, self.seconds = array("d"), array("d")
        self.relative_residual, self.expected_residual = array("d"), array("d")
        self.has_errors = False
        self.status: Counter[str] = Counter()

    def add(self, row: Row) -> None:
        """Count a row."""
        self.has_errors = "per_pixel_error" in row
        self.status[row["status"]] += 1
        for key, values in (
            ("per_pixel_error", self.error),
            ("ssim", self.ssim),
            ("measurement_error", self.measurement_error),
            ("relative_residual", self.relative_residual),
            ("expected_residual", self.expected_residual),
            ("seconds", self.seconds),
        ):
            if row.get(key) is not None:
                values.append(row[key])


def tally(found: Iterable[Row]) -> dict[str, Tally]:
    """Tally of each solver, in the order of their first rows."""
    tallies: dict[str, Tally] = {}
    for row in found:
        tallies.setdefault(row["solver"], Tally()).add(row)
    return tallies


def table(found: Mapping[str, Tally]) -> str:
    """One line per solver: means over its images, that of the error with its 95% interval.

    The interval is 1.96 standard errors; a last line says so where there is one. Means are over
    the images whose number is finite; PSNR is that of the mean error, which a last line says too.
    """
    lines = [_line(solver, own) for solver, own in found.items()]
    columns = list(lines[0])
    widths = {key: max(len(key), *(len(line[key]) for line in lines)) for key in columns}
    header = {key: key for key in columns}
    shown = [
        "  ".join(line[key].ljust(widths[key]) for key in columns).rstrip()
        for line in (header, *lines)
    ]
    notes = [PLUS_MINUS] if any("±" in line for line in shown) else []
    if any(own.status.total() > 1 for own in found.values()) and "PSNR (dB)" in columns:
        notes.append(PSNR)
    return "\n".join(shown + notes)


def _line(solver: str, found: Tally) -> dict[str, str]:
    line = {"solver": solver}
    if found.has_errors:
        line["per-pixel error"] = _mean(found.error, "#.3g") + _interval(found.error)
        line["PSNR (dB)"] = _psnr(found.error)
        line["SSIM"] = _mean(found.ssim, ".3f")
    line["measurement error"] = _mean(found.measurement_error, ".3g")
    line["residual"] = _mean(found.relative_residual, ".2g")
    line["expected"] = _mean(found.expected_residual, ".2g")
    line["s/image"] = _mean(found.seconds, ".3g")
    line["status"] = ", ".join(f"{count} {status}" for status, count in found.status.items())
    return line


def _psnr(errors: Sequence[float]) -> str:
    """PSNR of the mean error: the mean of decibels has no place for an image that is exact."""
    if not errors:
        return "-"
    mean = sum(errors) / len(errors)
    return f"{-10 * math.log10(mean):.2f}" if mean else "inf"


def _mean(values: Sequence[float], form: str) -> str:
    return format(sum(values) / len(values), form) if values else "-"


def _interval(values: Sequence[float]) -> str:
    if len(values) < 2:
        return ""
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return f" ± {1.96 * math.sqrt(variance / len(values)):#.2g}"
