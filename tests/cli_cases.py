"""What the tests of the command line share: a tiny prior on disk, images for it, and a runner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from click.testing import CliRunner, Result

from ganprior.cli.inputs import Inputs
from ganprior.cli.main import cli
from ganprior.datasets import Images
from tests.cases import tiny_dcgan

SIDE = 16
TINY = "csgm:restarts=2,steps=5,lambda=0.01"


def save_prior(folder: Path, size: int = SIDE, channels: int = 1) -> str:
    """Path of a DCGAN of random weights."""
    path = folder / f"tiny-{size}-{channels}"
    tiny_dcgan(latent_size=4, size=size, channels=channels).save(path)
    return f"{path}.safetensors"


def save_images(path: Path, count: int = 3, size: int = SIDE, channels: int = 1) -> str:
    """Path of an ``.npz`` of smooth images in [0, 1]: samples of a prior of other weights."""
    prior = tiny_dcgan(latent_size=4, size=size, channels=channels, seed=1)
    images = prior.sample(count, torch.Generator().manual_seed(7))
    np.savez(path, images=images.numpy())
    return str(path)


def inputs_of(x: torch.Tensor) -> Inputs:
    """Images (N, C, H, W) as a command reads them."""
    names = tuple("abcdefghij"[: len(x)])
    return Inputs((Images(x, names, "0"),), names, ("x",))


def run(*args: Any) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(cli, [str(arg) for arg in args])


def succeed(*args: Any) -> Result:
    """Run a command that must not fail."""
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result


def refuse(*args: Any) -> str:
    """Run a command that must end with one line on stderr and exit status 2; give the line."""
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


def read_summary(out: Path) -> dict[str, Any]:
    """Read ``summary.json`` as strict JSON, which knows no NaN."""

    def no_constant(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    text = (out / "summary.json").read_text(encoding="utf-8")
    summary: dict[str, Any] = json.loads(text, parse_constant=no_constant)
    return summary


def read_arrays(out: Path) -> dict[str, np.ndarray]:
    """Read ``reconstructions.npz`` without unpickling."""
    with np.load(out / "reconstructions.npz", allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}
