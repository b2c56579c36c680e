"""
Error against the number of measurements
========================================

For ten digits, two solvers and five numbers of measurements: with few a generator is ahead, with
many the Lasso is, whose error goes to zero.
"""

import matplotlib.pyplot as plt
import torch

from ganprior import CSGM, Gaussian, LassoDCT, Prior, load_images, per_pixel_error

x = load_images("../data/mnist_test_100.npz").head(10).floats()
prior = Prior.load("mnist")
solvers = {"CSGM": CSGM(prior, effort="fast"), "Lasso, cosine basis": LassoDCT()}
counts = [25, 50, 100, 200, 400]

# %%
errors = {name: [] for name in solvers}
for m in counts:
    physics = Gaussian(m, prior.image_shape, torch.Generator().manual_seed(m))
    y = physics(x)
    for name, solver in solvers.items():
        errors[name].append(float(per_pixel_error(solver(y, physics), x).mean()))

# %%
figure, place = plt.subplots(figsize=(5, 3.4))
for name, values in errors.items():
    place.loglog(counts, values, "o-", label=name)
place.set(xlabel="measurements m of 784 pixels", ylabel="per-pixel error")
place.set_xticks(counts, [str(m) for m in counts], minor=False)
place.minorticks_off()
place.legend()
figure.tight_layout()
plt.show()
