"""The picture of a comparison: one column per image, one row per solver."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ganprior.cli.comparison import Recovered
from ganprior.cli.measurements import Measurements
from ganprior.cli.uncertainty import WHITE, spread_map
from ganprior.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

MOST_COLUMNS = 10
# Brightness of a pixel that a mask hides.
_HIDDEN = 0.5
# Inches: side of an image, room under it for its error, width of the names of the rows, height of
# the note at the foot.
_SIDE, _UNDER, _LABEL, _NOTE = 1.0, 0.22, 1.5, 0.2
NOTE = "error: mean over the pixels of the squared difference from the original, in [0, 1]"


def draw(
    path: Path, measured: Measurements, attempts: Sequence[Recovered], original: Tensor | None
) -> None:
    """Draw originals, measurements that are images, and reconstructions with their errors.

    Parameters
    ----------
    path : Path
        File to write: PNG, PDF or SVG, by its suffix.
    measured, attempts, original
        As for :func:`ganprior.cli.comparison_report.rows`. The first ten images are shown.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    strips = _strips(measured, attempts, original)
    columns = min(len(measured.y), MOST_COLUMNS)
    foot = _NOTE if original is not None else 0.0
    width, height = _LABEL + columns * _SIDE, len(strips) * (_SIDE + _UNDER) + foot
    figure = Figure(figsize=(width, height), dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.subplots(
        len(strips),
        columns,
        squeeze=False,
        gridspec_kw={
            "left": _LABEL / width,
            "right": 1 - 0.02,
            "top": 1 - 0.05 / height,
            "bottom": (_UNDER + foot) / height,
            "wspace": 0.05,
            "hspace": _UNDER / _SIDE,
        },
    )
    for row, (label, images, errors) in zip(axes, strips, strict=True):
        # Broken where a spec may be, so that a long one stays beside its row.
        row[0].set_ylabel(
            re.sub(r"([:,])", r"\1\n", label),
            rotation=0,
            ha="right",
            va="center",
            fontsize=8,
            # A dollar in a path begins no formula.
            parse_math=False,
        )
        for i, place in enumerate(row):
            _show(place, images[i])
            if errors is not None:
                place.set_xlabel(f"error {errors[i]:#.3g}", fontsize=7, labelpad=2)
    if foot:
        # To the left end, where there is room for all of it beside a single image, too.
        figure.text(0.02, 0.04 / height, _note(width), fontsize=6, va="bottom")
    # Without a date: the same file for the same images.
    metadata = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}.get(path.suffix)
    write_atomically(path, lambda file: figure.savefig(file, metadata=metadata))


def _note(width: float) -> str:
    """What the numbers are, in as many words as there is room for."""
    return NOTE if width > 4 else "error: per-pixel error"


Strip = tuple[str, "Tensor", "list[float] | None"]


def _strips(
    measured: Measurements, attempts: Sequence[Recovered], original: Tensor | None
) -> list[Strip]:
    """Rows of the figure: name, images (N, C, H, W), and the error of each."""
    from ganprior.metrics import per_pixel_error

    strips: list[Strip] = []
    if original is not None:
        strips.append(("original", original, None))
    # Masks, blur, down-sampling and gray measure what can be looked at.
    if measured.y.dim() == 4 and measured.y.shape[1] in (1, 3):
        strips.append(_measured_strip(measured))
    for attempt in attempts:
        errors = None if original is None else per_pixel_error(attempt.x, original).tolist()
        strips.append((attempt.solver, attempt.x, errors))
        if attempt.std is not None:
            strips.append(
                (f"std of {attempt.solver}\nwhite: {WHITE:.2f}", spread_map(attempt.std), None)
            )
    return strips


def _measured_strip(measured: Measurements) -> Strip:
    """Measurements as they are; pixels that a mask hides in gray, for zero is a colour too."""
    support = measured.known.support
    if support is None:
        return "measured", measured.y, None
    return "masked", measured.y.where(support, _HIDDEN), None


def _show(place: Axes, image: Tensor) -> None:
    """One image (C, H, W) on its axes, clipped to [0, 1] as for its error."""
    pixels = image.nan_to_num().clamp(0, 1).numpy()
    if len(pixels) == 3:
        place.imshow(pixels.transpose(1, 2, 0))
    else:
        place.imshow(pixels[0], cmap="gray", vmin=0, vmax=1)
    place.set_xticks([])
    place.set_yticks([])
