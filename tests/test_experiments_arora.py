"""What two samples of a law, and duplicates among draws, say of a generator."""

import math

import pytest
import torch
from scipy.stats import wasserstein_distance

from experiments.arora2017 import generalization
from experiments.arora2018 import birthday
from experiments.figures import load_figure
from ganprior import Prior
from tests.cases import rng


class TestDistancesOfSamples:
    def test_w1_on_a_line_is_that_of_scipy(self):
        a, b = torch.randn(2, 40, 1, generator=rng())
        expected = wasserstein_distance(a[:, 0].numpy(), b[:, 0].numpy())
        assert generalization.wasserstein(a, b) == pytest.approx(expected, rel=1e-5)

    def test_jensen_shannon_counts_the_points_in_common(self):
        a = torch.randn(4, 3, generator=rng())
        b = torch.randn(4, 3, generator=rng(1))
        assert generalization.jensen_shannon(a, b) == pytest.approx(math.log(2), rel=1e-6)
        assert generalization.jensen_shannon(a, a.flip(0)) == pytest.approx(0, abs=1e-7)
        half = torch.cat([a[:2], b[:2]])
        assert generalization.jensen_shannon(a, half) == pytest.approx(math.log(2) / 2, rel=1e-5)

    def test_networks_are_1_lipschitz_so_that_the_distance_is_below_w1(self):
        network = generalization.Network(5, rng())
        a, b = torch.randn(2, 200, 5, generator=rng(1))
        apart = (network(a) - network(b)).abs() / (a - b).norm(dim=1)
        assert 0 < apart.max() <= 1
        few = generalization.neural_net_distance(a[:20], b[:20], 60, 0)
        assert 0 < few <= generalization.wasserstein(a[:20], b[:20])

    def test_a_shift_is_seen_whole(self):
        """The mean of a 1-Lipschitz function moves by the length of a shift at most."""
        a = torch.randn(100, 2, generator=rng())
        found = generalization.neural_net_distance(a, a + torch.tensor([3.0, 4.0]), 300, 0)
        assert 4.5 < found <= 5 + 1e-5


def test_cards_say_how_many_images_a_prior_draws():
    found = load_figure("arora2018/birthday").committed()
    own = [row for row in found if row["method"] not in (birthday.PLANTED, birthday.REAL)]
    assert len(own) == 8
    for row in own:
        quality = Prior.load(row["method"]).card["quality"]
        assert quality["support_estimate"]["low"] == float(f"{float(row['low']):.4g}")
        assert quality["real_support_estimate"]["size"] is not None
