"""The generator's mean curvature over its latents, which scales the first-order steps.

A generator stretches its latents very unevenly: the eigenvalues of

    M = mean over z of J(z)^T J(z),    J the Jacobian of G,

spread over decades. ||y - A G(z)||^2 with Gaussian A has the Hessian 2 M on average, so that fewer
quasi-Newton steps do that set out from the inverse of M, in place of a multiple of the identity;
the ablation in :mod:`ganprior.solvers.engine` says what it brings. M depends on the prior alone: it
is computed once, and kept beside the bank of starts.
"""

from __future__ import annotations

import contextlib
import logging
import time

import numpy as np
import torch
from torch import Tensor

from ganprior.solvers.engine.cache import keep, kept, key_of
from ganprior.solvers.engine.problem import Problem
from ganprior.streams import derive_seed

# Latents of the mean, each as many tangents as the latent has entries.
LATENTS = 48
# Damping of the inverse, in units of the diagonal and its mean: where the generator is almost
# flat on average it need not be at a given latent.
DAMPING = 0.01

# The inverse, in double precision.
_in_memory: dict[str, Tensor | None] = {}

logger = logging.getLogger(__name__)


def inverse_curvature(problem: Problem) -> tuple[Tensor | None, float]:
    """(M + damping)^-1, (k, k), like the problem, and the seconds that computing M took.

    Only its shape matters to the steps, which find its size by themselves. None where the
    generator has no forward-mode derivative.
    """
    begin = time.perf_counter()
    key = key_of(problem, LATENTS)
    seconds = 0.0
    if key not in _in_memory:
        inverse = _damped_inverse(_stored_or_computed(problem, key))
        _in_memory.clear()  # one is enough, as of the bank
        _in_memory[key] = inverse
        seconds = time.perf_counter() - begin
    found = _in_memory[key]
    return None if found is None else found.to(problem.like), seconds


def _damped_inverse(M: Tensor | None) -> Tensor | None:
    if M is None:
        return None
    diagonal = M.diagonal()
    factor, failed = torch.linalg.cholesky_ex(
        M + torch.diag(DAMPING * (diagonal + diagonal.mean()))
    )
    return None if failed else torch.cholesky_inverse(factor)


def _stored_or_computed(problem: Problem, key: str) -> Tensor | None:
    """M in double precision, from the cache folder or computed now."""
    size, name = problem.prior.latent.size, f"curvature-{key}.npy"
    stored = kept(name, (size, size), np.float64)
    if stored is not None:
        return torch.from_numpy(np.array(stored))
    logger.info("mean curvature of the generator, once for this prior")
    rng = torch.Generator().manual_seed(derive_seed(0, "curvature"))
    latents = problem.prior.latent.sample(LATENTS, rng).flatten(1).to(problem.like)
    M = _mean_curvature(problem, latents)
    if M is None or not M.isfinite().all():
        return None
    M = M.double().cpu()
    # Where the folder cannot be written the bank says so.
    with contextlib.suppress(OSError, ValueError):
        keep(name, M.numpy())
    return M


def _mean_curvature(problem: Problem, z: Tensor) -> Tensor | None:
    """Mean of J^T J, (k, k), J the Jacobian of G at latents (N, k); None if it has none."""
    units = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
    total = torch.zeros_like(units)
    for part in z.split(max(1, problem.images_per_chunk // len(units))):

        def derivative(direction: Tensor, part: Tensor = part) -> Tensor:
            directions = direction.expand_as(part)
            tangent: Tensor = torch.func.jvp(problem.images, (part,), (directions,))[1]
            return tangent.flatten(1)

        try:
            with torch.no_grad():
                J = torch.vmap(derivative)(units).flatten(1)
        except (RuntimeError, NotImplementedError):
            return None
        total += J @ J.T
    return total / len(z)
