"""Inverse problems solved with GAN priors."""

__version__ = "0.1.0"
