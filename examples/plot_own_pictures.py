"""
Pictures of your own, of odd sizes
==================================

A folder of PNG files, none of which has the size that the prior draws, is read, cut to squares and
made gray. Then each picture is measured and recovered.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from PIL import Image

from ganprior import CSGM, Gaussian, Prior, demo_images, load_images

# %%
# The folder; put your own here.
folder = Path(tempfile.mkdtemp())
sizes = [(61, 84), (40, 40), (97, 53), (200, 120)]
for i, (image, size) in enumerate(zip(demo_images().pixels, sizes, strict=False)):
    Image.fromarray(image[0].numpy()).resize(size).convert("RGB").save(folder / f"{i}.png")

# %%
# ``fit`` says what becomes a square: the middle ("crop"), all of it with its border repeated
# ("pad"), or all of it, stretched.
prior = Prior.load("fashion-mnist-dcgan")
channels, side, _ = prior.image_shape
images = load_images(folder, size=side, channels=channels, fit="stretch")
print(images.names, images.shape)

# %%
# On the command line this is ``ganprior reconstruct FOLDER --resize stretch --convert ...``.
x = images.floats()
physics = Gaussian(150, prior.image_shape, 0)
found = CSGM(prior)(physics(x), physics)

# %%
figure, places = plt.subplots(3, 4, figsize=(6, 4.8))
for column, name, image, result in zip(places.T, images.names, x, found, strict=True):
    column[0].imshow(plt.imread(folder / name))
    column[1].imshow(image[0], cmap="gray", vmin=0, vmax=1)
    column[2].imshow(result[0].clamp(0, 1), cmap="gray", vmin=0, vmax=1)
for row, name in zip(places, ("file", "as it is read", "from 150 measurements"), strict=True):
    row[0].set_title(name, loc="left", fontsize=9)
    for place in row:
        place.axis("off")
figure.tight_layout()
plt.show()
