"""R-hat of chains against numbers that are known."""

import torch

from ganprior.solvers.mixing import rank_normalised_split_rhat
from tests.cases import rng


def normal(chains=4, count=1000):
    return torch.randn(chains, count, 3, generator=rng(1), dtype=torch.float64)


def test_chains_of_one_law_agree():
    assert (rank_normalised_split_rhat(normal()) < 1.01).all()


def test_a_chain_elsewhere_or_wider_is_seen_and_only_in_its_number():
    draws = normal()
    draws[0, :, 0] += 2
    draws[0, :, 1] *= 5
    found = rank_normalised_split_rhat(draws)
    assert found[0] > 1.2
    assert found[1] > 1.1
    assert found[2] < 1.01


def test_a_chain_that_drifts_is_seen():
    draws = normal()
    draws[:, 500:] += 2
    assert (rank_normalised_split_rhat(draws) > 1.2).all()


def test_heavy_tails_are_no_disagreement():
    assert (rank_normalised_split_rhat((5 * normal()).sinh()) < 1.01).all()


def test_numbers_that_never_vary_agree_and_chains_that_stand_apart_do_not():
    assert rank_normalised_split_rhat(torch.ones(4, 8, 1)).item() < 1.01
    apart = torch.arange(4.0)[:, None, None].expand(4, 8, 1)
    assert rank_normalised_split_rhat(apart).item() == torch.inf
