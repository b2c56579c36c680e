"""Latents of labelled groups, for arithmetic on them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ganprior.datasets import Images
from ganprior.evaluation.representation import fit_latents
from ganprior.priors import Prior
from ganprior.priors.arithmetic import join_label, joined_prior
from ganprior.streams import Streams


def groups_of_images(
    prior: Prior, images: Images, labels: Sequence[int], count: int, *, seed: int = 0
) -> list[Tensor]:
    """Latents of the first images of each label, (count, *latent shape) each.

    The encoder finds them where the prior has one, else CSGM from all pixels.

    Parameters
    ----------
    prior : Prior
        An unconditional prior.
    images : Images
        Labelled images of the prior's shape.
    labels : sequence of int
        Label of each group.
    count : int
        Images per group.
    seed : int
        Seed of CSGM's starts.

    Raises
    ------
    ValueError
        If the images have no labels or another shape, or a label has fewer images than ``count``.
    """
    if images.labels is None:
        raise ValueError("latents are grouped by label, and the images have none; give labelled")
    if images.shape != prior.image_shape:
        raise ValueError(
            f"the prior's images have shape {prior.image_shape}, the data {images.shape}; give "
            "images of the prior's shape"
        )
    # A label that stands twice in the sum is one group.
    places = {label: _places(images.labels, label, count) for label in labels}
    chosen = images.floats()[torch.cat(list(places.values()))]
    found = dict(zip(places, _latents(prior, chosen, seed).split(count), strict=True))
    return [found[label] for label in labels]


def groups_of_labels(
    prior: Prior, labels: Sequence[int], count: int, *, seed: int = 0
) -> tuple[Prior, list[Tensor]]:
    """Latents that a conditional prior draws for each label, with the label's code joined to them.

    Parameters
    ----------
    prior : Prior
        A conditional prior.
    labels : sequence of int
        Label of each group.
    count : int
        Latents per group.
    seed : int
        Seed of the latents.

    Returns
    -------
    Prior, list of Tensor
        The prior of the joined latents, and (count, k + classes) for each group.

    Raises
    ------
    ValueError
        If a label is out of range.
    """
    wrong = [label for label in labels if not 0 <= label < prior.classes]
    if wrong:
        raise ValueError(f"label must be one of 0 ... {prior.classes - 1}, got {wrong[0]}")
    streams = Streams(seed)
    groups = []
    for i, label in enumerate(labels):
        z = prior.latent.sample(count, streams.generator("groups", i))
        groups.append(join_label(z, label, prior.classes))
    return joined_prior(prior), groups


@torch.no_grad()
def _latents(prior: Prior, images: Tensor, seed: int) -> Tensor:
    if prior.encoder is None:
        return fit_latents(prior, images, seed=seed)
    z: Tensor = prior.encoder(prior.from_unit(images))
    return z


def _places(labels: Tensor, label: int, count: int) -> Tensor:
    places = (labels == label).nonzero().flatten()
    if len(places) < count:
        there = ", ".join(str(known) for known in labels.unique().tolist())
        raise ValueError(
            f"label {label} has {len(places)} images where {count} are asked for; the labels are "
            f"{there}"
        )
    return places[:count]
