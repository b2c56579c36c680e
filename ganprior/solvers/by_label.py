"""Measurements without a label, and a conditional prior: the label is searched, too.

Every label's own prior is solved, and of each signal the best solution is kept: the one of least
objective, which where the objective is -log p(y | label) has the greatest p(label) p(y | label).
The label of a mixture (MIX+GAN) is the generator, and p(label) its weight; other labels are equally
likely.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor, nn

from ganprior.priors import Prior
from ganprior.priors.check_prior import check_prior
from ganprior.progress import Wish, with_progress
from ganprior.solution import Reconstructor, Solution
from ganprior.solvers.map_estimate import MAP
from ganprior.streams import Streams

# Fields whose first axis is that of draws, and the signals' the second.
_DRAWN = ("samples", "latents")
# Of these the labels' have no common length, or they are not of one signal.
_NOT_OF_SIGNALS = ("trace", "bank_seconds", "settings", "status")


class ByLabel(Reconstructor):
    """The best of the solutions of all labels of a conditional prior.

    Parameters
    ----------
    prior : Prior
        A conditional prior, or one of a mixture.
    make : callable
        Makes the solver of one label from ``prior.given(label)``: a class such as
        :class:`~ganprior.solvers.csgm.CSGM`, or what fits a density first.

    Attributes
    ----------
    solvers : nn.ModuleList
        Solver of each label.

    Raises
    ------
    ValueError
        If ``prior`` is no ``Prior``, or has no labels.

    Examples
    --------
    >>> from ganprior import CSGM, ByLabel, Gaussian, Prior
    >>> prior = Prior.load("cdcgan-mnist")
    >>> three = prior.given(3)
    >>> physics = Gaussian(300, prior.image_shape, 0)
    >>> y = physics(three.sample(1, 0))
    >>> def quick(one):
    ...     return CSGM(one, effort="fast", restarts=1, steps=5, setup=None)
    >>> solution = ByLabel(prior, quick).solve(y, physics)
    >>> solution.settings["label"]
    tensor([3])
    """

    def __init__(self, prior: Prior, make: Callable[[Prior], Reconstructor]) -> None:
        super().__init__()
        check_prior(prior)
        if not prior.classes:
            raise ValueError("prior has no labels to choose from; give it to the solver itself")
        self.prior = prior
        self.solvers = nn.ModuleList(make(prior.given(label)) for label in range(prior.classes))

    @with_progress
    def solve(
        self, y: Tensor, physics: Any, *, rng: Streams | int = 0, progress: Wish = False
    ) -> Solution:
        """Reconstruct by every label; arguments and errors are those of the labels' solvers.

        Returns
        -------
        Solution
            Of the best label of each signal, which ``settings["label"]`` says, int64 (B,). An
            ``objective`` that is -log p(y) is here -log p(y, label).
        """
        found = [solver.solve(y, physics, rng=rng) for solver in self._each()]
        objective = torch.stack([solution.objective for solution in found])
        if all(isinstance(solver, MAP) for solver in self.solvers):
            objective = objective - self._log_weights().to(objective)[:, None]
        label = objective.nan_to_num(nan=math.inf).argmin(0)
        best = _chosen(found, label)
        return replace(best, objective=_of_label(list(objective), label))

    def _each(self) -> Sequence[Reconstructor]:
        return [solver for solver in self.solvers if isinstance(solver, Reconstructor)]

    def _log_weights(self) -> Tensor:
        """log p(label), (classes,)."""
        weights = self.prior.component_weights
        count = self.prior.classes
        return torch.full((count,), -math.log(count)) if weights is None else weights.log()


def _of_label(values: Sequence[Tensor], label: Tensor, axis: int = 0) -> Tensor:
    """Entry of each signal, along an axis, from the tensor of its label."""
    stacked = torch.stack([value.movedim(axis, 0) for value in values])
    signals = torch.arange(len(label), device=label.device)
    return stacked[label, signals].movedim(0, axis)


def _setting(values: Sequence[Any], label: Tensor) -> Any:
    """A number or word that all labels share; else a tensor with that of each signal."""
    if not any(isinstance(value, Tensor) for value in values) and len(set(values)) == 1:
        return values[0]
    parts = [torch.as_tensor(value, device=label.device).expand(len(label)) for value in values]
    return _of_label(parts, label)


def _chosen(found: Sequence[Solution], label: Tensor) -> Solution:
    """Solution whose signals are those of their labels."""
    first = found[0]
    parts: dict[str, Any] = {}
    for name in (each.name for each in fields(first) if each.name not in _NOT_OF_SIGNALS):
        values = [getattr(solution, name) for solution in found]
        if not any(value is None for value in values):
            parts[name] = _of_label(values, label, 1 if name in _DRAWN else 0)
    settings = {
        name: _setting([solution.settings[name] for solution in found], label)
        for name in first.settings
    }
    return replace(
        first,
        **parts,
        trace=None,
        bank_seconds=sum(solution.bank_seconds for solution in found),
        status=tuple(found[own].status[i] for i, own in enumerate(label.tolist())),
        settings={**settings, "label": label},
    )
