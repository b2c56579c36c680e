"""Failures are named once, with advice; runs in good health are left alone."""

import math

import pytest
import torch

from ganprior.evaluation.quality import Quality
from ganprior.metrics import diversity, extract_features, frechet_distance, precision_recall
from ganprior.solvers import Adam, Descend, Effort, Polish, Random
from ganprior.training.monitors import Health, Snapshot
from tests.cases import linear_prior, rng, tiny_dcgan
from tests.cases_training import tiny_recipe


def healthy(objective: str = "non-saturating") -> Health:
    """A watch over a run that has gone well for a while, its gradients near 2."""
    health = Health(tiny_recipe(objective))
    for step, jitter in enumerate(torch.rand(300, generator=rng()).tolist()):
        assert health.check(step, 0.5 + jitter, 1.0, 1.5 + jitter, 1.5 + jitter) is None
    return health


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_named_once(place, value):
    health = healthy()
    names = "discriminator loss", "generator loss", "discriminator gradient", "generator gradient"
    values = [0.5, 1.0, 2.0, 2.0]
    values[place] = value
    warning = health.check(300, *values)
    assert f"{names[place]} not finite" in warning
    assert "step 300" in warning
    assert "learning_rate=0.00025" in warning  # a quarter of the recipe's
    assert "\n" not in warning
    assert health.check(301, *values) is None


def test_a_discriminator_loss_at_zero_is_named_after_200_steps_in_a_row():
    health = healthy()
    assert [health.check(i, 0.001, 9.0, 2.0, 2.0) for i in range(199)] == [None] * 199
    # One good step, and the count starts again.
    assert health.check(199, 0.3, 9.0, 2.0, 2.0) is None
    warnings = [health.check(200 + i, 0.001, 9.0, 2.0, 2.0) for i in range(400)]
    [warning] = [w for w in warnings if w]
    assert warnings.index(warning) == 199
    assert "discriminator loss" in warning
    assert "real_label=0.9" in warning


def test_a_wasserstein_loss_may_be_zero():
    health = healthy("wgan-gp")
    assert {health.check(i, 0.0, 9.0, 2.0, 2.0) for i in range(500)} == {None}


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_exploding_gradients_are_named_with_what_was_usual(player):
    health = healthy()

    def check(norm):
        return health.check(
            300, 0.5, 1.0, *((norm, 2.0) if player == "discriminator" else (2, norm))
        )

    assert check(1e5) is None  # a single spike
    assert check(150.0) is None  # less than 100 times the usual
    warnings = [check(10.0**i) for i in range(3, 15)]
    [warning] = [w for w in warnings if w]
    assert f"{player}'s gradient is exploding" in warning
    assert "1e+12 where 1.97 was usual" in warning
    # A second kind of failure is named beside it.
    assert "not finite" in check(math.inf)


def test_gradients_that_grow_slowly_or_are_tiny_are_no_explosion():
    health = Health(tiny_recipe())
    assert {health.check(i, 1.0, 1.0, 1e-6 * 1.01**i, 1.01**i) for i in range(1500)} == {None}


def test_collapse_is_named_when_seen_twice_in_a_row():
    health = Health(tiny_recipe())
    looks = [0.3, 0.9, 0.3, 0.2, 0.1]
    warnings = [health.check_diversity(i, look, 1.0) for i, look in enumerate(looks)]
    assert [w is not None for w in warnings] == [False, False, False, True, False]
    assert "step 3" in warnings[3]
    assert "collapsed" in warnings[3]


def snapshot(prior, real) -> Snapshot:
    return Snapshot(10, prior, real, rng(3))


def test_quality_is_that_of_the_same_samples_by_hand():
    prior, real = tiny_dcgan(), torch.rand(12, 1, 8, 8, generator=rng(1))

    def extract(images):
        return images.flatten(1)[:, ::9]

    row = Quality(extract, count=10, fitted=0)(snapshot(prior, real))
    drawn = prior.sample(10, rng(3))
    theirs, ours = (extract_features(extract, images) for images in (real[:10], drawn))
    assert row == {
        "frechet_distance": pytest.approx(frechet_distance(theirs, ours)),
        "precision": precision_recall(theirs, ours).precision,
        "recall": precision_recall(theirs, ours).recall,
        "diversity": pytest.approx(diversity(drawn)),
        "real_diversity": pytest.approx(diversity(real[:10])),
    }


def test_features_of_the_real_images_are_taken_once():
    seen = []

    def extract(images):
        seen.append(len(images))
        return images.flatten(1)[:, ::9]

    monitor, real = Quality(extract, fitted=0), torch.rand(9, 1, 8, 8, generator=rng(1))
    first, second = (monitor(snapshot(tiny_dcgan(), real)) for _ in range(2))
    assert first == second
    assert len(seen) == 3  # twice the samples, once the real ones


def test_representation_error_is_that_of_the_projection():
    prior = linear_prior(5, (1, 6, 6))
    matrix = prior.generator.weight.detach()
    real = torch.rand(3, 1, 6, 6, generator=rng(), dtype=torch.float64)
    flat = real.flatten(1).T
    projected = matrix @ torch.linalg.lstsq(matrix, flat).solution
    # As for every metric, what leaves [0, 1] is clipped.
    expected = (projected.clamp(0, 1) - flat).square().mean()
    effort = Effort(Random(1), Descend(Adam(0.1), 5), Polish(20))
    row = Quality(fitted=3, effort=effort)(snapshot(prior, real))
    assert set(row) == {"diversity", "real_diversity", "representation_error"}
    assert row["representation_error"] == pytest.approx(float(expected), rel=1e-6)
