"""
Three solvers, compared
=======================

Ten images of clothes, 784 pixels each, are measured by 100 random rows. CSGM (Bora et al. 2017), a
mixture of Gaussians and a Lasso reconstruct them from the same measurements.
"""

import matplotlib.pyplot as plt

from ganprior import (
    CSGM,
    Gaussian,
    GaussianMixture,
    LassoWavelet,
    Prior,
    demo_images,
    per_pixel_error,
)

x = demo_images().floats()
prior = Prior.load("fashion-mnist-dcgan")

# %%
# A has entries N(0, 1/m), drawn from a generator of its own.
physics = Gaussian(100, prior.image_shape, 0)
y = physics(x)

# %%
# A solver is called as any reconstructor of deepinv.
solvers = {
    "CSGM": CSGM(prior),
    "Gaussian mixture": GaussianMixture.load("fashion-mnist"),
    "Lasso, wavelets": LassoWavelet(),
}
images = {"original": x}
for name, solver in solvers.items():
    images[name] = solver(y, physics)
    print(f"{name}: per-pixel error {per_pixel_error(images[name], x).mean():.4f}")

# %%
figure, rows = plt.subplots(len(images), len(x), figsize=(10, 4.6))
for row, (name, found) in zip(rows, images.items(), strict=True):
    for place, image in zip(row, found, strict=True):
        place.imshow(image[0].clamp(0, 1), cmap="gray", vmin=0, vmax=1)
        place.axis("off")
    row[0].set_title(name, loc="left", fontsize=9)
figure.tight_layout()
plt.show()
