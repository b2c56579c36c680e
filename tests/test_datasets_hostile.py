"""Hostile files end in one line of ValueError, and never in gigabytes of memory."""

import gzip
import io
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from ganprior.datasets import load_images
from ganprior.physics import masks

SQUARE = np.zeros((28, 28), np.uint8)
SQUARE[8:20, 8:20] = 255
Image.init()


def written(kind, mode, **options):
    """Bytes of a square, or nothing where Pillow writes no such file."""
    file = io.BytesIO()
    picture = Image.fromarray(SQUARE)
    deep = {"I;16": np.uint16, "I": np.int32, "F": np.float32}
    picture = Image.fromarray(SQUARE.astype(deep[mode])) if mode in deep else picture.convert(mode)
    try:
        picture.save(file, kind, **options)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError):
        return b""
    return file.getvalue()


def bytes_of(save, *arrays, **named):
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F")
PICTURES = {f"{kind} {mode}": written(kind, mode) for kind in sorted(Image.SAVE) for mode in MODES}
PICTURES |= {f"TIFF {c}": written("TIFF", "L", compression=c) for c in ("tiff_lzw", "packbits")}
PAIR = np.stack([SQUARE, SQUARE])
SEEDS = {name: (data, "png") for name, data in PICTURES.items() if data} | {
    "npy": (bytes_of(np.save, PAIR), "npy"),
    "npy floats": (bytes_of(np.save, PAIR / 255), "npy"),
    "npz": (bytes_of(np.savez, images=PAIR, labels=[0, 1]), "npz"),
    "npz packed": (bytes_of(np.savez_compressed, images=PAIR, labels=[0, 1]), "npz"),
    "idx": (idx(PAIR), "idx"),
    "idx packed": (gzip.compress(idx(PAIR)), "gz"),
}


def spoilt(data, rng):
    """Cut at every stage, bytes changed (most in the header), left out and put in."""
    yield data
    for length in np.linspace(0, len(data), 8, endpoint=False, dtype=int):
        yield data[:length]
    for _ in range(24):
        changed = bytearray(data)
        for place in rng.integers(0, min(len(data), rng.choice([32, 200, 2**20])), 4):
            changed[place] = rng.choice([0, 1, 127, 128, 255, rng.integers(256)])
        yield bytes(changed)
    for _ in range(4):
        start, stop = np.sort(rng.integers(0, len(data), 2))
        yield data[:start] + data[stop:]
        yield data[:start] + rng.bytes(7) + data[start:]


def outcome(reader, path):
    """What was read, or what the ValueError says; any other exception is a failure."""
    try:
        return reader(path), ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize("name", SEEDS)
def test_spoilt_files_give_images_or_one_line(tmp_path, name, capfd):
    data, suffix = SEEDS[name]
    readers = [load_images, lambda path: masks.freehand(path, threshold=0.5)]
    read = 0
    for i, content in enumerate(spoilt(data, np.random.default_rng(0))):
        path = tmp_path / f"{i}.{suffix}"
        path.write_bytes(content)
        for reader in readers if suffix == "png" else readers[:1]:
            result, message = outcome(reader, path)
            if result is None:
                assert path.name in message
                assert "\n" not in message
                continue
            read += 1
            pixels = result.floats() if reader is load_images else result
            assert pixels.numel()
            assert pixels.min() >= 0
            assert pixels.max() <= 1
    kinds = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP", "np", "idx")
    if name.startswith(kinds) and name not in ("TIFF I", "TIFF F", "PNG F"):
        assert read
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["EPS", "PDF", "ICO", "TGA", "PCX", "DDS", "SGI", "IM"])
def test_formats_that_are_not_listed_are_refused(tmp_path, kind):
    path = tmp_path / "photo.png"
    path.write_bytes(written(kind, "RGB") or b"absent")
    for reader in (load_images, masks.freehand):
        with pytest.raises(ValueError, match="not an image of a kind that is read: AVIF, BMP"):
            reader(path)


def npy(shape, descr="|u1", body=b"", version=b"\x01\0"):
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    length = struct.pack("<H" if version == b"\x01\0" else "<I", len(header) + 1)
    return b"\x93NUMPY" + version + length + header + b"\n" + body


HEADERS = {
    "negative": npy((-1, 28, 28), body=bytes(784)),
    "negative twice": npy((-1, -1, 784), body=bytes(784)),
    "overflow": npy((2**62, 28, 28), body=bytes(784)),
    "overflow to nothing": npy((2**32, 2**32, 2), body=bytes(784)),
    "beyond 64 bits": npy((10**40, 2, 2), body=bytes(784)),
    "large": npy((10**6, 100, 100), body=bytes(784)),
    "no bytes each": npy((10**9, 28, 28), "|V0"),
    "scalar": npy((), body=b"\0"),
    "one axis": npy((784,), body=bytes(784)),
    "empty": npy((0, 28, 28)),
    "long texts": npy((1,), "<U999999999"),
    "objects": npy((1, 4, 4), "|O", bytes(128)),
    "dates": npy((1, 4, 4), "<M8[s]", bytes(128)),
    "complex": npy((1, 4, 4), "<c8", bytes(128)),
    "fields": npy((1, 4, 4), [("a", "<f4")], bytes(64)),
    "version 3": npy((1, 4, 4), body=bytes(16), version=b"\x03\0"),
    "version 9": npy((1, 4, 4), body=bytes(16), version=b"\x09\0"),
    "nested": b"\x93NUMPY\x01\0" + struct.pack("<H", 9000) + b"(" * 9000,
    "code": b"\x93NUMPY\x01\0" + struct.pack("<H", 12) + b"__import__()",
}


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("packed", [False, True])
def test_npy_headers_are_not_believed(tmp_path, name, packed):
    path = tmp_path / ("a.npz" if packed else "a.npy")
    path.write_bytes(HEADERS[name])
    if packed:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("images.npy", HEADERS[name])
    with pytest.raises(ValueError, match=r"a\.np") as caught:
        load_images(path)
    assert "\n" not in str(caught.value)


def archive(path, method=zipfile.ZIP_STORED, flags=0, content=None):
    content = bytes_of(np.save, PAIR) if content is None else content
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("images.npy", content)
    data = bytearray(path.read_bytes())
    # General purpose flags in the local header and in the directory.
    data[6] |= flags
    data[data.index(b"PK\x01\x02") + 8] |= flags
    path.write_bytes(data)
    return path


def test_encrypted_foreign_and_damaged_archives_are_refused(tmp_path):
    assert len(load_images(archive(tmp_path / "good.npz"))) == 2
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with pytest.raises(ValueError, match="a zip method that NumPy does not use"):
            load_images(archive(tmp_path / "a.npz", method))
    with pytest.raises(ValueError, match="is encrypted"):
        load_images(archive(tmp_path / "a.npz", flags=1))
    path = archive(tmp_path / "a.npz")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="Bad CRC-32"):
        load_images(path)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([-1, 0]), "numbered from 0, got -1 to 0"),
        (np.array([0, 2**64 - 1], dtype=np.uint64), "numbered from 0"),
        (np.array([0, 10**9]), "numbered from 0"),
        (np.array(1), "labels must be 2 integers"),
    ],
)
def test_labels_that_number_no_classes_are_refused(tmp_path, labels, message):
    np.savez(tmp_path / "a.npz", images=PAIR, labels=labels)
    with pytest.raises(ValueError, match=message):
        load_images(tmp_path / "a.npz")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_one_rounding_outside_are_taken_and_clipped(tmp_path, dtype):
    images = np.full((1, 4, 4), 0.5, dtype)
    images[0, 0] = np.nextafter(dtype(1), dtype(2))
    images[0, 1] = -np.finfo(dtype).eps
    images[0, 2] = 1 + 1e-6
    np.save(tmp_path / "a.npy", images)
    pixels = load_images(tmp_path / "a.npy").pixels
    assert pixels.min() == 0
    assert pixels.max() == 1
    np.save(tmp_path / "a.npy", images + dtype(0.01))
    with pytest.raises(ValueError, match=r"got 0\.0.* to 1\.01"):
        load_images(tmp_path / "a.npy")


def bomb_npz(path):
    shape = (320, 2**10, 2**10)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("images.npy", "w") as member,
    ):
        member.write(npy(shape))
        for _ in range(shape[0]):
            member.write(bytes(2**20))


def bomb_idx(path):
    # Members of a gzip file follow each other.
    header = struct.pack(">HBB3I", 0, 8, 3, 2**11, 2**10, 2**10)
    path.write_bytes(gzip.compress(header) + gzip.compress(bytes(2**24)) * 2**7)


def bomb_png(path):
    Image.new("1", (20_000, 20_000)).save(path)


def bomb_file(path):
    with path.open("wb") as file:
        file.write(written("PNG", "L")[:50])
        file.truncate(2**31)


BOMBS = {"a.npz": bomb_npz, "a-ubyte.gz": bomb_idx, "wide.png": bomb_png, "long.png": bomb_file}
# A process of its own: the peak of this one is that of all tests before.
WATCH = """
import resource, sys
from ganprior.datasets import load_images
from ganprior.physics import masks
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    for read in load_images, masks.freehand, lambda path: masks.freehand(path, (1, 28, 28)):
        try:
            read(path)
        except ValueError as error:
            print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kilobytes are Linux's unit")
def test_bombs_are_refused_before_they_unpack(tmp_path):
    for name, write in BOMBS.items():
        write(tmp_path / name)
    paths = [tmp_path / name for name in BOMBS]
    watched = subprocess.run(
        [sys.executable, "-c", WATCH, *paths], capture_output=True, text=True, check=True
    )
    *messages, kilobytes = watched.stdout.splitlines()
    assert len(messages) == 3 * len(BOMBS)
    assert all(sum(name in message for message in messages) == 3 for name in BOMBS)
    assert int(kilobytes) < 100_000


def test_a_mask_of_another_size_is_not_decoded(tmp_path, monkeypatch):
    Image.new("1", (9000, 9000)).save(tmp_path / "mask.png")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda *_: pytest.fail("decoded"))
    with pytest.raises(ValueError, match=r"9000 x 9000 .*the images are 28 x 28"):
        masks.freehand(tmp_path / "mask.png", (1, 28, 28))
