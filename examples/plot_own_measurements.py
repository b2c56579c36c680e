"""
y and A of your own
===================

A matrix and measurements from NumPy, as an instrument gives them, and the statuses that a solution
comes with.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch

from ganprior import CSGM, Dense, Prior, load_images

rng = np.random.default_rng(0)
pixels = load_images("../data/mnist_test_100.npz").head(4).floats().numpy()

# %%
# Half of the rows are sums of neighbouring pixels, the others random; the noise has a standard
# deviation of 0.02.
A = rng.standard_normal((80, 784)).astype(np.float32) / np.sqrt(80)
A[:40] = np.repeat(np.eye(40, 392, dtype=np.float32), 2, axis=1)
y = pixels.reshape(4, -1) @ A.T + 0.02 * rng.standard_normal((4, 80)).astype(np.float32)

# %%
# `Dense` is the physics of a matrix.
prior = Prior.load("mnist")
physics = Dense(torch.from_numpy(A), prior.image_shape)
solution = CSGM(prior, noise_std=0.02, effort="fast").solve(torch.from_numpy(y), physics, rng=0)
for status, error in zip(solution.status, solution.measurement_error, strict=True):
    print(f"{status}: ||y - A x||^2 = {error:.3f}. {status.advice}")

# %%
figure, rows = plt.subplots(2, 4, figsize=(6, 3.2))
for row, images in zip(rows, (torch.from_numpy(pixels), solution.x), strict=True):
    for place, image in zip(row, images, strict=True):
        place.imshow(image[0].clamp(0, 1), cmap="gray", vmin=0, vmax=1)
        place.axis("off")
rows[0][0].set_title("true", loc="left")
rows[1][0].set_title("from 80 measurements", loc="left")
figure.tight_layout()
plt.show()
