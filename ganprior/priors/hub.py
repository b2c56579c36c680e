"""Priors on the Hugging Face hub: a repository with ``prior.safetensors`` and ``prior.json``.

The card says ``sha256`` of the weights. A folder with the same files stands for a repository, so
that priors can be handed on without a hub.
"""

from __future__ import annotations

import importlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganprior.files import reason_of, sha256
from ganprior.priors.cards import read_card, write_card

FILES = ("prior.safetensors", "prior.json")
NAME = re.compile(r"[\w.-]+/[\w.-]+")


def fetched(name: str | Path, revision: str | None = None, token: str | None = None) -> Path:
    """Weights of a prior of the hub or a folder, on this machine and of the hash in their card.

    Raises
    ------
    ValueError
        If there is none, it cannot be had, or the hash is another.
    """
    folder = Path(name)
    if not os.path.isdir(folder):
        folder = _downloaded(str(name), revision, token)
    weights = folder / FILES[0]
    if not os.path.isfile(weights):
        raise ValueError(f"{name} is no prior: it has no {FILES[0]}")
    stated, found = read_card(weights).get("sha256"), sha256(weights)
    if stated is None:
        raise ValueError(f"the card of {name} does not say the sha256 of its weights; push it anew")
    if stated != found:
        raise ValueError(
            f"{weights} has sha256 {found[:12]}..., its card says {str(stated)[:12]}...: the files "
            "do not belong together, or are damaged; fetch them again"
        )
    return weights


def pushed(
    write: Callable[[Path], None], name: str, *, private: bool = False, token: str | None = None
) -> str:
    """Write a prior and store it on the hub; the commit's address.

    Parameters
    ----------
    write : callable
        Writes the files into a folder, with the hash.
    name : str
        ``owner/name``.
    private, token
        As for ``Prior.push_to_hub``.

    Raises
    ------
    ValueError
        If there is no ``huggingface_hub``, or the hub refuses.
    """
    hub = _hub(name)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write(folder)
        try:
            hub.create_repo(name, private=private, exist_ok=True, token=token)
            return str(hub.upload_folder(repo_id=name, folder_path=made, token=token))
        # The hub's client has dozens of errors, of the network's among them.
        except Exception as error:
            raise ValueError(f"{name} cannot be stored on the hub: {reason_of(error)}") from error


def with_hash(folder: Path) -> None:
    """Let the card in a folder say the hash of the weights beside it."""
    weights = folder / FILES[0]
    write_card(weights, {**read_card(weights), "sha256": sha256(weights)})


def _downloaded(name: str, revision: str | None, token: str | None) -> Path:
    hub = _hub(name)
    try:
        return Path(
            hub.snapshot_download(name, revision=revision, token=token, allow_patterns=list(FILES))
        )
    except Exception as error:  # as above
        offline = "; HF_HUB_OFFLINE is set" if os.environ.get("HF_HUB_OFFLINE") else ""
        raise ValueError(
            f"{name} cannot be had from the hub: {reason_of(error)}{offline}"
        ) from error


def _hub(name: str) -> Any:
    if not NAME.fullmatch(name):
        raise ValueError(
            f"a prior of the hub is named owner/name, got {name!r}; no folder is there"
        )
    try:
        return importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ValueError(
            'the hub needs the package huggingface_hub: pip install "ganprior[hub]"'
        ) from error
