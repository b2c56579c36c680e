"""Conditional runs: who is told the labels, and what is refused without them."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy, softplus

from ganprior import Prior
from ganprior.training import Trainer, train
from ganprior.training.batches import training_labels
from tests.cases import rng
from tests.cases_training import tiny_images, tiny_recipe, tiny_trainer

CPU = torch.device("cpu")


def test_images_come_with_their_own_labels():
    images = tiny_images(classes=4)
    assert images.labels is not None
    # Let the label be read off the image.
    marked = replace(images, pixels=images.labels.byte()[:, None, None, None].expand(-1, 1, 8, 8))
    batches = Trainer(tiny_recipe(classes=4), marked, CPU).batches
    for _ in range(7):
        taken, labels = batches.take(CPU)
        assert labels is not None
        assert torch.equal(taken[:, 0, 0, 0].add(1).mul(127.5).round().long(), labels)


def test_both_players_are_told_the_label_of_the_real_image():
    trainer = tiny_trainer(classes=3)
    real, labels = trainer.batches.take(CPU)
    fake = trainer.losses.images(trainer.latents(), labels)
    loss = trainer.losses.discriminator(real, fake, labels, 0)
    judge = trainer.networks["discriminator"]
    on_real, on_fake = judge(real, labels), judge(fake, labels)
    torch.testing.assert_close(loss, softplus(-on_real).mean() + softplus(on_fake).mean())
    assert not torch.equal(on_real, judge(real, (labels + 1) % 3))


def test_the_score_of_two_batches_repeats_their_labels():
    trainer = tiny_trainer("wgan-gp", classes=3)
    real, labels = trainer.batches.take(CPU)
    score = trainer.losses.score(labels, 0)
    both = score(torch.cat([real, -real]))
    torch.testing.assert_close(both, torch.cat([score(real), score(-real)]))


def test_an_auxiliary_classifier_adds_the_class_losses():
    trainer = tiny_trainer(classes=3, conditioning="auxiliary")
    real, labels = trainer.batches.take(CPU)
    z = trainer.latents()
    fake = trainer.generator(z, labels).detach()
    judge: Any = trainer.networks["discriminator"]
    assert labels is not None
    classes = cross_entropy(judge.classify(real), labels)
    classes = classes + cross_entropy(judge.classify(fake), labels)
    source = softplus(-judge(real)).mean() + softplus(judge(fake)).mean()
    loss = trainer.losses.discriminator(real, fake, labels, 0)
    torch.testing.assert_close(loss, source + classes)
    loss = trainer.losses.adversarial(z, labels, 0)
    expected = softplus(-judge(fake)).mean() + cross_entropy(judge.classify(fake), labels)
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("conditioning", ["labels", "auxiliary"])
def test_a_conditional_run_ships_a_conditional_prior(conditioning, tmp_path):
    trainer = tiny_trainer(classes=3, conditioning=conditioning, steps=2)
    train(trainer, tmp_path, progress=False)
    prior = Prior.load(tmp_path / "prior")
    assert prior.classes == 3
    z = torch.randn(4, 4, generator=rng())
    assert prior.given(1)(z).shape == (4, 1, 8, 8)


def test_labels_that_are_missing_or_out_of_range():
    recipe = tiny_recipe(classes=3)
    with pytest.raises(ValueError, match=r"classes = 3, but the data has no labels; give an .npz"):
        training_labels(tiny_images(), recipe)
    with pytest.raises(ValueError, match="from 0 to 4, those of the recipe from 0 to 2; --set"):
        training_labels(tiny_images(classes=5), recipe)
    assert training_labels(tiny_images(classes=5), tiny_recipe()) is None


def noise_at(trainer: Trainer, step: int, x: torch.Tensor) -> torch.Tensor:
    noise = trainer.losses.score(None, step).noise
    assert noise is not None
    return noise(x)


def test_stabilisers_are_added_to_the_losses():
    plain, close = tiny_trainer("hinge"), tiny_trainer("hinge", closeness_weight=2.0)
    z = plain.latents()
    images = (plain.generator(z) + 1).flatten(1)
    cosines = torch.nn.functional.cosine_similarity(images[:, None], images[None], dim=2)
    penalty = (cosines.square().sum() - len(z)) / (len(z) * (len(z) - 1))
    added = close.losses.adversarial(z, None, 0) - plain.losses.adversarial(z, None, 0)
    torch.testing.assert_close(added, 2 * penalty, rtol=1e-4, atol=1e-4)

    noisy = tiny_trainer("hinge", input_noise=0.5, input_noise_steps=10)
    x = torch.zeros(400, 1, 8, 8)
    assert float(noise_at(noisy, 5, x).std()) == pytest.approx(0.25, rel=0.05)
    assert torch.equal(noise_at(noisy, 10, x), x)
