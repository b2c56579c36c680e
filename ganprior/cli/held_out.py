"""Which images of a data set a prior is measured against: those that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganprior.priors import trained_images

if TYPE_CHECKING:
    from ganprior.datasets import Images


@dataclass(frozen=True)
class Splits:
    """Real images by what the prior knows of them.

    Attributes
    ----------
    held_out : Images
        Those that it was not trained on.
    training : Images or None
        Those that it was trained on, where they are known.
    tuning : Images or None
        Of its own data those that neither it nor its density was fitted to, where there is a test
        split the last of the training split: on these priors are chosen, so that test images
        choose nothing.
    """

    held_out: Images
    training: Images | None
    tuning: Images | None = None


def split(
    first: Images,
    test: Images,
    card: dict[str, Any],
    holdout: int | None,
    seed: int,
    source: str,
) -> Splits:
    """Tell held-out from training images.

    Parameters
    ----------
    first, test : Images
        What the splits ``train`` and ``test`` of the source give: the same where it has none.
    card : dict
        Card of the prior: ``data_sha256``, and ``recipe``, whose first ``images`` were trained on.
    holdout : int or None
        Value of ``--holdout``.
    seed : int
        Seed of :func:`hold_out`.
    source : str
        Value of ``--data``, for the errors.

    Raises
    ------
    ValueError
        If there is no image that the prior was not trained on, or not as many as ``holdout``, or
        if ``holdout`` is given for a source that has a test split.
    """
    trained = min(trained_images(card) or len(first), len(first))
    if first.sha256 != test.sha256:
        if holdout is not None:
            raise ValueError(f"{source} has a test split, which is held out; drop --holdout")
        own = first.sha256 == card.get("data_sha256")
        return Splits(test, first.head(trained), _tuning(first, card, trained) if own else None)
    if first.sha256 != card.get("data_sha256"):
        # Images of their own, of whose relation to the training nothing is known.
        return Splits(test, None) if holdout is None else hold_out(first, holdout, 0, seed)
    if trained == len(first):
        raise ValueError(
            f"the prior was trained on all images of {source}; give data with a test split, or "
            "other images"
        )
    if holdout is not None:
        return hold_out(first, holdout, trained, seed)
    return Splits(first.select(trained), first.head(trained), _tuning(first, card, trained))


def hold_out(images: Images, count: int, trained: int, seed: int) -> Splits:
    """Draw images to hold out from those after the first ``trained``.

    Parameters
    ----------
    images : Images
        All images.
    count : int
        How many are held out.
    trained : int
        How many were trained on; 0 where nothing is known of it, and then all others count as
        training images.
    seed : int
        Seed of the draw.

    Raises
    ------
    ValueError
        If there are not so many.
    """
    import torch

    from ganprior.streams import derive_seed

    most = len(images) - max(trained, 1)
    if count > most:
        raise ValueError(
            f"--holdout {count}: at most {most} can be held out of {len(images)} images, "
            f"{trained} of which were trained on"
        )
    rng = torch.Generator().manual_seed(derive_seed(seed, "holdout"))
    drawn = trained + torch.randperm(len(images) - trained, generator=rng)[:count]
    is_held_out = torch.zeros(len(images), dtype=torch.bool)
    is_held_out[drawn] = True
    is_training = ~is_held_out
    is_training[trained or len(images) :] = False
    return Splits(images.pick(is_held_out), images.pick(is_training))


def _tuning(first: Images, card: dict[str, Any], trained: int) -> Images | None:
    """Images behind those of training and of the density; None where there are none."""
    density = card.get("density") or {}
    fitted = max(trained, int(density.get("first_image", 0)) + int(density.get("images", 0)))
    return first.select(fitted) if fitted < len(first) else None
