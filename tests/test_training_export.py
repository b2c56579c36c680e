"""The prior that a run leaves: the average, with batch-norm statistics of its own."""

import copy

import pytest
import torch
from torch import nn

from ganprior import Prior
from ganprior.training import train
from ganprior.training.export import average_prior, average_with_statistics
from tests.cases import rng
from tests.cases_training import tiny_trainer


def trained(objective="non-saturating", steps=12, **changes):
    trainer = tiny_trainer(objective, steps=steps, **changes)
    for _ in range(steps):
        trainer.train_step()
    return trainer


@torch.no_grad()
def with_batch_statistics(network: nn.Module, z: torch.Tensor) -> torch.Tensor:
    """Images of a copy in training mode: every layer normalised by the batch itself."""
    return copy.deepcopy(network).train()(z)


def test_statistics_estimated_anew_are_those_of_the_average():
    trainer = trained(size=16)
    z = torch.randn(2000, 4, generator=rng(9))
    expected = with_batch_statistics(trainer.average.module, z)
    anew = average_with_statistics(trainer.average, 4)
    stale = copy.deepcopy(trainer.average.module).eval()
    # The usual mistake: the running statistics of the weights of the moment.
    borrowed = copy.deepcopy(stale)
    own = dict(trainer.generator.named_buffers())
    for name, buffer in borrowed.named_buffers():
        buffer.copy_(own[name])

    networks = {"anew": anew, "stale": stale, "borrowed": borrowed}
    with torch.no_grad():
        errors = {
            name: (network(z) - expected).abs().mean().item() for name, network in networks.items()
        }
    scale = expected.std().item()
    assert errors["anew"] < 0.02 * scale
    assert errors["stale"] > 5 * errors["anew"]
    assert errors["borrowed"] > 5 * errors["anew"]


def test_statistics_leave_the_run_as_it_is():
    trainer = trained(steps=2)
    before = copy.deepcopy(trainer.average.state_dict())
    state = trainer.rng.get_state()
    network = average_with_statistics(trainer.average, 4)
    assert not network.training
    assert trainer.average.training
    assert torch.equal(trainer.rng.get_state(), state)
    for name, tensor in trainer.average.state_dict().items():
        assert torch.equal(tensor, before[name])
    again = average_with_statistics(trainer.average, 4)
    for one, other in zip(network.buffers(), again.buffers(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("objective", "output"), [("non-saturating", "probability"), ("wgan-gp", "critic")]
)
def test_the_exported_prior_says_where_it_comes_from(objective, output, tmp_path):
    trainer = tiny_trainer(objective, steps=2)
    card = {"data": "synthetic", "licence": "none"}
    train(trainer, tmp_path, card=card, progress=False)
    prior = Prior.load(tmp_path / "prior")
    assert prior.card["data"] == "synthetic"
    assert prior.card["licence"] == "none"
    assert prior.card["data_sha256"] == "checksum of seed 0"
    assert prior.card["steps"] == 2
    assert prior.card["recipe"] == trainer.recipe.toml()
    assert prior.card["quality"] == {}
    assert prior.card["latent"] == {"law": "gaussian", "shape": [4]}
    assert (prior.card["image_shape"], prior.card["image_range"]) == ([1, 8, 8], [-1, 1])
    assert 0 < prior.card["float16_largest_pixel_change"] < 0.01
    assert prior.discriminator_output == output

    assert prior.discriminator is not None
    z = torch.randn(5, 4, generator=rng(1))
    with torch.no_grad():
        images = prior(z)
        own = average_prior(trainer)
        change = (images - own(z)).abs().max().item()
        assert change <= 2 * prior.card["float16_largest_pixel_change"]
        mine = copy.deepcopy(trainer.discriminator).eval()(own.from_unit(images))
        torch.testing.assert_close(
            prior.discriminator(own.from_unit(images)), mine, rtol=0.01, atol=0.01
        )


@pytest.mark.cuda
def test_a_run_on_cuda_exports_and_resumes_on_the_cpu(tmp_path):
    from ganprior.training import Trainer
    from tests.cases_training import tiny_images, tiny_recipe

    trainer = Trainer(tiny_recipe(steps=3), tiny_images(), torch.device("cuda"))
    train(trainer, tmp_path, progress=False)
    assert next(Prior.load(tmp_path / "prior").parameters()).device.type == "cpu"
    average_prior(trainer).cuda().save(tmp_path / "copy")
    train(tiny_trainer(steps=5), tmp_path, resume=True, progress=False)
