"""
A physics of deepinv
====================

Any physics of deepinv goes wherever one of ganprior's does: here a Gaussian blur. Our solvers in
turn drop into deepinv's code as reconstructors.
"""

import deepinv
import matplotlib.pyplot as plt

from ganprior import CSGM, Prior, load_images

x = load_images("../data/mnist_test_100.npz").head(6).floats()
blur = deepinv.physics.Blur(
    filter=deepinv.physics.blur.gaussian_blur(sigma=2.0), padding="circular"
)
y = blur(x)

# %%
sharp = CSGM(Prior.load("mnist"), effort="fast")(y, blur)

# %%
figure, places = plt.subplots(3, 6, figsize=(7, 3.8))
for row, images, name in zip(places, (x, y, sharp), ("true", "blurred", "CSGM"), strict=True):
    for place, image in zip(row, images, strict=True):
        place.imshow(image[0].clamp(0, 1), cmap="gray", vmin=0, vmax=1)
        place.axis("off")
    row[0].set_title(name, loc="left")
figure.tight_layout()
plt.show()
