"""The monitor that a run from the command line has: the figures of ``ganprior evaluate``."""

from __future__ import annotations

from collections.abc import Callable

from ganprior.datasets import Images
from ganprior.evaluation.features import choose_features
from ganprior.evaluation.quality import Quality, Snapshot


def quality_monitor(images: Images, training: int) -> Callable[[Snapshot], dict[str, float]]:
    """Monitor of quality in the features that are nearest to a data set.

    They are chosen when the first figures are due: a classifier may have to be trained for them.

    Parameters
    ----------
    images : Images
        The images of the run, those that train and those that validate.
    training : int
        How many of them train: the first ones.
    """
    monitor: Quality | None = None

    def measure(run: Snapshot) -> dict[str, float]:
        nonlocal monitor
        if monitor is None:
            monitor = _choose(images, training)
        return monitor(run)

    return measure


def _choose(images: Images, training: int) -> Quality:
    features = choose_features(images.sha256, images.shape, images.head(training))
    return Quality(None if features is None else features.extractor)
