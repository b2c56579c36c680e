"""
A generator in the manner of StyleGAN
=====================================

StyleGAN maps z to w, and w scales the channels of every layer; its generators take more than the
latent, and a prior needs a module that calls one with latents alone. This one is small, and fitted
to 24 digits, which it knows by heart; below them what 60 measurements of each give.
"""

import matplotlib.pyplot as plt
import torch
from torch import nn
from torchvision.utils import make_grid

from ganprior import CSGM, Gaussian, Prior, load_images


class StyleGenerator(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.mapping = nn.Sequential(nn.Linear(16, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64))
        self.constant = nn.Parameter(torch.randn(1, width, 7, 7))
        self.styles = nn.ModuleList(nn.Linear(64, width) for _ in range(2))
        self.layers = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.to_image = nn.ConvTranspose2d(width, 1, 4, stride=2, padding=1)

    def forward(self, z, c=None, truncation_psi=1.0):
        w, h = truncation_psi * self.mapping(z), self.constant
        for layer, style in zip(self.layers, self.styles, strict=True):
            h = nn.functional.leaky_relu(layer(h * (1 + style(w))[:, :, None, None]), 0.2)
            h = nn.functional.interpolate(h, size=(14, 14))
        return self.to_image(h).tanh()


# %%
# Latents and weights are fitted together (Bojanowski et al. 2018, arXiv 1707.05776).
x = load_images("../data/mnist_test_100.npz").head(24).floats()
styled, z = StyleGenerator(), torch.randn(24, 16, requires_grad=True)
adam = torch.optim.Adam([*styled.parameters(), z], lr=0.01)
for _ in range(250):
    adam.zero_grad()
    (styled(z) - (2 * x - 1)).square().mean().backward()
    adam.step()


class OfLatents(nn.ModuleList):
    def forward(self, z):
        return self[0](z, c=None, truncation_psi=1.0)


prior = Prior.from_module(OfLatents([styled]), latent_shape=16, image_range=(-1, 1))
physics = Gaussian(60, prior.image_shape, 0)
found = CSGM(prior, latent_weight=1e-4, effort="fast")(physics(x[:8]), physics)

# %%
plt.figure(figsize=(8, 2.2), layout="tight")
plt.imshow(make_grid(torch.cat([x[:8], found]), nrow=8).permute(1, 2, 0).clamp(0, 1))
plt.axis("off")
plt.show()
