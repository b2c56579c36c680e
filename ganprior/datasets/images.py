"""A set of images in memory, with what is needed to say where each one came from."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganprior.sheets import sheet_png

# Images that a notebook shows.
_SHOWN = 20


@dataclass(frozen=True, eq=False, repr=False)
class Images:
    """N images of one size.

    Attributes
    ----------
    pixels : Tensor
        (N, C, H, W) with C = 1 or 3: uint8 in 0 ... 255, or float32 in [0, 1].
    names : tuple of str
        One name per image: its file, and its index in square brackets where the file holds many.
    sha256 : str
        SHA-256 of the source; see :func:`~ganprior.datasets.loading.load_images`.
    labels : Tensor or None
        Class of each image, int64, (N,); None where the source has none.
    skipped : int
        Files of the source that could not be read and were left out.

    Examples
    --------
    >>> from ganprior import demo_images
    >>> images = demo_images().head(3)
    >>> images.shape, images.floats().dtype
    ((1, 28, 28), torch.float32)
    """

    pixels: Tensor
    names: tuple[str, ...]
    sha256: str
    labels: Tensor | None = None
    skipped: int = 0

    def __len__(self) -> int:
        return len(self.pixels)

    def __repr__(self) -> str:
        """One line: how many images, their size and type, the first and the last name, classes."""
        shape = " x ".join(map(str, self.shape))
        dtype = str(self.pixels.dtype).removeprefix("torch.")
        names = " ... ".join(dict.fromkeys((*self.names[:1], *self.names[-1:])))
        classes = "" if self.labels is None else f", {len(self.labels.unique())} classes"
        return f"Images({len(self)} of {shape}, {dtype}{classes}: {names})"

    def _repr_png_(self) -> bytes | None:
        """Show the first images in a notebook."""
        return sheet_png(self.head(_SHOWN).floats()) if len(self) else None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        channels, height, width = self.pixels.shape[1:]
        return channels, height, width

    def floats(self) -> Tensor:
        """All images as float32 in [0, 1], (N, C, H, W)."""
        if self.pixels.dtype == torch.uint8:
            return self.pixels.float().div_(255)
        return self.pixels

    def select(self, start: int, stop: int | None = None) -> Images:
        """Images ``start`` to ``stop`` (excluded), counted from 0; to the end without ``stop``.

        Raises
        ------
        ValueError
            If the range does not lie inside the set or holds no image.
        """
        stop = len(self) if stop is None else stop
        if not 0 <= start < stop <= len(self):
            raise ValueError(
                f"start and stop must satisfy 0 <= start < stop <= {len(self)} (the number of "
                f"images), got start={start}, stop={stop}"
            )
        return replace(
            self,
            pixels=self.pixels[start:stop],
            names=self.names[start:stop],
            labels=None if self.labels is None else self.labels[start:stop],
        )

    def pick(self, wanted: Tensor) -> Images:
        """Images where ``wanted``, bool (N,), is true, in their order.

        Raises
        ------
        ValueError
            If ``wanted`` is of another length or true nowhere.
        """
        if wanted.shape != (len(self),) or not wanted.any():
            raise ValueError(
                f"wanted must be true for some of {len(self)} images, got shape "
                f"{tuple(wanted.shape)} with {int(wanted.sum())} true"
            )
        return replace(
            self,
            pixels=self.pixels[wanted],
            names=tuple(itertools.compress(self.names, wanted)),
            labels=None if self.labels is None else self.labels[wanted],
        )

    def head(self, count: int) -> Images:
        """Select the first ``count`` images, or all where there are fewer.

        Raises
        ------
        ValueError
            If ``count`` is below 1.
        """
        if count < 1:
            raise ValueError(f"count of images must be at least 1, got {count}")
        return self.select(0, min(count, len(self)))
