"""Image files opened with care: a list of formats, the size before the pixels, one line of error.

Pillow reads some forty formats, one of them (EPS) by starting a program, and of a damaged file it
raises whatever its parsers run into. All image files of this package are opened here.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from PIL import Image, ImageFile, ImageOps, TiffImagePlugin, UnidentifiedImageError

# Formats of images alone, which Pillow decodes in this process.
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".tif", ".tiff"),
    *(".webp", ".pgm", ".ppm", ".pbm", ".pnm", ".pfm", ".jp2", ".j2k", ".avif"),
)
# More than any image below Pillow's limit of pixels takes, eight bytes each.
_LARGEST_FILE = 2**30

# Pillow has decoders of 64-bit floats, but no line for them in its table of TIFF files.
for _order, _raw in ((b"II", "F;64F"), (b"MM", "F;64BF")):
    TiffImagePlugin.OPEN_INFO.setdefault((_order, 1, (3,), 1, (64,), ()), ("F", _raw))


def read_file(path: Path) -> bytes:
    """Content of an image file, or of a pipe that gives one.

    Raises
    ------
    ValueError
        If it is larger than image files are.
    OSError
        If it cannot be read.
    """
    if path.stat().st_size <= _LARGEST_FILE:
        with path.open("rb") as file:
            # A pipe has no size, and may never end.
            data = file.read() if path.is_file() else file.read(_LARGEST_FILE + 1)
        if len(data) <= _LARGEST_FILE:
            return data
    raise ValueError(f"{path} has more than {_LARGEST_FILE} bytes, as no image has; give an image")


def open_image(data: bytes, source: str | Path) -> ImageFile.ImageFile:
    """Header of an encoded image; its pixels are decoded by :func:`load_image`.

    Parameters
    ----------
    data : bytes
        Content of the file.
    source : str or Path
        Where it is from, for the error.

    Raises
    ------
    ValueError
        If it is no image of the formats that are read, is damaged, has no pixels or more than
        ``PIL.Image.MAX_IMAGE_PIXELS``, or holds several pages or frames. Of a camera's MPO file,
        whose further pictures are previews and depth maps, the first counts.
    """
    with one_line(source):
        # Named formats that this Pillow lacks would be a KeyError.
        Image.init()
        image = Image.open(io.BytesIO(data), formats=[f for f in _FORMATS if f in Image.OPEN])
        pages = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if pages != 1:
        raise ValueError(
            f"{source} holds {pages} pages or frames, and which one is meant is not known; save "
            "each as a file of its own"
        )
    if min(image.size) < 1:
        raise ValueError(f"{source} has no pixels: it is {image.width} x {image.height}")
    return image


def load_image(image: ImageFile.ImageFile, source: str | Path) -> ImageFile.ImageFile:
    """Decode the pixels of an opened image, in place, and turn it as the camera noted.

    Raises
    ------
    ValueError
        If it is truncated or damaged.
    """
    is_libtiff = bool(image.tile) and image.tile[0][0] == "libtiff"
    with one_line(source), _silent_stderr() if is_libtiff else nullcontext():
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
    return image


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Keep from the terminal what libtiff writes there itself about a damaged file."""
    try:
        kept = os.dup(2)
    except OSError:  # There is no stderr.
        yield
        return
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def one_line(source: str | Path) -> Iterator[None]:
    """Turn every way in which Pillow gives up on an image into a ValueError of one line.

    Parameters
    ----------
    source : str or Path
        Where the image is from.
    """
    try:
        with warnings.catch_warnings():
            # Of metadata that no pixel depends on.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except Exception as error:
        if isinstance(error, UnidentifiedImageError):
            reason = f"not an image of a kind that is read: {', '.join(_FORMATS)}, "
            reason += "each as far as Pillow knows it"
        else:
            reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{source} cannot be read as an image ({reason}); replace it") from error
