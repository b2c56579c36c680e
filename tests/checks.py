"""Properties that every case of a kind must have; a test applies them to each case."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

A = Callable[[Tensor], Tensor]


def random_tensor(shape: tuple[int, ...], seed: int = 0, dtype=torch.float64) -> Tensor:
    """Standard normal numbers, the same for a seed in every type."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def dense_matrix(physics: Any, img_size: tuple[int, int, int]) -> Tensor:
    """Matrix of a linear physics, column by column: one unit image at a time, float64."""
    n = torch.Size(img_size).numel()
    columns = [physics.A(unit.reshape(1, *img_size)).flatten() for unit in torch.eye(n).double()]
    return torch.stack(columns, dim=1)


def check_adjoint(physics: Any, x: Tensor, seed: int = 1) -> None:
    """<A x, v> = <x, Aᵀ v> to 1e-12 of the sizes of both sides, float64."""
    y = physics.A(x)
    v = random_tensor(tuple(y.shape), seed)
    left, right = (y * v).sum(), (x * physics.A_adjoint(v)).sum()
    assert abs(left - right) <= 1e-12 * max(y.norm() * v.norm(), 1e-300)


def check_linear(operator: A, x: Tensor, u: Tensor) -> None:
    """A(2 x - 3 u) = 2 A x - 3 A u, and A 0 = 0."""
    torch.testing.assert_close(
        operator(2 * x - 3 * u), 2 * operator(x) - 3 * operator(u), rtol=0, atol=1e-12 * scale(x)
    )
    assert not operator(torch.zeros_like(x)).any()


def check_batch(operator: A, x: Tensor) -> None:
    """A batch gives what its signals give one by one."""
    single = torch.cat([operator(x[i : i + 1]) for i in range(len(x))])
    torch.testing.assert_close(operator(x), single, rtol=0, atol=1e-10 * scale(x))


def check_input_unchanged(operator: A, x: Tensor) -> None:
    """The tensor given is not written to, and two calls agree."""
    before = x.clone()
    first = operator(x)
    assert torch.equal(operator(x), first)
    assert torch.equal(x, before)


def check_vmap(operator: A, x: Tensor) -> None:
    """``torch.vmap`` over a leading axis of restarts agrees with a loop; so does its gradient."""

    def energy(images: Tensor) -> Tensor:
        return operator(images).square().sum()

    stack = torch.stack([x, -x, 2 * x])
    loop = torch.stack([operator(images) for images in stack])
    torch.testing.assert_close(torch.vmap(operator)(stack), loop, rtol=0, atol=1e-10 * scale(x))
    gradient = torch.vmap(torch.func.grad(energy))(stack)
    expected = torch.stack([torch.func.grad(energy)(images) for images in stack])
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-9 * scale(x))


def check_jvp(operator: A, x: Tensor, u: Tensor) -> None:
    """Forward mode gives A u at every x, also under ``torch.vmap`` over directions."""

    def push(direction: Tensor) -> Tensor:
        return torch.func.jvp(operator, (x,), (direction,))[1]

    expected = operator(u)
    torch.testing.assert_close(push(u), expected, rtol=0, atol=1e-10 * scale(u))
    both = torch.vmap(push)(torch.stack([u, -u]))
    torch.testing.assert_close(both[1], -expected, rtol=0, atol=1e-10 * scale(u))


def scale(x: Tensor) -> float:
    return max(1.0, float(x.abs().max()))
