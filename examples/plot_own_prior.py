"""
From a folder of pictures to a prior, and to reconstructions
============================================================

A generator is trained on the pictures of a folder, and pictures that it has not seen are recovered
with it. This takes seconds, and the prior is accordingly rough: it is a variational autoencoder of
90 digits. A prior worth having takes some thousand pictures and some hours of a CPU.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from PIL import Image

from ganprior import CSGM, Gaussian, LassoDCT, Prior, Trainer, load_images, load_recipe, train

# %%
# The folder; put your own here.
folder, run = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp()) / "run"
for i, image in enumerate(load_images("../data/mnist_test_100.npz").pixels):
    Image.fromarray(image[0].numpy()).save(folder / f"{i:03}.png")

# %%
# A recipe is a complete training run; here one of ``ganprior train --list``, made small. The first
# 90 pictures train, the others are new to the prior.
images = load_images(folder, size=28, channels=1)
recipe = load_recipe("vae").override(
    images=90, steps=250, batch_size=30, filters=16, latent_size=10, learning_rate=2e-3
)
recipe = recipe.override(decay_from=0, ema_decay=0.98, monitor_every=0)
train(Trainer(recipe, images, torch.device("cpu")), run, progress=False)
print(sorted(path.name for path in run.iterdir()))

# %%
x = images.select(90).floats()
prior = Prior.load(run / "prior")
physics = Gaussian(100, prior.image_shape, 0)
y = physics(x)
shown = {"new": x, "CSGM": CSGM(prior, 0.01)(y, physics), "Lasso": LassoDCT()(y, physics)}

# %%
figure, rows = plt.subplots(len(shown), len(x), figsize=(9, 3.4))
for row, (name, found) in zip(rows, shown.items(), strict=True):
    for place, image in zip(row, found, strict=True):
        place.imshow(image[0].clamp(0, 1), cmap="gray", vmin=0, vmax=1)
        place.axis("off")
    row[0].set_title(name, loc="left", fontsize=9)
figure.tight_layout()
plt.show()
