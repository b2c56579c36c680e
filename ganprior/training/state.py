"""The state of a run as tensors: what a checkpoint holds, and whether it can be gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from ganprior.priors.network_files import check_fit
from ganprior.training.checkpoint import State
from ganprior.training.optimizers import optimizer_tensors, restore_optimizer

if TYPE_CHECKING:
    from ganprior.training.trainer import Trainer


def state_of(trainer: Trainer) -> State:
    """Weights, their average, the moments of the optimisers and the random state of a run."""
    state: State = {
        "average": trainer.average.state_dict(),
        "random": {"state": trainer.rng.get_state()},
    }
    for name, network in trainer.networks.items():
        state[name] = network.state_dict()
        state[f"{name}_optimizer"] = optimizer_tensors(trainer.optimizers[name])
    return state


def broken_part(state: State) -> str | None:
    """Part of a state that holds NaN or infinite numbers; None where all are finite."""
    for part, tensors in state.items():
        if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
            return part
    return None


def take_up(trainer: Trainer, state: State, path: Path) -> None:
    """Put a state into a run of the same recipe.

    Parameters
    ----------
    trainer : Trainer
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
        _load(trainer, state)
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        reason = f"no {error}" if isinstance(error, LookupError) else str(error).splitlines()[0]
        raise ValueError(f"{path} is damaged: {reason}; start again in another folder") from error
    part = broken_part(state_of(trainer))
    if part is not None:
        raise ValueError(
            f"{path} holds NaN or infinite numbers in {part}, with which nothing can go on; start "
            "again in another folder"
        )


def _load(trainer: Trainer, state: Mapping[str, Mapping[str, Tensor]]) -> None:
    for name, network in {"average": trainer.average, **trainer.networks}.items():
        check_fit(network, state[name])
        network.load_state_dict(dict(state[name]))
    for name, optimizer in trainer.optimizers.items():
        # There are no moments before a player's first step.
        restore_optimizer(optimizer, dict(state.get(f"{name}_optimizer", {})))
    random = state["random"]["state"]
    if random.shape != trainer.rng.get_state().shape:
        raise ValueError("the random state has another length")
    trainer.rng.set_state(random)
