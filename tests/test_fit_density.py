"""The fit of a prior's density, in Python and on the command line."""

import numpy as np
import pytest
import torch

from ganprior import Prior
from ganprior.evaluation.density import DensityRecipe, fit_density
from ganprior.priors import trained_images
from tests.cases import rng, tiny_dcgan
from tests.cases_density import SHAPE, as_mixture, linear_density
from tests.cli_cases import refuse, save_prior, succeed

QUICK = DensityRecipe(
    latent_weight=0.003,
    components=(1, 3),
    reg_covar=(1e-3,),
    shrinkage=(0.05, 0.5),
    rank=3,
    steps=30,
)


@pytest.fixture(scope="module")
def fitted():
    """Prior of a linear generator, images of its density, and the density fitted to them."""
    prior = linear_density()
    x = as_mixture(prior).sample(2500, rng(1))
    density, about = fit_density(prior, x[:2000], QUICK)
    return prior, x[2000:], density, about


def test_held_out_images_are_nearly_as_likely_as_under_the_truth(fitted):
    prior, x, density, _ = fitted
    truth = as_mixture(prior).log_density(x).mean()
    own = linear_density()
    own.density = density
    # Of 36 pixels; one Gaussian, and images without a model of deviations, are far off.
    assert truth - as_mixture(own).log_density(x).mean() < 2


def test_what_was_chosen_is_said(fitted):
    *_, density, about = fitted
    assert (about["images"], about["further_images"]) == (2000, 0)
    assert about["components"] == density.components == 3
    assert about["shrinkage"] == 0.05
    assert 0 < about["representation_error"] < 0.01


def test_further_images_serve_the_latents_alone(fitted):
    prior, x, *_ = fitted
    density, about = fit_density(prior, x[:100], QUICK, more=x[100:400])
    alone, _ = fit_density(prior, x[:100], QUICK)
    assert about["further_images"] == 300
    assert torch.equal(density.deviation.centre, alone.deviation.centre)
    assert not torch.equal(density.means, alone.means)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(60, 1, 5, 6), "x must be"),
        (torch.zeros(49, *SHAPE), "49 images are too few"),
    ],
)
def test_wrong_images_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        fit_density(linear_density(), x.double(), QUICK)


@pytest.mark.parametrize(
    "wrong", [{"rank": 0}, {"components": ()}, {"shrinkage": (0.0,)}, {"latent_weight": -1.0}]
)
def test_wrong_numbers_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        DensityRecipe(**wrong)


def test_the_card_says_how_many_images_were_trained_on():
    prior = tiny_dcgan()
    assert trained_images(prior.card) == 0
    prior.card["recipe"] = "images = 54000\n"
    assert trained_images(prior.card) == 54_000


class TestCommand:
    @pytest.fixture
    def files(self, tmp_path):
        path = save_prior(tmp_path, size=8)
        images = Prior.load(path).sample(120, 3).numpy()
        noise = 0.02 * np.random.default_rng(0).normal(size=images.shape)
        np.savez(tmp_path / "images.npz", images=np.clip(images + noise, 0, 1).astype("float32"))
        return path, tmp_path / "images.npz"

    def test_the_prior_is_written_with_its_density(self, files, tmp_path):
        prior, data = files
        out = tmp_path / "dense.safetensors"
        done = succeed(
            "fit-density", prior, "--data", data, "--out", out, "--images", 60, "--skip", 60
        )
        assert "images: 60" in done.stdout
        found = Prior.load(out)
        assert found.density.deviation.image_shape == (1, 8, 8)
        assert found.card["density"]["first_image"] == 60
        succeed(
            "reconstruct", data, "--prior", out, "--measure", "gaussian:m=20", "--limit", 2,
            "--solver", "map", "--out", tmp_path / "results",
        )  # fmt: skip

    def test_too_few_images_are_refused(self, files, tmp_path):
        prior, data = files
        out = tmp_path / "dense.safetensors"
        message = refuse("fit-density", prior, "--data", data, "--out", out, "--skip", 100)
        assert "--skip 100 leaves fewer than 50 of 120 images" in message
        assert not out.exists()

    def test_solvers_that_need_a_density_name_the_command(self, files, tmp_path):
        prior, data = files
        message = refuse(
            "reconstruct", data, "--prior", prior, "--measure", "gaussian:m=20", "--limit", 1,
            "--solver", "map", "--out", tmp_path / "results",
        )  # fmt: skip
        assert "ganprior fit-density" in message
