"""Priors that are code and not only numbers: a factory's, TorchScript, exported programs.

Code does what it likes, so none runs unless it is trusted: ``trust_code=True``, ``--trust-code`` on
the command line, or ``GANPRIOR_TRUST_CODE=1`` in the environment.

A factory is a function without arguments, named ``package.module:function``, that returns a
:class:`~ganprior.priors.prior.Prior`. A prior that one made is saved as safetensors with the
factory's name in its card, and loaded by it. A program is ``NAME.pt2`` (``torch.export.save``) or
``NAME.pt`` (``torch.jit.save``) with ``NAME.json`` beside it, which says at least ``latent``,
for example ``{"law": "gaussian", "shape": [512]}``, and ``image_range``.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from ganprior.files import reason_of, sha256
from ganprior.priors.cards import part_of_prior, read_card
from ganprior.priors.density_files import density_of_tensors
from ganprior.priors.network_files import by_part, check_fit, read_tensors

Made = TypeVar("Made")

VARIABLE = "GANPRIOR_TRUST_CODE"
FACTORY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
PROGRAMS = (".pt2", ".pt", ".pth", ".ts")


def is_factory(name: str | Path) -> bool:
    """Whether a prior's name is that of a factory, ``package.module:function``."""
    return bool(FACTORY.fullmatch(str(name)))


def is_program(name: str | Path) -> bool:
    """Whether a prior's name is the file of a program, and not of weights alone."""
    if Path(name).suffix not in PROGRAMS or not os.path.isfile(name):
        return False
    try:
        with zipfile.ZipFile(name) as archive:
            parts = [part.partition("/")[2] for part in archive.namelist()]
    except (OSError, zipfile.BadZipFile):
        return False
    # What torch.jit.save and torch.export.save write, and torch.save does not.
    return any(part.startswith("code/") or part == "archive_format" for part in parts)


def check_trust(what: str, trust_code: bool | None) -> None:
    """Refuse code that is not trusted.

    Parameters
    ----------
    what : str
        What would run, for the message.
    trust_code : bool, optional
        Whether it may; what the environment says when absent.

    Raises
    ------
    ValueError
        If it may not.
    """
    if trust_code is None:
        trust_code = os.environ.get(VARIABLE) == "1"
    if not trust_code:
        raise ValueError(
            f"{what} runs code that is not part of ganprior; if you trust it give --trust-code "
            f"(in Python trust_code=True, for other processes {VARIABLE}=1)"
        )


def made_by(factory: str, kind: type[Made], trust_code: bool | None = None) -> Made:
    """What a factory makes, an object of a kind that has a card: a prior.

    The current folder is looked in too, as ``python -m`` does.

    Raises
    ------
    ValueError
        If it is not trusted, is not there, fails, or makes something else.
    """
    check_trust(f"the factory {factory}", trust_code)
    module, _, path = factory.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
        made = found()
    # Other people's code may raise anything.
    except Exception as error:
        raise ValueError(
            f"the factory {factory} does not work: {_first_line(error)}; it must be a function "
            "without arguments that can be imported from here"
        ) from error
    finally:
        sys.path.remove(os.getcwd())
    if not isinstance(made, kind):
        raise ValueError(
            f"the factory {factory} must return a {kind.__name__}, got {type(made).__name__}; let "
            "it return Prior.from_module(...)"
        )
    return made


def adapter_of(path: Path) -> str | None:
    """Adapter that the card of a prior's file names, of those that build it of weights alone."""
    try:
        return read_card(path).get("adapter")
    except ValueError:
        return None


def factory_of(path: Path) -> str | None:
    """Factory that the card of a prior's file names; None where it names none or is damaged."""
    try:
        factory = read_card(path).get("factory")
    except ValueError:
        return None
    return str(factory) if factory and is_factory(str(factory)) else None


def load_made(path: Path, factory: str, kind: type[Made], trust_code: bool | None = None) -> Made:
    """Prior that a factory makes, with the weights of a file and the card beside it.

    Raises
    ------
    ValueError
        If the factory is not trusted or does not work, or the tensors do not fit.
    """
    check_trust(f"{path}, which the factory {factory} makes,", trust_code)
    return filled(made_by(factory, kind, trust_code=True), path, factory)


def filled(made: Made, path: Path, maker: str) -> Made:
    """A prior with the weights of a file and the card beside it.

    Parameters
    ----------
    made : Prior
        The prior, with any weights.
    path : Path
        The file.
    maker : str
        What made it, for messages.

    Raises
    ------
    ValueError
        If the tensors do not fit.
    """
    tensors = by_part(read_tensors(path))
    prior: Any = made
    for part in ("generator", "discriminator", "encoder"):
        network: nn.Module | None = getattr(prior, part)
        given = tensors.get(part, {})
        try:
            if network is None:
                if given:
                    raise ValueError("there is none")
                continue
            check_fit(network, given)
        except ValueError as error:
            raise ValueError(
                f"{path} does not fit what {maker} makes: {part}: {error}; save it again, or "
                "restore what it was saved with"
            ) from error
        network.load_state_dict(given)
    if "density" in tensors:
        size = prior.latent.size
        prior.density = density_of_tensors(tensors["density"], prior.image_shape, size)
    prior.card = {**read_card(path), "weights_sha256": sha256(path)}
    return made


def load_program(path: Path, trust_code: bool | None = None) -> dict[str, Any]:
    """What a prior is made of a program and the card beside it, by the names of ``from_module``.

    Raises
    ------
    ValueError
        If it is not trusted, is no program, or the card does not say what is needed.
    """
    from ganprior.priors.latent import latent_from_description

    check_trust(str(path), trust_code)
    beside = part_of_prior(path.with_suffix(""), ".json")
    try:
        card = read_card(beside)
        law = latent_from_description(card["latent"])
        image_range = card["image_range"]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} needs {beside.name} beside it, with its latent and image_range, such as "
            '{"latent": {"law": "gaussian", "shape": [512]}, "image_range": [-1, 1]}: '
            f"{_first_line(error)}"
        ) from error
    try:
        if path.suffix == ".pt2":
            module: Any = torch.export.load(path).module()
        else:
            module = torch.jit.load(str(path), map_location="cpu").eval()
    # Both libraries raise what they find on their way.
    except Exception as error:
        raise ValueError(
            f"{path} is no whole program of torch.export or TorchScript: {_first_line(error)}; "
            "save it again"
        ) from error
    return {
        "module": module,
        "latent_shape": law.shape,
        "latent": law,
        "image_range": image_range,
        "card": {**card, "weights_sha256": sha256(path)},
    }


def _first_line(error: Exception) -> str:
    if isinstance(error, OSError):
        return reason_of(error)
    return next(iter(str(error).splitlines()), "") or type(error).__name__
