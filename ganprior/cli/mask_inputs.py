"""The ``--mask`` option: masks by name and masks from files, one for all images or one for each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganprior.cli.inputs import Shape
from ganprior.cli.mask_specs import MaskSpec
from ganprior.registry import entries

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class MaskOption:
    """What ``--mask`` and the options beside it ask for.

    Attributes
    ----------
    texts : tuple of str
        The values of ``--mask``, in the order given; none hides nothing.
    per_image : bool
        Draw a random mask anew for each image.
    invert : bool
        Hide what is black or opaque in a file.
    threshold : float or None
        Level from which on a pixel of a file is white or transparent.
    fit : str or None
        How masks from files are resized with the images, as by
        :func:`ganprior.datasets.load_images`.
    """

    texts: tuple[str, ...]
    per_image: bool = False
    invert: bool = False
    threshold: float | None = None
    fit: str | None = None

    def check(self) -> None:
        """Refuse what can be seen to be wrong before anything heavy is imported.

        Raises
        ------
        ValueError
            If a value is neither a mask's name nor a file, or the options do not suit it.
        """
        for text in self.texts:
            spec = _parse(text)
            is_drawn = spec is not None and spec.entry.random
            if self.per_image and not (is_drawn and len(self.texts) == 1):
                drawn = ", ".join(m.name for m in entries("mask").values() if m.random)
                raise ValueError(
                    f"--mask {text}: --mask-per-image needs one mask that is random ({drawn}); "
                    "drop it"
                )
        files = [text for text in self.texts if _parse(text) is None]
        if not files and (self.invert or self.threshold is not None):
            raise ValueError("--invert and --threshold are for masks from files; drop them")

    def build(
        self, images: range, count: int, shape: Shape, native: tuple[int, int], seed: int
    ) -> Tensor:
        """Masks of images: (1, H, W) for all, or (B, 1, H, W).

        Parameters
        ----------
        images : range
            Indices of the B images.
        count : int
            Number of all images.
        shape : tuple of int
            (C, H, W) of the images.
        native : tuple of int
            Height and width that the images had before they were resized, which those of a mask
            from a file must be.
        seed : int
            Seed of the run. A mask for all images is that of ``--measure mask:...`` and the seed.

        Raises
        ------
        ValueError
            If a mask does not fit the images, or there are several and not one per image.
        """
        import torch

        from ganprior.physics import masks
        from ganprior.streams import Streams, derive_seed

        if not self.texts:
            return torch.ones(1, *shape[1:])
        if len(self.texts) not in (1, count):
            raise ValueError(
                f"--mask is given {len(self.texts)} times for {count} images; "
                "give one mask, or as many as images"
            )
        streams = Streams(seed, images)
        if self.per_image:
            [text] = self.texts
            return masks.per_image(
                len(images), lambda rng: self._one(text, shape, native, rng), streams
            )
        if len(self.texts) == 1:
            rng = torch.Generator().manual_seed(derive_seed(seed, "physics"))
            return self._one(self.texts[0], shape, native, rng)
        return torch.stack(
            [
                self._one(text, shape, native, streams.generator("mask", i))
                for i, text in enumerate(self.texts[images.start : images.stop])
            ]
        )

    def describe(self) -> dict[str, Any]:
        """Entries of the configuration in ``summary.json``."""
        from ganprior.files import sha256

        hashes = [sha256(text) if _parse(text) is None else None for text in self.texts]
        return {
            "masks": list(self.texts),
            "masks_sha256": hashes,
            "mask_per_image": self.per_image,
            "invert": self.invert,
            "threshold": self.threshold,
        }

    @property
    def measure(self) -> str | None:
        """The same mask as a spec of ``--measure``, where there is one."""
        if len(self.texts) != 1 or self.per_image:
            return None
        spec = _parse(self.texts[0])
        return None if spec is None else f"mask:{spec.name}={spec.value}"

    def _one(
        self, text: str, shape: Shape, native: tuple[int, int], rng: torch.Generator
    ) -> Tensor:
        try:
            spec = _parse(text)
            mask = spec.build(shape, rng) if spec else self._from_file(text, shape, native)
            if not mask.any() or mask.all():
                amount = "no pixel" if mask.all() else "all pixels"
                raise ValueError(f"it hides {amount} of the image; give a mask that hides some")
        except ValueError as error:
            raise ValueError(f"--mask {text}: {error}") from None
        return mask

    def _from_file(self, text: str, shape: Shape, native: tuple[int, int]) -> Tensor:
        from ganprior.physics import masks

        mask = masks.freehand(text, (1, *native), inverted=self.invert, threshold=self.threshold)
        return mask if native == shape[1:] else self._resized(mask, shape[1])

    def _resized(self, mask: Tensor, size: int) -> Tensor:
        """Mask of images that were resized: a pixel is known where all that it was made of is."""
        from ganprior.datasets.convert import convert

        # Averages of ones are ones but for rounding.
        fit: Any = self.fit or "crop"
        return (convert(mask[None], size, None, fit)[0] > 1 - 1e-3).float()


def _parse(text: str) -> MaskSpec | None:
    """Mask of a name; None for a file."""
    is_name = text.partition("=")[0].strip() in entries("mask")
    if not is_name and _is_file(text):
        return None
    try:
        return MaskSpec.parse(text)
    except ValueError as error:
        hint = "" if is_name else ", nor is there such a file"
        raise ValueError(f"--mask {text}: {error}{hint}") from None


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # A name that is too long for one.
        return False
