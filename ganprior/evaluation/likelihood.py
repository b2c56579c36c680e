"""How likely images are under a prior's density: an importance-weighted bound.

    log p(x) >= E log 1/N sum_i p(z_i) p(x | z_i) / q(z_i),    z_i ~ q

(Y. Burda, R. Grosse, R. Salakhutdinov, "Importance weighted autoencoders", 2016, arXiv 1509.00519,
equation (8)). q is the mixture of the Gaussians at the modes of p(z | x), of
:mod:`ganprior.solvers.modes`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganprior.physics import identity
from ganprior.priors import Prior
from ganprior.priors.density import Density
from ganprior.solvers import MAP
from ganprior.solvers.modes import Modes
from ganprior.solvers.whitened import Whitened
from ganprior.streams import Streams


def log_likelihood(prior: Prior, images: Tensor, *, draws: int = 100, seed: int = 0) -> Tensor:
    """log p(x) of each image, a lower bound in expectation, in nats.

    Parameters
    ----------
    prior : Prior
        With a density.
    images : Tensor
        (B, C, H, W) in [0, 1].
    draws : int
        N, draws of z for each image.
    seed : int
        Seed of the draws.

    Returns
    -------
    Tensor
        Float64, (B,).

    Raises
    ------
    ValueError
        If the prior has no density, or the images are of another shape.
    """
    solver, streams = MAP(prior), Streams(seed)
    found = torch.empty(len(images), dtype=torch.float64)
    with torch.no_grad():
        for signals, white in solver.whitened(images, identity()):
            modes = solver.modes_of(white, images)
            for i, signal in enumerate(signals.tolist()):
                rng = streams.generator("likelihood", signal)
                own = _log_weights(
                    prior, solver.density, white.select(slice(i, i + 1)), modes, i, draws, rng
                )
                found[signal] = own.logsumexp(0) - math.log(draws) - white.log_scale
    return found


def _log_weights(
    prior: Prior,
    density: Density,
    white: Whitened,
    modes: Modes,
    i: int,
    draws: int,
    rng: torch.Generator,
) -> Tensor:
    """log p(z) p(y | z) / q(z) of draws of z for signal i, float64 (N,); y is whitened."""
    shares = modes.log_joint[:, i].log_softmax(0)
    row = torch.multinomial(shares.exp(), draws, replacement=True, generator=rng)
    normal = torch.randn(draws, modes.u.shape[2], 1, generator=rng, dtype=torch.float64)
    moved = torch.linalg.solve_triangular(modes.precision[row, i].mT, normal, upper=True)
    z = density.latents(modes.u[row, i].double() + moved[..., 0], modes.component[row, i])
    images = prior.render(z.unflatten(1, prior.latent.shape).to(modes.images))
    left = white.y - white.measure(images.flatten(1).double())
    proposal = torch.stack(
        [_log_proposal(density, modes, kept, i, z) for kept in range(len(shares))]
    )
    joint = density.log_latent_density(z) - left.square().sum(1) / 2
    return joint - (shares[:, None] + proposal).logsumexp(0)


def _log_proposal(density: Density, modes: Modes, kept: int, i: int, z: Tensor) -> Tensor:
    """Log density of z under the Gaussian at one mode of signal i, (N,)."""
    component, precision = modes.component[kept, i], modes.precision[kept, i]
    factor = density.factors[component]
    u = torch.linalg.solve_triangular(factor, (z - density.means[component]).T, upper=False).T
    white = (u - modes.u[kept, i].double()) @ precision
    volume = precision.diagonal().log().sum() - factor.diagonal().log().sum()
    return volume - white.square().sum(1) / 2 - z.shape[1] / 2 * math.log(2 * math.pi)
