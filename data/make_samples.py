"""Make the sample files of this folder and the demo images of the package.

Usage: python data/make_samples.py FASHION_MNIST_FOLDER MNIST_FOLDER [OUT]

Both folders hold the idx files under their published names. OUT is the checkout by default. The
last lines printed are the SHA-256 of what was written, as data/PROVENANCE.md has them: with Python
3.11.4 or newer, for the headers that zipfile writes depend on its version.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from ganprior.datasets import Images, load_images
from ganprior.files import sha256, write_atomically

SAMPLES = 100
# Left, upper, right, lower of the face in scikit-image's portrait: eyes and mouth lie where the
# mean face of UTKFace has them.
FACE = (172, 69, 280, 177)


def write(path: Path, images: Images, indices: Sequence[int]) -> None:
    """Store the images at ``indices`` with their labels.

    Not compressed, because compressed bytes depend on the version of zlib; NumPy gives every
    member of the archive the same date.
    """
    assert images.labels is not None
    chosen = np.asarray(indices, dtype=np.int64)
    pixels, labels = images.pixels[chosen, 0].numpy(), images.labels[chosen].numpy()
    write_atomically(
        path, lambda part: np.savez(part, images=pixels, labels=labels, indices=chosen)
    )


def first_of_each_class(images: Images) -> list[int]:
    """Index of the first image of each class, in the order of the classes."""
    assert images.labels is not None
    return np.unique(images.labels.numpy(), return_index=True)[1].tolist()


def write_astronaut(path: Path) -> None:
    """Store the face of scikit-image's portrait of an astronaut, 64 x 64 in colour.

    Not compressed, as above.
    """
    face = Image.fromarray(skimage.data.astronaut()).crop(FACE)
    small = face.resize((64, 64), Image.Resampling.LANCZOS)
    write_atomically(path, lambda part: small.save(part, format="PNG", compress_level=0))


def main(fashion_mnist: str, mnist: str, out: str = ".") -> None:
    """Write the four files under ``out`` and print their SHA-256."""
    fashion = load_images(fashion_mnist, split="test")
    digits = load_images(mnist, split="test")
    first = range(SAMPLES)
    targets = {
        Path(out, "data/fashion_mnist_test_100.npz"): (fashion, first),
        Path(out, "data/mnist_test_100.npz"): (digits, first),
        Path(out, "ganprior/data/demo_fashion_mnist.npz"): (fashion, first_of_each_class(fashion)),
    }
    for path, (images, indices) in targets.items():
        write(path, images, indices)
        print(sha256(path), path)
    portrait = Path(out, "data/astronaut_face_64.png")
    write_astronaut(portrait)
    print(sha256(portrait), portrait)


if __name__ == "__main__":
    main(*sys.argv[1:])
