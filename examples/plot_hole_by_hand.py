"""
A hole drawn by hand
====================

A mask is a tensor of ones with zeros where pixels are missing. Semantic inpainting (Yeh et al.
2017) finds the image of the generator that agrees with the rest.
"""

import matplotlib.pyplot as plt
import torch

from ganprior import Prior, SemanticInpainting, demo_images, inpainting

x = demo_images().head(5).floats()
rows, columns = torch.meshgrid(torch.arange(28), torch.arange(28), indexing="ij")
mask = ((rows - columns).abs() > 3).float()[None]

# %%
physics = inpainting(mask, (1, 28, 28))
y = physics(x)
filled = SemanticInpainting(Prior.load("fashion-mnist-dcgan"), effort="fast")(y, physics)

# %%
figure, places = plt.subplots(3, 5, figsize=(6, 3.8))
for row, images, name in zip(places, (x, y, filled), ("true", "given", "filled"), strict=True):
    for place, image in zip(row, images, strict=True):
        place.imshow(image[0].clamp(0, 1), cmap="gray", vmin=0, vmax=1)
        place.axis("off")
    row[0].set_title(name, loc="left")
figure.tight_layout()
plt.show()
