"""Parts of the figures of Bora et al. (2017) against closed forms and independent sources."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from experiments import comparison, images, strips
from experiments.bora2017 import representation, setting
from experiments.bora2017.theorem import Config, norm
from experiments.bora2017.theorem import _eigenvalue_row as eigenvalue_row
from experiments.figures import load_figure
from experiments.intervals import tabulate
from experiments.tuning import chosen
from ganprior import CSGM, DiscriminatorCSGM
from ganprior.jobs import Cell


def rows_of(**errors):
    """Rows of methods with errors {m: [per image]}."""
    return [
        {"method": name, "m": m, "image": i, "per_pixel_error": value}
        for name, own in errors.items()
        for m, values in own.items()
        for i, value in enumerate(values)
    ]


def test_holm_is_that_of_its_definition():
    # Holm's own rule by hand: 0.01 * 3, then 0.02 * 2, then max(0.04, 0.03).
    assert comparison.holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert comparison.holm([0.5, 0.9]) == [1.0, 1.0]
    assert comparison.holm([]) == []


def test_draws_of_one_image_are_averaged_before_anything_else():
    rows = [
        {"method": "a", "m": "10", "image": image, "per_pixel_error": error}
        for image, errors in (("x", (1.0, 3.0)), ("y", (4.0, 6.0)))
        for error in errors
    ]
    [values] = [own[10.0] for own in comparison.errors_of(rows).values()]
    assert values.tolist() == [[1.0, 3.0], [4.0, 6.0]]
    # Three images' worth would be nearer: two are drawn, x x, x y, y x or y y.
    [line] = tabulate(rows, "per_pixel_error", ["m"], "method", ".1f")
    assert line == {"m": "10", "a": "3.5 [1.0, 6.0]"}


def test_paired_tests_name_the_better_method():
    rng = np.random.default_rng(0)
    base = rng.uniform(1, 2, 30)
    errors = comparison.errors_of(rows_of(ours={5: base}, worse={5: base + 0.5}, same={5: base}))
    worse, same = comparison.paired_tests(errors, "ours")
    assert (worse["against"], worse["mean difference"]) == ("worse", "-0.5000")
    assert worse["images better"] == "30 of 30"
    # All 30 signs alike: the exact law gives 2 / 2^30, or the normal one nearly as little.
    assert float(worse["p"]) < 1e-5
    assert float(worse["p (Holm)"]) == pytest.approx(2 * float(worse["p"]), rel=0.1)
    assert float(same["p (Holm)"]) == 1


def test_measurements_saved_on_power_laws():
    """Errors c / m for Lasso and c / (4 m) for ours: four times fewer measurements."""
    places = [10, 20, 40, 80, 160]
    scale = np.random.default_rng(1).uniform(0.5, 1.5, 50)
    errors = comparison.errors_of(
        rows_of(
            ours={m: scale / (4 * m) for m in (10, 20, 80)},
            lasso={m: scale / m for m in places},
            poor=dict.fromkeys(places, scale * 2),
        )
    )
    lines = comparison.saved(errors, "ours", ["lasso", "poor"])
    assert [line["m"] for line in lines] == ["10", "20", "80"]
    assert lines[0]["measurements saved"] == "4.0"
    assert lines[0]["95% interval"] == "4.0 to 4.0"
    # Four times 80 is beyond what was tried: a bound.
    assert lines[2]["measurements saved"] == "> 2.0"


def test_a_rival_that_is_not_tried_everywhere_counts_where_it_is():
    """Alone the first needs 40 measurements; the other one is as good with 20."""
    everywhere = {m: np.full(5, 1 / m) for m in (10, 20, 40)}
    errors = comparison.errors_of(
        rows_of(ours={10: np.full(5, 1 / 40)}, lasso=everywhere, once={20: np.full(5, 1 / 40.01)})
    )
    [alone] = comparison.saved(errors, "ours", ["lasso"])
    [both] = comparison.saved(errors, "ours", ["lasso", "once"])
    assert alone["measurements saved"] == "> 4.0"
    assert both["measurements saved"] == "2.0"


def test_digits_have_tuned_weights_wherever_a_lasso_measures_them():
    """And those are the ones of the committed runs: the largest among the best."""
    for name in ("error-vs-m-mnist", "image-grid-mnist", "noise-tolerance"):
        figure = load_figure(f"bora2017/{name}")
        config = figure.presets["paper"]
        for cell in figure.cells(config):
            if cell.method in setting.LASSOS:
                m = int(cell.number if cell.axis == "m" else cell.panel.removeprefix("m = "))
                level = config.noise_level if cell.axis == "m" else cell.number
                basis = cell.method.removeprefix("lasso-")
                assert chosen.tuned_alpha("MNIST", basis, m, level)
                assert chosen.tuned_alpha("Fashion-MNIST", basis, m, level) is None
    solver = setting.solver_of("lasso-dct", 0.01, "smoke", 0.25)
    assert solver.alpha == 0.25


def test_k_sparse_keeps_the_largest_coefficients():
    x = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(representation.k_sparse(x, 784, "db4"), x)
    errors = [(representation.k_sparse(x, k, "db1") - x).square().sum() for k in (10, 50, 300)]
    assert errors == sorted(errors, reverse=True)
    # A Haar atom of one coefficient: a constant image.
    flat = torch.full((1, 1, 28, 28), 0.25)
    blocks = representation.k_sparse(flat, 49, "db1")
    torch.testing.assert_close(blocks, flat)
    # Orthonormal: what is kept and what is dropped have the energy of the image.
    kept = representation.k_sparse(x, 100, "db4")
    energy = kept.square().sum() + (x - kept).square().sum()
    torch.testing.assert_close(energy, x.square().sum())


def test_pixels_go_through_text_and_back():
    x = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    for image in x:
        back = torch.from_numpy(strips.decode(strips.encode(image)).copy()).float() / 255
        torch.testing.assert_close(back, image[0], rtol=0, atol=0.5 / 255 + 1e-6)
    rows = strips.with_pixels([{"image": 0}, {"image": 1}], x, 1)
    assert [bool(row["pixels"]) for row in rows] == [True, False]


def test_methods_by_name():
    csgm = setting.solver_of("csgm mnist", 0.01, "smoke")
    plain = setting.solver_of("csgm mnist lambda=0", 0.01, "smoke")
    with_critic = setting.solver_of("csgm fashion-mnist-wgan-gp + D", 0.01, "smoke")
    assert isinstance(csgm, CSGM)
    assert isinstance(plain, CSGM)
    assert isinstance(with_critic, DiscriminatorCSGM)
    assert (csgm.latent_weight, plain.latent_weight) == (None, 0.0)
    assert with_critic.prior_loss == "critic"
    assert [setting.prior_name(n) for n in ("csgm mnist + D", "lasso-dct")] == ["mnist", None]


def test_blocks_of_images_see_the_same_matrix_and_their_own_noise():
    whole = Cell("lasso-dct", "m", 20, seed=1, first=0, last=4)
    part = Cell("lasso-dct", "m", 20, seed=1, first=2, last=4)
    one, two = (
        setting.compressed(images.held_out_block("MNIST", cell), 20, 0.1, cell)
        for cell in (whole, part)
    )
    torch.testing.assert_close(one.y[2:], two.y)
    assert one.noise_std == pytest.approx(0.1 / math.sqrt(20))
    assert (one.y - one.physics.A(one.x)).std() == pytest.approx(one.noise_std, rel=0.3)


def test_the_eigenvalue_constant_is_near_one_with_many_rows():
    """For a fixed pair ||A d||^2 / ||d||^2 is chi-squared with m degrees of freedom, over m."""
    config = Config(pairs=40)
    row = eigenvalue_row(config, Cell("S-REC", "m", 784, last=40))
    assert 1 - 6 / math.sqrt(2 * 784) < row["constant"] < 1
    torch.testing.assert_close(norm(torch.ones(2, 1, 3, 3)), torch.full((2,), 3.0))


def test_the_weight_of_the_discriminator_is_the_best_of_those_tried(monkeypatch):
    errors: dict[str, list[tuple[float, float]]] = {
        "a": [(0, 0.001), (0.1, 0.02), (0.1, 0.02), (0.3, 0.01), (0.3, 0.05)],
        "b": [(0.1, 1)],
    }
    rows = [
        {"method": f"csgm {prior} + D", "weight": weight, "per_pixel_error": error}
        for prior, own in errors.items()
        for weight, error in own
    ]
    monkeypatch.setattr(chosen, "tried", lambda figure: rows if figure == "discriminator" else [])
    choose = chosen.discriminator_weight.__wrapped__
    assert choose("a") == 0.1
    assert choose("c") == chosen.UNTUNED


def test_figures_refuse_to_run_without_the_tuned_weights(monkeypatch, tmp_path):
    monkeypatch.setattr(chosen, "results_of", lambda name: tmp_path / name)
    with pytest.raises(ValueError, match=r"lasso-mnist.* is missing, where the tuned weights are"):
        setting.inputs_of(Config())
