"""What the papers compare with: reconstruction without a generator."""

from ganprior.baselines.lasso import LassoDCT, LassoPixel, LassoWavelet

__all__ = ["LassoDCT", "LassoPixel", "LassoWavelet"]
