"""Modes of p(z | y), one for each Gaussian of the latents' law, and what each is worth.

In the coordinates z = m_c + L_c u of component c, with whitened measurements,

    u_c = argmin over u of ||y - A G(m_c + L_c u)||^2 + ||u||^2

and by Laplace's approximation at u_c, with the Gauss-Newton Hessian H_c = I + J^T J,

    log p(y, c) = log w_c - (||y - A G||^2 + ||u_c||^2) / 2 - log det H_c / 2 + const

(D. MacKay, "Information theory, inference, and learning algorithms", 2003, equation (27.4)). With G
linearised at m_c all of it is a closed form, one Jacobian for all signals; the components that are
ahead by it are searched to the end, from its u_c where that is an improvement, in one batch.
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
from ganprior.solution import Status, squared_norm
from ganprior.solvers.engine import LBFGS, Descend, Effort, Minimum, Problem, minimise
from ganprior.solvers.whitened import Whitened
from ganprior.streams import Streams

# Entries of Jacobians that are held: 256 MB in float64.
AT_ONCE = 2**25
# Parts of the linearised move that are tried as starts.
MOVES = (0.0, 0.3, 1.0)
# From one start that is near.
DESCENT = Effort(Descend(LBFGS(curvature=False), steps=100, tolerance=0.003, window=6))


@dataclass(frozen=True)
class Modes:
    """Modes of S signals; of each those of ``kept`` components.

    Attributes
    ----------
    component : Tensor
        c, int64 (kept, S).
    u : Tensor
        Whitened coordinates, (kept, S, k).
    images : Tensor
        G(z), (kept, S, C, H, W).
    precision : Tensor
        Lower Cholesky factor of H, float64 (kept, S, k, k).
    log_joint : Tensor
        log p(y, c) of the whitened y, up to the constant, float64 (kept, S).
    square : Tensor
        ||y - A G||^2 + ||u||^2, float64 (kept, S): where G is linear the squared distance of y from
        what component c expects, in standard deviations.
    steps : Tensor
        First-order steps, int64 (kept, S).
    converged : Tensor
        bool, (kept, S).
    """

    component: Tensor
    u: Tensor
    images: Tensor
    precision: Tensor
    log_joint: Tensor
    square: Tensor
    steps: Tensor
    converged: Tensor

    @property
    def best(self) -> tuple[Tensor, Tensor]:
        """Where the most probable mode of each signal is."""
        signals = self.log_joint.shape[1]
        return self.log_joint.argmax(0), torch.arange(signals, device=self.log_joint.device)


class Coordinates(nn.Module):
    """z = m_c + L_c u of rows (u, c), (N, k + 1): the component is the last number of a row."""

    means: Tensor
    factors: Tensor

    def __init__(self, density: Density, shape: tuple[int, ...], like: Tensor) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("means", density.means.to(like))
        self.register_buffer("factors", density.factors.to(like))

    def forward(self, rows: Tensor) -> Tensor:
        """Latents (N, *shape)."""
        # The engine tries rows of its own as well, to see how sizes of a batch round.
        c = rows[:, -1].detach().round().long().clamp(0, len(self.means) - 1)
        z = self.means[c] + (self.factors[c] @ rows[:, :-1, None])[..., 0]
        return z.unflatten(1, self.shape)


@dataclass(frozen=True)
class ModeObjective:
    """||y - A G(m_c + L_c u)||^2 + ||u||^2, a function of rows (u, c)."""

    def objective(self, z: Tensor, x: Tensor, y: Tensor, physics: Any) -> Tensor:
        """The value, (R, B)."""
        return squared_norm(y - physics.A(x), lead=2) + squared_norm(z[..., :-1], lead=2)

    def residual(self, z: Tensor, x: Tensor, y: Tensor, physics: Any) -> Tensor:
        """[A G - y; u], whose squared norm the objective is, (R, B, m + k)."""
        return torch.cat([physics.A(x) - y, z[..., :-1]], -1)


def find_modes(
    prior: Prior, density: Density, white: Whitened, like: Tensor, kept: int, steps: int
) -> Modes:
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
    problem = _problem(prior, density, white, like)
    log_joint, moves = _linearised(problem, density)
    best = log_joint.topk(kept, 0).indices
    signals = torch.arange(len(white.y), device=best.device).expand_as(best)
    component = best.flatten()
    # A signal stands as often as it has components.
    pairs = problem.subset(signals.flatten())
    start = _start(pairs, moves[component, signals.flatten()], component)
    return _modes(pairs, _descend(pairs, start, steps), component, density, kept)


def _problem(prior: Prior, density: Density, white: Whitened, like: Tensor) -> Problem:
    y, physics = white.y.to(like), white.physics(like)
    coordinates = Coordinates(density, prior.latent.shape, like)
    rows = Prior(
        nn.Sequential(coordinates, prior.generator).eval(),
        GaussianLatent(density.means.shape[1] + 1),
        prior.image_shape,
        image_range=prior.image_range,
        classes=0,
    )
    known = facts(physics, prior.image_shape, count=len(y), like=y)
    return Problem(rows, ModeObjective(), y, physics, known)


def _linearised(problem: Problem, density: Density) -> tuple[Tensor, Tensor]:
    """log p(y, c), (K, B), and u_c, (K, B, k), of a G that is linear around m_c."""
    count, k = density.means.shape
    origin = problem.y.new_zeros(count, k + 1)
    origin[:, -1] = torch.arange(count)
    first = problem.subset(torch.zeros(count, dtype=torch.long, device=origin.device))
    found = first.residual_and_jacobian(origin)
    assert found is not None
    residual, jacobian = found[0][:, :-k].double(), found[1][:, :-k, :-1].double()
    left = (problem.y - problem.y[:1]).double() - residual[:, None]
    eye = torch.eye(k, dtype=jacobian.dtype, device=jacobian.device)
    factor = torch.linalg.cholesky(jacobian.mT @ jacobian + eye)
    gradient = left @ jacobian
    u = torch.cholesky_solve(gradient.mT, factor).mT
    square = left.square().sum(2) - (gradient * u).sum(2)
    volume = factor.diagonal(dim1=1, dim2=2).log().sum(1)
    prior = density.weights.log() - volume
    return prior[:, None] - square / 2, u.to(problem.y)


def _start(pairs: Problem, moves: Tensor, component: Tensor) -> Tensor:
    """The best point on the way to the linearised mode, as rows (P, k + 1)."""
    tried = torch.stack([part * moves for part in MOVES])
    last = component.to(tried).expand(len(MOVES), -1)[..., None]
    rows = torch.cat([tried, last], -1)
    chosen = pairs.value(rows).argmin(0)
    return rows[chosen, torch.arange(len(moves), device=chosen.device)]


def _descend(pairs: Problem, start: Tensor, steps: int) -> Minimum:
    return minimise(pairs, DESCENT.replace(steps=steps), Streams(0), starts=start[None])


def _modes(pairs: Problem, found: Minimum, component: Tensor, density: Density, kept: int) -> Modes:
    k = density.means.shape[1]
    precision = _precision(pairs, found.z)
    volume = precision.diagonal(dim1=1, dim2=2).log().sum(1)
    log_joint = density.weights[component].log() - found.value.double() / 2 - volume
    converged = torch.tensor([status is Status.CONVERGED for status in found.status])
    parts = {
        "component": component,
        "u": found.z[:, :k],
        "images": pairs.images_found(found.z),
        "precision": precision,
        "log_joint": log_joint,
        "square": found.value.double(),
        "steps": found.steps,
        "converged": converged.to(component.device),
    }
    return Modes(**{name: tensor.unflatten(0, (kept, -1)) for name, tensor in parts.items()})


def _precision(pairs: Problem, z: Tensor) -> Tensor:
    """Cholesky factors of H at rows (P, k + 1), with the Jacobians of a few of them at a time."""
    k = z.shape[1] - 1
    entries = (pairs.y[0].numel() + k) * (k + 1)
    parts = []
    for some in torch.arange(len(z), device=z.device).split(max(1, AT_ONCE // entries)):
        linear = pairs.subset(some).residual_and_jacobian(z[some])
        assert linear is not None
        jacobian = linear[1][..., :-1].double()
        parts.append(torch.linalg.cholesky(jacobian.mT @ jacobian))
    return torch.cat(parts)
