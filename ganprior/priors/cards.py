"""Names, paths and cards of priors: what there is to know before a network is built.

A prior is ``NAME.safetensors``, its tensors, and ``NAME.json``, its card. Nothing here needs torch.

Keys of a card:

- ``architecture``: how to build the networks; ``classes`` in it is above 0 for a conditional prior,
  ``mixture`` above 1 for one of so many generators, ``label`` the class or generator of a prior
  made by ``Prior.given``, ``encoder`` says that one ships.
- ``mixture_weights``: how much each generator of a mixture weighs.
- ``alias``: a second name; it says that the prior is the default for its data.
- ``recipe`` (the effective one, as TOML) and ``steps`` of the training.
- ``data`` with ``data_sha256`` and ``licence``.
- ``discriminator_output``: ``"probability"`` (the raw output is a logit) or ``"critic"``.
- ``image_shape`` (C, H, W), ``image_range``, ``latent`` (law and shape).
- ``float16_largest_pixel_change``: what rounding the weights for the file changed.
- ``quality``: measured later, on images that the prior was not trained on.
  ``representation_error`` (mean per-pixel error of images fitted from all their pixels),
  ``images`` (which) and ``how``; ``error_at_noise_0.1``, of CSGM, by number of measurements. From
  ``ganprior evaluate``: ``frechet_distance``, ``precision``, ``recall``, with ``features`` (what
  they are measured in) and ``compared_images`` (how many); ``diversity`` of samples and
  ``real_diversity``; ``nearest_training_error`` and ``real_nearest_training_error`` (per-pixel
  error to the nearest training image, of samples and of held-out images);
  ``read_as_asked`` (share of conditional samples that a classifier reads as the label asked for)
  of ``asked_images``; ``support_estimate`` and ``real_support_estimate``, how many different images
  there seem to be, each with ``size`` and a 90% interval, ``low`` to ``high``, null for infinite.
- ``residuals``: by kind of objective, what images of the data leave unexplained (see
  :mod:`ganprior.priors.residual_law`), measured on ``images``.
- ``quality_before``: the first figures, where later ones differ; of a prior that took over an
  alias, those of the ``prior`` that had it.

- ``adapter``, in place of an architecture: what builds the generator of its weights alone;
  ``factory``: of other people's code, ``package.module:function``.
- ``sha256`` of the weights, where the prior was written to be handed on.

A loaded prior's card also says ``weights_sha256``.
"""

from __future__ import annotations

import copy
import json
import os
import tomllib
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganprior.files import reason_of, write_atomically
from ganprior.names import suggestion
from ganprior.priors.places import RESEARCH_PRIORS, VARIABLE, outside_priors, where_to_get

WEIGHTS = Path(__file__).parent / "weights"


def prior_files() -> dict[str, Path]:
    """Safetensors file of each prior known by name: shipped, and outside the package.

    One outside that has the name or the alias of a shipped one is left out, with a warning.
    """
    shipped = _shipped_files()
    outside = outside_priors()
    for name in (shipped.keys() | _aliases(shipped)) & outside.keys():
        _warn(f"{outside.pop(name)} is not known as {name!r}, which is a shipped prior")
    return {**outside, **shipped}


def prior_names() -> list[str]:
    """Names of the priors that are here: shipped, in a checkout, or where the environment says."""
    return sorted(prior_files())


def trained_images(card: Mapping[str, Any]) -> int:
    """How many images of its data a prior was trained on: the first ones, by its card; 0 unknown.

    A recipe that names none took all that there were.
    """
    count = tomllib.loads(str(card.get("recipe", ""))).get("images")
    return int(count or card.get("training_images") or 0)


def is_shipped(path: Path) -> bool:
    """Whether a prior's file is one of the package's."""
    return path.parent.resolve() == WEIGHTS.resolve()


def comes_with_ganprior(path: Path) -> bool:
    """Whether a prior's file is a shipped one, or one that :func:`prior_files` knows by name."""
    return path.resolve() in {file.resolve() for file in prior_files().values()}


def prior_aliases() -> dict[str, str]:
    """Second names of priors, ``"mnist"`` say, and the names that they stand for.

    A damaged card outside the package, or one with the alias of a shipped prior, has none, with a
    warning.
    """
    files, shipped = prior_files(), _shipped_files()
    aliases = _aliases(shipped)
    for name in sorted(files.keys() - shipped.keys()):
        try:
            alias = read_card(files[name]).get("alias")
        except ValueError as error:
            _warn(str(error))
            continue
        if str(alias) in aliases.keys() | shipped.keys():
            _warn(f"{files[name]} has the alias {alias!r}, which another prior has already")
        elif alias:
            aliases[str(alias)] = name
    return aliases


def find_prior(name: str | Path) -> Path:
    """Path of a prior's safetensors file.

    Parameters
    ----------
    name : str or Path
        Name or alias of a prior, path of one of its two files, or of a folder that holds
        ``prior.safetensors``, as a training run leaves it.

    Raises
    ------
    ValueError
        If there is none.
    """
    files = prior_files()
    if str(name) in files:
        return files[str(name)]
    aliases = prior_aliases()
    if str(name) in aliases:
        return files[aliases[str(name)]]
    path = Path(name)
    if str(name) and path.name:
        # Not Path.is_file(), which raises for a name that is too long.
        places = path, part_of_prior(path, ".safetensors"), path / "prior.safetensors"
        found = next((place for place in places if os.path.isfile(place)), None)
        if found is not None:
            return found
    if str(name) in RESEARCH_PRIORS:
        raise ValueError(f"prior {str(name)!r} is not here: {where_to_get(str(name))}")
    known = [*sorted(files), *aliases, *RESEARCH_PRIORS]
    raise ValueError(
        f"no prior {str(name)!r}; {suggestion(name, known)}give a NAME.safetensors file or a prior "
        f"by name: {', '.join(sorted(files)) or 'none is installed'}"
    )


def _shipped_files() -> dict[str, Path]:
    return {path.stem: path for path in WEIGHTS.glob("*.safetensors")}


def _aliases(shipped: dict[str, Path]) -> dict[str, str]:
    aliases = {}
    for name, path in sorted(shipped.items()):
        # A damaged card is the matter of who asks for that prior.
        with suppress(ValueError):
            alias = read_card(path).get("alias")
            if alias:
                aliases[str(alias)] = name
    return aliases


def _warn(what: str) -> None:
    warnings.warn(f"{what} ({VARIABLE}: other priors are as they were)", stacklevel=3)


def part_of_prior(path: Path, suffix: str) -> Path:
    """File of a prior by suffix, from the path of either file or of both without suffix."""
    # with_suffix() would cut a name such as "decay-0.5".
    name = path.name.removesuffix(".safetensors").removesuffix(".json")
    return path.with_name(name + suffix)


def read_card(path: str | Path) -> dict[str, Any]:
    """Card of the prior at ``path`` (with or without suffix).

    Raises
    ------
    ValueError
        If the card is missing or is not JSON.
    """
    file = part_of_prior(Path(path), ".json")
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(
            f"no card {file}: a prior is NAME.safetensors with NAME.json beside it"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{file} is not a prior's card: {reason_of(error)}; write it anew"
        ) from error
    if not isinstance(card, dict):
        raise ValueError(f"{file} is not a prior's card: it holds no JSON object; write it anew")
    return card


def write_card(path: str | Path, card: dict[str, Any]) -> None:
    """Replace the card of the prior at ``path`` (with or without suffix).

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    text = json.dumps(card, indent=2) + "\n"

    def write(file: Path) -> None:
        file.write_text(text, encoding="utf-8")

    write_atomically(part_of_prior(Path(path), ".json"), write)


def card_given(card: dict[str, Any], label: int) -> dict[str, Any]:
    """Card of the prior of one class, made of that of the conditional prior."""
    card = copy.deepcopy(card)
    if "architecture" in card:
        card["architecture"]["label"] = label
    # Figures of all classes together are not those of one; a name stands for all of them.
    for key in ("quality", "alias", "mixture_weights"):
        card.pop(key, None)
    return card
