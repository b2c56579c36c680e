"""The benchmark of the Lasso compares equal objectives; its seconds are not tested."""

from experiments.benchmarks import lasso
from ganprior import LassoDCT, load_images


def test_both_lassos_reach_the_minimum():
    config = lasso.PRESETS["smoke"]
    rows = list(lasso.run(config))
    assert [row["n"] for row in rows] == [64]
    for row in rows:
        assert float(row["ganprior_excess"]) <= lasso.EQUAL
        assert float(row["sklearn_excess"]) <= lasso.EQUAL
        assert row["alpha"] in config.alphas
    assert [line["alpha"] for line in lasso.summarise(rows)] == [rows[0]["alpha"]]


def test_alpha_is_the_one_of_least_error():
    config = lasso.PRESETS["smoke"]
    x = load_images(lasso.ROOT / config.data, limit=4).floats()
    tuning = lasso.problem(config, 8, x)
    errors = {
        alpha: (LassoDCT(alpha)(tuning.y, tuning.physics) - tuning.x).square().mean().item()
        for alpha in config.alphas
    }
    assert lasso.best_alpha(config, tuning) == min(errors, key=lambda alpha: errors[alpha])


def test_equal_dictionary_means_equal_objective():
    config = lasso.PRESETS["smoke"]
    x = load_images(lasso.ROOT / config.data, limit=2).floats()
    timed = lasso.problem(config, 8, x)
    w = LassoDCT().basis(timed.x).analysis(timed.x).flatten(1)
    expected = 0.1 * w.abs().sum(1).double()  # measurements without noise: no residual
    assert (timed.objective(w, 0.1) - expected).abs().max() < 1e-4
