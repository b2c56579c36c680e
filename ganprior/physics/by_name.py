"""Physics by name: ``ganprior.make_physics("gaussian:m=100", (1, 28, 28))``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ganprior.registry import Spec
from ganprior.streams import derive_seed


def make_physics(spec: str, img_size: Sequence[int], seed: int = 0, noise_model: Any = None) -> Any:
    """Make a physics by name, with its options.

    Parameters
    ----------
    spec : str
        ``name:key=value``, as ``--measure`` takes it; ``ganprior measure --help`` lists names and
        options.
    img_size : sequence of int
        (C, H, W) of the images.
    seed : int
        What is random in the physics is drawn from the stream ``"physics"`` of this seed, apart
        from noise and starts: it is that of ``--measure`` with the same ``--seed``.
    noise_model : deepinv noise model, optional
        What ``physics(x)`` adds to ``A(x)``; nothing when absent.

    Returns
    -------
    deepinv physics

    Raises
    ------
    ValueError
        If there is no such name or option (the nearest one is suggested), or it does not suit the
        images: m above n, a factor that does not divide the height, a mask that hides everything.
    """
    parsed = Spec.read("physics", spec)
    with parsed.naming():
        return make(parsed, img_size, seed, noise_model)


def make(spec: Spec, img_size: Sequence[int], seed: int, noise_model: Any = None) -> Any:
    """Make the physics of a spec that is read; arguments as for :func:`make_physics`."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "physics"))
    return spec.make(img_size=tuple(img_size), generator=generator, noise_model=noise_model)
