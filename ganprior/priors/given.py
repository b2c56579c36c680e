"""The prior of one class of a conditional prior."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from ganprior.priors.architectures.architecture import check_label
from ganprior.priors.architectures.conditional import discriminator_given, generator_given

if TYPE_CHECKING:
    from ganprior.priors.prior import Prior


def prior_given(prior: Prior, label: int) -> Prior:
    """Make the prior of one class; see :meth:`~ganprior.priors.prior.Prior.given`."""
    from ganprior.priors.prior import Prior

    check_label(label, prior.classes)
    card = copy.deepcopy(prior.card)
    if "architecture" in card:
        card["architecture"]["label"] = label
    # Figures of all classes together are not those of one; a name stands for all of them.
    for key in ("quality", "alias"):
        card.pop(key, None)
    own = prior.discriminator
    one = Prior(
        generator_given(prior.generator, label),
        prior.latent,
        prior.image_shape,
        image_range=prior.image_range,
        discriminator=None if own is None else discriminator_given(own, label),
        encoder=copy.deepcopy(prior.encoder),
        classes=0,
        card=card,
    )
    return one.train(prior.training)
