"""Drawings: what coincides is seen, intervals have a name, one place makes bars, formats."""

import numpy as np
import pytest

from experiments import plots

EQUAL = {name: {m: np.array([[0.1], [0.2]]) for m in (10.0, 20.0, 100.0)} for name in "abc"}


def drawn(errors):
    _, [axes] = plots.new_figure()
    plots.draw_curves(axes, errors)
    return axes


def test_curves_that_coincide_stand_beside_each_other_and_are_hollow():
    axes = drawn(EQUAL)
    curves = [bar.lines[0] for bar in axes.containers]
    places = np.array([curve.get_xdata() for curve in curves])
    assert (np.diff(places, axis=0) > 0).all()
    # No further than a third of the way to the neighbour.
    assert (places[:, 0] < 13).all()
    assert places.mean(0) == pytest.approx([10, 20, 100], rel=0.01)
    widths = [curve.get_linewidth() for curve in curves]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 3
    assert {curve.get_markerfacecolor() for curve in curves} == {"none"}


def test_a_curve_alone_stands_where_it_belongs():
    [bar] = drawn({"a": EQUAL["a"]}).containers
    assert bar.lines[0].get_xdata() == pytest.approx([10, 20, 100], rel=0.1)


def rows(places):
    return [
        {"m": str(m), "method": name, "seed": "0", "image": str(i), "per_pixel_error": str(0.1 * i)}
        for m in places
        for name in "ab"
        for i in (1, 2)
    ]


@pytest.mark.parametrize(("places", "bars"), [((10,), True), ((10, 20), False)])
def test_one_place_makes_bars_and_the_interval_is_named(tmp_path, monkeypatch, places, bars):
    kept = []
    monkeypatch.setattr(plots, "save", lambda figure, path: kept.append(figure))
    plots.draw_places(rows(places), tmp_path / "a", "per_pixel_error", ["m", "method"], "method")
    [axes] = kept[0].axes
    assert bool(axes.patches) is bars
    label = axes.get_xlabel() if bars else axes.get_ylabel()
    assert label == "per pixel error, mean and 95% interval"


def test_formats_go_by_the_suffix(tmp_path):
    figure, _ = plots.new_figure()
    plots.save(figure, tmp_path / "both")
    plots.save(figure, tmp_path / "one.pdf")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["both.png", "both.svg", "one.pdf"]
    assert (tmp_path / "one.pdf").read_bytes().startswith(b"%PDF")
