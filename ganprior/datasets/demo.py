"""The images of the demo, which come with the package."""

from __future__ import annotations

from importlib import resources

from ganprior.datasets.arrays import read_arrays
from ganprior.datasets.images import Images


def demo_images() -> Images:
    """Ten Fashion-MNIST test images, 28 x 28 gray: the first of each class, in class order.

    They are held out: no prior that ships was trained on them.
    """
    stored = resources.files("ganprior") / "data" / "demo_fashion_mnist.npz"
    with resources.as_file(stored) as path:
        return read_arrays(path)
