"""The table of f-divergences: f, its convex conjugate, and the activation that keeps T inside.

S. Nowozin, B. Cseke, R. Tomioka, "f-GAN: Training Generative Neural Samplers using Variational
Divergence Minimization", 2016, arXiv 1606.00709.

D_f(P || Q) = int q f(p / q) (section 2.1), with f convex on u > 0; its conjugate is
f*(t) = sup_u {u t - f(u)} (section 2.2); rows and activations are those of the paper's tables.
Three things to know when comparing with other texts:

- Jensen-Shannon by this f is twice the usual divergence, squared Hellinger is int (sqrt p - sqrt
  q)^2 without a half, and GAN is twice the usual Jensen-Shannon less log 4.
- The activation of reverse KL and of squared Hellinger has -v in its exponent, so that all of
  them rise in v: a large output means "real".
- The conjugates of Pearson and of total variation are those of f on the whole line. Where the
  supremum is over u > 0 alone they are smaller at t < -2 and t < -1/2; the best T never goes
  there, and the bound holds with either.

Bhattacharyya, f = -sqrt u, is not in the paper: its conjugate and activation follow the same rule,
and its divergence is minus the Bhattacharyya coefficient, -1 where P = Q.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from ganprior.training.objectives.lambert_w import log_lambert_w_of_exp

Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Divergence:
    """One row; every function is elementwise.

    Attributes
    ----------
    name : str
        As recipes write it.
    f : callable
        f(u) for u > 0.
    conjugate : callable
        f*(t) for t in ``domain``.
    activation : callable
        g_f(v), any real output v of the network to a T in ``domain``, rising in v.
    conjugate_of_activation : callable
        f*(g_f(v)), simplified: the composition rounds to log 0 where the discriminator is sure.
    domain : pair of float
        Ends of the interval where ``conjugate`` holds; ends are outside, but for total variation.
    logit : bool
        Whether the best v is log(p / q), so that sigmoid(v) is a probability of "real".
    """

    name: str
    f: Function
    conjugate: Function
    activation: Function
    conjugate_of_activation: Function
    domain: tuple[float, float] = (-math.inf, math.inf)
    logit: bool = False


def _jeffreys_conjugate(t: Tensor) -> Tensor:
    """W + 1/W + t - 2 with W = W(e^(1 - t)): the supremum is at u = 1/W."""
    v = log_lambert_w_of_exp(1 - t)
    return torch.exp(v) + torch.exp(-v) + t - 2


KL = Divergence(
    "kl",
    f=lambda u: torch.xlogy(u, u),
    conjugate=lambda t: torch.exp(t - 1),
    activation=lambda v: v,
    conjugate_of_activation=lambda v: torch.exp(v - 1),
)
REVERSE_KL = Divergence(
    "reverse-kl",
    f=lambda u: -torch.log(u),
    conjugate=lambda t: -1 - torch.log(-t),
    activation=lambda v: -torch.exp(-v),
    conjugate_of_activation=lambda v: v - 1,
    domain=(-math.inf, 0),
    logit=True,
)
JEFFREYS = Divergence(
    "jeffreys",
    f=lambda u: (u - 1) * torch.log(u),
    conjugate=_jeffreys_conjugate,
    activation=lambda v: v,
    conjugate_of_activation=_jeffreys_conjugate,
)
PEARSON = Divergence(
    "pearson",
    f=lambda u: (u - 1).square(),
    conjugate=lambda t: t.square() / 4 + t,
    activation=lambda v: v,
    conjugate_of_activation=lambda v: v.square() / 4 + v,
)
SQUARED_HELLINGER = Divergence(
    "squared-hellinger",
    f=lambda u: (u.sqrt() - 1).square(),
    conjugate=lambda t: t / (1 - t),
    activation=lambda v: -torch.expm1(-v),
    conjugate_of_activation=lambda v: torch.expm1(v),
    domain=(-math.inf, 1),
)
BHATTACHARYYA = Divergence(
    "bhattacharyya",
    f=lambda u: -u.sqrt(),
    conjugate=lambda t: -1 / (4 * t),
    activation=lambda v: -torch.exp(-v),
    conjugate_of_activation=lambda v: torch.exp(v) / 4,
    domain=(-math.inf, 0),
)
TOTAL_VARIATION = Divergence(
    "total-variation",
    f=lambda u: (u - 1).abs() / 2,
    conjugate=lambda t: t,
    activation=lambda v: torch.tanh(v) / 2,
    conjugate_of_activation=lambda v: torch.tanh(v) / 2,
    domain=(-0.5, 0.5),
)
JENSEN_SHANNON = Divergence(
    "jensen-shannon",
    f=lambda u: torch.xlogy(u, u) - (1 + u) * torch.log((1 + u) / 2),
    conjugate=lambda t: -torch.log(2 - torch.exp(t)),
    activation=lambda v: math.log(2) + logsigmoid(v),
    conjugate_of_activation=lambda v: softplus(v) - math.log(2),
    domain=(-math.inf, math.log(2)),
    logit=True,
)
GAN = Divergence(
    "gan",
    f=lambda u: torch.xlogy(u, u) - (1 + u) * torch.log(1 + u),
    conjugate=lambda t: -torch.log(-torch.expm1(t)),
    activation=logsigmoid,
    conjugate_of_activation=softplus,
    domain=(-math.inf, 0),
    logit=True,
)

DIVERGENCES = {
    row.name: row
    for row in (
        KL,
        REVERSE_KL,
        JEFFREYS,
        PEARSON,
        SQUARED_HELLINGER,
        BHATTACHARYYA,
        TOTAL_VARIATION,
        JENSEN_SHANNON,
        GAN,
    )
}
