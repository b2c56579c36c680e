"""The monitor that a run from the command line has: the figures of ``ganprior evaluate``."""

from __future__ import annotations

from ganprior.datasets import Images
from ganprior.training.monitors import Monitor, Snapshot
from ganprior.training.recipes import Recipe


def quality_monitor(images: Images, recipe: Recipe) -> Monitor:
    """Monitor of quality in the features that are nearest to a data set.

    They are chosen when the first figures are due: a classifier may have to be trained for them.

    Parameters
    ----------
    images : Images
        The images of the run, those that train and those that validate.
    recipe : Recipe
        The run.
    """
    monitor: Monitor | None = None

    def measure(run: Snapshot) -> dict[str, float]:
        nonlocal monitor
        if monitor is None:
            monitor = _choose(images, recipe)
        return monitor(run)

    return measure


def _choose(images: Images, recipe: Recipe) -> Monitor:
    # Both bring solvers and metrics along, which a short run does not need.
    from ganprior.training.features import choose_features
    from ganprior.training.monitors.quality import Quality

    features = choose_features(images.sha256, images.shape, images.head(recipe.images))
    return Quality(None if features is None else features.extractor)
