"""The generator's mean curvature over its latents, which scales the first-order steps.

A generator stretches its latents very unevenly: the eigenvalues of

    M = mean over z of J(z)^T J(z),    J the Jacobian of G,

spread over decades. ||y - A G(z)||^2 with Gaussian A has the Hessian 2 M on average, so that fewer
quasi-Newton steps do that set out from the inverse of M, in place of a multiple of the identity;
the ablation in :mod:`ganprior.solvers.engine` says what it brings. M depends on the prior alone: it
is computed once, and kept beside the bank of starts.

How, follows from the generator passes that the problem allows
(:mod:`ganprior.solvers.engine.setup`):

- exactly at ``LATENTS`` latents, where all k tangents at each of them are not too many;
- else from J(z)^T u of as many z and u ~ N(0, I) as are allowed, at most ``SAMPLES`` k of them: the
  mean of (J^T u) (J^T u)^T is M. It is shrunk towards a multiple of the identity (O. Ledoit,
  M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", J. Multivariate
  Analysis 88, 2004), so that fewer samples than entries do no harm;
- not at all, where fewer than k / ``FEWEST`` samples are allowed, or M itself is too large.
"""

from __future__ import annotations

import contextlib
import logging
import time

import numpy as np
import torch
from sklearn.covariance import ledoit_wolf
from torch import Tensor

from ganprior.cache import keep, kept
from ganprior.solvers.engine.problem import Problem
from ganprior.solvers.engine.pushforward import pushforward
from ganprior.streams import derive_seed

# Latents of the mean, each as many tangents as the latent has entries.
LATENTS = 48
# Samples for each entry of the latent at most, and entries for each sample; a sample costs as much
# as PASSES images.
SAMPLES, FEWEST, PASSES = 1, 8, 3
# Bounds on the Jacobian at one latent, and on M.
JACOBIAN_BYTES, MATRIX_BYTES = 256 * 2**20, 128 * 2**20
# Damping of the inverse, in units of the diagonal and its mean: where the generator is almost
# flat on average it need not be at a given latent.
DAMPING = 0.01

# The inverse, in double precision.
_in_memory: dict[str, Tensor | None] = {}

logger = logging.getLogger(__name__)


def inverse_curvature(problem: Problem) -> tuple[Tensor | None, float]:
    """(M + damping)^-1, (k, k), like the problem, and the seconds that computing M took.

    Only its shape matters to the steps, which find its size by themselves. None where it is not
    computed, or the generator has no forward-mode derivative.
    """
    begin = time.perf_counter()
    samples = _samples(problem)
    if samples is None:
        return None, 0.0
    key = problem.key(LATENTS, *([samples] if samples else []))
    seconds = 0.0
    if key not in _in_memory:
        inverse = _damped_inverse(_stored_or_computed(problem, key, samples))
        _in_memory.clear()  # one is enough, as of the bank
        _in_memory[key] = inverse
        seconds = time.perf_counter() - begin
    found = _in_memory[key]
    return None if found is None else found.to(problem.like), seconds


def _samples(problem: Problem) -> int | None:
    """Of how many samples M is the mean; 0 for the exact one at some latents, None for no M."""
    k, numbers = problem.prior.latent.size, problem.like.numel()
    if 8 * k**2 > MATRIX_BYTES:
        return None
    if LATENTS * k <= problem.passes and 4 * k * numbers <= JACOBIAN_BYTES:
        return 0
    samples = min(problem.passes // PASSES, SAMPLES * k)
    return samples if FEWEST * samples >= k else None


def _damped_inverse(M: Tensor | None) -> Tensor | None:
    if M is None:
        return None
    diagonal = M.diagonal()
    factor, failed = torch.linalg.cholesky_ex(
        M + torch.diag(DAMPING * (diagonal + diagonal.mean()))
    )
    return None if failed else torch.cholesky_inverse(factor)


def _stored_or_computed(problem: Problem, key: str, samples: int) -> Tensor | None:
    """M in double precision, from the cache folder or computed now."""
    size, name = problem.prior.latent.size, f"curvature-{key}.npy"
    stored = kept(name, (size, size), np.float64)
    if stored is not None:
        return torch.from_numpy(np.array(stored))
    logger.info("mean curvature of the generator, once for this prior")
    rng = torch.Generator().manual_seed(derive_seed(0, "curvature"))
    latents = problem.prior.latent.sample(samples or LATENTS, rng).flatten(1).to(problem.like)
    if samples:
        M: Tensor | None = _sampled_curvature(problem, latents, rng)
    else:
        M = _mean_curvature(problem, latents)
    if M is None or not M.isfinite().all():
        return None
    M = M.double().cpu()
    # Where the folder cannot be written the bank says so.
    with contextlib.suppress(OSError, ValueError):
        keep(name, M.numpy())
    return M


def _sampled_curvature(problem: Problem, z: Tensor, rng: torch.Generator) -> Tensor:
    """M, float64 (k, k), from one cotangent at each of the latents (N, k)."""
    rows: list[Tensor] = []
    for part in z.split(problem.images_per_chunk):
        logger.info("mean curvature of the generator: %d of %d samples", len(rows), len(z))
        own = part.clone().requires_grad_(True)
        with torch.enable_grad():
            x = problem.images(own)
        u = torch.randn(x.shape, generator=rng).to(x)
        rows += list(torch.autograd.grad(x, own, u)[0])
    gradients = torch.stack(rows).double().cpu().numpy()
    shrunk, _ = ledoit_wolf(gradients, assume_centered=True)
    return torch.from_numpy(shrunk)


def _mean_curvature(problem: Problem, z: Tensor) -> Tensor | None:
    """Mean of J^T J, (k, k), J the Jacobian of G at latents (N, k); None if it has none."""
    units = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
    total = torch.zeros_like(units)
    for part in z.split(max(1, problem.images_per_chunk // len(units))):

        def derivative(direction: Tensor, part: Tensor = part) -> Tensor:
            directions = direction.expand_as(part)
            tangent = pushforward(problem.images, part, directions)
            return tangent.flatten(1)

        chunk = max(1, problem.passing_per_chunk // len(part))
        try:
            with torch.no_grad():
                J = torch.vmap(derivative, chunk_size=chunk)(units).flatten(1)
        except (RuntimeError, NotImplementedError):
            return None
        total += J @ J.T
    return total / len(z)
