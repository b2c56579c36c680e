"""Images in strips: a row for each kind with the images in columns; a single image in a row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COLUMNS = 10
NOTE = "error: mean over the pixels of the squared difference from the original, in [0, 1]"
# Inches: side of an image, room under it for its error, height of a line of its name over it, width
# of the names of rows, height of the note at the foot.
_SIDE, _UNDER, _LINE, _LABEL, _NOTE = 1.0, 0.22, 0.13, 1.5, 0.2


@dataclass(frozen=True)
class Map:
    """A number for every pixel of N images, drawn in colours.

    Attributes
    ----------
    label : str
        What it is.
    values : Tensor
        (N, H, W), at least 0.
    brightest : float
        Value of the brightest colour; the darkest is 0.
    """

    label: str
    values: Tensor
    brightest: float

    @property
    def scale(self) -> str:
        """The colours in words."""
        return f"(white: {self.brightest:.2g})"


@dataclass(frozen=True)
class Strip:
    """N images of one kind, and the maps that belong to them.

    Attributes
    ----------
    label : str
        What they are.
    images : Tensor
        (N, C, H, W), shown clipped to [0, 1].
    errors : tuple of float or None
        Per-pixel error of each.
    maps : tuple of Map
        Shown under them.
    """

    label: str
    images: Tensor
    errors: tuple[float, ...] | None = None
    maps: tuple[Map, ...] = ()


def draw(figure: Figure, strips: Sequence[Strip], *, side: float = _SIDE) -> None:
    """Fill a figure with strips; the first ten images are shown.

    Parameters
    ----------
    figure : Figure
        An empty figure; its size is set.
    strips : sequence of Strip
        All with the same number of images.
    side : float
        Inches of one image.
    """
    strips = [_head(strip) for strip in strips]
    alone = len(strips[0].images) == 1
    grid = _in_a_row(strips) if alone else _in_columns(strips)
    has_errors = any(strip.errors for strip in strips)
    rows, columns, foot = len(grid), len(grid[0]), _NOTE if has_errors else 0.0
    # Where columns have names the rows need none.
    lines = max(_broken(strip.label).count("\n") + 1 for strip in strips)
    label, over = (0.05, 0.05 + _LINE * lines) if alone else (_LABEL, 0.05)
    width = label + columns * side
    height = (over if alone else 0.0) + rows * (side + _UNDER) + foot
    figure.set_size_inches(width, height)
    axes = figure.subplots(
        rows,
        columns,
        squeeze=False,
        gridspec_kw={
            "left": label / width,
            "right": 1 - 0.02,
            "top": 1 - over / height,
            "bottom": (_UNDER + foot) / height,
            "wspace": 0.05,
            "hspace": _UNDER / side,
        },
    )
    for places, cells in zip(axes, grid, strict=True):
        for place, cell in zip(places, cells, strict=True):
            cell.show(place)
    if foot:
        # To the left end, where there is room for all of it beside a single image, too.
        note = NOTE if width > 4 else "error: per-pixel error"
        figure.text(0.02, 0.04 / height, note, fontsize=6, va="bottom")


@dataclass(frozen=True)
class _Cell:
    """One place of the grid; without pixels it is empty."""

    pixels: NDArray[Any] | None = None
    brightest: float | None = None
    left: str = ""
    over: str = ""
    under: str = ""

    def show(self, place: Axes) -> None:
        place.set_xticks([])
        place.set_yticks([])
        if self.pixels is None:
            place.set_axis_off()
            return
        if self.brightest is not None:
            place.imshow(self.pixels, cmap="magma", vmin=0, vmax=self.brightest or 1)
        elif self.pixels.ndim == 3:
            place.imshow(self.pixels)
        else:
            place.imshow(self.pixels, cmap="gray", vmin=0, vmax=1)
        # A dollar in a path begins no formula.
        place.set_ylabel(
            self.left, rotation=0, ha="right", va="center", fontsize=8, parse_math=False
        )
        place.set_title(self.over, fontsize=8, pad=3, parse_math=False)
        place.set_xlabel(self.under, fontsize=7, labelpad=2)


def _in_columns(strips: Sequence[Strip]) -> list[list[_Cell]]:
    """A row for each strip and each of its maps, with its name on the left."""
    rows = []
    for strip in strips:
        cells = _cells(strip)
        rows.append([replace(cells[0], left=_broken(strip.label)), *cells[1:]])
        for number in strip.maps:
            left = f"{number.label} of\n{_broken(strip.label)}\n{number.scale}"
            maps = [_Cell(values.numpy(), number.brightest) for values in number.values]
            rows.append([replace(maps[0], left=left), *maps[1:]])
    return rows


def _in_a_row(strips: Sequence[Strip]) -> list[list[_Cell]]:
    """A column for each strip, with its name above, and its maps below."""
    rows = [[replace(_cells(strip)[0], over=_broken(strip.label)) for strip in strips]]
    labels = dict.fromkeys(number.label for strip in strips for number in strip.maps)
    for label in labels:
        row = []
        for strip in strips:
            own = next((number for number in strip.maps if number.label == label), None)
            if own is None:
                row.append(_Cell())
            else:
                under = f"{label} {own.scale}"
                row.append(_Cell(own.values[0].numpy(), own.brightest, under=under))
        rows.append(row)
    return rows


def _cells(strip: Strip) -> list[_Cell]:
    errors = strip.errors or ()
    notes = [f"error {error:#.3g}" for error in errors] or [""] * len(strip.images)
    images = clipped(strip.images).permute(0, 2, 3, 1).numpy()
    return [
        _Cell(image[..., 0] if image.shape[-1] == 1 else image, under=note)
        for image, note in zip(images, notes, strict=True)
    ]


def _broken(label: str) -> str:
    """Broken where a spec may be, so that a long one stays beside its row."""
    return re.sub(r"([:,])", r"\1\n", label)


def clipped(x: Tensor) -> Tensor:
    """As it is shown: NaN black, all else in [0, 1]."""
    return x.nan_to_num().clamp(0, 1)


def _head(strip: Strip) -> Strip:
    n = MOST_COLUMNS
    maps = tuple(replace(number, values=number.values[:n]) for number in strip.maps)
    errors = None if strip.errors is None else strip.errors[:n]
    return Strip(strip.label, strip.images[:n], errors, maps)
