"""Intervals against the normal law and scipy's bootstrap; tables made of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from experiments.intervals import PSNR, interval, mean_cell, mean_of, measured, tabulate


def test_the_interval_of_a_mean_is_that_of_the_normal_law_at_large_n():
    values = np.random.default_rng(3).normal(size=1000)
    low, high = interval(values)
    half = 1.96 * values.std(ddof=1) / math.sqrt(1000)
    assert low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_the_interval_is_scipys_percentile_bootstrap():
    values = np.random.default_rng(4).exponential(size=30)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(5)
    ).confidence_interval
    assert interval(values) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_mean_psnr_is_that_of_the_mean_error():
    """Better on every image and exact on one of three: 19.2 dB and 18.4 dB if it were left out."""
    errors = np.array([[0.0145], [0.0], [0.0]]), np.array([[0.0205], [1e-4], [0.007]])
    with np.errstate(divide="ignore"):
        ours, theirs = (mean_of(-10 * np.log10(error), PSNR) for error in errors)
    assert ours[0] == pytest.approx(-10 * math.log10(0.0145 / 3))
    assert theirs[0] == pytest.approx(-10 * math.log10(0.0276 / 3))
    for mean, low, high in (ours, theirs):
        assert low <= mean <= high
    exact = np.full((4, 1), math.inf)
    assert mean_cell(exact, ".2f", PSNR) == "inf [inf, inf]"


def test_draws_of_a_are_resampled_beside_the_images():
    """Effects of images with variance 1 / 100 and of draws with 1 / 10: their sum is the mean's."""
    rng = np.random.default_rng(6)
    table = rng.normal(size=(100, 1)) + rng.normal(size=(1, 10))
    low, high = interval(table)
    spread = math.sqrt(table.mean(1).var() / 100 + table.mean(0).var() / 10)
    assert (high - low) / 2 == pytest.approx(1.96 * spread, rel=0.1)
    alone = interval(table.mean(1))
    assert high - low > 2 * (alone[1] - alone[0])


def test_a_table_has_means_with_intervals_and_leaves_out_what_has_no_number():
    rows = [
        {"panel": panel, "method": method, "image": image, "seed": 0, "error": error}
        for panel in ("one", "two")
        for method, error in (("a", 0.5), ("b", "0.25"), ("original", ""))
        for image in range(4)
        if (panel, method) != ("two", "b")
    ]
    one, two = tabulate(rows, "error", ["panel"], "method", ".2f")
    assert one == {"panel": "one", "a": "0.50 [0.50, 0.50]", "b": "0.25 [0.25, 0.25]"}
    assert two == {"panel": "two", "a": "0.50 [0.50, 0.50]", "b": ""}
    assert mean_cell(np.full(4, 0.5), "+.1f") == "+0.5 [+0.5, +0.5]"


def test_images_are_rows_and_draws_are_columns():
    rows = [
        {"image": image, "seed": draw, "error": 10 * draw + image}
        for draw in range(3)
        for image in range(2)
    ]
    assert measured(rows, "error").tolist() == [[0, 10, 20], [1, 11, 21]]
