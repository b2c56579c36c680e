"""What solvers went by, as summary.json and Solution say it."""

import numpy as np
import pytest
import torch

from ganprior import BALANCED, BALANCED_L1, CSGM, Dense, Gaussian, LassoDCT, Prior
from ganprior.baselines.alphas import default_alpha
from ganprior.physics import facts
from ganprior.solvers.latent_weights import default_latent_weight
from tests.cli_cases import SIDE, read_summary, save_images, save_prior, succeed

SHAPE, K = (1, SIDE, SIDE), 4


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A prior and three images that fit it."""
    folder = tmp_path_factory.mktemp("files")
    return save_prior(folder), save_images(folder / "images.npz")


def test_summary_names_what_was_left_out_and_what_was_given(files, tmp_path):
    prior, images = files
    succeed(
        "reconstruct", images, "--prior", prior, "--measure", "gaussian:m=10", "--noise-std", "0.1",
        "--solver", "csgm", "--solver", "csgm:lambda=0.5,restarts=3,steps=7,effort=fast",
        "--solver", "lasso-dct", "--solver", "lasso-dct:alpha=0.02", "--out", tmp_path / "out",
    )  # fmt: skip
    summary = read_summary(tmp_path / "out")
    default, given, lasso, lasso_given = summary["config"]["settings"]
    known = facts(Gaussian(10, SHAPE), SHAPE)
    weight = default_latent_weight(known, 0.1, Prior.load(prior).card.get("weights_sha256"))
    assert default["lambda"] == pytest.approx(float(weight), rel=0.3)
    effort = BALANCED.replace(steps=100)  # that of fewer than three measurements per latent entry
    assert default["effort"] == "balanced"
    assert (default["restarts"], default["steps"]) == (effort.restarts, effort.most_steps)
    assert given == {
        "solver": "csgm:lambda=0.5,restarts=3,steps=7,effort=fast",
        "lambda": 0.5, "restarts": 3, "steps": 7, "effort": "fast",
    }  # fmt: skip
    alpha = default_alpha("dct", known.n, known.m, known.scale, known.noise_std(0.1))
    assert lasso["alpha"] == pytest.approx(float(alpha), rel=0.3)
    assert lasso_given == {"solver": "lasso-dct:alpha=0.02", "alpha": 0.02}
    rows = summary["rows"]
    assert all(isinstance(row["steps"], int) and row["steps"] >= 0 for row in rows)
    fast = [row["steps"] for row in rows if row["solver"] == given["solver"]]
    assert max(fast) <= 7 + 30


def test_what_differs_between_images_is_a_list(files, tmp_path):
    """An image with half as many measurements has another alpha."""
    y = np.full((3, SIDE, SIDE), 0.5, np.float32)
    y[1, ::2] = y[2, 3] = np.nan
    np.save(tmp_path / "y.npy", y)
    succeed(
        "reconstruct", tmp_path / "y.npy", "--measured", "identity", "--prior", files[0],
        "--solver", "lasso-dct", "--out", tmp_path / "out",
    )  # fmt: skip
    [settings] = read_summary(tmp_path / "out")["config"]["settings"]
    assert len(settings["alpha"]) == 3
    assert len(set(settings["alpha"])) > 1


def test_inpainting_names_its_own(files, tmp_path):
    succeed(
        "inpaint", files[1], "--mask", "center", "--prior", files[0], "--limit", "1",
        "--solver", "semantic:steps=5", "--compare", "tv", "--out", tmp_path / "out",
    )  # fmt: skip
    raw, blended, tv = read_summary(tmp_path / "out")["config"]["settings"]
    expected = {
        "lambda": 0.015, "restarts": BALANCED_L1.restarts, "steps": 5, "effort": "balanced"
    }  # fmt: skip
    assert raw == {"solver": "semantic-raw:steps=5", **expected}
    assert blended == {"solver": "semantic:steps=5", **expected}
    assert tv == {"solver": "tv"}


def test_weights_are_in_the_units_of_the_measurements(files):
    prior = Prior.load(files[0])
    physics = Gaussian(30, SHAPE)
    y = physics.A(torch.from_numpy(np.load(files[1])["images"]))
    large = Dense(100 * physics.matrix, SHAPE)
    for solver, name in ((CSGM(prior), "latent_weight"), (LassoDCT(), "alpha")):
        one, other = solver.solve(y, physics).settings, solver.solve(100 * y, large).settings
        assert one[name].shape == (3,)
        torch.testing.assert_close(other[name], 1e4 * one[name], rtol=1e-4, atol=0)


def test_starts_of_ones_own_are_the_restarts(files):
    prior = Prior.load(files[0])
    physics = Gaussian(30, SHAPE)
    y = physics.A(torch.from_numpy(np.load(files[1])["images"]))
    solution = CSGM(prior).solve(y, physics, starts=torch.zeros(2, 3, K))
    assert solution.settings["restarts"] == 2
