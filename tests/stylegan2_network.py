"""The network of the benchmarks behind the calls of NVlabs' code."""

from __future__ import annotations

from torch import nn

from experiments.benchmarks.stylegan2_network import EqualLinear, Generator

__all__ = ["Generator", "OfNVlabs"]


class OfNVlabs(nn.Module):
    """The same network behind the calls of NVlabs' code: ``mapping`` and ``synthesis``."""

    class Mapping(nn.Module):
        def __init__(self, style, classes, layers):
            super().__init__()
            self.style, self.layers = style, layers
            self.embed = EqualLinear(classes, 8) if classes else None

        def forward(self, z, c):
            w = self.style(z)
            if self.embed is not None:
                w = w + self.embed(c)
            return w[:, None].repeat(1, self.layers, 1)

    class Synthesis(nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, ws, noise_mode="random", force_fp32=False):
            assert force_fp32
            fixed = noise_mode == "const"
            return self.network([ws], input_is_latent=True, randomize_noise=not fixed)[0]

    def __init__(self, c_dim: int = 0):
        super().__init__()
        network = Generator()
        self.z_dim = self.w_dim = 8
        self.c_dim, self.num_ws = c_dim, network.n_latent
        self.mapping = self.Mapping(network.style, c_dim, network.n_latent)
        self.synthesis = self.Synthesis(network)
