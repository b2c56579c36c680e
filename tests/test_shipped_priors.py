"""The shipped priors of 28 x 28 pixels: cards, size, and CSGM with them on held-out images."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ganprior import (
    CSGM,
    MAP,
    Gaussian,
    GaussianMixture,
    LassoDCT,
    Prior,
    Streams,
    demo_images,
    load_images,
)
from ganprior.evaluation.classifier import load_classifier, shipped_classifier
from ganprior.evaluation.evaluate import share_read_as_asked
from ganprior.metrics import per_pixel_error
from ganprior.priors import cards, find_prior, read_card

NAMES = [
    "cdcgan-mnist",
    "fashion-mnist-dcgan",
    "fashion-mnist-wgan-gp",
    "mnist-k20-vae",
    "mnist-k20-vae-gan",
    "mnist-k64-vae-gan",
]
# Decoders made for inversion: no discriminator, but a density.
DENSE = ["fashion-mnist-k128-vae", "mnist-k64-vae"]
LICENCES = {"Fashion-MNIST": "MIT", "MNIST": "CC-BY-SA"}
MEGABYTE = 2**20


def load(name: str) -> Prior:
    """The prior; of a conditional one, that of a class."""
    prior = Prior.load(name)
    return prior.given(3) if prior.classes else prior


def test_all_are_shipped():
    shipped = {path.stem for path in cards.WEIGHTS.glob("*.safetensors")}
    assert shipped == {*NAMES, *DENSE, "brain-mri-64"}  # test_priors_64.py is about the larger ones


@pytest.mark.parametrize("name", NAMES + DENSE)
class TestCard:
    def test_tells_what_a_user_needs(self, name):
        card = read_card(find_prior(name))
        assert card["image_shape"] == [1, 28, 28]
        assert LICENCES[card["data"]] in card["licence"]
        assert len(card["data_sha256"]) == 64
        assert 0 < card["float16_largest_pixel_change"] < 1 / 255
        assert 0 < card["quality"]["representation_error"] < 0.03
        output = "critic" if "wgan" in name else "probability"
        assert name in DENSE or card["discriminator_output"] == output

    def test_files_are_small_and_a_sample_sheet_lies_beside(self, name):
        path = find_prior(name)
        assert path.stat().st_size < 4 * MEGABYTE
        assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")

    def test_samples_in_eval_mode_look_like_those_with_batch_statistics(self, name):
        prior = Prior.load(name)
        z = prior.latent.sample(500, torch.Generator().manual_seed(0))
        # A batch of all classes, as in training.
        labels = () if not prior.classes else (prior.round_robin(500),)
        with torch.no_grad():
            evaluated = prior(z, *labels)
            batch = prior.to_unit(prior.generator.train()(z, *labels))
        assert (evaluated - batch).abs().mean() < 0.01

    def test_discriminator_or_density_is_there(self, name):
        prior = load(name)
        if name in DENSE:
            assert prior.discriminator is None
            assert prior.density.components == prior.card["density"]["components"]
            return
        images = prior.sample(3, torch.Generator().manual_seed(0))
        assert prior.discriminator is not None
        assert prior.discriminator(prior.from_unit(images)).shape == (3,)


@pytest.mark.parametrize(
    ("name", "data"), [("mnist-k64-vae", "mnist"), ("fashion-mnist-k128-vae", "fashion_mnist")]
)
def test_a_density_is_ahead_of_its_range_and_of_the_mixture(name, data):
    prior = Prior.load(name)
    x = load_images(Path(__file__).parents[1] / "data" / f"{data}_test_100.npz", limit=10).floats()
    physics = Gaussian(100, prior.image_shape)
    y = physics(x)

    def error(solver):
        return per_pixel_error(solver(y, physics), x).mean()

    dense = error(MAP(prior, steps=60))
    assert dense < 0.8 * error(GaussianMixture.shipped_for(prior.card["data_sha256"]))
    assert dense < 0.8 * error(CSGM(prior, effort="fast"))


def test_a_classifier_reads_the_conditional_prior_as_asked():
    prior = Prior.load("cdcgan-mnist")
    path = shipped_classifier(prior.card["data_sha256"], prior.image_shape)
    assert path is not None
    rng = torch.Generator().manual_seed(0)
    assert share_read_as_asked(prior, load_classifier(path), 500, rng) >= 0.95


def test_the_longer_trained_priors_are_better_than_the_first_ones():
    for name in ("fashion-mnist-dcgan", "fashion-mnist-wgan-gp"):
        card = read_card(find_prior(name))
        for figure in ("representation_error", "frechet_distance"):
            assert card["quality"][figure] < card["quality_before"][figure]


def test_the_default_of_mnist_reconstructs_as_well_as_a_published_vae():
    card = read_card(find_prior("mnist"))
    published = {"m = 25": 0.0276, "m = 100": 0.0083, "m = 750": 0.0070}
    for m, error in card["quality"]["error_at_noise_0.1"].items():
        assert error <= published[m]
        assert error < card["quality_before"]["error_at_noise_0.1"][m]


def test_ten_real_images_come_back_better_than_by_lasso():
    prior = Prior.load("fashion-mnist-dcgan")
    x = demo_images().floats()
    physics = Gaussian(100, prior.image_shape)
    y = physics(x)
    ours = per_pixel_error(CSGM(prior)(y, physics), x).mean()
    assert ours < 0.5 * per_pixel_error(LassoDCT()(y, physics), x).mean()


@pytest.mark.slow
def test_fifty_images_alone_and_in_a_batch_have_the_same_mean_error():
    prior = Prior.load("fashion-mnist-dcgan")
    data = Path(__file__).parents[1] / "data" / "fashion_mnist_test_100.npz"
    x = load_images(data, limit=50).floats()
    physics = Gaussian(100, prior.image_shape)
    y = physics(x)
    solver = CSGM(prior)
    whole = per_pixel_error(solver.solve(y, physics, rng=Streams(0)).x, x).mean()
    alone = [solver.solve(y[i : i + 1], physics, rng=Streams(0, [i])).x for i in range(50)]
    assert per_pixel_error(torch.cat(alone), x).mean() == pytest.approx(float(whole), rel=0.02)
