"""The picture of a comparison: a column per image, a row per solver; a single image in a row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ganprior.cli.comparison import Recovered
from ganprior.cli.measurements import Measurements
from ganprior.cli.uncertainty import WHITE
from ganprior.files import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

    from ganprior.strips import Strip

MOST_COLUMNS = 10


def draw(
    path: Path,
    measured: Measurements,
    attempts: Sequence[Recovered],
    original: Tensor | None,
    *,
    error_maps: bool = False,
) -> None:
    """Draw originals, measurements that are images, and reconstructions with their errors.

    Parameters
    ----------
    path : Path
        File to write: PNG, PDF or SVG, by its suffix.
    measured, attempts, original
        As for :func:`ganprior.cli.comparison_report.rows`. The first ten images are shown.
    error_maps : bool
        Whether to draw ``|x - x^|`` too, where the originals are known.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from ganprior import strips

    figure = Figure(dpi=150)
    FigureCanvasAgg(figure)
    strips.draw(figure, _strips(measured, attempts, original, error_maps=error_maps))
    # Without a date: the same file for the same images.
    metadata = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}.get(path.suffix)
    write_atomically(path, lambda file: figure.savefig(file, metadata=metadata))


def _strips(
    measured: Measurements,
    attempts: Sequence[Recovered],
    original: Tensor | None,
    *,
    error_maps: bool = False,
) -> list[Strip]:
    """What the figure shows, from the originals on."""
    from ganprior.plotting import reconstructions
    from ganprior.strips import Strip

    shown = [] if original is None else [Strip("original", original)]
    # Masks, blur, down-sampling and gray measure what can be looked at.
    if measured.y.dim() == 4 and measured.y.shape[1] in (1, 3):
        shown.append(_measured_strip(measured))
    return shown + reconstructions(
        [(attempt.solver, attempt.x, attempt.std) for attempt in attempts],
        original,
        error_maps=error_maps,
        widest=WHITE,
    )


def _measured_strip(measured: Measurements) -> Strip:
    """Measurements as they are; pixels that a mask hides in gray, for zero is a colour too."""
    from ganprior.plotting import HIDDEN
    from ganprior.strips import Strip

    support = measured.known.support
    if support is None:
        return Strip("measured", measured.y)
    return Strip("masked", measured.y.where(support, HIDDEN))
