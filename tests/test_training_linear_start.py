"""The architecture dcgan-linear: where it starts, what of it is trained, and that it is a prior."""

import pytest
import torch
from sklearn.decomposition import PCA

from ganprior import Prior
from ganprior.priors.architectures import build_networks, components_of
from ganprior.training.export import average_prior
from tests.cases import rng
from tests.cases_architectures import tiny_architecture
from tests.cases_training import tiny_trainer

WEIGHTS = {"reconstruction_weight": 2.0, "kl_weight": 0.5}


def linear_trainer(**changes):
    return tiny_trainer("vae", architecture="dcgan-linear", **{**WEIGHTS, **changes})


def pixels_of(trainer):
    return trainer.batches.pixels.float() / 127.5 - 1


def test_it_starts_as_the_linear_auto_encoder():
    trainer = linear_trainer()
    x = pixels_of(trainer)
    exact = PCA(4, svd_solver="full").fit(x.flatten(1).numpy())
    with torch.no_grad():
        mean, log_variance = trainer.encoder.eval().moments(x)
        images = trainer.generator.eval()(mean)
    nearest = exact.inverse_transform(exact.transform(x.flatten(1).numpy()))
    torch.testing.assert_close(images.flatten(1), torch.from_numpy(nearest), rtol=1e-3, atol=1e-3)
    # Latents of the training images are N(0, I) as far as two moments say, and their posterior
    # has the variance of the linear model: 1 / (w s^2 / beta + 1).
    torch.testing.assert_close(mean.T.cov(), torch.eye(4), rtol=1e-3, atol=1e-3)
    expected = 1 / (4.0 * torch.from_numpy(exact.explained_variance_) + 1)
    torch.testing.assert_close(
        log_variance.exp(), expected.float().expand(40, 4), rtol=1e-3, atol=0
    )


def test_the_linear_parts_stay_and_the_rest_moves():
    trainer = linear_trainer()
    networks = {name: trainer.networks[name] for name in ("generator", "encoder")}
    before = {
        (name, key): tensor.clone()
        for name, network in networks.items()
        for key, tensor in network.named_parameters()
    }
    for _ in range(3):
        trainer.train_step()
    for name, network in networks.items():
        for key, tensor in network.named_parameters():
            assert torch.equal(tensor, before[name, key]) != tensor.requires_grad, (name, key)


def test_it_learns_what_the_components_leave():
    trainer = linear_trainer(learning_rate=3e-3, filters=8, kl_weight=0.001)
    x = pixels_of(trainer)

    def error() -> float:
        with torch.no_grad():
            return float((trainer.generator(trainer.encoder(x)) - x).square().mean())

    before = error()
    for _ in range(150):
        trainer.train_step()
    assert error() < 0.8 * before


def test_its_prior_is_saved_and_loaded(tmp_path):
    trainer = linear_trainer()
    trainer.train_step()
    prior = average_prior(trainer)
    prior.save(tmp_path / "prior")
    again = Prior.load(tmp_path / "prior")
    z = torch.randn(3, 4, generator=rng())
    torch.testing.assert_close(again(z), prior(z), rtol=0, atol=0.02)


def test_more_entries_than_images_are_refused():
    with pytest.raises(ValueError, match="40 images have fewer than latent_size = 40 principal"):
        linear_trainer(latent_size=40)


def test_labels_are_refused():
    with pytest.raises(ValueError, match="dcgan-linear has no labels"):
        build_networks(tiny_architecture("dcgan-linear", classes=3))


def test_every_generator_of_a_mixture_starts_so():
    trainer = tiny_trainer("hinge", architecture="dcgan-linear", mixture=2)
    one = tiny_trainer("hinge", architecture="dcgan-linear")
    z = torch.randn(3, 4, generator=rng())
    expected = one.generator.eval()(z)
    for component in components_of(trainer.generator):
        torch.testing.assert_close(component.eval()(z), expected)
