"""Runs with an encoder: a VAE, a GAN that is one too, and a GAN that begins as one."""

import copy

import pytest
import torch

from ganprior import Prior
from ganprior.training import train
from ganprior.training.export import average_prior
from tests.cases import rng
from tests.cases_training import tiny_recipe, tiny_trainer


def weights(trainer, name):
    return [p.detach().clone() for p in trainer.networks[name].parameters()]


def moved(trainer, name, before) -> bool:
    pairs = zip(weights(trainer, name), before, strict=True)
    return any(not torch.equal(now, then) for now, then in pairs)


def test_the_vae_loss_is_the_bound_of_its_networks():
    trainer = tiny_trainer("vae", architecture="mlp", reconstruction_weight=3, kl_weight=0.5)
    real, _ = trainer.batches.take(trainer.device)
    source = copy.deepcopy(trainer.rng.get_state())
    loss = trainer.losses.vae(real, None)

    mean, log_variance = trainer.encoder.moments(real)
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    epsilon = torch.randn(mean.shape, generator=rng().set_state(source))
    decoded = trainer.generator(mean + posterior.scale * epsilon)
    # Half the squared error is -log N(x; G(z), 1) without its constant.
    pixels = torch.distributions.Normal(decoded, 1.0)
    reconstruction = (pixels.log_prob(decoded) - pixels.log_prob(real)).sum((1, 2, 3))
    unit = torch.distributions.Normal(torch.zeros_like(mean), 1.0)
    divergence = torch.distributions.kl_divergence(posterior, unit).sum(1)
    expected = 3 * reconstruction.mean() + 0.5 * divergence.mean()
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-4)


def test_a_vae_learns_to_reconstruct():
    trainer = tiny_trainer("vae", kl_weight=0.01, learning_rate=1e-2, filters=8)
    real = trainer.batches.pixels.float() / 127.5 - 1

    def error() -> float:
        with torch.no_grad():
            return float(
                (trainer.generator(trainer.networks["encoder"](real)) - real).square().mean()
            )

    before = error()
    for _ in range(80):
        trainer.train_step()
    assert error() < before / 2


def test_vae_steps_train_encoder_and_decoder_and_then_the_objective_takes_over():
    trainer = tiny_trainer("wgan-gp", vae_steps=2)
    names = ("generator", "discriminator", "encoder")
    for step in range(4):
        before = {name: weights(trainer, name) for name in names}
        taken = trainer.train_step()
        now = {name for name in names if moved(trainer, name, before[name])}
        # The encoder does not ship with this objective: it rests when it has done its part.
        assert now == ({"generator", "encoder"} if step < 2 else {"generator", "discriminator"})
        assert (taken.discriminator_loss is None) == (step < 2)


def test_an_encoder_asked_for_trains_to_the_end_with_any_objective():
    trainer = tiny_trainer("hinge", encoder=True)
    before = weights(trainer, "encoder")
    trainer.train_step()
    assert moved(trainer, "encoder", before)


@pytest.mark.parametrize(
    ("objective", "changes", "encodes", "judges"),
    [
        ("vae", {}, True, False),
        ("vae-gan", {"vae_steps": 1}, True, True),
        ("hinge", {"encoder": True}, True, True),
        ("hinge", {"vae_steps": 1}, False, True),
    ],
)
def test_the_prior_ships_the_encoder_and_the_discriminator_it_has(
    objective, changes, encodes, judges, tmp_path
):
    trainer = tiny_trainer(objective, steps=2, **changes)
    train(trainer, tmp_path, progress=False)
    prior = Prior.load(tmp_path / "prior")
    assert (prior.encoder is not None) == encodes
    assert (prior.discriminator is not None) == judges
    if prior.encoder is not None:
        x = torch.rand(3, 1, 8, 8, generator=rng()) * 2 - 1
        encoder = average_prior(trainer).encoder
        assert encoder is not None
        own = encoder(x)
        assert own.shape == (3, 4)
        torch.testing.assert_close(prior.encoder(x), own, rtol=0.01, atol=0.01)


def test_a_prior_starts_a_generator_and_a_discriminator(tmp_path):
    first = tiny_trainer("vae-gan", steps=2)
    train(first, tmp_path, progress=False)
    path = str(tmp_path / "prior.safetensors")
    trainer = tiny_trainer("hinge", start_generator=path, start_discriminator=path, seed=1)
    prior = Prior.load(path)
    for name, network in (("generator", prior.generator), ("discriminator", prior.discriminator)):
        for own, theirs in zip(weights(trainer, name), network.parameters(), strict=True):
            assert torch.equal(own, theirs)
    assert [line.partition(" taken from")[0] for line in trainer.taken] == [
        f"{name}: {n} of {n} tensors"
        for name in ("generator", "discriminator")
        for n in [sum(t.is_floating_point() for t in trainer.networks[name].state_dict().values())]
    ]
    # The last layer of three channels has another shape, and is left as it was drawn.
    colour = tiny_trainer(start_generator=path, channels=3)
    assert "tensors taken from" in colour.taken[0]
    assert "of 0" not in colour.taken[0]

    with pytest.raises(ValueError, match=r"start_generator: no tensor of .*; give one of the same"):
        tiny_trainer(start_generator=path, filters=3, latent_size=5, channels=3)
    both = tiny_trainer("vae-gan", start_encoder=path, seed=1)
    assert prior.encoder is not None
    for own, theirs in zip(weights(both, "encoder"), prior.encoder.parameters(), strict=True):
        assert torch.equal(own, theirs)
    with pytest.raises(ValueError, match="objective 'hinge' has no encoder"):
        tiny_trainer("hinge", start_encoder=path)
    with pytest.raises(ValueError, match="objective 'vae' has no discriminator"):
        tiny_trainer("vae", start_discriminator=path)
    with pytest.raises(ValueError, match=r"start_generator: no prior 'fashon.*did you mean"):
        tiny_trainer(start_generator="fashon-mnist-dcgan")


def test_a_classifier_starts_a_discriminator(tmp_path):
    from ganprior.evaluation.classifier import TrainedClassifier, save_classifier
    from ganprior.priors.architectures import Classifier, initialise

    network = Classifier(1, 8, 3, filters=4)
    initialise(network, rng(5))
    card = {"architecture": {"name": "classifier", "channels": 1, "size": 8, "classes": 3}}
    save_classifier(TrainedClassifier(network, card), tmp_path / "classifier.safetensors")
    trainer = tiny_trainer(start_discriminator=str(tmp_path / "classifier.safetensors"))
    [taken] = trainer.taken
    assert taken.startswith("discriminator: ")
    first = trainer.networks["discriminator"].get_parameter("features.0.weight")
    assert torch.equal(first, network.get_parameter("trunk.0.weight").half().float())


def test_what_a_recipe_says_of_its_encoder():
    assert tiny_recipe("vae").ships_encoder
    assert not tiny_recipe("hinge", vae_steps=3).ships_encoder
    assert tiny_recipe("hinge", vae_steps=3).trains_encoder
    assert not tiny_recipe("hinge").trains_encoder
    assert not tiny_recipe("vae").has_adversary
