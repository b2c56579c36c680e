"""Every registered solver and baseline as a factory, with measurements that suit it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganprior import CSGM, FAST, MAP, ByLabel, DiscriminatorCSGM, Posterior, SemanticInpainting
from ganprior.baselines import (
    LMMSE,
    Biharmonic,
    ContextEncoder,
    GaussianMixture,
    LassoDCT,
    LassoPixel,
    LassoWavelet,
    LowRank,
    NearestPatch,
    TotalVariation,
)
from ganprior.physics import Gaussian, inpainting, masks
from ganprior.priors.architectures import ContextEncoder as Network
from ganprior.priors.architectures import initialise
from ganprior.registry import Entry, entries
from ganprior.solution import Reconstructor
from ganprior.solvers import EFFORTS_L1, FAST_L1, FromBank, LatentSolver, Polish, solver
from tests.cases import rng, tiny_dcgan
from tests.cases_baselines import tiny_law
from tests.cases_conditional import conditional_mlp
from tests.cases_density import dense_dcgan

SHAPE = (1, 8, 8)
COUNT = 3
# The engine's own efforts, short.
_QUICK = FAST.replace(steps=12).change(FromBank, entries=60).change(Polish, steps=6)
_QUICK_L1 = FAST_L1.replace(steps=12).change(FromBank, entries=60).change(Polish, steps=6)


def _dense() -> Any:
    return Gaussian(40, SHAPE)


def _hole() -> Any:
    return inpainting(masks.center(SHAPE, 0.2), SHAPE)


def _context_encoder() -> ContextEncoder:
    network = Network((1, 16, 16), 4, 8)
    initialise(network, rng(), 0.2)
    return ContextEncoder(network)


def shortened(solver: Reconstructor) -> Reconstructor:
    """The same with the engine's work cut down, where it goes through the engine."""
    for part in solver.modules():
        if isinstance(part, LatentSolver):
            part.effort = _QUICK_L1 if part.efforts is EFFORTS_L1 else _QUICK
    return solver


@dataclass(frozen=True)
class Case:
    """A solver, and a physics that it takes."""

    solver: Callable[[], Reconstructor]
    physics: Callable[[], Any]
    shape: tuple[int, int, int] = SHAPE

    def images(self, count: int = COUNT, dtype: torch.dtype = torch.float32) -> Tensor:
        """Images in [0, 1]."""
        return torch.rand(count, *self.shape, generator=rng(4), dtype=torch.float64).to(dtype)

    def problem(self) -> tuple[Reconstructor, Tensor, Any]:
        """Solver, y and physics."""
        physics = self.physics()
        return self.solver(), physics.A(self.images()), physics


CASES: dict[str, Case] = {
    "map": Case(lambda: MAP(dense_dcgan(), 0.01, steps=12), _dense),
    "posterior": Case(
        lambda: Posterior(dense_dcgan(), 0.01, method="sampling", particles=16, draws=8), _dense
    ),
    "posterior, laplace": Case(
        lambda: Posterior(dense_dcgan(), 0.01, method="laplace", particles=16, draws=8), _dense
    ),
    "csgm": Case(lambda: CSGM(tiny_dcgan(), effort=_QUICK), _dense),
    "csgm, mask": Case(lambda: CSGM(tiny_dcgan(), effort=_QUICK), _hole),
    "csgm, any label": Case(
        lambda: ByLabel(conditional_mlp(), lambda one: CSGM(one, effort=_QUICK)),
        lambda: Gaussian(20, (1, 6, 6)),
        (1, 6, 6),
    ),
    "csgm + D": Case(lambda: DiscriminatorCSGM(tiny_dcgan(), 0.1, effort=_QUICK), _dense),
    "semantic": Case(lambda: SemanticInpainting(tiny_dcgan(), effort=_QUICK_L1), _hole),
    "lasso-dct": Case(lambda: LassoDCT(max_steps=200), _dense),
    "lasso-wavelet": Case(lambda: LassoWavelet(max_steps=200), _dense),
    "lasso-pixel": Case(lambda: LassoPixel(max_steps=200), _dense),
    "lasso-dct, mask": Case(lambda: LassoDCT(max_steps=200), _hole),
    "tv": Case(lambda: TotalVariation(max_steps=200), _hole),
    "tv, weight": Case(lambda: TotalVariation(0.01, max_steps=200), _dense),
    "tv, dense": Case(lambda: TotalVariation(max_steps=200), _dense),
    "lasso-dct, box": Case(lambda: LassoDCT(box=True, max_steps=200), _dense),
    "lasso-dct, frequency": Case(lambda: LassoDCT(weights="frequency", max_steps=200), _dense),
    "lmmse": Case(lambda: LMMSE(tiny_law(), 0.01), _dense),
    "gaussian-mixture": Case(lambda: GaussianMixture(tiny_law(), 0.01), _dense),
    "gaussian-mixture, mask": Case(lambda: GaussianMixture(tiny_law(), 0.01), _hole),
    "low-rank": Case(LowRank, _hole),
    "low-rank, tau": Case(lambda: LowRank(5.0), _hole),
    "nearest-patch": Case(lambda: NearestPatch(torch.rand(9, *SHAPE, generator=rng())), _hole),
    "biharmonic": Case(Biharmonic, _hole),
    "context-encoder": Case(
        _context_encoder,
        lambda: inpainting(masks.center((1, 16, 16), 0.2), (1, 16, 16)),
        (1, 16, 16),
    ),
}


def _as_registered(entry: Entry) -> Case:
    """Case of a name that has none above: the method by its name alone, with a tiny prior."""
    return Case(
        lambda: shortened(solver(entry.example, dense_dcgan())),
        _hole if entry.needs == "mask" else _dense,
    )


CASES.update(
    {name: _as_registered(entry) for name, entry in entries("solver").items() if name not in CASES}
)
