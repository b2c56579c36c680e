"""Sets of images that are larger than they should be in memory lie in files; all else is alike."""

import gzip
import re
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganprior.datasets import load_images, room

COUNT = 3000
PIXELS = np.random.default_rng(0).integers(0, 256, (COUNT, 40, 40), dtype=np.uint8)
IDX = struct.pack(">HBB3I", 0, 8, 3, *PIXELS.shape) + PIXELS.tobytes()


def folder(path: Path) -> Path:
    path.mkdir()
    for i, image in enumerate(PIXELS[:300].repeat(3, 1).repeat(3, 2)):
        Image.fromarray(image).save(path / f"{i}.bmp")
    return path


def saved(write, path: Path, *arrays, **named) -> Path:
    write(path, *arrays, **named)
    return path


FLOATS = (PIXELS / 255).astype(np.float32)
SOURCES = {
    "npy": lambda path: saved(np.save, path / "a.npy", PIXELS),
    "npy, floats": lambda path: saved(np.save, path / "a.npy", FLOATS),
    "npy, float64": lambda path: saved(np.save, path / "a.npy", PIXELS / 255),
    "npy, Fortran": lambda path: saved(np.save, path / "a.npy", np.asfortranarray(PIXELS)),
    "npz": lambda path: saved(np.savez, path / "a.npz", images=PIXELS),
    "npz, packed": lambda path: saved(np.savez_compressed, path / "a.npz", images=PIXELS),
    "npz, Fortran": lambda path: saved(np.savez, path / "a.npz", images=np.asfortranarray(PIXELS)),
    "idx": lambda path: saved(Path.write_bytes, path / "a-ubyte", IDX),
    "idx, packed": lambda path: saved(Path.write_bytes, path / "a-ubyte.gz", gzip.compress(IDX)),
    "folder": lambda path: folder(path / "images"),
}


def anonymous() -> int:
    """Bytes of this process that the system cannot drop from memory."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"RssAnon:\s+(\d+)", status).group(1))


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux what is in memory")
@pytest.mark.parametrize("size", [None, 56])
@pytest.mark.parametrize("source", SOURCES)
def test_large_sets_do_not_stay_in_memory(tmp_path, monkeypatch, source, size):
    path = SOURCES[source](tmp_path)
    in_memory = load_images(path, size=size)
    monkeypatch.setattr(room, "LARGE", 1000)
    monkeypatch.setattr(room, "_PIECE", 2**16)
    monkeypatch.setattr(room, "CHUNK", 64)
    before = anonymous()
    images = load_images(path, size=size)
    grown = anonymous() - before
    # 4 MB at the least; names are far less. Resizing leaves memory of its own, of a chunk.
    if size is None:
        assert images.pixels.nbytes > 4_000_000
        assert grown < images.pixels.nbytes / 2
    assert torch.equal(images.pixels, in_memory.pixels)
    assert images.sha256 == in_memory.sha256


def test_pixels_can_be_changed_and_their_file_stays(tmp_path):
    path = SOURCES["npy"](tmp_path)
    load_images(path).pixels.zero_()
    assert np.array_equal(np.load(path), PIXELS)


def test_a_full_disk_means_memory(monkeypatch):
    monkeypatch.setattr(room, "LARGE", 10)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    array = room.room((5, 6), np.float32)
    assert not isinstance(array, np.memmap)
    assert array.shape == (5, 6)
