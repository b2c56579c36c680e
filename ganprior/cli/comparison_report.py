"""What a comparison is reported as: rows, a summary in JSON, a table, and the files."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
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


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def write_results(
    out: Path,
    summary: str,
    attempts: Sequence[Attempt],
    original: Tensor | None,
) -> None:
    """Write ``reconstructions.npz`` and ``summary.json``.

    Parameters
    ----------
    out : Path
        Folder.
    summary : str
        Text of ``summary.json``.
    attempts, original
        As for :func:`rows`.

    Raises
    ------
    ValueError
        If a file cannot be written.
    """
    import numpy as np

    arrays = {f"solver_{i}": attempt.x.numpy() for i, attempt in enumerate(attempts)}
    arrays["solvers"] = np.array([attempt.solver for attempt in attempts])
    if original is not None:
        arrays["original"] = original.numpy()

    def write_summary(file: Path) -> None:
        file.write_text(summary + "\n", encoding="utf-8")

    write_atomically(out / ARRAYS, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]
    write_atomically(out / SUMMARY, write_summary)


def summarise(config: dict[str, Any], found: Sequence[Row]) -> str:
    """Text of ``summary.json``: strict JSON, without NaN."""
    return json.dumps({"config": config, "rows": found}, indent=2, allow_nan=False)


def table(found: Sequence[Row]) -> str:
    """One line per solver: means over its images, that of the error with its 95% interval.

    The interval is 1.96 standard errors; a last line says so where there is one. Means are over
    the images whose number is finite; PSNR is that of the mean error, which a last line says too.
    """
    solvers = list(dict.fromkeys(row["solver"] for row in found))
    lines = [_line(solver, [row for row in found if row["solver"] == solver]) for solver in solvers]
    columns = list(lines[0])
    widths = {key: max(len(key), *(len(line[key]) for line in lines)) for key in columns}
    header = {key: key for key in columns}
    shown = [
        "  ".join(line[key].ljust(widths[key]) for key in columns).rstrip()
        for line in (header, *lines)
    ]
    notes = [PLUS_MINUS] if any("±" in line for line in shown) else []
    if len(found) > len(lines) and "PSNR (dB)" in columns:
        notes.append(PSNR)
    return "\n".join(shown + notes)


def _line(solver: str, found: Sequence[Row]) -> dict[str, str]:
    counts = Counter(row["status"] for row in found)
    line = {"solver": solver}
    if "per_pixel_error" in found[0]:
        line["per-pixel error"] = _mean(found, "per_pixel_error", "#.3g", interval=True)
        line["PSNR (dB)"] = _psnr(found)
        line["SSIM"] = _mean(found, "ssim", ".3f")
    line["measurement error"] = _mean(found, "measurement_error", ".3g")
    line["s/image"] = f"{found[0]['seconds']:.3g}"
    line["status"] = ", ".join(f"{count} {status}" for status, count in counts.items())
    return line


def _psnr(found: Sequence[Row]) -> str:
    """PSNR of the mean error: the mean of decibels has no place for an image that is exact."""
    errors = [row["per_pixel_error"] for row in found if row["per_pixel_error"] is not None]
    if not errors:
        return "-"
    mean = sum(errors) / len(errors)
    return f"{-10 * math.log10(mean):.2f}" if mean else "inf"


def _mean(found: Sequence[Row], key: str, form: str, *, interval: bool = False) -> str:
    values = [row[key] for row in found if row[key] is not None]
    if not values:
        return "-"
    mean = sum(values) / len(values)
    text = format(mean, form)
    if interval and len(values) > 1:
        variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
        text += f" ± {1.96 * math.sqrt(variance / len(values)):#.2g}"
    return text
