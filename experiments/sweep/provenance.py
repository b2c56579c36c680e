"""Where a row came from, and which rows may stand beside each other."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

import ganprior
from experiments.rows import Row, git_revision
from experiments.sweep.device import device_name
from experiments.sweep.figure import Figure

PACKAGES = ("torch", "deepinv", "numpy", "scipy")
# Parts of the package that no row runs through, and that none does which trains no network.
ASIDE = ("cli",)
TRAINING = ("training",)


def protocol(figure: Figure, config: Any) -> dict[str, str]:
    """Everything that must agree before two rows stand in one table.

    Configuration, hashes of images and priors, versions of packages, and the code of ``ganprior``;
    not the revision, which a new sentence in README changes as well.
    """
    settings = {f"config.{key}": json.dumps(value) for key, value in asdict(config).items()}
    return {
        "figure": figure.name,
        **settings,
        **figure.inputs(config),
        "versions": versions(),
        "code": code_hash(ASIDE if figure.trains else (*ASIDE, *TRAINING)),
    }


@functools.cache
def versions() -> str:
    """Package versions that numbers may depend on, in one line."""
    named = {"ganprior": ganprior.__version__, **{p: metadata.version(p) for p in PACKAGES}}
    return " ".join(f"{name}={version}" for name, version in named.items())


@functools.cache
def code_hash(aside: tuple[str, ...]) -> str:
    """First digits of the SHA-256 of the package's code and tables, some parts of it aside."""
    root = Path(ganprior.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if path.suffix in (".py", ".csv") and name.parts[0] not in aside:
            digest.update(name.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


@functools.cache
def revision() -> str:
    """Git revision, asked for once per process."""
    return git_revision()


@functools.cache
def processor() -> str:
    """Name of the processor, and how many cores of it this process may use."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{names[0] if names else platform.machine()}, {cores} cores"


def origin() -> Row:
    """Columns that every row ends with."""
    return {
        "device": device_name(),
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "revision": revision(),
        "versions": versions(),
    }
