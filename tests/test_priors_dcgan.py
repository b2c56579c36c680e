"""DCGANs of other people's: built of weights alone, and with the real ones of gan-face-generate."""

from __future__ import annotations

from importlib import resources

import pytest
import torch
from torch import nn

from ganprior import CSGM
from ganprior.metrics import per_pixel_error
from ganprior.priors.adapters.dcgan import dcgan
from ganprior.solvers import FAST
from tests.cases import gaussian, rng


def example(channels: int = 3, size: int = 16, filters: int = 4, latent_size: int = 10):
    """The generator of PyTorch's example, smaller."""
    widths = [filters * size // 4 // 2**i for i in range(size.bit_length() - 3)]
    layers: list[nn.Module] = [nn.ConvTranspose2d(latent_size, widths[0], 4, 1, 0, bias=False)]
    for i, width in enumerate(widths):
        out = widths[i + 1] if i + 1 < len(widths) else channels
        layers += [nn.BatchNorm2d(width), nn.ReLU(True)]
        layers += [nn.ConvTranspose2d(width, out, 4, 2, 1, bias=False)]
    network = nn.Sequential(*layers, nn.Tanh())
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0, 0.3, generator=rng(parameter.numel()))
    network.train()(torch.randn(16, latent_size, 1, 1, generator=rng(1)))
    return network.eval()


@pytest.mark.parametrize(("channels", "size"), [(1, 16), (3, 64)])
@pytest.mark.parametrize("prefix", ["main.", "", "module.net."])
def test_images_are_those_of_the_network(channels, size, prefix):
    network = example(channels, size)
    weights = {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}
    # Files of safetensors have their tensors in the order of letters.
    prior = dcgan(dict(sorted(weights.items())))
    assert prior.image_shape == (channels, size, size)
    z = prior.latent.sample(3, 1)
    with torch.no_grad():
        torch.testing.assert_close(prior.render(z), network(z) / 2 + 0.5)


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        ({}, "no weights of a DCGAN"),
        ({"0.bias": torch.ones(3)}, "no weights of a DCGAN"),
        ({"0.weight": torch.ones(3, 3)}, r"layer 0 has a weight \(3, 3\), which no DCGAN has"),
        ({"0.weight": torch.ones(8, 5, 4, 4)}, "to 1 or 3 channels"),
        (
            {"0.weight": torch.ones(8, 5, 4, 4), "1.weight": torch.ones(6, 3, 4, 4)},
            "layer 1 has a weight",
        ),
    ],
)
def test_other_weights_are_refused_in_one_line(weights, match):
    with pytest.raises(ValueError, match=match) as caught:
        dcgan(weights)
    assert "\n" not in str(caught.value)


def test_planted_faces_of_a_package_come_back():
    """Of the weights that gan-face-generate has in its wheel."""
    pytest.importorskip("gan_face_generate")
    file = resources.files("gan_face_generate") / "weights.tar"
    with file.open("rb") as opened:
        weights = torch.load(opened, "cpu", weights_only=True)["netG_state_dict"]
    prior = dcgan(weights)
    assert prior.image_shape == (3, 64, 64)
    x = prior.sample(2, 3)
    assert x.std() > 0.1
    physics = gaussian(400, prior.image_shape)
    found = CSGM(prior, 0.0, effort=FAST, setup=None).solve(physics.A(x), physics)
    assert per_pixel_error(found.x, x).min() < 1e-6
