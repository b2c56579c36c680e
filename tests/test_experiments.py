"""Priors' cards and shipped tables of weights are those of the committed rows."""

from __future__ import annotations

import csv

import pytest

from experiments.bora2017 import prior_quality
from experiments.figures import load_figure
from experiments.intervals import grouped
from experiments.tuning import chosen, misfits, residuals, weights
from ganprior.priors import find_prior, read_card
from ganprior.priors.residual_law import ResidualLaw


@pytest.mark.parametrize("name", prior_quality.QUALITY)
def test_cards_hold_the_measured_quality(name):
    for line in prior_quality.tables(load_figure(name).committed())["summary"]:
        card = read_card(find_prior(line["prior"]))
        expected = prior_quality.quality(line, card)
        assert {key: card["quality"][key] for key in expected} == expected


def tried(errors, converged=""):
    return [
        {"weight": weight, "per_pixel_error": error, "converged": converged, "method": "a"}
        for weight, error in errors
    ]


def test_of_equal_weights_lambda_is_the_smallest_and_alpha_the_largest():
    errors = [(0.0, 0.2), (0.1, 0.1004), (0.3, 0.1), (1.0, 0.15)]
    assert chosen.best_of(tried(errors))["weight"] == 0.1
    errors = [(0.1, 0.1), (0.3, 0.1001), (1.0, 0.1004)]
    assert chosen.best_of(tried(errors, 1.0))["weight"] == 0.3
    unfinished = tried([(0.01, 0.05)], 0.5)
    assert chosen.best_of([*unfinished, *tried(errors, 1.0)])["weight"] == 0.3


def test_a_grid_that_ends_at_the_best_weight_ends_too_soon():
    place = {"panel": "noise level 0", "m": 10}
    claim = "a: the grid goes on beyond the best weight"
    for last, holds in ((0.3, True), (0.05, False)):
        errors = [(0.0, 0.2), (0.1, 0.1), (0.3, last)]
        rows = [{**place, **row} for row in tried(errors)]
        assert weights.claims(rows) == {claim: last == 0.3}
        assert holds == (last == 0.3)


@pytest.mark.parametrize(
    ("path", "table"),
    [(chosen.LAMBDAS, chosen.shipped_lambdas), (chosen.ALPHAS, chosen.shipped_alphas)],
)
def test_shipped_weights_are_those_of_the_tuning_runs(path, table):
    with path.open(newline="") as file:
        shipped = list(csv.DictReader(file))
    found = [{key: str(value) for key, value in row.items()} for row in table()]
    assert sorted(map(str, found)) == sorted(map(str, shipped))


def test_every_preset_tries_its_weights_in_the_order_of_its_method():
    """Lassos go from large to small, since each starts where the one before ended."""
    for figure in weights.FIGURES:
        config = figure.presets["paper"]
        if "lasso" in figure.name:
            assert list(config.weights) == sorted(config.weights, reverse=True)
        assert {cell.seed for cell in figure.cells(config)} == {weights.SEED}


MEASURED = [figure for figure in residuals.FIGURES if figure.committed()]


@pytest.mark.parametrize("figure", MEASURED, ids=lambda figure: figure.name)
def test_cards_state_the_limits_of_the_committed_residuals(figure):
    for (panel,), own in grouped(figure.committed(), ["panel"]).items():
        card = read_card(find_prior(panel.partition(": ")[2]))
        laws = residuals.laws_of(own)
        assert "least-squares" in laws
        for kind, law in laws.items():
            assert ResidualLaw.of_card(card, kind) == law


def test_hardly_any_of_a_priors_own_images_is_flagged_and_most_others_are():
    flagged: dict[str, list[float]] = {}
    for row in load_figure("tuning/misfits").committed():
        # So few measurements of 20 latents hardly tell clothes from digits, and the prior of
        # clothes takes digits for clothes.
        told = row["measured"] != "25" and row["panel"].startswith(misfits.DIGITS)
        if told or row["of"] == misfits.OWN:
            flagged.setdefault(row["of"], []).append(misfits.share(row))
    assert max(flagged[misfits.OWN]) <= 0.01
    assert min(flagged[misfits.INVERTED]) >= 0.95
    assert min(flagged[misfits.OTHERS]) >= 0.5
