"""Every experiment runs at its smoke size and shows the ordering that its figure claims."""

from __future__ import annotations

import csv

import pytest

from experiments.bora2017 import error_vs_m, prior_quality, tune_csgm
from experiments.rows import read_csv, replaced, write_csv


@pytest.mark.parametrize("experiment", [error_vs_m, prior_quality])
def test_committed_summary_is_that_of_the_committed_rows(experiment, tmp_path):
    rows = read_csv(experiment.RESULTS / "rows.csv")
    write_csv(tmp_path / "summary.csv", experiment.summarise(rows))
    assert read_csv(tmp_path / "summary.csv") == read_csv(experiment.RESULTS / "summary.csv")


def test_committed_rows_are_of_the_shipped_priors():
    from ganprior import Prior

    config = error_vs_m.FIGURES["bora2017/error-vs-m-fashion-mnist"].presets["paper"]
    for name in (config.prior, config.second_prior):
        sha = Prior.load(name).card["weights_sha256"][:12]
        figure = read_csv(error_vs_m.RESULTS / "rows.csv")
        assert {r["prior_sha256"] for r in figure if r["method"] == f"csgm {name}"} == {sha}
        quality = read_csv(prior_quality.RESULTS / "rows.csv")
        assert {r["prior_sha256"] for r in quality if r["prior"] == name} == {sha}


def test_prior_quality_recovers_planted_signals():
    rows = list(prior_quality.run(prior_quality.PRESETS["smoke"]))
    for line in prior_quality.summarise(rows):
        recovered, _, of = line["planted signals recovered"].split()
        assert int(recovered) >= int(of) - 1
        assert float(line["representation error"]) < 0.05


def test_cards_hold_the_measured_representation_error():
    from ganprior.priors import find_prior, read_card

    for line in read_csv(prior_quality.RESULTS / "summary.csv"):
        card = read_card(find_prior(line["prior"]))
        assert card["quality"]["representation_error"] == float(line["representation error"])


def test_tuning_takes_the_smallest_weight_among_equals():
    rows = [
        {
            "prior": prior,
            "prior_sha256": "",
            "m": 10,
            "n": 784,
            "noise_level": 0.0,
            "latent_weight": weight,
            "mean_per_pixel_error": error,
        }
        for prior, scale in (("a", 1.0), ("b", 2.0))
        for weight, error in [(0.0, 0.2 / scale), (0.1, 0.1004), (0.3, 0.1), (1.0, 0.15)]
    ]
    assert [row["latent_weight"] for row in tune_csgm.choose(rows)] == [0.1, 0.0]


def test_shipped_weights_are_those_of_the_tuning_run():
    with tune_csgm.TABLE.open(newline="") as file:
        shipped = list(csv.DictReader(file))
    tried = tune_csgm.tried_before()
    chosen = [{k: str(v) for k, v in row.items()} for row in tune_csgm.choose(tried)]
    assert chosen == shipped


def test_new_rows_of_a_prior_replace_its_own_alone():
    before = [{"prior": p, "m": m} for p, m in (("a", 1), ("b", 1), ("b", 2), ("c", 1))]
    rows = [{"prior": p, "m": m} for p, m in (("b", 3), ("d", 1), ("b", 4))]
    assert [(row["prior"], row["m"]) for row in replaced(before, rows)] == [
        ("a", 1), ("b", 3), ("b", 4), ("c", 1), ("d", 1)
    ]  # fmt: skip
