"""Figures of images: what was recovered, how far off that is and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from ganprior.strips import Map, Strip, draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ERROR_MAP, STD_MAP = "|x − x̂|", "std"
# Brightness of a pixel that a mask hides.
HIDDEN = 0.5


def reconstructions(
    shown: Sequence[tuple[str, Tensor, Tensor | None]],
    original: Tensor | None,
    *,
    error_maps: bool = False,
    widest: float | None = None,
) -> list[Strip]:
    """Strips of reconstructions, with errors and maps as far as those are known.

    Parameters
    ----------
    shown : sequence of tuple
        Label, reconstructions (N, C, H, W) and, where it is known, the standard deviation of every
        pixel, of the same shape.
    original : Tensor or None
        True images in [0, 1], (N, C, H, W).
    error_maps : bool
        Whether to show ``|x - x^|``, mean over the channels, of all on one scale.
    widest : float, optional
        Standard deviation of the brightest colour; the greatest when absent.
    """
    # Compared as they are shown: clipped.
    off = [] if original is None else [x.clamp(0, 1) - original for _, x, _ in shown]
    maps = [d.abs().mean(1).nan_to_num(nan=1) for d in off] if error_maps else []
    spread = [None if std is None else std.mean(1) for _, _, std in shown]
    worst = max((float(values.max()) for values in maps), default=0.0)
    if widest is None:
        widest = max((float(values.max()) for values in spread if values is not None), default=0.0)
    strips = []
    for i, (label, x, _) in enumerate(shown):
        errors = tuple(off[i].square().flatten(1).mean(1).tolist()) if off else None
        own = [Map(ERROR_MAP, maps[i], worst)] if maps else []
        values = spread[i]
        own += [] if values is None else [Map(STD_MAP, values, widest)]
        strips.append(Strip(label, x, errors, tuple(own)))
    return strips


def plot(
    x: Tensor | Mapping[str, Tensor],
    *,
    original: Tensor | None = None,
    std: Tensor | None = None,
    error_maps: bool = True,
) -> Figure:
    """Show images, or reconstructions beside the original with errors and error maps.

    Parameters
    ----------
    x : Tensor or mapping
        Images (N, C, H, W) in [0, 1] with C = 1 or 3, or several such tensors by their labels.
    original : Tensor, optional
        True images, (N, C, H, W).
    std : Tensor, optional
        Standard deviation of every pixel of ``x``, (N, C, H, W).
    error_maps : bool
        Whether to show ``|x - x^|`` where ``original`` is given.

    Returns
    -------
    matplotlib Figure
        Of pyplot: a notebook shows it, a script does by ``pyplot.show()``. The first ten images
        are drawn.

    Raises
    ------
    ValueError
        If there is no image, or shapes differ or are not those of images.

    Examples
    --------
    >>> import ganprior
    >>> x = ganprior.demo_images().head(2).floats()
    >>> figure = ganprior.plot({"half as bright": x / 2}, original=x)
    >>> len(figure.axes)  # originals, the others, and their error maps
    6
    """
    from matplotlib import pyplot

    shown = dict(x) if isinstance(x, Mapping) else {"images" if original is None else "x̂": x}
    extra = {"original": original, "std": std}
    _check({**shown, **{key: value for key, value in extra.items() if value is not None}})
    truth = None if original is None else original.detach().cpu()
    spread = None if std is None else std.detach().cpu()
    strips = [] if truth is None else [Strip("original", truth)]
    strips += reconstructions(
        [(label, images.detach().cpu(), spread) for label, images in shown.items()],
        truth,
        error_maps=error_maps,
    )
    figure = pyplot.figure(dpi=150)
    draw(figure, strips)
    return figure


def _check(images: Mapping[str, Any]) -> None:
    for name, x in images.items():
        if not isinstance(x, Tensor) or x.dim() != 4 or not len(x) or x.shape[1] not in (1, 3):
            found = tuple(x.shape) if isinstance(x, Tensor | np.ndarray) else type(x).__name__
            raise ValueError(
                f"{name} must be a tensor of images (N, 1, H, W) or (N, 3, H, W) with N at least "
                f"1, got {found}"
            )
    shapes = {name: tuple(x.shape) for name, x in images.items()}
    if len(set(shapes.values())) > 1:
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"all images must have one shape, got {told}; give those that belong")
