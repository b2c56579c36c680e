"""Other people's modules: copies of them, and what is inside of their wrappers."""

from __future__ import annotations

import copy
import io
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


def copy_of(module: nn.Module) -> nn.Module:
    """Deep copy of a module, also after a backward pass through it, and of TorchScript in it.

    ``torch.nn.utils.weight_norm`` leaves a weight that is a result of the last pass, and torch
    copies no tensor with a history; in the copy it is a plain one, until it is computed anew.
    TorchScript's own copies have weights with a history: here they are saved and loaded.
    """
    memo: dict[int, Any] = {}
    inside: set[int] = set()
    for part in module.modules():
        if isinstance(part, torch.jit.ScriptModule):
            if id(part) not in inside:
                memo[id(part)] = torch.jit.load(io.BytesIO(part.save_to_buffer()))
            inside |= {id(child) for child in part.modules()}
            continue
        for value in vars(part).values():
            if isinstance(value, Tensor) and not value.is_leaf:
                memo[id(value)] = value.detach().clone()
    return copy.deepcopy(module, memo)


def plain(module: nn.Module) -> nn.Module:
    """Take a module out of ``DataParallel`` or ``torch.compile``; let an exported one have modes.

    The engine has copies, chunks and devices of its own, which such wrappers would undo.
    """
    if isinstance(module, nn.DataParallel | DistributedDataParallel):
        return plain(module.module)
    inner = dict(module.named_children()).get("_orig_mod")
    if inner is not None:  # of torch.compile
        return plain(inner)
    # Modules of torch.export and frozen TorchScript are in one mode for good: the first raise when
    # they are told another, the second have none.
    one_mode = "train" in vars(module) or not hasattr(module, "training")
    return Exported(module) if one_mode else module


class Exported(nn.Module):
    """A module that keeps the mode in which it was exported.

    Parameters
    ----------
    module : nn.Module
        What ``torch.export.export(...).module()`` or ``torch.jit.freeze`` gives.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *given: Tensor) -> Any:
        """Call the module."""
        return self.module(*given)

    def train(self, mode: bool = True) -> Exported:
        """Do nothing but remember the mode."""
        self.training = mode
        return self
