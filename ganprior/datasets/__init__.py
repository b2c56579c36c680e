"""Images in, (N, C, H, W) pixels out."""

from ganprior.datasets.demo import demo_images
from ganprior.datasets.images import Images
from ganprior.datasets.loading import load_images

__all__ = ["Images", "demo_images", "load_images"]
