"""``--uncertainty``: arrays, maps and pictures of how sure solvers are, whatever the split."""

import numpy as np
import pytest
import torch
from PIL import Image

from ganprior import LMMSE, GaussianMixture, Prior, solver
from ganprior.cli.uncertainty import WHITE
from ganprior.registry import entries
from tests.cases import gaussian
from tests.cases_baselines import tiny_law
from tests.cases_density import dense_dcgan
from tests.cli_cases import TINY, read_arrays, refuse, run, succeed
from tests.test_cli_blocks import same

SURE = "posterior:method=laplace,particles=16"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    prior = dense_dcgan()
    prior.save(folder / "dense")
    np.savez(folder / "images.npz", images=prior.sample(5, 0).clamp(0, 1).numpy())
    return {"prior": folder / "dense.safetensors", "images": folder / "images.npz"}


def words(files, command, *more):
    how = ["--mask", "center=0.2"] if command == "inpaint" else ["--measure", "gaussian:m=20"]
    return [command, files["images"], "--prior", files["prior"], *how, *more]


@pytest.mark.parametrize("command", ["reconstruct", "inpaint"])
def test_arrays_and_pictures_and_no_split_shows(files, tmp_path, command):
    asked = words(files, command, "--solver", TINY, "--solver", SURE)
    asked.append("--uncertainty")
    succeed(*asked, "--out", tmp_path / "whole")
    succeed(*asked, "--out", tmp_path / "split", "--block", "2")
    # The ends of an interval are draws, which magnify the rounding of the modes.
    same(tmp_path / "whole", tmp_path / "split", atol=1e-3)
    arrays = read_arrays(tmp_path / "whole")
    spread = {"std_1", "low_1", "high_1"}
    assert set(arrays) == {"original", "solvers", "solver_0", "solver_1"} | spread
    assert all(arrays[key].shape == arrays["solver_1"].shape for key in spread)
    assert (arrays["low_1"] <= arrays["high_1"]).all()
    # Known pixels without noise are sure.
    assert (arrays["std_1"] > 0).mean() > 0.2
    with Image.open(tmp_path / "whole" / "images" / "images-0-posterior-std.png") as picture:
        shown = np.array(picture)
    expected = np.round(255 * np.clip(arrays["std_1"][0, 0] / WHITE, 0, 1))
    np.testing.assert_allclose(shown, expected, atol=1)
    assert not list((tmp_path / "whole" / "images").glob("*csgm-std.png"))


def test_workers_and_resume_give_the_same(files, tmp_path):
    asked = words(files, "reconstruct", "--solver", SURE, "--uncertainty", "--block", "3")
    succeed(*asked, "--out", tmp_path / "here")
    succeed(*asked, "--out", tmp_path / "there", "--workers", "2")
    same(tmp_path / "here", tmp_path / "there")
    again = run(*asked, "--out", tmp_path / "here", "--resume")
    assert "holds the results of this command already" in again.stderr
    # Without the option it is another command.
    plain = [word for word in asked if word != "--uncertainty"]
    succeed(*plain, "--out", tmp_path / "here", "--resume")
    assert "std_0" not in read_arrays(tmp_path / "here")


@pytest.mark.parametrize("command", ["reconstruct", "inpaint"])
def test_solvers_that_cannot_say_are_refused(files, tmp_path, command):
    asked = words(files, command, "--solver", "map", "--uncertainty", "--out", tmp_path / "out")
    line = refuse(*asked)
    for word in ("--uncertainty", "map", "gaussian-mixture", "lmmse", "posterior"):
        assert word in line
    assert not (tmp_path / "out").exists()


def test_the_registry_says_who_can(files):
    able = {name for name, entry in entries("solver").items() if entry.uncertain}
    assert able == {"gaussian-mixture", "lmmse", "posterior"}
    prior = Prior.load(files["prior"])
    physics = gaussian(20, prior.image_shape)
    y = physics.A(prior.sample(2, 0))
    assert solver(SURE, prior, 0.01).solve(y, physics).high is not None
    assert solver("map", prior, 0.01).solve(y, physics).std is None


@pytest.mark.parametrize("kind", [GaussianMixture, LMMSE])
def test_a_solution_of_the_mixture_has_the_spread_of_its_posterior(kind):
    law = tiny_law()
    physics = gaussian(10, law.image_shape, dtype=torch.float64)
    y = physics.A(law.sample(3, torch.Generator().manual_seed(1)))
    expected = kind(law, 0.05).posterior(y, physics).std
    bad = y.clone()
    bad[1, 0] = torch.nan
    found = kind(law, 0.05, uncertainty=True).solve(bad, physics)
    torch.testing.assert_close(found.std[::2], expected[::2])
    assert (found.std[1] == 0).all()
    assert kind(law, 0.05).solve(y, physics).std is None
