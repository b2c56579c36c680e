"""Types and texts of options that several commands have."""

from __future__ import annotations

import click

# What fits into the 64 bits of a measurement file.
SEED = click.IntRange(0, 2**63 - 1)
NOISE_STD = click.FloatRange(min=0)
LIMIT = click.IntRange(min=1)

MEASURE_SPECS = """\b
SPEC of --measure:
  gaussian:m=100  structured:m=100  identity
  mask:center=0.25  mask:random=0.8  mask:pattern=0.25  (the fraction that is missing)
  mask:half=left  downsample:factor=4  blur:sigma=2  mri:acceleration=4"""

SOLVER_SPECS = """\b
SPEC of --solver, with every option that it may have:
  csgm:restarts=10,steps=200,lambda=0.02,effort=balanced  (or reference, fast)
  lasso-dct:alpha=0.01  lasso-wavelet:wavelet=db4,alpha=0.01  lasso-pixel:alpha=0.01"""
