"""What the latent engine is measured against: the paper's protocol, deepinv and scipy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganprior import CSGM, REFERENCE, Prior, Streams
from ganprior.physics import Gaussian
from ganprior.streams import derive_seed

# Images (B, C, H, W) of a problem, from a seed.
Method = Callable[["Problem", int], Tensor]

# That of `reference`.
LEARNING_RATE = 0.1


@dataclass(frozen=True)
class Problem:
    """What every method gets.

    Attributes
    ----------
    prior : Prior
        The prior.
    physics : Gaussian
        A.
    y : Tensor
        Measurements (B, m).
    weight : float
        lambda.
    steps : int
        Adam steps of the reference and of the paper's protocol.
    """

    prior: Prior
    physics: Gaussian
    y: Tensor
    weight: float
    steps: int

    def head(self, count: int) -> Problem:
        """Return the problem of the first ``count`` images."""
        return Problem(self.prior, self.physics, self.y[:count], self.weight, self.steps)


def one_after_the_other(problem: Problem, seed: int) -> Tensor:
    """Run the paper's protocol as a plain loop: ten restarts in turn, each a batch of all images.

    The best restart of each image is the one of lowest measurement error, as in the paper's code.
    """
    prior, y = problem.prior.eval(), problem.y
    rng = torch.Generator().manual_seed(derive_seed(seed, "restarts"))
    best = torch.full((len(y),), torch.inf)
    images = torch.zeros(len(y), *prior.image_shape)
    for _ in range(REFERENCE.restarts):
        z = prior.latent.sample(len(y), rng).requires_grad_(True)
        optimizer = torch.optim.Adam([z], lr=LEARNING_RATE)
        for _ in range(problem.steps):
            optimizer.zero_grad()
            misfit = (y - problem.physics.A(prior(z))).square().sum()
            (misfit + problem.weight * z.square().sum()).backward()
            optimizer.step()
        with torch.no_grad():
            x = prior(z)
            error = (y - problem.physics.A(x)).square().sum(1)
        better = error < best
        best = torch.where(better, error, best)
        images[better] = x[better]
    return images


def deepinv_csgm(problem: Problem, seed: int) -> Tensor:
    """deepinv's ``CSGMGenerator`` with its defaults, an image at a time: it has one latent."""
    from deepinv.models import CSGMGenerator

    prior = problem.prior
    size = prior.latent.size

    class Backbone(torch.nn.Module):
        """deepinv's generators take latents (1, k, 1, 1) and name the size of theirs."""

        nz = size

        def forward(self, z: Tensor) -> Tensor:
            """Images of latents (B, k, 1, 1)."""
            x: Tensor = prior(z.flatten(1))
            return x

    rng = torch.Generator().manual_seed(derive_seed(seed, "deepinv"))

    class Seeded(CSGMGenerator):
        """Draws its start, uniform on [-1, 1]^k, from our generator in place of the global one."""

        def random_latent(self, device: torch.device, requires_grad: bool = True) -> Tensor:
            """Start (1, k, 1, 1)."""
            z = 2 * torch.rand(1, size, 1, 1, generator=rng) - 1
            return z.requires_grad_(requires_grad)

    model = Seeded(Backbone()).eval()
    return torch.cat([model(y[None], problem.physics).detach() for y in problem.y])


def scipy_lbfgs(problem: Problem, seed: int) -> Tensor:
    """scipy's L-BFGS-B from one random start, an image at a time."""
    from scipy.optimize import minimize

    prior, images = problem.prior, []
    rng = torch.Generator().manual_seed(derive_seed(seed, "scipy"))
    for y in problem.y:

        def objective(z: np.ndarray, y: Tensor = y) -> tuple[float, np.ndarray]:
            latent = torch.from_numpy(z).float()[None].requires_grad_(True)
            value = (y - problem.physics.A(prior(latent))[0]).square().sum()
            value = value + problem.weight * latent.square().sum()
            (gradient,) = torch.autograd.grad(value, latent)
            return float(value), gradient[0].double().numpy()

        start = prior.latent.sample(1, rng)[0].double().numpy()
        found = minimize(objective, start, jac=True, method="L-BFGS-B")
        with torch.no_grad():
            images.append(prior(torch.from_numpy(found.x).float()[None]))
    return torch.cat(images)


def reference_as_it_is(problem: Problem, seed: int) -> Tensor:
    """The effort `reference` with its own steps, where the problem gives it fewer."""
    solver = CSGM(problem.prior, problem.weight, effort=REFERENCE)
    return solver.solve(problem.y, problem.physics, rng=Streams(seed)).x


# Those that take all images at once, and those that take one at a time.
BATCHED: dict[str, Method] = {
    "paper, restarts in turn": one_after_the_other,
    "reference, 1000 steps": reference_as_it_is,
}
SINGLE: dict[str, Method] = {
    "deepinv CSGMGenerator": deepinv_csgm,
    "scipy L-BFGS-B": scipy_lbfgs,
}
