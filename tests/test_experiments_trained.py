"""Figures of trained clothes: correlations, estimates, verdicts and tables on made-up rows."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest
import torch
from scipy import stats

from experiments.objectives import (
    correlation,
    critic_loss,
    fashion,
    inversion,
    inversion_answer,
    robustness,
)
from experiments.strips import decode
from ganprior import Prior
from ganprior.training.monitors import health


@pytest.mark.parametrize("ties", [False, True])
def test_coefficients_are_those_of_scipy(ties):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 40))
    b = b + a
    if ties:
        a, b = a.round(), b.round()
    assert correlation.spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)
    assert correlation.pearson(a, b) == pytest.approx(stats.pearsonr(a, b).statistic, abs=1e-12)


def test_what_does_not_vary_has_no_correlation():
    assert math.isnan(correlation.pearson(np.ones(5), np.arange(5.0)))


def test_the_interval_is_that_of_fisher_for_normal_values():
    """Fisher's: tanh(atanh(r) -+ 1.96 / sqrt(N - 3)), for independent pairs."""
    rng = np.random.default_rng(1)
    a = rng.normal(size=400)
    b = a + rng.normal(size=400)
    found = correlation.correlate(a, b, correlation.pearson)
    fisher = np.tanh(np.arctanh(found.value) + np.array([-1.96, 1.96]) / math.sqrt(397))
    assert [found.low, found.high] == pytest.approx(fisher.tolist(), abs=0.02)


def test_neighbours_are_drawn_together_and_widen_the_interval():
    drawn = correlation.resampled(10, 4)
    assert drawn.shape == (correlation.RESAMPLES, 10)
    assert {int(step) for step in np.diff(drawn[:, :4], axis=1).ravel()} == {1}
    assert (drawn.min(), drawn.max()) == (0, 9)
    # Two walks of their own: their coefficient is chance, which single draws take for certain.
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 200)).cumsum(1)
    single, blocks = (correlation.correlate(a, b, block=block) for block in (1, 25))
    assert blocks.high - blocks.low > 1.5 * (single.high - single.low)


def test_a_correlation_of_unequal_sequences_is_refused():
    with pytest.raises(ValueError, match="of one length"):
        correlation.correlate([1, 2, 3], [1, 2])


def test_an_estimate_is_the_distance_that_the_loss_amounts_to():
    # A discriminator that knows nothing: both cross-entropies are log 2, the divergence is 0.
    assert critic_loss.estimate("non-saturating", 2 * math.log(2)) == pytest.approx(0)
    # One that is always right: log 2, the most that the divergence can be.
    assert critic_loss.estimate("non-saturating", 0.0) == pytest.approx(math.log(2))
    assert critic_loss.estimate("wgan-gp", -3.0) == 3.0


def looks(objective, estimates, distances, warm_up=0):
    return [
        {
            "method": objective,
            "step": step,
            "estimate": str(estimate),
            "generator_loss": "1",
            "frechet_distance": str(distance),
            "used": str(int(step >= warm_up)),
        }
        for step, (estimate, distance) in enumerate(zip(estimates, distances, strict=True))
    ]


def test_the_claims_of_the_critics_loss_are_judged_by_sign_and_interval():
    falling = [float(value) for value in range(20, 0, -1)]
    rows = looks("wgan", [-1.0, *falling], [*falling, 0.5], warm_up=1)
    rows += looks("wgan-gp", falling, falling[::-1]) + looks("non-saturating", falling, falling)
    held = critic_loss.claims(rows)
    assert held["the estimate of wgan falls with the distance"]
    assert not held["the estimate of wgan-gp falls with the distance"]
    assert not held["the estimate of non-saturating does not"]
    lines = critic_loss.tables(rows)["summary"]
    assert lines[0]["Spearman"] == "+1.00 [+1.00, +1.00]"
    assert lines[0]["looks"] == 20
    few = [row for row in rows if int(row["step"]) < 6]
    assert all("tells samples" in claim for claim in critic_loss.claims(few))


def end(architecture, objective, distances, share, **values):
    return [
        {
            "panel": architecture,
            "method": objective,
            "steps": "400",
            "frechet_distance": str(distance),
            "diversity": str(0.4 * share),
            "real_diversity": "0.4",
            "pixels": "",
            "cpu_seconds": "1.0",
            **values,
        }
        for distance in distances
    ]


def test_a_cell_collapses_by_the_threshold_of_the_health_monitor():
    assert robustness.COLLAPSED == health._COLLAPSE
    rows = [
        row
        for objective, share in (("non-saturating", 0.9), ("wgan", 0.49), ("wgan-gp", 0.51))
        for row in end("dcgan", objective, (300, 100), share)
    ]
    blank = dict.fromkeys(("frechet_distance", "diversity", "real_diversity"), "")
    rows += end("mlp", "non-saturating", (300,), 0.9) + end(
        "mlp", "non-saturating", (0,), 1, **blank
    )
    rows += end("mlp", "wgan", (90,), 0.9) + end("mlp", "wgan-gp", (120,), 0.9)
    assert robustness.collapsed_of(rows, "wgan") == ["dcgan"]
    assert robustness.collapsed_of(rows, "non-saturating") == ["mlp"]
    assert robustness.worst_of(rows) == {"non-saturating": math.inf, "wgan": 100, "wgan-gp": 120}
    held = robustness.claims(rows)
    assert held["no cell of WGAN-GP collapses"]
    assert not held["no cell of WGAN collapses"]
    assert not held["WGAN-GP has the lowest worst distance"]
    [dcgan, mlp] = robustness.tables(rows)["summary"]
    assert (dcgan["wgan"], mlp["non-saturating"]) == ("100.0 (collapsed)", "inf (broke off)")


def test_a_sheet_shows_whole_images_row_by_row():
    class Numbered(torch.nn.Module):
        """Image i of a batch is i / 255 everywhere."""

        def forward(self, z):
            return (torch.arange(len(z)) / 255).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)

    prior = Prior.from_module(Numbered(), latent_shape=2, image_range=(0, 1))
    pixels = decode(robustness.sheet(fashion.Run(prior)))
    assert pixels.shape == (140, 140)
    assert pixels[::28, ::28].ravel().tolist() == list(range(25))
    assert (pixels[28:56, 56:84] == 7).all()


def test_a_recipe_has_the_budget_and_what_its_objective_takes():
    budget = fashion.Budget(steps=40, looks=4)
    wgan = fashion.recipe_of("wgan", budget)
    assert (wgan.optimizer, wgan.critic_steps, wgan.steps, wgan.monitor_every) == (
        "rmsprop",
        5,
        40,
        10,
    )
    kl = fashion.recipe_of("f-gan kl", budget, latent_size=8)
    assert (kl.objective, kl.divergence, kl.latent_size, kl.critic_steps) == ("f-gan", "kl", 8, 1)


def test_quality_is_zero_distance_for_the_images_themselves():
    images = fashion.images_of(fashion.COMMITTED).select(0, 40).floats()

    class Same(torch.nn.Module):
        def forward(self, z):
            return images[: len(z)]

    prior = Prior.from_module(Same(), latent_shape=2, image_range=(0, 1))
    look = fashion.quality(prior, images, fashion.sample_rng())
    assert look.frechet == pytest.approx(0, abs=1e-3)
    assert look.diversity == look.real_diversity


def priors(**found):
    """Rows of priors: Fréchet distance, then errors of two images under every column."""
    return [
        {
            "method": name,
            "k": "20",
            "image": str(image),
            inversion_answer.REPRESENTATION: str(base),
            "m = 25": str(base + 2 * (image + 1)),
            "m = 300": str(base + image),
            "frechet_distance": str(distance),
            "diversity": str(0.0 if name.startswith("alike") else 0.4),
        }
        for name, (distance, base) in found.items()
        for image in range(2)
    ]


def test_priors_are_ordered_by_samples_and_means_are_over_images():
    rows = priors(b=(90.0, 2.0), a=(10.0, 5.0))
    rows += [{**row, "method": "lost", "frechet_distance": ""} for row in rows[:1]]
    lines = inversion_answer.lines_of(rows)
    assert [line["prior"] for line in lines] == ["a", "b"]
    assert lines[0]["m = 25"] == pytest.approx(5 + 3)
    assert inversion_answer.best(lines, "m = 25") == "b (k = 20) 5.0000"


def test_the_hypotheses_are_judged_where_there_are_priors_enough():
    rising = priors(**{f"p{i}": (10.0 * i, float(i)) for i in range(1, 13)})
    hypothesis = "a lower Fréchet distance goes with a lower error from m = 25"
    assert inversion_answer.claims(rising)[hypothesis]
    falling = priors(**{f"p{i}": (10.0 * i, 20.0 - i) for i in range(1, 13)})
    assert not inversion_answer.claims(falling)[
        "a lower Fréchet distance goes with a lower error from m = 25"
    ]
    assert not any("Fréchet" in claim for claim in inversion_answer.claims(rising[:6]))
    correlations = inversion_answer.tables(rising)["correlations"]
    assert correlations[0]["Spearman"] == "+1.00 [+1.00, +1.00]"


def test_priors_that_failed_do_not_decide_the_second_answer():
    """Within the priors that vary samples say nothing; the failed ones alone make them agree."""
    same = {f"p{i}": (10.0 + i % 2, 1.0 + i % 3 % 2) for i in range(12)}
    rows = priors(**same, **{f"alike{i}": (500.0 + i, 50.0 + i) for i in range(12)})
    rows += priors(shipped=(1.0, 0.1))
    lines = inversion_answer.lines_of(rows)
    assert {line["prior"] for line in inversion_answer.varied_of(lines)} == set(same)
    held = inversion_answer.claims(rows)
    assert held["a lower Fréchet distance goes with a lower error from m = 25"]
    assert not held[
        "a lower Fréchet distance goes with a lower error from m = 25 among varied priors"
    ]


def test_banks_of_passing_priors_stay_out_of_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("GANPRIOR_CACHE", str(tmp_path))
    with inversion.own_cache():
        assert os.environ["GANPRIOR_CACHE"] != str(tmp_path)
    assert os.environ["GANPRIOR_CACHE"] == str(tmp_path)
    monkeypatch.delenv("GANPRIOR_CACHE")
    with inversion.own_cache():
        pass
    assert "GANPRIOR_CACHE" not in os.environ
