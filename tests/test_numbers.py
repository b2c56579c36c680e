"""Numbers that a user gives in Python."""

import numpy as np
import pytest
import torch

from ganprior import CSGM, MAP, Auto, LassoPixel, Posterior, SemanticInpainting, TotalVariation
from ganprior.baselines import LowRank
from ganprior.numbers import MOST, check_count, check_noise_std, check_number
from tests.cases import tiny_dcgan
from tests.cases_density import dense_dcgan

NO_COUNTS = ["3", 2.5, 2.0, True, float("nan"), [3], torch.ones(2), None, 0, -1, 10**30]
NO_NUMBERS = ["0.1", "a", True, float("nan"), float("inf"), [1], torch.ones(2), 1j, 10**400, -1]
# What takes a count, and what takes a number that is not below 0.
COUNTS = {
    "csgm restarts": lambda value: CSGM(tiny_dcgan(), restarts=value),
    "csgm steps": lambda value: CSGM(tiny_dcgan(), steps=value),
    "semantic restarts": lambda value: SemanticInpainting(tiny_dcgan(), restarts=value),
    "map components": lambda value: MAP(dense_dcgan(), components=value),
    "map steps": lambda value: MAP(dense_dcgan(), steps=value),
    "posterior particles": lambda value: Posterior(dense_dcgan(), particles=value),
    "posterior draws": lambda value: Posterior(dense_dcgan(), draws=value),
    "posterior moves": lambda value: Posterior(dense_dcgan(), moves=value),
    "lasso max_steps": lambda value: LassoPixel(max_steps=value),
    "tv max_steps": lambda value: TotalVariation(max_steps=value),
    "low rank max_steps": lambda value: LowRank(max_steps=value),
}
NUMBERS = {
    "csgm latent_weight": lambda value: CSGM(tiny_dcgan(), value),
    "csgm noise_std": lambda value: CSGM(tiny_dcgan(), noise_std=value),
    "semantic screening": lambda value: SemanticInpainting(tiny_dcgan(), screening=value),
    "map noise_std": lambda value: MAP(dense_dcgan(), value),
    "auto noise_std": lambda value: Auto(dense_dcgan(), value),
    "lasso alpha": lambda value: LassoPixel(value),
    "lasso noise_std": lambda value: LassoPixel(noise_std=value),
    "tv weight": lambda value: TotalVariation(value),
    "low rank tau": lambda value: LowRank(value),
}


def refused(call, *args, **options) -> str:
    with pytest.raises(ValueError, match=" must be ") as caught:
        call(*args, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("value", NO_COUNTS, ids=str)
def test_what_is_no_count(value):
    assert refused(check_count, "steps", value).startswith("steps must be ")


@pytest.mark.parametrize("value", [1, MOST, np.int64(3), torch.tensor(3)], ids=str)
def test_what_is_a_count(value):
    check_count("steps", value)


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: str(value)[:9])
def test_what_is_no_number(value):
    said = refused(check_number, "alpha", value, least=0, remedy="leave it out")
    assert said.startswith("alpha must be a finite number of at least 0, got ")
    assert said.endswith("; leave it out")
    refused(check_noise_std, value)


@pytest.mark.parametrize("value", [0, 0.1, np.float32(0.1), torch.tensor(0.1)], ids=str)
def test_what_is_a_number(value):
    check_number("alpha", value, least=0)
    check_noise_std(value)


def test_the_ends_of_a_range():
    assert refused(check_number, "tau", 0, above=0) == "tau must be a finite number above 0, got 0"
    assert (
        refused(check_count, "draws", 1, 2) == "draws must be a whole number of at least 2, got 1"
    )
    assert refused(check_count, "draws", 6, 2, 5) == "draws must be at most 5, got 6"


@pytest.mark.parametrize("name", COUNTS)
def test_counts_of_solvers(name):
    for value in ("3", 2.5, float("nan"), 0, 2**31):
        assert refused(COUNTS[name], value).startswith(name.split()[-1])


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_solvers(name):
    for value in ("0.1", float("nan"), float("inf"), -1, [1]):
        assert name.split()[-1] in refused(NUMBERS[name], value)
