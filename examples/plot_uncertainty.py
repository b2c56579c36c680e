"""
A map of uncertainty
====================

Half of each image is hidden. A mixture of Gaussians, fitted to training images, has a posterior in
closed form: its mean, and the standard deviation of every pixel. That is what the measurements and
the mixture leave open; where images are not like the mixture, both are wrong together.
"""

import matplotlib.pyplot as plt
import torch

from ganprior import GaussianMixture, demo_images, inpainting

x = demo_images().head(6).floats()
mask = torch.ones(1, 28, 28)
mask[:, :, 14:] = 0
noise_std = 0.02

# %%
# The noise has to be said: the posterior follows from it.
physics = inpainting(mask, (1, 28, 28))
noise = noise_std * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
y = physics(x + noise)
posterior = GaussianMixture.load("fashion-mnist", noise_std=noise_std).posterior(y, physics)

# %%
# Were the mixture the truth, 95% of the hidden pixels would be within two standard deviations.
hidden = (mask == 0).expand_as(x)
error = (posterior.mean - x).abs()
inside = (error < 2 * posterior.std)[hidden].double().mean()
print(f"within two standard deviations: {inside:.0%} of the hidden pixels")
print(f"log evidence: {[round(value) for value in posterior.log_evidence.tolist()]}")

# %%
shown = {"true": x, "given": y, "posterior mean": posterior.mean, "std": posterior.std}
shown["error"] = error
figure, rows = plt.subplots(len(shown), len(x), figsize=(6.8, 5.4), layout="constrained")
for row, (name, images) in zip(rows, shown.items(), strict=True):
    spread = name in ("std", "error")
    for place, image in zip(row, images, strict=True):
        style = {"cmap": "magma", "vmax": 0.5} if spread else {"cmap": "gray", "vmax": 1}
        drawn = place.imshow(image[0], vmin=0, **style)
        place.axis("off")
    figure.colorbar(drawn, ax=row, aspect=8)
    row[0].set_title(name, loc="left", fontsize=9)
plt.show()
