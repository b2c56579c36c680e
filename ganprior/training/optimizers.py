"""The optimisers of a run, their rates, and their running moments as plain tensors."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer, RMSprop

from ganprior.training.recipes import Recipe

_ADAM = {"step", "exp_avg", "exp_avg_sq"}


def make_optimizer(network: nn.Module, recipe: Recipe) -> Optimizer:
    """Adam, or RMSProp with the decay 0.99 that Arjovsky et al. (2017) left as torch has it."""
    parameters = list(network.parameters())
    on_gpu = parameters[0].is_cuda
    # A recorded step reads its rate from memory, where set_rate changes it.
    rate: float | Tensor = recipe.learning_rate
    if on_gpu:
        rate = torch.tensor(rate, device=parameters[0].device)
    if recipe.optimizer == "rmsprop":
        return RMSprop(parameters, rate, capturable=on_gpu)
    # One kernel for all parameters instead of some per operation.
    return Adam(parameters, rate, recipe.betas, fused=on_gpu, capturable=on_gpu)


def rate_at(recipe: Recipe, step: int) -> float:
    """Learning rate after ``step`` steps: constant, then falling linearly to 0 at the end."""
    if not recipe.decay_from or step < recipe.decay_from:
        return recipe.learning_rate
    return recipe.learning_rate * (recipe.steps - step) / (recipe.steps - recipe.decay_from)


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Let an optimiser go on with another learning rate."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def gradient_norm(network: nn.Module) -> Tensor:
    """Euclidean norm of all gradients of a network together, a scalar."""
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)


def optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    """Return the running moments of an optimiser by ``"parameter.name"``.

    Rates and betas are not among them: they belong to the recipe.
    """
    state = optimizer.state_dict()["state"]
    return {f"{i}.{name}": torch.as_tensor(t) for i, s in state.items() for name, t in s.items()}


def _check_moments(optimizer: Optimizer, index: int, moments: dict[str, Tensor]) -> None:
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    names = {"step", "square_avg"} if isinstance(optimizer, RMSprop) else _ADAM
    if not 0 <= index < len(parameters) or moments.keys() != names:
        raise ValueError(f"parameter {index} has the moments {', '.join(sorted(moments))}")
    for name, tensor in moments.items():
        shape = () if name == "step" else parameters[index].shape
        if tuple(tensor.shape) != tuple(shape) or not tensor.is_floating_point():
            raise ValueError(f"{name} of parameter {index} is {tensor.dtype} {tuple(tensor.shape)}")


def restore_optimizer(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put the moments of :func:`optimizer_tensors` back, laid out in memory like the parameters.

    The optimiser makes them so; a resumed run then does the same work as an uninterrupted one, in
    the same order, and at the same speed.

    Raises
    ------
    ValueError
        If they are not the moments of such an optimiser and its parameters.
    """
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = tensor
    for number, moments in state.items():
        _check_moments(optimizer, number, moments)
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    for parameter, moments in optimizer.state.items():
        for name, tensor in moments.items():
            if tensor.shape == parameter.shape:
                moments[name] = torch.empty_like(parameter).copy_(tensor)
