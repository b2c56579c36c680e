"""Gaussian mixtures of images on disk: by name or path, safetensors and a card, as priors are.

Psi and the Cholesky factors (their lower triangles, packed) are stored in float16, the rest, which
is small, in float32; what that changes is in the card. A triangle that was rounded is still a
factor of a covariance.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from ganprior.files import sha256, write_tensors
from ganprior.names import suggestion
from ganprior.priors.cards import part_of_prior, read_card, write_card
from ganprior.priors.gaussian_mixture_law import TENSORS, GaussianMixtureLaw
from ganprior.priors.network_files import read_tensors

GAUSSIAN_MIXTURES = Path(__file__).parent / "gaussian_mixtures"
HALF = ("basis", "factors")


def gaussian_mixture_names() -> list[str]:
    """Names of the shipped Gaussian mixtures: those of the data that they were fitted to."""
    return sorted(path.stem for path in GAUSSIAN_MIXTURES.glob("*.safetensors"))


def gaussian_mixture_of(data_sha256: str | None) -> GaussianMixtureLaw:
    """Load the shipped Gaussian mixture that was fitted to a data set.

    Parameters
    ----------
    data_sha256 : str or None
        SHA-256 of the training images, as the card of a prior has it.

    Raises
    ------
    ValueError
        If none was.
    """
    for name in gaussian_mixture_names():
        card = json.loads((GAUSSIAN_MIXTURES / f"{name}.json").read_text(encoding="utf-8"))
        if card["data_sha256"] == data_sha256:
            return load_gaussian_mixture(name)
    raise ValueError(
        "no Gaussian mixture is shipped for the data of this prior; fit one with 'ganprior "
        "fit-gaussians' and give its file, or take one of: "
        f"{', '.join(gaussian_mixture_names()) or 'none is installed'}"
    )


def load_gaussian_mixture(name: str | Path) -> GaussianMixtureLaw:
    """Load a law of images; nothing is unpickled.

    Parameters
    ----------
    name : str or Path
        Name of a shipped one (:func:`gaussian_mixture_names`), or the path of one that
        :func:`save_gaussian_mixture` wrote.

    Raises
    ------
    ValueError
        If there is none of that name, or a file is damaged or does not fit the other.
    """
    path = _find(name)
    stored, card = read_tensors(path), read_card(path)
    try:
        channels, height, width = (int(side) for side in card["image_shape"])
        tensors = {key: stored[key].double() for key in TENSORS}
        tensors["factors"] = _unpacked(tensors["factors"], tensors["means"].shape[1])
        tensors["weights"] /= tensors["weights"].sum()
        return GaussianMixtureLaw(
            image_shape=(channels, height, width),
            **tensors,
            card={**card, "weights_sha256": sha256(path)},
        )
    except (KeyError, TypeError, ValueError, IndexError, RuntimeError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(
            f"{path} is no Gaussian mixture of ganprior: {' '.join(reason.split())}; fit one with "
            "'ganprior fit-gaussians'"
        ) from error


def save_gaussian_mixture(law: GaussianMixtureLaw, path: str | Path) -> None:
    """Write ``path``.safetensors and the card ``path``.json, each whole or not at all.

    Raises
    ------
    ValueError
        If the files cannot be written.
    """
    path = Path(path)
    card = {key: value for key, value in law.card.items() if key != "weights_sha256"}
    about = {"kind": "gaussian-mixture", "image_shape": list(law.image_shape)}
    write_tensors(part_of_prior(path, ".safetensors"), _stored(law))
    write_card(path, {**about, **card})


def as_stored(law: GaussianMixtureLaw) -> GaussianMixtureLaw:
    """The law as a file of it gives it back: rounded."""
    tensors = {key: tensor.double() for key, tensor in _stored(law).items()}
    tensors["factors"] = _unpacked(tensors["factors"], law.means.shape[1])
    tensors["weights"] /= tensors["weights"].sum()
    return GaussianMixtureLaw(law.image_shape, **tensors, card=law.card)


def _stored(law: GaussianMixtureLaw) -> dict[str, Tensor]:
    rows, columns = torch.tril_indices(law.means.shape[1], law.means.shape[1])
    tensors = {name: getattr(law, name) for name in TENSORS}
    tensors["factors"] = law.factors[:, rows, columns]
    return {
        name: (tensor.half() if name in HALF else tensor.float()).cpu().contiguous()
        for name, tensor in tensors.items()
    }


def _unpacked(packed: Tensor, r: int) -> Tensor:
    rows, columns = torch.tril_indices(r, r)
    factors = packed.new_zeros(len(packed), r, r)
    factors[:, rows, columns] = packed
    return factors


def _find(name: str | Path) -> Path:
    if str(name) in gaussian_mixture_names():
        return GAUSSIAN_MIXTURES / f"{name}.safetensors"
    path = part_of_prior(Path(name), ".safetensors")
    if path.is_file():
        return path
    names = gaussian_mixture_names()
    raise ValueError(
        f"no Gaussian mixture {str(name)!r}; {suggestion(name, names)}give a NAME.safetensors "
        f"file or a shipped one: {', '.join(names) or 'none is installed'}"
    )
