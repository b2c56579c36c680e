"""
A generator of your own
=======================

Anything that maps latents to images is a prior by one line. Here it is linear: the first principal
components of the committed digits, for which CSGM is ridge regression.
"""

import matplotlib.pyplot as plt
import torch
from torch import nn

from ganprior import CSGM, Gaussian, Prior, load_images

images = load_images("../data/mnist_test_100.npz").floats()
rows = images.flatten(1)
mean = rows.mean(0)
_, scale, components = torch.linalg.svd(rows[10:] - mean, full_matrices=False)

# %%
# x = mean + W z with z ~ N(0, I): the weights carry the standard deviations.
linear = nn.Linear(30, 784)
with torch.no_grad():
    linear.weight.copy_((components[:30] * scale[:30, None]).T / 90**0.5)
    linear.bias.copy_(mean)
generator = nn.Sequential(linear, nn.Unflatten(1, (1, 28, 28)))
prior = Prior.from_module(generator, latent_shape=30, image_range=(0, 1))

# %%
physics = Gaussian(100, prior.image_shape)
x = images[:8]
found = CSGM(prior, latent_weight=1e-3)(physics(x), physics)

# %%
figure, places = plt.subplots(2, 8, figsize=(8, 2.4))
for row, shown in zip(places, (x, found), strict=True):
    for place, image in zip(row, shown, strict=True):
        place.imshow(image[0].clamp(0, 1), cmap="gray", vmin=0, vmax=1)
        place.axis("off")
figure.tight_layout()
plt.show()
