"""Fit of a Gaussian mixture to images: scikit-learn's, on principal components.

Principal components of the images, then a mixture with full covariances of the first r
coefficients by expectation-maximisation, from k-means (with a k-means++ start). The coefficients
after those keep their variances in all components, and what q components leave out has the variance
of its pixels: :class:`~ganprior.priors.gaussian_mixture_law.GaussianMixtureLaw`. One component
gives the mean and the covariance of the images, for LMMSE.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, replace

import numpy as np
import sklearn
import torch
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor

from ganprior.datasets import Images
from ganprior.priors.gaussian_mixture_files import as_stored
from ganprior.priors.gaussian_mixture_law import GaussianMixtureLaw
from ganprior.streams import derive_seed

# Nats of the mean log likelihood of an image: a step of EM that gains less is the last.
TOLERANCE = 0.01


@dataclass(frozen=True)
class GaussianMixtureRecipe:
    """Every number of a fit.

    Attributes
    ----------
    components : int
        Gaussians: K.
    images : int
        At most so many images are fitted: the first ones.
    held_out : int
        The last so many images are not fitted; their mean log density says how good the fit is.
    mixture_rank : int
        First principal components, whose covariances differ between the Gaussians: r.
    rank : int
        Principal components in all: q.
    reg_covar : float
        Added to the diagonal of each Gaussian's covariance in the first r components.
    floor : float
        Added to the variance of every pixel: by default that of rounding to 256 grey levels.
    steps : int
        Most EM steps.
    seed : int
        Seed of the start.

    Raises
    ------
    ValueError
        If a count is below 1, ``rank`` is below ``mixture_rank``, or ``reg_covar`` or ``floor`` is
        not positive.
    """

    components: int = 30
    images: int = 54_000
    held_out: int = 1_000
    mixture_rank: int = 80
    rank: int = 784
    reg_covar: float = 1e-4
    floor: float = 1 / (12 * 255**2)
    steps: int = 25
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("components", "images", "held_out", "mixture_rank", "rank", "steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("reg_covar", "floor"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if self.rank < self.mixture_rank:
            raise ValueError(
                f"rank must be at least mixture_rank={self.mixture_rank}, got {self.rank}"
            )


def fit_gaussian_mixture(
    images: Images, recipe: GaussianMixtureRecipe | None = None
) -> GaussianMixtureLaw:
    """Fit a Gaussian mixture to images in [0, 1].

    Parameters
    ----------
    images : Images
        The first ones are fitted, the last ones held out.
    recipe : GaussianMixtureRecipe, optional
        All numbers; those of the shipped ones when absent. The ranks are cut down to what so many
        images of that size have.

    Returns
    -------
    GaussianMixtureLaw
        Its card says how it was fitted, the mean log density of the held-out images, and how much
        of that float16 storage loses.

    Raises
    ------
    ValueError
        If there are too few images: not two for each component and those held out.
    """
    recipe = recipe or GaussianMixtureRecipe()
    count = min(recipe.images, len(images) - recipe.held_out)
    if count < max(2, 2 * recipe.components):
        raise ValueError(
            f"{len(images)} images are too few to hold out {recipe.held_out} and fit "
            f"{recipe.components} components to the rest; give more images, or fewer components"
        )
    try:
        return _carded(images, count, recipe)
    except (np.linalg.LinAlgError, torch.linalg.LinAlgError) as error:  # type: ignore[attr-defined]
        raise ValueError(
            f"reg_covar={recipe.reg_covar:g} leaves a covariance that is not positive definite; "
            "give another one, such as 1e-4, or fewer components"
        ) from error


def _carded(images: Images, count: int, recipe: GaussianMixtureRecipe) -> GaussianMixtureLaw:
    """The law with what its card says."""
    rows = images.select(0, count).floats().flatten(1).numpy()
    law = _fit(rows, images.shape, recipe)
    held_out = images.select(len(images) - recipe.held_out).floats()
    density = law.log_density(held_out).mean().item()
    stored = as_stored(law).log_density(held_out).mean().item()
    card = {
        "components": recipe.components,
        "rank": len(law.basis),
        "mixture_rank": law.means.shape[1],
        "recipe": asdict(recipe),
        "training_images": count,
        "data_sha256": images.sha256,
        "scikit_learn": sklearn.__version__,
        "held_out_log_density": round(density, 2),
        "float16_log_density_change": round(stored - density, 4),
    }
    return replace(law, card={**law.card, **card})


def _fit(
    rows: np.ndarray, shape: tuple[int, int, int], recipe: GaussianMixtureRecipe
) -> GaussianMixtureLaw:
    seed = derive_seed(recipe.seed, "gaussian mixture") % 2**32
    q = min(recipe.rank, *rows.shape)
    r = min(recipe.mixture_rank, q)
    pca = PCA(q, random_state=seed).fit(rows)
    coefficients = pca.transform(rows)[:, :r]
    mixture = GaussianMixture(
        recipe.components,
        reg_covar=recipe.reg_covar,
        max_iter=recipe.steps,
        random_state=seed,
        tol=TOLERANCE,
    )
    with warnings.catch_warnings():
        # The card says so: steps that reach the limit are no failure of the fit.
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            mixture.fit(coefficients)
        except ValueError as error:  # how scikit-learn says the same, in its own words
            raise np.linalg.LinAlgError from error
    basis, variances = _float64(pca.components_), _float64(pca.explained_variance_)
    left = _float64(rows.var(0, dtype=np.float64)) - variances @ basis.square()
    return GaussianMixtureLaw(
        image_shape=shape,
        weights=_float64(mixture.weights_),
        centre=_float64(pca.mean_),
        basis=basis,
        means=_float64(mixture.means_),
        factors=torch.linalg.cholesky(_float64(mixture.covariances_)),
        variances=variances[r:],
        diagonal=left.clamp(min=0) + recipe.floor,
        card={"em_steps": int(mixture.n_iter_), "em_converged": bool(mixture.converged_)},
    )


def _float64(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array, dtype=np.float64))
