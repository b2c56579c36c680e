"""The solver that chooses: estimates of several models, weighted by how well each explains y.

    x^ = sum over M of p(M | y) E[x | y, M],    p(M | y) in proportion to p(y | M)

with the generator's density and the Gaussian mixture of the same data as models M, equally likely
beforehand: Bayesian model averaging (J. Hoeting, D. Madigan, A. Raftery, C. Volinsky, "Bayesian
model averaging: a tutorial", Statistical Science 14(4), 1999, equation (1)). Total variation has
no p(y): a tenth of the measurements is held back, and it takes an image over where it predicts
them better than the average does.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganprior.baselines.gaussian_mixture import GaussianMixture
from ganprior.baselines.inputs import checked_measurements, linear_facts, split_finite
from ganprior.baselines.measured_rows import measured_rows
from ganprior.baselines.outcome import Outcome
from ganprior.baselines.total_variation import TotalVariation
from ganprior.numbers import check_noise_std
from ganprior.physics import Dense
from ganprior.priors import Prior
from ganprior.priors.check_prior import check_prior
from ganprior.progress import Wish, with_progress
from ganprior.registry import register
from ganprior.solution import Reconstructor, Solution, squared_norm, without_autocast
from ganprior.solvers.map_estimate import MAP
from ganprior.solvers.misfit import unlike_statuses
from ganprior.streams import Streams, as_generator, derive_seed

# One measurement in so many is held back, and none of fewer than so many: a few say too little.
HELD_BACK, LEAST = 10, 100


@register(
    "solver",
    "auto",
    "average of map and gaussian-mixture by evidence, or tv where it predicts y better",
    needs="linear",
)
class Auto(Reconstructor):
    """Average of models by evidence, and total variation where it predicts better.

    Parameters
    ----------
    prior : Prior
        With a density, or of data for which a Gaussian mixture is shipped; or both.
    noise_std : float, optional
        Standard deviation of each entry of y. When absent: ``physics.noise_model.sigma`` where
        there is one, else 0.

    Raises
    ------
    ValueError
        If ``prior`` is no ``Prior`` or has neither, or ``noise_std`` is negative or not finite.

    Examples
    --------
    >>> from ganprior import Auto, Gaussian, Prior
    >>> prior = Prior.load("mnist-k64-vae")
    >>> physics = Gaussian(50, prior.image_shape, 0)
    >>> solution = Auto(prior, noise_std=0.01).solve(physics(prior.sample(1, 0)), physics)
    >>> sorted(solution.settings)
    ['gaussian-mixture', 'map', 'tv']
    """

    def __init__(self, prior: Prior, noise_std: float | None = None) -> None:
        super().__init__()
        check_prior(prior)
        check_noise_std(noise_std)
        self.models: dict[str, Reconstructor] = {}
        if prior.density is not None:
            self.models["map"] = MAP(prior, noise_std)
        try:
            data = prior.card.get("data_sha256")
            self.models["gaussian-mixture"] = GaussianMixture.shipped_for(data, noise_std)
        except ValueError as error:
            if not self.models:
                raise ValueError(
                    "the prior has no density and no Gaussian mixture is shipped for its data; fit "
                    "a density with 'ganprior fit-density', or take CSGM, which needs none"
                ) from error
        self.prior = prior
        self.noise_std = noise_std

    @with_progress
    @without_autocast
    @torch.no_grad()
    def solve(
        self, y: Tensor, physics: Any, *, rng: Streams | int = 0, progress: Wish = False
    ) -> Solution:
        """Reconstruct and report; see :class:`~ganprior.solution.Solution`.

        Parameters
        ----------
        y : Tensor
            Measurements of B signals, first axis B; real or complex.
        physics : object
            Linear, with ``A`` and ``A_adjoint``, as in deepinv: as for MAP. Above 4,096
            measurements none is held back, and total variation takes no image over.
        rng : Streams or int
            Says which measurements are held back.
        progress : bool or callable
            True for a bar of the steps, on a terminal and in notebooks; or a function that is told
            the number of steps done and the number there are at most.

        Returns
        -------
        Solution
            ``objective`` is -log p(y) under the average of the models. ``settings`` holds the
            share of each model, ``tv`` among them, (B,). ``p_value`` is that of ``map``.

        Raises
        ------
        ValueError
            If y is not a tensor, the physics is not linear, has no adjoint, does not fit y or the
            prior, or MAP does not take it.
        """
        measured, finite = split_finite(checked_measurements(y, physics))
        found = {name: model.solve(measured, physics) for name, model in self.models.items()}
        x, objective, shares = self._average(found)
        shares["tv"] = self._variation_predicts_better(measured, physics, Streams.of(rng)).to(x)
        chosen = shares["tv"] == 1
        if chosen.any():
            variation = TotalVariation(noise_std=self.noise_std).solve(measured, physics)
            x = torch.where(chosen.reshape(-1, 1, 1, 1), variation.x.to(x), x)
        for name in self.models:
            shares[name] = torch.where(chosen, torch.zeros_like(shares[name]), shares[name])
        ones = torch.ones_like(finite)
        solution = Outcome(x, objective, ones, ones.long(), shares).solution(y, physics, finite)
        p = found["map"].p_value if "map" in found else None
        p = None if p is None else torch.where(finite, p, torch.nan)
        return replace(solution, p_value=p, status=unlike_statuses(solution.status, p))

    def _average(self, found: dict[str, Solution]) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Average image, -log p(y), and the share of each model, (B,)."""
        evidence = torch.stack([-solution.objective.double() for solution in found.values()])
        shares = evidence.nan_to_num(nan=-math.inf).softmax(0)
        images = torch.stack([solution.x for solution in found.values()])
        x = (shares[..., None, None, None].to(images) * images).sum(0)
        objective = math.log(len(found)) - evidence.logsumexp(0)
        return x, objective.to(x), {n: s.to(x) for n, s in zip(found, shares, strict=True)}

    def _variation_predicts_better(self, y: Tensor, physics: Any, rng: Streams) -> Tensor:
        """Whether total variation predicts the measurements that were held back better, (B,)."""
        better = torch.zeros(len(y), dtype=torch.bool, device=y.device)
        known, image = linear_facts(y, physics)
        rows = measured_rows(physics, known, y, image)
        if rows is None or not rows.shared or rows.y.shape[1] < LEAST:
            return better
        generator = as_generator(derive_seed(rng.seed, "held back"))
        matrix = rows.matrices[0].to(image)
        order = torch.randperm(len(matrix), generator=generator).to(y.device)
        held, rest = order[: len(order) // HELD_BACK], order[len(order) // HELD_BACK :]
        part = Dense(matrix[rest], image.shape[1:])
        for level in known.noise_std(self.noise_std).unique().tolist():
            own = (known.noise_std(self.noise_std) == level).nonzero()[:, 0].to(y.device)
            seen = rows.y[own][:, rest]
            variation = TotalVariation(noise_std=level)(seen, part)
            models = Auto(self.prior, level).models
            average = self._average({n: model.solve(seen, part) for n, model in models.items()})[0]
            left = [
                squared_norm(rows.y[own][:, held] - x.clamp(0, 1).flatten(1) @ matrix[held].T)
                for x in (variation, average)
            ]
            better[own] = left[0] < left[1]
        return better
