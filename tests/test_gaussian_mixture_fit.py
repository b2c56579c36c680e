"""Fits of Gaussian mixtures, their files, the shipped ones, and the command."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ganprior import Images, Prior, load_images
from ganprior.baselines import LMMSE, GaussianMixture
from ganprior.cli.solver_specs import SolverSpec
from ganprior.metrics import per_pixel_error
from ganprior.physics import Gaussian
from ganprior.priors import (
    gaussian_mixture_names,
    gaussian_mixture_of,
    load_gaussian_mixture,
    save_gaussian_mixture,
)
from ganprior.priors.gaussian_mixture_files import GAUSSIAN_MIXTURES, as_stored
from ganprior.training.gaussian_mixture import GaussianMixtureRecipe, fit_gaussian_mixture
from tests.cases import rng, tiny_dcgan
from tests.cases_baselines import tiny_law
from tests.cases_training import save_images, tiny_images
from tests.cli_cases import read_summary, refuse, succeed

SHAPE = (1, 8, 8)
ROOT = Path(__file__).parents[1]
RECIPE = GaussianMixtureRecipe(components=3, held_out=100, mixture_rank=4, rank=9)


def drawn(count=4000, law=None):
    """Images of a law that is known."""
    x = (law or tiny_law()).sample(count, rng(1)).float()
    return Images(x, tuple(map(str, range(count))), "drawn")


@pytest.fixture(scope="module")
def fitted():
    return fit_gaussian_mixture(drawn(), RECIPE)


class TestFit:
    def test_a_law_that_is_known_is_found(self, fitted):
        fresh = tiny_law().sample(500, rng(2))
        truth = tiny_law().log_density(fresh).mean().item()
        assert fitted.log_density(fresh).mean().item() == pytest.approx(truth, abs=1)
        torch.testing.assert_close(fitted.mean(), tiny_law().mean(), rtol=0, atol=0.03)
        gap = fitted.pixel_variances() / tiny_law().pixel_variances() - 1
        assert gap.abs().max() < 0.15

    def test_one_component_is_mean_and_covariance(self):
        images = drawn(500)
        recipe = replace(RECIPE, components=1, mixture_rank=64, rank=64, held_out=1)
        law = fit_gaussian_mixture(images, recipe)
        rows = images.floats()[:-1].flatten(1).double()
        torch.testing.assert_close(law.mean(), rows.mean(0), rtol=0, atol=1e-5)
        covariance = law.basis.T @ law.factors[0] @ law.factors[0].T @ law.basis
        # reg_covar is added in the basis, the floor in pixels.
        assert (covariance - rows.T.cov()).abs().max() < 3e-4

    def test_the_card_says_what_was_done(self, fitted):
        assert fitted.card["training_images"] == 3900
        assert fitted.card["components"] == 3
        assert fitted.card["data_sha256"] == "drawn"
        held_out = fitted.log_density(drawn().floats()[-100:]).mean().item()
        assert fitted.card["held_out_log_density"] == pytest.approx(held_out, abs=0.01)
        assert abs(fitted.card["float16_log_density_change"]) < 0.05

    def test_the_seed_decides(self, fitted):
        again = fit_gaussian_mixture(drawn(), RECIPE)
        assert torch.equal(again.factors, fitted.factors)

    def test_ranks_are_cut_down_to_what_there_is(self):
        law = fit_gaussian_mixture(drawn(40), replace(RECIPE, rank=784, held_out=10))
        assert len(law.basis) == 30
        assert (law.log_density(drawn(40).floats())).isfinite().all()

    def test_too_few_images_and_bad_settings_are_refused(self):
        with pytest.raises(ValueError, match="105 images are too few to hold out 100 and fit 3"):
            fit_gaussian_mixture(drawn(105), RECIPE)
        for name in ("components", "rank", "reg_covar", "floor"):
            with pytest.raises(ValueError, match=f"{name} must be"):
                replace(RECIPE, **{name: 0})
        with pytest.raises(ValueError, match="rank must be at least mixture_rank=4, got 3"):
            replace(RECIPE, rank=3)

    @pytest.mark.parametrize("wrong", [{"components": 8, "reg_covar": 1e-18}, {"reg_covar": 1e18}])
    def test_covariances_that_are_none_are_refused(self, wrong):
        recipe = replace(RECIPE, held_out=4, **wrong)
        with pytest.raises(ValueError, match=r"reg_covar=1e[-+]18 leaves a covariance"):
            fit_gaussian_mixture(drawn(24), recipe)


class TestFiles:
    def test_saved_and_loaded_is_the_rounded_one(self, fitted, tmp_path):
        save_gaussian_mixture(fitted, tmp_path / "law.safetensors")
        loaded, expected = load_gaussian_mixture(tmp_path / "law"), as_stored(fitted)
        for name in ("weights", "centre", "basis", "means", "factors", "variances", "diagonal"):
            assert torch.equal(getattr(loaded, name), getattr(expected, name))
        assert loaded.image_shape == SHAPE
        assert loaded.card["held_out_log_density"] == fitted.card["held_out_log_density"]
        assert sorted(p.name for p in tmp_path.iterdir()) == ["law.json", "law.safetensors"]
        assert "weights_sha256" not in json.loads((tmp_path / "law.json").read_text())

    def test_what_is_not_there_or_damaged_is_one_line(self, tmp_path):
        save_gaussian_mixture(tiny_law(), tmp_path / "law")
        card, file = tmp_path / "law.json", tmp_path / "law.safetensors"
        text, whole = card.read_text(), file.read_bytes()
        tensors = load_file(file)

        def refused():
            with pytest.raises(ValueError) as caught:
                load_gaussian_mixture(file)
            assert "\n" not in str(caught.value)
            return str(caught.value)

        card.write_text(text.replace("image_shape", "shape"))
        assert "is no Gaussian mixture of ganprior" in refused()
        card.write_text("[]")
        assert "no JSON object" in refused()
        card.write_text(text.replace("8", "9"))
        assert "has shape" in refused()
        card.write_text(text)
        file.write_bytes(whole[:-10])
        assert "not a whole safetensors file" in refused()
        save_file({k: v for k, v in tensors.items() if k != "means"}, file)
        assert "it has no 'means'" in refused()
        save_file({**tensors, "centre": tensors["centre"] * torch.nan}, file)
        assert "NaN" in refused()
        save_file({**tensors, "diagonal": -tensors["diagonal"]}, file)
        assert "must be positive" in refused()
        with pytest.raises(ValueError, match="did you mean 'mnist'"):
            load_gaussian_mixture("mnits")

    def test_none_is_shipped_for_data_of_ones_own(self):
        with pytest.raises(ValueError, match=r"fit one with 'ganprior fit-gaussians'.*mnist"):
            gaussian_mixture_of("another")


@pytest.mark.parametrize(
    ("name", "prior", "file"),
    [
        ("mnist", "mnist", "mnist_test_100"),
        ("fashion-mnist", "fashion-mnist-dcgan", "fashion_mnist_test_100"),
    ],
)
class TestShipped:
    def test_it_belongs_to_the_data_of_the_prior(self, name, prior, file):
        assert name in gaussian_mixture_names()
        sha = Prior.load(prior).card["data_sha256"]
        assert gaussian_mixture_of(sha).card["data_sha256"] == sha
        for kind, solver in [("gaussian-mixture", GaussianMixture), ("lmmse", LMMSE)]:
            built = SolverSpec.parse(kind).build(Prior.load(prior), noise_std=0.1)
            assert type(built) is solver
            assert built.noise_std == 0.1

    def test_it_is_ahead_of_the_lasso_and_of_lmmse(self, name, prior, file):
        """On test images, as far as measured: METHODS of the figure at m = 100."""
        x = load_images(ROOT / "data" / f"{file}.npz").head(40).floats()
        physics = Gaussian(100, x.shape[1:], rng(7))
        y = physics.A(x) + 0.01 * torch.randn(40, 100, generator=rng(8))
        errors = [
            per_pixel_error(kind.load(name, 0.01)(y, physics), x).mean().item()
            for kind in (GaussianMixture, LMMSE)
        ]
        assert errors[0] < 0.011
        assert errors[0] < 0.85 * errors[1]

    def test_it_is_small(self, name, prior, file):
        size = sum(
            (GAUSSIAN_MIXTURES / f"{name}{end}").stat().st_size for end in (".safetensors", ".json")
        )
        assert size < 1_500_000


def test_from_the_command_line(tmp_path):
    data = tmp_path / "images.npz"
    save_images(data, tiny_images(60))
    out, prior = tmp_path / "law.safetensors", tmp_path / "prior"
    args = ("fit-gaussians", "--data", data, "--out", out, "--name", "tiny")
    few = ("--components", "2", "--held-out", "10", "--mixture-rank", "3", "--rank", "8")
    said = succeed(*args, *few).stdout
    law = load_gaussian_mixture(out)
    assert f"held-out images: {law.card['held_out_log_density']}" in said
    assert (law.card["data"], law.card["training_images"]) == ("tiny", 50)
    tiny_dcgan().save(prior)
    succeed(
        "reconstruct", data, "--prior", prior, "--measure", "gaussian:m=30", "--limit", "3",
        "--solver", f"gaussian-mixture:law={out}", "--solver", f"lmmse:law={out}",
        "--solver", "tv", "--solver", "lasso-dct:box=true,weights=frequency",
        "--out", tmp_path / "found",
    )  # fmt: skip
    rows = read_summary(tmp_path / "found")["rows"]
    assert {row["status"] for row in rows} == {"converged"}
    assert "--rank must be at least --mixture-rank" in refuse(*args, "--rank", "2")
    assert "too few" in refuse(*args, "--held-out", "50", "--components", "9")
    assert "fit-gaussians" in refuse(
        "reconstruct", data, "--prior", prior, "--measure", "gaussian:m=30",
        "--solver", "lmmse", "--out", tmp_path / "none",
    )  # fmt: skip
