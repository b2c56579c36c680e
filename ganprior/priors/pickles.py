"""Pickles of other people's: refused unless they are trusted, and read in a process of their own.

A pickle is a program. The process that reads one (:mod:`ganprior.priors.unpickle`) runs nothing
that it asks for, knows nothing of the environment, and leaves safetensors, which are all that is
read here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from torch import Tensor

from ganprior.priors import unpickle
from ganprior.priors.network_files import read_tensors

VARIABLE = "GANPRIOR_TRUST_PICKLE"
SUFFIXES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".tar")
# Of a pickle of gigabytes on a slow disk.
SECONDS = 600


def is_pickle(path: str | Path) -> bool:
    """Whether a file has a name that pickles have."""
    return Path(path).suffix in SUFFIXES and os.path.isfile(path)


def read_pickle(
    path: str | Path, key: str | None = None, *, trust_pickle: bool | None = None
) -> dict[str, Tensor]:
    """Tensors of a pickle, by the names that state dicts have.

    Parameters
    ----------
    path : str or Path
        A file of ``torch.save`` or ``pickle.dump``: weights, a checkpoint with weights in it, or a
        whole module, as NVlabs' networks are.
    key : str, optional
        Entry of a checkpoint, with dots between inner ones: ``"G_ema"``. All tensors when absent.
    trust_pickle : bool, optional
        Whether it may be read; what ``GANPRIOR_TRUST_PICKLE`` says when absent, and no without it.

    Raises
    ------
    ValueError
        If it is not trusted, is no pickle, or holds no tensors or no such entry.
    """
    path = Path(path)
    if trust_pickle is None:
        trust_pickle = os.environ.get(VARIABLE) == "1"
    if not os.path.isfile(path):
        raise ValueError(f"there is no file {path}")
    if not trust_pickle:
        raise ValueError(
            f"{path} is a pickle, which is a program; if you trust it give --trust-pickle (in "
            f"Python trust_pickle=True, for other processes {VARIABLE}=1): it is read in a process "
            "of its own and becomes safetensors"
        )
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "weights.safetensors"
        # -I: neither the current folder nor the environment says what is imported.
        command = [sys.executable, "-I", unpickle.__file__, str(path.resolve()), str(out)]
        try:
            done = subprocess.run(
                [*command, *([key] if key else [])],
                capture_output=True,
                text=True,
                check=False,
                cwd=folder,
                env={"OMP_NUM_THREADS": "1"},
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise ValueError(f"{path} was not read within {SECONDS} seconds") from error
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
            raise ValueError(f"{path} cannot be read as a pickle of weights: {reason}")
        return read_tensors(out)
