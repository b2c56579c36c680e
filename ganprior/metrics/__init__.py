"""How far a reconstruction is from the truth, and generated images are from real ones."""

from ganprior.metrics.diversity import diversity
from ganprior.metrics.features import FeatureExtractor, extract_features
from ganprior.metrics.frechet import frechet_distance
from ganprior.metrics.image import per_pixel_error, psnr, ssim
from ganprior.metrics.nearest import Nearest, nearest_images
from ganprior.metrics.precision_recall import PrecisionRecall, precision_recall
from ganprior.metrics.support import Support, duplicate_distance, support_size

__all__ = [
    "FeatureExtractor",
    "Nearest",
    "PrecisionRecall",
    "Support",
    "diversity",
    "duplicate_distance",
    "extract_features",
    "frechet_distance",
    "nearest_images",
    "per_pixel_error",
    "precision_recall",
    "psnr",
    "ssim",
    "support_size",
]
