"""Conditional players, auxiliary classifiers, and the prior of one class."""

import pytest
import torch
from torch import Tensor, nn

from ganprior import CSGM, FAST, Prior
from ganprior.priors import read_card
from tests.cases import gaussian, rng
from tests.cases_architectures import COMMON, tiny_architecture, tiny_networks, tiny_prior

CLASSES = 3


def labels_of(label: int, count: int = 4) -> Tensor:
    return torch.full((count,), label)


@pytest.mark.parametrize("name", COMMON)
def test_given_a_label_the_generator_is_the_conditional_one(name):
    prior = tiny_prior(name, classes=CLASSES).double()
    z = torch.randn(4, 5, generator=rng(), dtype=torch.float64)
    for label in range(CLASSES):
        one = prior.given(label)
        expected = prior(z, labels_of(label))
        torch.testing.assert_close(one(z), expected, rtol=1e-12, atol=1e-14)
        assert one.discriminator is not None
        assert prior.discriminator is not None
        number = prior.discriminator(expected, labels_of(label))
        torch.testing.assert_close(one.discriminator(expected), number)
        other = prior(z, labels_of((label + 1) % CLASSES))
        assert not torch.allclose(expected, other)


@pytest.mark.parametrize("conditioning", ["labels", "auxiliary"])
@pytest.mark.parametrize("name", ["dcgan", "dcgan-plain", "mlp", "resnet"])
def test_the_prior_of_one_class_is_saved_and_loaded(name, conditioning, tmp_path):
    conditional = tiny_prior(name, classes=CLASSES, conditioning=conditioning, encoder=True)
    conditional.card["quality"] = {"representation_error": 0.01}
    conditional.card["alias"] = "all"
    one = conditional.given(2)
    one.save(tmp_path / "two")
    again = Prior.load(tmp_path / "two")
    assert again.classes == one.classes == 0
    card = read_card(tmp_path / "two")
    assert card["architecture"]["label"] == 2
    # Figures and short name of all the classes are not those of this one.
    assert not {"quality", "alias"} & set(card)
    change = again.card["float16_largest_pixel_change"]
    images = one.sample(20, rng(4))
    assert (again.sample(20, rng(4)) - images).abs().max() <= 3 * change < 0.05
    x = one.from_unit(images)
    for network in ("discriminator", "encoder"):
        got, expected = getattr(again, network)(x), getattr(one, network)(x)
        torch.testing.assert_close(got, expected, rtol=0.02, atol=0.02)


def test_the_prior_of_one_class_is_a_copy():
    prior = tiny_prior(classes=CLASSES)
    before = {name: tensor.clone() for name, tensor in prior.state_dict().items()}
    one = prior.given(0).train()
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.zero_()
    assert not any(part.training for part in prior.modules())
    assert all(torch.equal(t, before[name]) for name, t in prior.state_dict().items())
    assert prior.card["architecture"]["label"] is None


def test_csgm_recovers_an_image_of_one_class():
    prior = tiny_prior("mlp", classes=CLASSES, size=8, filters=16).given(1)
    x = prior.sample(2, rng(1))
    physics = gaussian(40, prior.image_shape)
    solution = CSGM(prior, 0.0, effort=FAST).solve(physics.A(x), physics)
    assert (solution.x - x).square().mean() < 1e-6


def test_a_solver_given_a_conditional_prior_says_what_to_do():
    prior = tiny_prior("mlp", classes=CLASSES, size=8)
    physics = gaussian(20, prior.image_shape)
    with pytest.raises(ValueError, match=r"no labels.*prior\.given\(label\)"):
        CSGM(prior, 0.0).solve(torch.zeros(1, 20), physics)


def test_labels_are_checked():
    prior = tiny_prior(classes=CLASSES)
    z = torch.zeros(2, 5)
    for call, message in (
        (lambda: prior(z), r"no labels: give one of 0 \.\.\. 2"),
        (lambda: prior.render(z), "no labels"),
        (lambda: prior.generator(z), "no labels"),
        (lambda: prior(z, torch.tensor([0, 3])), r"label must be one of 0 \.\.\. 2, got 3"),
        (lambda: prior(z, torch.tensor([0, -1])), r"label must be one of 0 \.\.\. 2, got -1"),
        (lambda: prior(z, torch.tensor([0])), r"labels must be int64 \(2,\)"),
        (lambda: prior(z, torch.zeros(2)), "got torch.float32"),
        (lambda: prior.given(3), r"label must be one of 0 \.\.\. 2, got 3"),
        (lambda: tiny_prior().given(0), "the prior is unconditional"),
        (lambda: prior.given(1).given(1), "the prior is unconditional"),
        (lambda: tiny_prior()(z, torch.tensor([0, 1])), "the prior is unconditional"),
    ):
        with pytest.raises(ValueError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_samples_take_the_labels_in_turn():
    prior = tiny_prior(classes=CLASSES)
    assert prior.classes == CLASSES
    images = prior.sample(5, rng(2))
    z = prior.latent.sample(5, rng(2))
    expected = prior.render(z, torch.tensor([0, 1, 2, 0, 1]), chunk=2)
    torch.testing.assert_close(images, expected)
    assert tiny_prior().round_robin(5) is None


@pytest.mark.parametrize("conditioning", ["labels", "auxiliary"])
@pytest.mark.parametrize("name", ["dcgan", "mlp", "resnet"])
def test_a_conditional_prior_is_saved_and_loaded(name, conditioning, tmp_path):
    prior = tiny_prior(name, classes=CLASSES, conditioning=conditioning)
    prior.save(tmp_path / "three")
    again = Prior.load(tmp_path / "three")
    assert again.classes == CLASSES
    torch.testing.assert_close(again.sample(9, rng()), prior.sample(9, rng()), rtol=0, atol=0.05)
    assert torch.equal(again.given(1).sample(2, rng()), again.given(1).sample(2, rng()))


def test_the_code_is_joined_as_the_papers_say():
    networks = tiny_networks(tiny_architecture(classes=CLASSES))
    z = torch.randn(2, 5, generator=rng())
    labels = torch.tensor([2, 0])
    code = torch.tensor([[0.0, 0, 1], [1, 0, 0]])
    images = networks.generator(z, labels)
    torch.testing.assert_close(images, networks.generator.body(torch.cat([z, code], 1)))
    planes = code[..., None, None] * torch.ones(28, 28)
    expected = networks.discriminator.network(torch.cat([images, planes], 1))
    torch.testing.assert_close(networks.discriminator(images, labels), expected)

    flat = tiny_networks(tiny_architecture("mlp", classes=CLASSES)).discriminator
    expected = flat.network(torch.cat([images.flatten(1), code], 1))
    torch.testing.assert_close(flat(images, labels), expected)


@pytest.mark.parametrize("name", ["dcgan", "mlp", "resnet"])
def test_the_auxiliary_classifier_shares_all_but_the_last_layer(name):
    architecture = tiny_architecture(name, classes=CLASSES, conditioning="auxiliary")
    discriminator = tiny_networks(architecture).discriminator
    x = torch.rand(4, 1, 28, 28, generator=rng()) * 2 - 1
    passes: list[int] = []
    discriminator.features.register_forward_hook(lambda *_: passes.append(1))
    number, logits = discriminator.both(x)
    assert len(passes) == 1
    assert logits.shape == (4, CLASSES)
    assert torch.equal(discriminator(x), number)
    assert torch.equal(discriminator.classify(x), logits)
    logits.sum().backward()
    assert all(p.grad is not None for p in discriminator.features.parameters())
    assert all(p.grad is None for p in discriminator.output.parameters())


class OwnGenerator(nn.Module):
    """A conditional generator as others write it."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(CLASSES, 5)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        return (z + self.table(labels)).unflatten(1, (1, 1, 5))


def test_a_conditional_generator_of_ones_own():
    module = OwnGenerator()
    prior = Prior.from_module(module, 5, image_range=(0, 1), classes=CLASSES)
    assert prior.image_shape == (1, 1, 5)
    assert prior.classes == CLASSES
    z = torch.randn(4, 5, generator=rng())
    one = prior.given(2)
    torch.testing.assert_close(one(z), module(z, labels_of(2)))
    assert one.classes == 0
    assert one.generator.network is not module
    with pytest.raises(ValueError, match="neither an architecture of ganprior nor a factory"):
        one.save("nowhere")
