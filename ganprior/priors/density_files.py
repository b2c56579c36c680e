"""The density of a prior among the tensors of its file, as ``density.*``.

Rows of the deviation's basis and the Cholesky factors (their lower triangles, packed) are stored in
float16, the rest, which is small, in float32.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganprior.priors.density import Density
from ganprior.priors.gaussian_mixture_law import GaussianMixtureLaw

HALF = ("factors", "basis")


def density_tensors(density: Density) -> dict[str, Tensor]:
    """Tensors of a density as they are stored, by name."""
    law = density.deviation
    rows, columns = torch.tril_indices(density.means.shape[1], density.means.shape[1])
    tensors = {
        "weights": density.weights,
        "means": density.means,
        "factors": density.factors[:, rows, columns],
        "mean": law.mean(),
        "basis": law.square_roots()[0].T @ law.basis,
        "diagonal": law.diagonal,
    }
    return {
        name: (tensor.half() if name in HALF else tensor.float()).cpu().contiguous()
        for name, tensor in tensors.items()
    }


def density_of_tensors(
    tensors: dict[str, Tensor], image_shape: tuple[int, int, int], latent_size: int
) -> Density:
    """The density that :func:`density_tensors` stored.

    Raises
    ------
    ValueError
        If a tensor is missing or not finite, or the tensors do not fit together, the images or
        the latent.
    """
    try:
        given = {name: tensors[name].double() for name in ("weights", "means", "mean", "diagonal")}
        packed, basis = tensors["factors"].double(), tensors["basis"].double()
    except KeyError as error:
        raise ValueError(f"its density has no {error}") from error
    if not all(tensor.isfinite().all() for tensor in (*given.values(), packed, basis)):
        raise ValueError("its density holds NaN or infinity")
    rows, columns = torch.tril_indices(latent_size, latent_size)
    if packed.dim() != 2 or packed.shape[1] != len(rows) or basis.dim() != 2 or not len(basis):
        raise ValueError(
            f"its density has factors of shape {tuple(packed.shape)} and a basis of shape "
            f"{tuple(basis.shape)}, for a latent of {latent_size} entries"
        )
    factors = packed.new_zeros(len(packed), latent_size, latent_size)
    factors[:, rows, columns] = packed
    weights = given["weights"] / given["weights"].sum()
    deviation = gaussian_law(given["mean"], basis, given["diagonal"], image_shape)
    return Density(weights, given["means"], factors, deviation)


def as_stored(
    density: Density,
) -> Density:
    """The density as a file of it gives it back: rounded."""
    shape, k = density.deviation.image_shape, density.means.shape[1]
    return density_of_tensors(density_tensors(density), shape, k)


def gaussian_law(
    mean: Tensor, rows: Tensor, diagonal: Tensor, image_shape: tuple[int, int, int]
) -> GaussianMixtureLaw:
    """N(mean, rows^T rows + diag): one Gaussian of images, by q rows of n values, q at least 1."""
    one = torch.ones(1, dtype=rows.dtype)
    return GaussianMixtureLaw(
        image_shape=image_shape,
        weights=one,
        centre=mean,
        basis=rows,
        means=torch.zeros(1, 1, dtype=rows.dtype),
        factors=one[:, None, None],
        variances=torch.ones(len(rows) - 1, dtype=rows.dtype),
        diagonal=diagonal,
    )
