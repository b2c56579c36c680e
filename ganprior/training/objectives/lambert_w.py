"""Lambert's W of an exponential, which the conjugate of the symmetric KL divergence needs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

# From the starts below, as many settle float64 for every x.
_ITERATIONS = 6


class _LogLambertWOfExp(torch.autograd.Function):
    """log W(e^x) with its gradient in closed form, not through the iterations."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        # e^v + v = x. The left side is convex and both starts lie above the root, so Newton's
        # iterates fall to it from there, and e^v never overflows.
        v = torch.where(x < 1, x, x.clamp(min=1).log())
        for _ in range(_ITERATIONS):
            w = v.exp()
            v = v - (w + v - x) / (1 + w)
        ctx.save_for_backward(v)
        return v

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        # The equation, differentiated: (e^v + 1) v' = 1.
        (v,) = ctx.saved_tensors
        return gradients[0] * torch.sigmoid(-v)


def log_lambert_w_of_exp(x: Tensor) -> Tensor:
    """v = log W(e^x): the v with e^v + v = x.

    The exponent is the argument because e^x itself overflows where W(e^x) is a harmless number,
    and the logarithm the result because 1 / W is wanted too.

    Parameters
    ----------
    x : Tensor
        Real floating-point, any shape.

    Returns
    -------
    Tensor
        Of the same shape; twice differentiable.
    """
    v: Tensor = _LogLambertWOfExp.apply(x)
    return v
