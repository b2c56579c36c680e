"""
Error against the number of measurements
========================================

For data and a prior of your own: here digits, and the simplest generator of all, x = b + W z with W
from the principal components of other digits. With few measurements it is ahead of the Lasso; with
many the Lasso is ahead, for its error goes to zero, and a generator's stays at what it can draw.
"""

import matplotlib.pyplot as plt
import torch
from torch import nn

from ganprior import CSGM, Gaussian, LassoDCT, Prior, load_images, per_pixel_error

images = load_images("../data/mnist_test_100.npz").floats()
x, others = images[:10], images[10:].flatten(1)

# %%
# Anything that maps latents to images is a prior. With z ~ N(0, I) the columns of W carry the
# standard deviations.
_, scale, components = torch.linalg.svd(others - others.mean(0), full_matrices=False)
linear = nn.Linear(40, 784)
with torch.no_grad():
    linear.weight.copy_((components[:40] * scale[:40, None]).T / len(others) ** 0.5)
    linear.bias.copy_(others.mean(0))
generator = nn.Sequential(linear, nn.Unflatten(1, (1, 28, 28)))
mine = Prior.from_module(generator, latent_shape=40, image_range=(0, 1))

# %%
solvers = {
    "CSGM, 40 components": CSGM(mine, latent_weight=0.1),
    "CSGM, shipped prior": CSGM(Prior.load("mnist"), effort="fast"),
    "Lasso, cosine basis": LassoDCT(),
}
counts = [25, 50, 100, 200, 400]
errors = {name: [] for name in solvers}
for m in counts:
    physics = Gaussian(m, (1, 28, 28), m)
    y = physics(x)
    for name, solver in solvers.items():
        errors[name].append(float(per_pixel_error(solver(y, physics), x).mean()))

# %%
figure, place = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
for name, values in errors.items():
    place.loglog(counts, values, "o-", label=name)
place.set(xlabel="measurements m of 784 pixels", ylabel="per-pixel error")
place.set_xticks(counts, [str(m) for m in counts], minor=False)
place.minorticks_off()
figure.legend(loc="outside upper center", ncols=3)
plt.show()
