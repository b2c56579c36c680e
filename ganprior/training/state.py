"""The state of a run as tensors: what a checkpoint holds, and whether it can be gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from ganprior.priors.network_files import check_fit
from ganprior.training.checkpoint import State
from ganprior.training.optimizers import optimizer_tensors, restore_optimizer


class Run(Protocol):
    """What a state is taken from and put into: see :class:`~ganprior.training.trainer.Trainer`."""

    @property
    def average(self) -> nn.Module:
        """The generator's moving average."""

    networks: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    rng: torch.Generator


def state_of(run: Run) -> State:
    """Weights, their average, the moments of the optimisers and the random state of a run."""
    state: State = {
        "average": run.average.state_dict(),
        "random": {"state": run.rng.get_state()},
    }
    for name, network in run.networks.items():
        state[name] = network.state_dict()
        state[f"{name}_optimizer"] = optimizer_tensors(run.optimizers[name])
    return state


def broken_part(state: State) -> str | None:
    """Part of a state that holds NaN or infinite numbers; None where all are finite."""
    for part, tensors in state.items():
        if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
            return part
    return None


def take_up(run: Run, state: State, path: Path) -> None:
    """Put a state into a run of the same recipe.

    Parameters
    ----------
    run : Run
        The run.
    state : dict of dict of Tensor
        As :func:`state_of` gave it.
    path : Path
        Where it was read from, for the message.

    Raises
    ------
    ValueError
        If something is missing or does not fit the run, or is not finite.
    """
    try:
        _load(run, state)
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        reason = f"no {error}" if isinstance(error, LookupError) else str(error).splitlines()[0]
        raise ValueError(f"{path} is damaged: {reason}; start again in another folder") from error
    part = broken_part(state_of(run))
    if part is not None:
        raise ValueError(
            f"{path} holds NaN or infinite numbers in {part}, with which nothing can go on; start "
            "again in another folder"
        )


def _load(run: Run, state: Mapping[str, Mapping[str, Tensor]]) -> None:
    for name, network in {"average": run.average, **run.networks}.items():
        check_fit(network, state[name])
        network.load_state_dict(dict(state[name]))
    for name, optimizer in run.optimizers.items():
        # There are no moments before a player's first step.
        restore_optimizer(optimizer, dict(state.get(f"{name}_optimizer", {})))
    random = state["random"]["state"]
    if random.shape != run.rng.get_state().shape:
        raise ValueError("the random state has another length")
    run.rng.set_state(random)
