"""
Images from few random measurements
===================================

Ten images of clothes, 784 pixels each, are measured by 100 random rows; CSGM (Bora et al. 2017) and
a Lasso reconstruct them from the same measurements.
"""

import matplotlib.pyplot as plt
import torch

from ganprior import CSGM, Gaussian, LassoDCT, Prior, demo_images, per_pixel_error

x = demo_images().floats()
prior = Prior.load("fashion-mnist-dcgan")

# %%
# A has entries N(0, 1/m), drawn from a generator of its own.
physics = Gaussian(100, prior.image_shape, torch.Generator().manual_seed(0))
y = physics(x)

# %%
# A solver is called as any reconstructor of deepinv.
images = {
    "original": x,
    "CSGM": CSGM(prior, effort="fast")(y, physics),
    "Lasso, cosine basis": LassoDCT()(y, physics),
}
for name, found in images.items():
    print(f"{name}: per-pixel error {per_pixel_error(found, x).mean():.4f}")

# %%
figure, rows = plt.subplots(len(images), len(x), figsize=(10, 3.4))
for row, (name, found) in zip(rows, images.items(), strict=True):
    for place, image in zip(row, found, strict=True):
        place.imshow(image[0].clamp(0, 1), cmap="gray", vmin=0, vmax=1)
        place.axis("off")
    row[0].set_title(name, loc="left", fontsize=9)
figure.tight_layout()
plt.show()
