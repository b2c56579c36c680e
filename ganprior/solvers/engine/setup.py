"""How much is computed once per prior, before the first step: the bank and the mean curvature.

Each may take so many generator passes, a pass being one image:

- ``"auto"``: as many as move ``BYTES`` of feature maps. Every shipped prior stays below that, and
  so do generators of up to 64 x 64 pixels; of StyleGAN2 at 256 x 256 it is about ten images. It
  depends on the generator alone, so that results do not depend on the machine.
- a number of seconds: as many as half of them suffice for, by the time that one pass takes here,
  rounded down to a power of two.
- ``None``: neither; starts are drawn at random, and steps are not scaled.
"""

from __future__ import annotations

import math
import time
from typing import Any, Literal

import torch
from torch import Tensor

from ganprior.numbers import check_number
from ganprior.priors.latent import Latent
from ganprior.solvers.engine.generator import OwnGenerator
from ganprior.streams import derive_seed

Setup = Literal["auto"] | float | None

BYTES = 6 * 2**30


def check_setup(setup: Any) -> None:
    """Refuse what is no budget.

    Raises
    ------
    ValueError
        If it is neither ``"auto"`` nor None nor a number of seconds of at least 0.
    """
    if setup is None or setup == "auto":
        return
    if isinstance(setup, str):
        raise ValueError(f"setup must be 'auto', None or a number of seconds, got {setup!r}")
    check_number("setup", setup, least=0)


def passes(setup: Setup, own: OwnGenerator, law: Latent, like: Tensor) -> int:
    """Generator passes at most for the bank, and as many for the curvature.

    Parameters
    ----------
    setup : "auto", float or None
        The budget.
    own : OwnGenerator
        The generator.
    law : Latent
        Of its latents.
    like : Tensor
        Image (1, C, H, W) that gives device and dtype.
    """
    if setup is None:
        return 0
    if setup == "auto":
        return BYTES // own.kept_bytes
    z = law.sample(1, torch.Generator().manual_seed(derive_seed(0, "one pass"))).to(like)
    with torch.no_grad():
        own.network(z)  # the first one also allocates
        begin = time.perf_counter()
        float(own.network(z).sum())  # waits for a GPU
    most = setup / 2 / (time.perf_counter() - begin)
    return 2 ** int(math.log2(most)) if most >= 1 else 0
