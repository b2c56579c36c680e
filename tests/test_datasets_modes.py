"""What Pillow calls the mode decides how a picture's numbers are read; files made by hand."""

import io
import struct
import zlib

import numpy as np
import PIL
import pytest
from PIL import Image

from ganprior.datasets import load_images

RAMP = np.linspace(0, 1, 12).reshape(3, 4)
# TIFF 6.0: SampleFormat.
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
# Older ones, which Gradio asks for, do not read these files, and they are refused.
FROM_PILLOW_13 = pytest.mark.skipif(
    int(PIL.__version__.split(".")[0]) < 13, reason="needs Pillow 13"
)


def tiff(
    values,
    *,
    bits,
    white_is_zero=False,
    kind=UNSIGNED,
    order="<",
    most=None,
    packed=False,
    alpha=None,
):
    """Bytes of a gray TIFF of one strip; alpha: its ExtraSamples."""
    height, width = values.shape[:2]
    data = values.tobytes()
    if bits == 12:
        rows = ["".join(f"{value:012b}" for value in row) for row in values]
        data = b"".join(int(row, 2).to_bytes(width * 12 // 8, "big") for row in rows)
    data = zlib.compress(data) if packed else data
    tags = {256: width, 257: height, 258: bits, 259: 8 if packed else 1}
    tags |= {
        262: 0 if white_is_zero else 1,
        273: 8,
        277: values.ndim - 1,
        278: height,
        279: len(data),
    }
    optional = {281: most, 338: alpha, 339: kind}
    tags |= {tag: value for tag, value in optional.items() if value is not None}
    entries = b"".join(
        # One number for each channel, which two short numbers have room for.
        struct.pack(f"{order}HHIHH", tag, 3, values.ndim - 1, value, value)
        if tag in (258, 339) and values.ndim == 3
        else struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0)
        for tag, value in tags.items()
    )
    ifd = struct.pack(f"{order}H", len(tags)) + entries + bytes(4)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(f"{order}I", 8 + len(data)) + data + ifd


def png(values, *, bits, colour, transparent=None):
    """Bytes of a PNG; values are (H, W) or (H, W, channels), or bytes of packed rows."""
    chunks = {b"IHDR": struct.pack(">IIBBBBB", values.shape[1], len(values), bits, colour, 0, 0, 0)}
    if transparent is not None:
        chunks[b"tRNS"] = np.atleast_1d(transparent).astype(">u2").tobytes()
    rows = values.astype(">u2" if bits == 16 else "u1")
    if bits < 8:
        every_bit = np.unpackbits(rows[..., None], axis=2)[..., -bits:]
        rows = np.packbits(every_bit.reshape(len(rows), -1), axis=1)
    chunks[b"IDAT"] = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    chunks[b"IEND"] = b""
    written = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks.items()
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


@pytest.fixture
def read(tmp_path):
    """Pixels of an encoded image as floats, (C, H, W)."""

    def read(data):
        path = tmp_path / "picture.png"
        path.write_bytes(data)
        return load_images(path).floats()[0].numpy()

    return read


def scaled(bits, dtype="<u2"):
    return np.round(RAMP * (2**bits - 1)).astype(dtype)


@pytest.mark.parametrize(
    ("data", "top"),
    [
        (tiff(scaled(12), bits=12), 4095),
        (tiff(scaled(12), bits=12, packed=True), 4095),
        (tiff(scaled(16), bits=16), 65535),
        (tiff(scaled(16), bits=16, packed=True), 65535),
        (tiff(scaled(16, ">u2"), bits=16, order=">"), 65535),
        (tiff(scaled(12), bits=16, most=4095), 4095),
        (tiff(scaled(10), bits=16, most=1023), 1023),
        # A statistic of the pixels, and no number of bits.
        (tiff(scaled(16), bits=16, most=60000), 65535),
        (tiff(scaled(8, "u1"), bits=8), 255),
        (tiff(RAMP.astype("<f4"), bits=32, kind=FLOAT), 2**24),
        (tiff(RAMP.astype("<f8"), bits=64, kind=FLOAT), 2**24),
        (tiff(RAMP.astype("<f8"), bits=64, kind=FLOAT, packed=True), 2**24),
        (tiff(RAMP.astype(">f8"), bits=64, kind=FLOAT, order=">"), 2**24),
        (png(scaled(16), bits=16, colour=0), 65535),
        (b"P5 4 3 4095\n" + scaled(12, ">u2").tobytes(), 4095),
    ],
)
def test_black_is_0_and_white_is_1_at_every_depth(read, data, top):
    assert np.allclose(read(data)[0], RAMP, atol=0.51 / top + 1e-6)
    assert read(data).max() == 1


def test_the_last_number_of_a_row_of_12_bits_is_kept(read):
    values = np.arange(24).reshape(4, 6) * 178
    assert np.allclose(read(tiff(values, bits=12))[0] * 4095, values, atol=1e-3)


@pytest.mark.parametrize(
    "data",
    [
        tiff(scaled(8, "u1"), bits=8, white_is_zero=True),
        tiff(scaled(16), bits=16, white_is_zero=True),
        tiff(RAMP.astype("<f4"), bits=32, kind=FLOAT, white_is_zero=True),
    ],
    ids=["8 bits", "16 bits", "floats"],
)
def test_where_0_is_white_it_is_read_as_white(read, data):
    assert np.allclose(read(data)[0], 1 - RAMP, atol=0.51 / 255)


@pytest.mark.parametrize("bits", [8, 16])
def test_gray_with_alpha_is_gray_over_white(read, bits):
    top = 2**bits - 1
    values = np.full((2, 3, 2), top)
    values[..., 0] = round(0.4 * top)
    values[0, 0, 1] = 0
    pixels = read(png(values, bits=bits, colour=4))
    assert pixels.shape == (1, 2, 3)
    assert pixels[0, 0, 0] == 1
    assert np.allclose(pixels[0, 1], 0.4, atol=0.51 / 255)


@pytest.mark.parametrize("bits", [8, 16])
def test_the_transparent_gray_is_white(read, bits):
    values = scaled(bits)
    pixels = read(png(values, bits=bits, colour=0, transparent=values[1, 1]))[0]
    expected = RAMP.copy()
    expected[1, 1] = 1
    assert np.allclose(pixels, expected, atol=0.51 / 255)


def test_the_transparent_colour_is_white(read):
    values = np.zeros((2, 2, 3), dtype=int)
    values[1, 0] = 10, 20, 30
    pixels = read(png(values, bits=8, colour=2, transparent=values[1, 0]))
    assert np.array_equal(pixels[0], [[0, 0], [1, 0]])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (png(np.array([[0, 1, 2, 3]]), bits=2, colour=0, transparent=1), "alpha channel"),
        (png(np.array([[0, 7, 15, 3]]), bits=4, colour=0, transparent=7), "alpha channel"),
        (png(np.full((2, 2, 3), 258), bits=16, colour=2, transparent=[258] * 3), "alpha channel"),
        (tiff(scaled(16, "<i4"), bits=32, kind=SIGNED), "none is known to be white"),
        (tiff(scaled(15, "<i2"), bits=16, kind=SIGNED), "none is known to be white"),
        (tiff(scaled(16, "<u4"), bits=32), "none is known to be white"),
        (tiff(scaled(16), bits=16, most=4095), "outside 0 ... 4095"),
        (tiff(RAMP.astype("<f2"), bits=16, kind=FLOAT), "as far as Pillow knows"),
        (tiff((2 * RAMP).astype("<f8"), bits=64, kind=FLOAT), r"\[0, 1\], got 0 to 2"),
    ],
)
def test_what_the_rule_does_not_cover_is_refused(read, data, message):
    with pytest.raises(ValueError, match=message) as caught:
        read(data)
    assert "\n" not in str(caught.value)


def encoded(pictures, kind, **options):
    file = io.BytesIO()
    pictures[0].save(file, kind, save_all=True, append_images=pictures[1:], **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "PNG", "WEBP"])
@pytest.mark.parametrize("count", [1, 5])
def test_pages_and_frames_are_counted_and_refused(read, kind, count):
    pages = [Image.new("RGB", (8, 8), (50 * i, 0, 0)) for i in range(count)]
    data = encoded(pages, kind)
    if count == 1:
        assert read(data).shape == (3, 8, 8)
    else:
        with pytest.raises(ValueError, match="holds 5 pages or frames"):
            read(data)


def test_the_first_picture_of_a_cameras_mpo_is_the_photograph(read):
    photograph, preview = Image.new("RGB", (8, 8), (250, 0, 0)), Image.new("RGB", (4, 4))
    assert np.allclose(read(encoded([photograph, preview], "MPO"))[0], 250 / 255, atol=2 / 255)


@pytest.mark.parametrize("kind", ["CMYK", pytest.param("YCbCr", marks=FROM_PILLOW_13)])
def test_other_colour_spaces_become_rgb(read, kind):
    data = encoded([Image.new("RGB", (8, 8), (200, 100, 50)).convert(kind)], "TIFF")
    pixels = read(data)
    assert np.allclose(pixels.mean((1, 2)) * 255, (200, 100, 50), atol=2)


@pytest.mark.parametrize("premultiplied", [False, pytest.param(True, marks=FROM_PILLOW_13)])
def test_tiff_gray_with_alpha_is_gray_over_white(read, premultiplied):
    values = np.full((2, 3, 2), 128, "u1")
    values[..., 0] = 50 if premultiplied else 100
    pixels = read(tiff(values, bits=8, alpha=1 if premultiplied else 2))
    assert pixels.shape == (1, 2, 3)
    assert np.allclose(pixels * 255, 255 - 128 + 50, atol=1.01)
