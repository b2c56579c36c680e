"""The prior loss: how little a generated image looks real to the prior's discriminator."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor

from ganprior.priors import Prior, find_prior, prior_names, read_card
from ganprior.solvers.engine.blocks import with_block_products

PriorLoss = Literal["saturating", "non-saturating", "critic"]


def _softplus(s: Tensor) -> Tensor:
    # In doubles: vector instructions and those for the last few scores differ in the last bit,
    # and a score's place among others would change its loss.
    return F.softplus(s.double()).to(s)


# Prior loss of the discriminator's raw output s: a logit, D = sigmoid(s), or a critic's value.
PRIOR_LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    # log(1 - D(G(z))) of Yeh et al. (2017).
    "saturating": lambda s: -_softplus(s),
    # -log D(G(z)): what dcgan-completion.tensorflow and semantic_image_inpainting minimise.
    "non-saturating": lambda s: _softplus(-s),
    "critic": lambda s: -s,
}
# Losses that suit each kind of discriminator, the default first.
LOSSES_OF = {"probability": ("saturating", "non-saturating"), "critic": ("critic",)}


def checked_loss(prior: Prior, prior_loss: str | None, weight: str = "prior_weight") -> str:
    """Loss for the prior's discriminator: the one asked for, or the default.

    Parameters
    ----------
    prior : Prior
        Supplies D.
    prior_loss : str or None
        One of ``PRIOR_LOSSES``; None for the first that suits D.
    weight : str
        Argument that asks for a discriminator, for the message.

    Raises
    ------
    ValueError
        If the prior has no discriminator, or one that the loss does not suit.
    """
    output = prior.discriminator_output
    if output is None:
        names = [name for name in prior_names() if "discriminator_output" in _card(name)]
        raise ValueError(
            f"{weight} above 0 needs a discriminator, and this prior has none; set it to 0, or "
            f"use a prior with one: {', '.join(names) or 'none is installed'}"
        )
    suitable = LOSSES_OF[output]
    if prior_loss is None:
        return suitable[0]
    if prior_loss not in suitable:
        kind = "a critic" if output == "critic" else "probabilities"
        raise ValueError(
            f"prior_loss must be {' or '.join(suitable)} for a discriminator that gives {kind}, "
            f"got {prior_loss!r}"
        )
    return prior_loss


def detached_discriminator(prior: Prior, y: Tensor) -> Callable[[Tensor], Tensor]:
    """Raw output (N,) of images (N, C, H, W) in [0, 1], by a copy of D.

    No training mode, gradient or move of the user's own meets the copy; it has the device and the
    precision of ``y``.

    Raises
    ------
    ValueError
        If the prior has no discriminator.
    """
    if prior.discriminator is None:
        raise ValueError("prior has no discriminator; give one that has")
    own = copy.deepcopy(prior.discriminator).eval().requires_grad_(False)
    own = with_block_products(own.to(device=y.device, dtype=y.dtype))
    return lambda x: own(prior.from_unit(x))


def _card(name: str) -> dict[str, Any]:
    return read_card(find_prior(name))
