"""Fit of a prior's density: the law of its latents, and of what its range leaves out.

Images are projected onto the range, the latents get a mixture of Gaussians (scikit-learn's, full
covariances) and the deviations x - G(z) one Gaussian, low rank plus diagonal, shrunk towards its
diagonal. The numbers that decide how much is believed of few images (components, what is added to
their covariances, shrinkage) are chosen by the likelihood of a part of the images that is held out.

The images should be such as the generator was not trained on: those of training deviate less. For
the law of the latents, which needs many, images of training may be added.
"""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import sklearn
import torch
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor

from ganprior.evaluation.distances import distance_law
from ganprior.physics import identity
from ganprior.priors import Prior
from ganprior.priors.density import Density
from ganprior.priors.density_files import as_stored, gaussian_law
from ganprior.priors.gaussian_mixture_law import GaussianMixtureLaw
from ganprior.solvers import CSGM
from ganprior.solvers.engine import FAST
from ganprior.solvers.modes import DESCENT
from ganprior.streams import Streams, derive_seed

# One in so many images is held out while the numbers are chosen; then all are fitted.
HELD_OUT = 5
# From the encoder's latent, which is near.
FROM_ENCODER = DESCENT.replace(steps=60)
# What the card has the law of distances under.
DISTANCES = "distances"
# Added to the variance of every pixel: that of rounding to 256 grey levels.
FLOOR = 1 / (12 * 255**2)


@dataclass(frozen=True)
class DensityRecipe:
    """Every number of a fit.

    Attributes
    ----------
    latent_weight : float
        lambda of the projection ||x - G(z)||^2 + lambda ||z||^2: about the variance of a pixel's
        deviation.
    components : tuple of int
        Numbers of Gaussians of the latents that are tried: K.
    reg_covar : tuple of float
        What is added to the diagonals of their covariances, tried.
    shrinkage : tuple of float
        Shares of the diagonal in the covariance of the deviations, tried.
    rank : int
        Directions of that covariance; of what they leave each pixel has a variance of its own.
    steps : int
        Most EM steps.
    seed : int
        Seed of starts and of the k-means start.
    judged : int
        Held-out images, at most, of which it is seen how far they measure from what is expected.

    Raises
    ------
    ValueError
        If a number is not positive, or a shrinkage is not between 0 and 1.
    """

    latent_weight: float = 0.02
    components: tuple[int, ...] = (1, 5, 10, 20, 40)
    reg_covar: tuple[float, ...] = (0.005, 0.02, 0.06)
    shrinkage: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
    rank: int = 200
    steps: int = 60
    seed: int = 0
    judged: int = 100

    def __post_init__(self) -> None:
        numbers = {
            "latent_weight": (self.latent_weight,),
            "components": self.components,
            "reg_covar": self.reg_covar,
            "rank": (self.rank,),
            "steps": (self.steps,),
            "judged": (self.judged,),
        }
        for name, values in numbers.items():
            if not values or not min(values) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if not self.shrinkage or not all(0 < share <= 1 for share in self.shrinkage):
            raise ValueError(f"shrinkage must be between 0 and 1, got {self.shrinkage}")


def fit_density(
    prior: Prior, x: Tensor, recipe: DensityRecipe | None = None, *, more: Tensor | None = None
) -> tuple[Density, dict[str, Any]]:
    """Fit the law of a prior's latents and deviations.

    Parameters
    ----------
    prior : Prior
        Unconditional; ``prior.given(label)`` is.
    x : Tensor
        Images in [0, 1], (N, C, H, W), at least 50.
    recipe : DensityRecipe, optional
        All numbers; those of the shipped ones when absent.
    more : Tensor, optional
        Further images, (M, C, H, W), for the law of the latents alone.

    Returns
    -------
    tuple
        The density as a file of it gives it back, and what a card says of it: what was chosen,
        mean log densities of the held-out part of the images in nats, and the law by which solvers
        tell images of another kind, of a density fitted without that part.

    Raises
    ------
    ValueError
        If there are fewer images than that, of another shape than the prior's, or the prior is
        conditional.
    """
    recipe = recipe or DensityRecipe()
    if prior.classes:
        raise ValueError("the prior is conditional; fit the density of prior.given(label)")
    if x.dim() != 4 or tuple(x.shape[1:]) != prior.image_shape:
        raise ValueError(f"x must be (N, {prior.image_shape}), got {tuple(x.shape)}")
    if len(x) < 10 * HELD_OUT:
        raise ValueError(f"{len(x)} images are too few for a density; give at least 50")
    z, deviations = project(prior, x, recipe)
    further = z[:0] if more is None else project(prior, more, recipe)[0]
    chosen = _Chosen.of(prior, z, deviations, further, recipe)
    held, part = _held_out(z), copy.copy(prior)
    part.density = chosen.density(z[~held], deviations[~held], further)
    law = distance_law(part, x[held][: recipe.judged], recipe.seed)
    error = float(deviations.square().mean())
    return chosen.density(z, deviations, further), {
        "images": len(z),
        "further_images": len(further),
        "representation_error": float(f"{error:.4g}"),
        **chosen.about,
        DISTANCES: law.describe(),
    }


@dataclass(frozen=True)
class _Chosen:
    """Numbers under which held-out images are likeliest, and the densities that they make."""

    shape: tuple[int, int, int]
    recipe: DensityRecipe
    about: dict[str, Any]

    @classmethod
    def of(
        cls, prior: Prior, z: Tensor, deviations: Tensor, more: Tensor, recipe: DensityRecipe
    ) -> _Chosen:
        """Choose by projected images, and the latents of further ones."""
        about = _chosen_mixture(z.double().numpy(), more.double().numpy(), recipe)
        about |= _chosen_deviation(deviations.double(), prior.image_shape, recipe)
        return cls(prior.image_shape, recipe, about)

    def density(self, z: Tensor, deviations: Tensor, more: Tensor) -> Density:
        """Density of such images, as a file of it gives it back."""
        every = torch.cat([z, more]).double().numpy()
        mixture = _mixture(every, self.about["components"], self.about["reg_covar"], self.recipe)
        share = self.about["shrinkage"]
        density = Density(
            weights=_float64(mixture.weights_),
            means=_float64(mixture.means_),
            factors=torch.linalg.cholesky(_float64(mixture.covariances_)),
            deviation=_deviation(deviations.double(), self.shape, share, self.recipe),
        )
        return as_stored(density)


def project(prior: Prior, x: Tensor, recipe: DensityRecipe) -> tuple[Tensor, Tensor]:
    """Latents (N, k) of images, and their deviations x - G(z), (N, n), in float32 on the CPU."""
    starts, effort = None, FAST
    if prior.encoder is not None:
        with torch.no_grad():
            starts = prior.encoder(prior.from_unit(x)).reshape(1, len(x), *prior.latent.shape)
        effort = FROM_ENCODER
    solver = CSGM(prior, recipe.latent_weight, effort=effort)
    solution = solver.solve(x, identity(), rng=Streams(recipe.seed), starts=starts)
    assert solution.z is not None
    return solution.z.flatten(1).cpu(), (x - solution.x).flatten(1).cpu()


def _held_out(images: Tensor | np.ndarray) -> Any:
    """Which of the images are held out while numbers are chosen, bool (N,), as their kind is."""
    held = np.arange(len(images)) % HELD_OUT == 0
    return torch.from_numpy(held) if isinstance(images, Tensor) else held


def _chosen_mixture(z: np.ndarray, more: np.ndarray, recipe: DensityRecipe) -> dict[str, Any]:
    """Numbers of the mixture under which held-out latents among ``z`` are likeliest."""
    held = _held_out(z)
    fitted, tried = np.concatenate([z[~held], more]), []
    for count, added in product(recipe.components, recipe.reg_covar):
        if 2 * count <= len(fitted):
            score = float(_mixture(fitted, count, added, recipe).score(z[held]))
            tried.append((score, count, added))
    score, count, added = max(tried)
    about = {"components": count, "reg_covar": added, "held_out_log_density_of_latents": score}
    return {**about, "scikit_learn": sklearn.__version__}


def _mixture(z: np.ndarray, count: int, added: float, recipe: DensityRecipe) -> GaussianMixture:
    seed = derive_seed(recipe.seed, "density") % 2**32
    mixture = GaussianMixture(
        count, reg_covar=added, max_iter=recipe.steps, random_state=seed, tol=0.01
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(z)


def _chosen_deviation(
    deviations: Tensor, shape: tuple[int, int, int], recipe: DensityRecipe
) -> dict[str, Any]:
    held = _held_out(deviations)
    rest = deviations[held].reshape(-1, *shape)
    scores = {
        share: float(_deviation(deviations[~held], shape, share, recipe).log_density(rest).mean())
        for share in recipe.shrinkage
    }
    share = max(scores, key=lambda one: scores[one])
    rank = min(recipe.rank, *deviations.shape)
    about = {"rank": rank, "shrinkage": share}
    return {**about, "held_out_log_density_of_deviations": scores[share]}


def _deviation(
    deviations: Tensor, shape: tuple[int, int, int], share: float, recipe: DensityRecipe
) -> GaussianMixtureLaw:
    """Gaussian of the deviations: leading directions of the covariance, and the pixels' rest."""
    rows = deviations.numpy()
    rank = min(recipe.rank, *rows.shape)
    seed = derive_seed(recipe.seed, "deviation") % 2**32
    pca = PCA(rank, random_state=seed).fit(rows)
    scale = np.sqrt((1 - share) * pca.explained_variance_)
    basis = _float64(pca.components_ * scale[:, None])
    left = (_float64(rows.var(0)) - basis.square().sum(0)).clamp(min=0)
    return gaussian_law(_float64(pca.mean_), basis, left + FLOOR, shape)


def _float64(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array, dtype=np.float64))
