"""Where a row came from, and which rows may stand beside each other."""

from __future__ import annotations

import functools
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from experiments.rows import Row, git_revision
from experiments.sweep.device import device_name
from experiments.sweep.figure import Figure
from ganprior.jobs import code_hash, versions

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
