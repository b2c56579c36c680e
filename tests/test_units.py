"""Units of y: with A, y and noise_std times any number every method finds the same image."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch

from ganprior import baselines
from ganprior.priors import Prior
from ganprior.priors.architectures import ContextEncoder as Network
from ganprior.registry import entries
from ganprior.solution import Reconstructor
from ganprior.solvers import (
    CSGM,
    LBFGS,
    REFERENCE,
    Descend,
    DiscriminatorCSGM,
    Effort,
    FromBank,
    Polish,
    SemanticInpainting,
    solver,
)
from tests.cases import Dense, Mask, gaussian, rng
from tests.cases_baselines import tiny_law
from tests.cases_density import dense_dcgan
from tests.cases_solvers import shortened

SHAPE = (1, 8, 8)
SCALES = (1e-3, 0.37, 28.0, 1e3)
NOISE = 0.05
QUICK = Effort(FromBank(100, nearest=2), Descend(LBFGS(), 10), Polish(3))
QUICK_L1 = Effort(FromBank(100, nearest=2, tried=4), Descend(LBFGS(), 10), Polish(3))
PAPERS = REFERENCE.replace(restarts=2, steps=10)


def prior() -> Prior:
    return dense_dcgan().double()


def images() -> torch.Tensor:
    return prior().sample(3, rng(5)).double() * 0.9


def context_encoder() -> Reconstructor:
    return baselines.ContextEncoder(Network(SHAPE, 8, 4))


# Registered names, and further ways of each; a weight that is given is one beside ||y - A x||^2.
LINEAR: dict[str, Callable[[float], Reconstructor]] = {
    "csgm": lambda c: CSGM(prior(), noise_std=NOISE * c, effort=QUICK),
    "csgm, given lambda": lambda c: CSGM(prior(), 0.1 * c**2, effort=QUICK),
    "csgm, reference": lambda c: CSGM(prior(), noise_std=NOISE * c, effort=PAPERS),
    "csgm + discriminator": lambda c: DiscriminatorCSGM(
        prior(), 0.3, noise_std=NOISE * c, effort=QUICK
    ),
    "lasso-dct": lambda c: baselines.LassoDCT(noise_std=NOISE * c),
    "lasso-wavelet": lambda c: baselines.LassoWavelet(noise_std=NOISE * c),
    "lasso-pixel": lambda c: baselines.LassoPixel(noise_std=NOISE * c),
    "lasso-dct:box=true": lambda c: baselines.LassoDCT(noise_std=NOISE * c, box=True),
    "lasso-dct:weights=frequency": lambda c: baselines.LassoDCT(
        noise_std=NOISE * c, weights="frequency"
    ),
    "tv": lambda c: baselines.TotalVariation(noise_std=NOISE * c),
    "tv, given weight": lambda c: baselines.TotalVariation(0.05 * c**2),
    "lmmse": lambda c: baselines.LMMSE(tiny_law(), NOISE * c),
    "gaussian-mixture": lambda c: baselines.GaussianMixture(tiny_law(), NOISE * c),
}
MASKED: dict[str, Callable[[], Reconstructor]] = {
    "semantic": lambda: SemanticInpainting(prior(), effort=QUICK_L1),
    "semantic-raw": lambda: SemanticInpainting(prior(), blend=False, effort=QUICK_L1),
    "tv": baselines.TotalVariation,
    "low-rank": baselines.LowRank,
    "nearest-patch": lambda: baselines.NearestPatch(torch.rand(9, *SHAPE, generator=rng(3))),
    "biharmonic": baselines.Biharmonic,
    "context-encoder": context_encoder,
}


# Their objective is -log p(y), a density in the units of y.
EVIDENCE = ("lmmse", "gaussian-mixture", "map", "posterior", "auto")


def as_registered(name: str) -> Callable[[float], Reconstructor]:
    """A method that is registered and has no line above, by its name alone."""
    return lambda c: shortened(solver(name, prior(), NOISE * c))


for entry in entries("solver").values():
    if entry.name not in {*LINEAR, *MASKED}:
        if entry.needs == "mask":
            MASKED[entry.name] = partial(as_registered(entry.name), 1)
        else:
            LINEAR[entry.name] = as_registered(entry.name)


def masks() -> torch.Tensor:
    return (torch.rand(3, 1, 8, 8, generator=rng(4)) > 0.4).double()


PHYSICS: dict[str, Callable[[float], Any]] = {
    "matrix": lambda c: Dense(c * gaussian(12, SHAPE, dtype=torch.float64).matrix, SHAPE),
    "mask per image": lambda c: Mask(c * masks()),
}


def counts(kind: str) -> torch.Tensor:
    """Measurements of each signal."""
    return (
        masks().flatten(1).sum(1) if kind == "mask per image" else torch.full((3,), 12.0).double()
    )


@pytest.mark.parametrize("kind", PHYSICS)
@pytest.mark.parametrize("name", LINEAR)
def test_units_of_linear_measurements_change_no_image(name, kind):
    x = images()
    noise = NOISE * torch.randn(PHYSICS[kind](1.0).A(x).shape, generator=rng(1)).double()
    found = {}
    for c in (1.0, *SCALES):
        physics = PHYSICS[kind](c)
        found[c] = LINEAR[name](c).solve(physics.A(x) + c * noise, physics)
    for c in SCALES:
        torch.testing.assert_close(found[c].x, found[1].x, rtol=0, atol=1e-6)
        if name in EVIDENCE:
            m = found[c].objective - found[1].objective
            torch.testing.assert_close(m, math.log(c) * counts(kind), rtol=1e-5, atol=1e-5)
        else:
            expected = c**2 * found[1].objective
            torch.testing.assert_close(found[c].objective, expected, rtol=1e-5, atol=0)
        assert found[c].status == found[1].status


@pytest.mark.parametrize("name", MASKED)
def test_units_of_known_pixels_change_no_image(name):
    x, mask = images(), masks()
    method = MASKED[name]()
    plain = method.solve(mask * x, Mask(mask))
    for c in SCALES:
        found = method.solve(c * mask * x, Mask(c * mask))
        torch.testing.assert_close(found.x, plain.x, rtol=0, atol=1e-6)
        assert found.status == plain.status
    # An image may have a unit of its own.
    own = torch.tensor(SCALES[:3]).double().reshape(3, 1, 1, 1)
    found = method.solve(own * mask * x, Mask(own * mask))
    torch.testing.assert_close(found.x, plain.x, rtol=0, atol=1e-6)
