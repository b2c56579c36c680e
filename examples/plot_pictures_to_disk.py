"""
Reconstructions as files
========================

What a solution holds, written to disk: every image as a PNG under the name of its original, all of
them on one sheet, and images and latents in float32 for programs.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from torchvision.utils import save_image

from ganprior import CSGM, Gaussian, Prior, demo_images

images = demo_images().head(8)
prior = Prior.load("fashion-mnist-dcgan")
physics = Gaussian(100, prior.image_shape, 0)
solution = CSGM(prior, effort="fast").solve(physics(images.floats()), physics, rng=0)

# %%
# ``solution.x`` is as the solver gives it; a PNG holds 256 grays between 0 and 1.
out = Path(tempfile.mkdtemp())
clipped = solution.x.clamp(0, 1)
for i, image in enumerate(clipped):
    save_image(image, out / f"{i:02}.png")
save_image(clipped, out / "sheet.png", nrow=4)
np.savez(out / "solution.npz", x=solution.x.numpy(), z=solution.z.numpy())
print(*sorted(path.name for path in out.iterdir()), sep="\n")

# %%
# On the command line ``ganprior reconstruct ... --out FOLDER`` does all this.
plt.figure(figsize=(8, 4), layout="tight")
plt.imshow(plt.imread(out / "sheet.png"))
plt.axis("off")
plt.show()
