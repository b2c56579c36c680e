"""Every line of the table in docs/generator.md loads what it says, of random weights."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import ganprior.priors
from ganprior import GaussianLatent, Prior
from tests import biggan_network
from tests.cases import tiny_dcgan
from tests.stylegan2_network import Generator, OfNVlabs
from tests.test_priors_code import MODULE, exported
from tests.test_priors_dcgan import example
from tests.test_priors_pickles import by_torch

PAGE = Path(__file__).parents[1] / "docs/generator.md"


def table() -> dict[str, str]:
    """Lines of code by the checkpoints that they are for."""
    lines = PAGE.read_text("utf-8").split("| checkpoint | line |\n| --- | --- |\n")[1]
    rows = [line.strip("|").split(" | ") for line in lines.split("\n\n")[0].splitlines()]
    return {what.strip(): line.split("`")[1] for what, line in rows}


class Noisy(nn.Linear):
    def forward(self, z):
        return (super().forward(z) + torch.randn(len(z), 16)).unflatten(1, (1, 4, 4))


def plain_module() -> nn.Module:
    return nn.Sequential(nn.Linear(128, 16), nn.Unflatten(1, (1, 4, 4)))


def biggan_of_hugging_face() -> nn.Module:
    package = pytest.importorskip("pytorch_pretrained_biggan", exc_type=ImportError)
    layers = [(True, 16, 8), (True, 8, 4), (False, 4, 2), (False, 2, 1)]
    config = package.BigGANConfig(z_dim=6, channel_width=8, layers=layers, n_stats=51)
    config.attention_layer_position = 2
    network = package.BigGAN(config)
    nn.init.ones_(network.generator.bn.weight)
    nn.init.zeros_(network.generator.bn.bias)
    code = torch.zeros(2, 1000)
    for _ in range(20):
        network.train()(torch.randn(2, 6), code, 1.0)
    return network.eval()


def autoencoder() -> nn.Module:
    diffusers = pytest.importorskip("diffusers")
    return diffusers.AutoencoderKL(
        block_out_channels=(4,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=2,
    ).eval()


def normalizing_flow() -> nn.Module:
    normflows = pytest.importorskip("normflows")
    base = normflows.distributions.DiagGaussian(3 * 32 * 32)
    return normflows.NormalizingFlow(base, [normflows.flows.Permute(3 * 32 * 32)])


def with_card() -> None:
    exported("NAME.pt2")
    about = {"latent": GaussianLatent(6).describe(), "image_range": [-1, 1]}
    Path("NAME.json").write_text(json.dumps(about))


def with_factory() -> None:
    Path("package").mkdir()
    Path("package/module.py").write_text(MODULE.replace("def make(", "def factory("))


# What each line finds in its folder, and its names.
MADE = {
    "G_ema": lambda: {"G_ema": OfNVlabs().eval()},
    "rosinality": lambda: {"network": Generator().eval()},
    "noise maps": lambda: {"network": Generator().eval()},
    "BigGAN-deep": lambda: {"network": biggan_of_hugging_face()},
    "ajbrock": lambda: {"network": biggan_network.Generator(n_classes=1000).eval()},
    "AutoencoderKL": lambda: {"network": autoencoder()},
    "Glow": lambda: {"network": normalizing_flow()},
    "safetensors": lambda: save_file(example().state_dict(), "weights.safetensors"),
    "the same as a pickle": lambda: by_torch({"G": example().state_dict()}, "weights.tar"),
    "any module": lambda: {"module": plain_module()},
    "draws noise": lambda: {"module": Noisy(128, 16)},
    "TorchScript": with_card,
    "a function": with_factory,
    "Hugging Face hub": lambda: tiny_dcgan().save_pretrained("owner/name"),
    "other pickles": lambda: by_torch({"G_ema": OfNVlabs()}, "net.pkl"),
}


@pytest.mark.parametrize(("what", "line"), table().items())
def test_each_line_gives_a_prior(what, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (make,) = [MADE[words] for words in MADE if words in what]
    names = {"Prior": Prior, "load_file": load_file, **(make() or {})}
    names |= {name: getattr(ganprior.priors, name) for name in dir(ganprior.priors)}
    made = eval(line, names)
    sys.modules.pop("package.module", None)
    if isinstance(made, dict):
        assert made.keys() == OfNVlabs().state_dict().keys()
        return
    assert isinstance(made, Prior)
    if made.classes:
        made = made.given(207)
    images = made.render(made.latent.sample(2, 1))
    assert images.shape == (2, *made.image_shape)
    assert images.std() > 0


def test_every_kind_of_checkpoint_is_there():
    assert len(table()) == len(MADE)
