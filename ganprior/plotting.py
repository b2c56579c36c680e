"""Figures of images: what was recovered, how far off that is and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from ganprior.strips import Map, Strip, clipped, draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ERROR_MAP, STD_MAP = "|x − x̂|", "std"
# Brightness of a pixel that a mask hides.
HIDDEN = 0.5


def reconstructions(
    shown: Mapping[str, Tensor],
    original: Tensor | None,
    std: Mapping[str, Tensor] | None = None,
    *,
    error_maps: bool = False,
) -> list[Strip]:
    """Strips of reconstructions, with errors and maps as far as those are known.

    Parameters
    ----------
    shown : mapping
        Reconstructions (N, C, H, W) by their labels.
    original : Tensor or None
        True images in [0, 1], (N, C, H, W).
    std : mapping, optional
        Standard deviation of every pixel, (N, C, H, W), of those that have one.
    error_maps : bool
        Whether to show ``|x - x^|``, mean over the channels, of all on one scale.
    """
    std = std or {}
    # Compared as they are shown: clipped.
    off = {} if original is None else {k: clipped(x) - original for k, x in shown.items()}
    errors = {key: d.square().flatten(1).mean(1).tolist() for key, d in off.items()}
    maps = {key: difference.abs().mean(1) for key, difference in off.items()}
    worst = max((float(m.max()) for m in maps.values()), default=0.0)
    spread = {key: values.mean(1) for key, values in std.items()}
    widest = max((float(m.max()) for m in spread.values()), default=0.0)
    strips = []
    for label, x in shown.items():
        own = [Map(ERROR_MAP, maps[label], worst)] if error_maps and maps else []
        own += [Map(STD_MAP, spread[label], widest)] if label in spread else []
        strips.append(Strip(label, x, tuple(errors[label]) if errors else None, tuple(own)))
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
    shown, std_of = {k: v.detach().cpu() for k, v in shown.items()}, {}
    if std is not None:
        std_of = dict.fromkeys(shown, std.detach().cpu())
    truth = None if original is None else original.detach().cpu()
    strips = [] if truth is None else [Strip("original", truth)]
    strips += reconstructions(shown, truth, std_of, error_maps=error_maps)
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
