"""One run over several processes, each with its share of every batch, under ``torchrun``.

Every process draws the numbers of the whole batch from the same state and takes its rows; the
gradients are averaged by torch's ``DistributedDataParallel``. A run therefore takes the same steps
on one process or many, with two exceptions. Batch norm sees one process's rows alone, except on
CUDA, where its statistics are shared (torch has no such layer for CPUs). And what the objectives
draw themselves (label flips, the penalty's mix, noise on the discriminator's input), and the
penalty on close samples, belong to one process's rows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist


@dataclass(frozen=True)
class World:
    """The processes of a run.

    Attributes
    ----------
    rank : int
        Number of this process, from 0 on; only number 0 writes files.
    size : int
        How many there are.
    """

    rank: int = 0
    size: int = 1

    def part(self, batch: Tensor) -> Tensor:
        """Rows of a whole batch that belong to this process."""
        return batch if self.size == 1 else batch[self.rank :: self.size]

    def mean(self, values: Tensor) -> Tensor:
        """Mean over the processes, the same in each."""
        if self.size > 1:
            dist.all_reduce(values)
            values = values / self.size
        return values

    def wait(self) -> None:
        """Wait for all others."""
        if self.size > 1:
            dist.barrier()

    def check_batch(self, batch_size: int) -> None:
        """Refuse a batch that does not split evenly.

        Raises
        ------
        ValueError
            If the number of processes does not divide it.
        """
        if batch_size % self.size:
            raise ValueError(
                f"batch_size is {batch_size}, which {self.size} processes cannot share evenly; "
                f"--set batch_size={batch_size + self.size - batch_size % self.size}"
            )


ALONE = World()


class _Calling(nn.Module):
    """A module whose forward pass is whatever loss it is handed.

    ``DistributedDataParallel`` averages gradients of what its forward pass computed; a player is
    asked several times and in several ways within one loss, so the loss is the forward pass.
    """

    def __init__(self, networks: list[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, loss: Callable[..., Tensor], *arguments: Any) -> Tensor:
        return loss(*arguments)


def averaging(world: World, *networks: nn.Module, resting: bool = False) -> nn.Module:
    """Return ``module(loss, *arguments)``, whose gradients are means over all processes.

    ``resting`` says that some step leaves a network out.
    """
    calling = _Calling(list(networks))
    if world.size == 1:
        return calling
    # Buffers stay each process's own: sharing them would write into what a loss has yet to
    # differentiate.
    return nn.parallel.DistributedDataParallel(
        calling, broadcast_buffers=False, find_unused_parameters=resting
    )


def shared_batch_norm(network: nn.Module, world: World, device: torch.device) -> nn.Module:
    """Let batch norm take statistics over all processes, where torch can: on CUDA."""
    if world.size == 1 or device.type != "cuda":
        return network
    converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return converted


@contextmanager
def join_world(device: torch.device) -> Iterator[World]:
    """Take the place that ``torchrun`` gave this process; alone without ``torchrun``."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield World()
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def local_rank() -> int:
    """Number of this process on its machine, which is that of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0"))
