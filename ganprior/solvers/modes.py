"""Modes of p(z | y), one for each Gaussian of the latents' law, and what each is worth.

In the coordinates z = m_c + L_c u of component c, with whitened measurements,

    u_c = argmin over u of ||y - A G(m_c + L_c u)||^2 + ||u||^2

and by Laplace's approximation at u_c, with the Gauss-Newton Hessian H_c = I + J^T J,

    log p(y, c) = log w_c - (||y - A G||^2 + ||u_c||^2) / 2 - log det H_c / 2 + const

(D. MacKay, "Information theory, inference, and learning algorithms", 2003, equation (27.4)). All
components are searched for a few steps; the best ones of each signal go on to the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganprior.physics import facts
from ganprior.priors import Prior
from ganprior.priors.density import Density
from ganprior.priors.latent import GaussianLatent
from ganprior.solvers.csgm import CSGMObjective
from ganprior.solvers.engine import LBFGS, Effort, Problem, minimise
from ganprior.solvers.whitened import Whitened
from ganprior.streams import Streams

FIRST_STEPS = 10
# What a mode is believed to less than, of the best one of its signal, in nats.
NEGLIGIBLE = 20.0


@dataclass(frozen=True)
class Mode:
    """Modes of one component, of those signals that it was searched to the end for.

    Attributes
    ----------
    component : int
        c.
    signals : Tensor
        Positions of the signals, int64 (S,).
    u : Tensor
        Whitened coordinates, (S, k).
    images : Tensor
        G(z), (S, C, H, W).
    precision : Tensor
        Lower Cholesky factor of H, float64 (S, k, k).
    value : Tensor
        ||y - A G||^2 + ||u||^2, (S,).
    log_joint : Tensor
        log p(y, c) in the whitened measurements, float64 (S,).
    steps : Tensor
        First-order steps, int64 (S,).
    converged : Tensor
        bool, (S,).
    """

    component: int
    signals: Tensor
    u: Tensor
    images: Tensor
    precision: Tensor
    value: Tensor
    log_joint: Tensor
    steps: Tensor
    converged: Tensor


def component_prior(prior: Prior, density: Density, component: int) -> Prior:
    """The prior in the coordinates of one component: x = G(m_c + L_c u), u ~ N(0, I)."""
    k = density.means.shape[1]
    parameter = next(prior.generator.parameters(), torch.empty(0))
    affine = nn.Linear(k, k, device=parameter.device, dtype=parameter.dtype)
    with torch.no_grad():
        affine.weight.copy_(density.factors[component])
        affine.bias.copy_(density.means[component])
    generator = nn.Sequential(affine, nn.Unflatten(1, prior.latent.shape), prior.generator)
    return Prior(
        generator.requires_grad_(False).eval(),
        GaussianLatent(k),
        prior.image_shape,
        image_range=prior.image_range,
        classes=0,
    )


def find_modes(
    prior: Prior, density: Density, white: Whitened, like: Tensor, kept: int, steps: int
) -> list[Mode]:
    """Search the modes of signals that share a matrix.

    Parameters
    ----------
    prior, density
        G, and the law of its latents.
    white : Whitened
        The measurements.
    like : Tensor
        Images of this type and device are computed.
    kept : int
        Components of each signal that are searched to the end.
    steps : int
        First-order steps at most.
    """
    y, physics = white.y.to(like), white.physics(like)
    known = facts(physics, prior.image_shape, count=len(y), like=y)
    problems = [
        Problem(component_prior(prior, density, c), CSGMObjective(1.0), y, physics, known)
        for c in range(density.components)
    ]
    count, k = len(y), density.means.shape[1]
    starts = [y.new_zeros(count, k)] * density.components
    values = []
    if kept < density.components:
        first = [_descend(problem, starts[0], FIRST_STEPS) for problem in problems]
        starts = [found.z for found in first]
        values = [found.value for found in first]
    modes = []
    for c, problem in enumerate(problems):
        signals = _chosen(values, density.weights, c, kept, count)
        if len(signals):
            part = problem if len(signals) == count else problem.select(signals)
            modes.append(_mode(part, c, signals, starts[c][signals], steps, density.weights[c]))
    return modes


def _chosen(values: list[Tensor], weights: Tensor, c: int, kept: int, count: int) -> Tensor:
    """Signals for which component ``c`` is among the best."""
    if not values:
        return torch.arange(count)
    scores = torch.stack(values).double() - 2 * weights.log().to(values[0].device)[:, None]
    best = scores.topk(kept, 0, largest=False).indices
    return (best == c).any(0).nonzero()[:, 0]


def _descend(problem: Problem, start: Tensor, steps: int) -> Any:
    effort = Effort(
        restarts=1,
        steps=steps,
        learning_rate=1.0,
        final_rate=1.0,
        descent=LBFGS,
        tolerance=0.003,
        window=6,
    )
    return minimise(problem, effort, Streams(0), starts=start[None])


def _mode(
    problem: Problem, c: int, signals: Tensor, start: Tensor, steps: int, weight: Tensor
) -> Mode:
    found = _descend(problem, start, steps)
    linear = problem.residual_and_jacobian(found.z)
    assert linear is not None
    jacobian = linear[1].double()
    precision = torch.linalg.cholesky(jacobian.mT @ jacobian)
    volume = precision.diagonal(dim1=1, dim2=2).log().sum(1)
    return Mode(
        component=c,
        signals=signals,
        u=found.z,
        images=problem.images_found(found.z),
        precision=precision,
        value=found.value,
        log_joint=weight.log() - found.value.double() / 2 - volume,
        steps=found.steps,
        converged=torch.tensor([str(s) == "converged" for s in found.status]),
    )
