"""How far a reconstruction is from the truth."""

from ganprior.metrics.image import per_pixel_error, psnr, ssim

__all__ = ["per_pixel_error", "psnr", "ssim"]
