"""Quality of a prior in the middle of its training: the figures of ``ganprior evaluate``, small."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from ganprior.evaluation.evaluate import compare_features, draw_samples
from ganprior.evaluation.representation import representation_error
from ganprior.metrics import FeatureExtractor, diversity, extract_features
from ganprior.priors import Prior
from ganprior.solvers import FAST, Effort


class Snapshot(Protocol):
    """What is measured of a run: see :class:`ganprior.training.monitors.monitor.Snapshot`."""

    @property
    def prior(self) -> Prior:
        """The prior as it would ship."""

    @property
    def real(self) -> Tensor:
        """Validation images in [0, 1], (N, C, H, W)."""

    @property
    def rng(self) -> torch.Generator:
        """Generator for latents."""


class Quality:
    """Monitor of Fréchet distance, precision, recall, diversity and representation error.

    Parameters
    ----------
    extractor : callable, optional
        Features that the first three are measured in; without one they are left out.
    count : int
        Images of either kind that features are taken of, as far as there are so many. The
        Fréchet distance of few images is too large; it compares with others of the same count.
    fitted : int
        Validation images that CSGM fits; 0 for none.
    effort : Effort
        Of each fit.
    """

    def __init__(
        self,
        extractor: FeatureExtractor | None = None,
        *,
        count: int = 1000,
        fitted: int = 16,
        effort: Effort = FAST,
    ) -> None:
        self.extractor = extractor
        self.count = count
        self.fitted = fitted
        self.effort = effort
        self._real: tuple[Tensor, Tensor] | None = None

    def __call__(self, run: Snapshot) -> dict[str, float]:
        """Columns ``frechet_distance``, ``precision``, ``recall``, ``diversity`` and more.

        ``real_diversity``, the same of the validation images, is what ``diversity`` is held
        against; ``representation_error`` is the mean per-pixel error of fitted images.
        """
        real = run.real[: self.count]
        samples = draw_samples(run.prior, len(real), run.rng, self.extractor)
        row: dict[str, float] = {}
        if samples.features is not None:
            row |= compare_features(self._features(run.real), samples.features)
        row["diversity"] = diversity(samples.first)
        row["real_diversity"] = diversity(real[: len(samples.first)])
        if self.fitted and (not run.prior.classes or run.prior.component_weights is not None):
            errors = representation_error(run.prior, real[: self.fitted], effort=self.effort)
            row["representation_error"] = float(errors.mean())
        return row

    def _features(self, real: Tensor) -> Tensor:
        """Features of the real images, taken once: they are the same at every snapshot."""
        assert self.extractor is not None
        if self._real is None or self._real[0] is not real:
            self._real = real, extract_features(self.extractor, real[: self.count])
        return self._real[1]
