"""Priors from modules of all kinds, and the laws of their latents."""

import copy

import pytest
import torch
from torch import Tensor, nn

from ganprior import GaussianLatent, Prior, UniformLatent
from ganprior.priors.architectures.dcgan import DCGANDiscriminator, DCGANGenerator
from ganprior.priors.latent import latent_from_description
from tests.cases import LinearGenerator, linear_prior, rng, tiny_dcgan


class Decoder(nn.Module):
    """A VAE's decoder as people write it: dropout, batch norm, sigmoid, latent (2, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(),
            nn.Linear(6, 12),
            nn.BatchNorm1d(12),
            nn.Dropout(0.5),
            nn.Linear(12, 3 * 4 * 5),
            nn.Sigmoid(),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.body(z).reshape(-1, 3, 4, 5)


def test_a_linear_map():
    module = LinearGenerator(5, (1, 6, 6)).double()
    prior = Prior.from_module(module, 5, image_range=(0, 1))
    assert prior.image_shape == (1, 6, 6)
    assert prior.generator is module
    z = torch.randn(3, 5, generator=rng(), dtype=torch.float64)
    assert torch.equal(prior(z), (z @ module.weight.T).reshape(3, 1, 6, 6))
    assert (prior.discriminator, prior.encoder, prior.discriminator_output) == (None, None, None)


def test_a_decoder_is_left_untouched():
    module = Decoder()
    module.train()
    module.body[2].eval()
    module.body[1].weight.requires_grad_(False)
    module(torch.randn(4, 2, 3, generator=rng())).sum().backward()
    calls: list[int] = []
    module.register_forward_hook(lambda *_: calls.append(1))
    before = copy.deepcopy(module)
    gradients = [None if p.grad is None else p.grad.clone() for p in module.parameters()]

    prior = Prior.from_module(module, (2, 3), image_range=(0, 1))
    assert len(calls) == 1, "the module is called once, to learn the image shape"
    first = prior.sample(6, rng(1))
    assert prior.image_shape == (3, 4, 5)
    assert first.shape == (6, 3, 4, 5)
    assert torch.equal(first, prior.sample(6, rng(1))), "dropout is off"

    assert prior.generator is module
    modes = [part.training for part in before.modules()]
    assert [part.training for part in module.modules()] == modes
    assert set(modes) == {True, False}
    for one, other in zip(module.parameters(), before.parameters(), strict=True):
        assert torch.equal(one, other)
        assert one.requires_grad == other.requires_grad
    for parameter, gradient in zip(module.parameters(), gradients, strict=True):
        if gradient is None or parameter.grad is None:
            assert parameter.grad is gradient
        else:
            assert torch.equal(parameter.grad, gradient)
    for buffer, old_buffer in zip(module.buffers(), before.buffers(), strict=True):
        assert torch.equal(buffer, old_buffer)
    for part, old in zip(module.modules(), before.modules(), strict=True):
        assert len(part._forward_hooks) == len(old._forward_hooks)


def test_modes_come_back_after_an_error():
    module = Decoder().train()
    with pytest.raises(ValueError, match="does not take latents of shape"):
        Prior.from_module(module, (5, 5))
    assert all(part.training for part in module.modules())


@pytest.mark.parametrize("image_range", [(-1.0, 1.0), (0.0, 1.0), (0.0, 255.0), (-2.0, 3.0)])
def test_image_range_is_mapped_to_unit(image_range):
    low, high = image_range
    prior = Prior.from_module(nn.Unflatten(1, (1, 1, 3)), 3, image_range=image_range)
    z = torch.tensor([[low, (low + high) / 2, high]])
    torch.testing.assert_close(prior(z).flatten(), torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(prior.from_unit(prior(z)).flatten(), z.flatten())


def test_what_is_no_generator_is_refused():
    with pytest.raises(ValueError, match=r"module must map .* got \(1, 4\)"):
        Prior.from_module(nn.Linear(3, 4), 3)
    with pytest.raises(ValueError, match="got tuple"):
        Prior.from_module(type("Pair", (nn.Module,), {"forward": lambda self, z: (z, z)})(), 3)
    with pytest.raises(ValueError, match="latent must be 'gaussian' or 'uniform', got 'cauchy'"):
        Prior.from_module(nn.Identity(), 3, latent="cauchy")  # type: ignore[arg-type]
    with pytest.raises(
        ValueError, match=r"latent_shape is \(3,\), but the law given is over \(4,\)"
    ):
        Prior.from_module(nn.Identity(), 3, latent=GaussianLatent(4))
    with pytest.raises(ValueError, match=r"image_range must be \(low, high\)"):
        Prior.from_module(nn.Unflatten(1, (1, 1, 3)), 3, image_range=(1, 1))


@pytest.mark.parametrize("count", [-1, 4.0, "4", None, True, 2**40])
@pytest.mark.parametrize("law", [GaussianLatent(3), UniformLatent((2, 3))])
def test_counts_that_are_none_are_refused(law, count):
    prior = Prior.from_module(nn.Unflatten(1, (1, 1, 3)), 3)
    for draw in (law.sample, prior.sample, prior.sample_latents):
        with pytest.raises(ValueError, match=r"^count must be [^\n]*$"):
            draw(count, 0)


@pytest.mark.parametrize("seed", [True, -1, 2**63, 1.5, "0", None])
def test_seeds_that_are_none_are_refused(seed):
    with pytest.raises(ValueError, match=r"^rng must be a torch.Generator or a seed"):
        GaussianLatent(3).sample(1, seed)


def test_a_prior_keeps_the_dtype_and_the_gradient_of_its_latent():
    prior = linear_prior()
    z = torch.randn(2, 5, generator=rng(), dtype=torch.float64, requires_grad=True)
    x = prior(z)
    assert x.dtype == torch.float64
    (gradient,) = torch.autograd.grad(x.sum(), z)
    expected = prior.generator.weight.sum(0).expand(2, 5)
    torch.testing.assert_close(gradient, expected)
    assert not prior.render(z).requires_grad
    torch.testing.assert_close(prior.render(z.float(), chunk=1), prior(z.float().double()))


def test_gaussian_law():
    latent = GaussianLatent((4, 3))
    assert (latent.shape, latent.size) == ((4, 3), 12)
    z = latent.sample(20_000, rng())
    assert z.shape == (20_000, 4, 3)
    # Five standard errors of the mean and of the variance of 20,000 numbers.
    assert z.mean(0).abs().max() < 5 / 20_000**0.5
    assert (z.var(0) - 1).abs().max() < 5 * (2 / 20_000) ** 0.5
    flat = z.flatten(1)
    off_diagonal = flat.T.cov() - torch.diag(flat.var(0))
    assert off_diagonal.abs().max() < 5 / 20_000**0.5
    assert torch.equal(z, latent.sample(20_000, rng()))


def test_uniform_law():
    z = UniformLatent(7).sample(20_000, rng())
    assert z.min() >= -1
    assert z.max() <= 1
    assert z.mean(0).abs().max() < 5 * (1 / 3 / 20_000) ** 0.5
    assert (z.var(0) - 1 / 3).abs().max() < 0.01


@pytest.mark.parametrize("shape", [(5,), (2, 3)])
def test_penalty_is_minus_log_density_up_to_a_constant(shape):
    z = torch.rand(6, 2, *shape, generator=rng(), dtype=torch.float64) * 1.9 - 0.95
    axes = tuple(range(2, 2 + len(shape)))
    normal = -torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(axes)
    gaussian = GaussianLatent(shape).penalty(z)
    assert gaussian.shape == (6, 2)
    constant = (normal - gaussian).flatten()
    torch.testing.assert_close(constant, constant[:1].expand(12))

    uniform = UniformLatent(shape)
    assert torch.equal(uniform.penalty(z), torch.zeros(6, 2, dtype=torch.float64))
    z[0, 1].flatten()[-1].fill_(1.01)
    outside = uniform.penalty(z).isinf()
    assert outside.sum() == 1
    assert outside[0, 1]


def test_laws_describe_themselves():
    for latent in (GaussianLatent(5), UniformLatent((2, 3))):
        again = latent_from_description(latent.describe())
        assert type(again) is type(latent)
        assert again.shape == latent.shape
    with pytest.raises(ValueError, match="unknown latent law 'cauchy'"):
        latent_from_description({"law": "cauchy", "shape": [3]})
    with pytest.raises(ValueError, match="positive sizes"):
        GaussianLatent(0)


def test_uniform_prior_samples_from_its_law():
    prior = Prior.from_module(nn.Unflatten(1, (1, 1, 50)), 50, latent="uniform")
    images = prior.sample(40, rng())
    assert images.min() >= 0
    assert images.max() <= 1
    assert abs(images.mean().item() - 0.5) < 0.05


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (14, 3), (28, 1), (32, 3), (64, 1)])
def test_dcgan_sizes(size, channels):
    generator = DCGANGenerator(6, channels, size, 2)
    images = generator(torch.randn(2, 6, generator=rng()))
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    for batch_norm in (True, False):
        discriminator = DCGANDiscriminator(channels, size, 2, batch_norm=batch_norm)
        assert discriminator(images).shape == (2,)
        assert (
            not batch_norm
            or size < 14
            or any(isinstance(part, nn.BatchNorm2d) for part in discriminator.modules())
        )


@pytest.mark.parametrize("size", [7, 12, 30, 100])
def test_dcgan_refuses_other_sizes(size):
    with pytest.raises(ValueError, match=f"4 or 7 times a power of two .*, got {size}"):
        DCGANGenerator(6, 1, size, 2)


def test_the_tiny_dcgan_has_a_discriminator_of_logits():
    prior = tiny_dcgan()
    assert prior.discriminator_output == "probability"
    assert prior.discriminator is not None
    numbers = prior.discriminator(prior.from_unit(prior.sample(3, rng())))
    assert numbers.shape == (3,)
