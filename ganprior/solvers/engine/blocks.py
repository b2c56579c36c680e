"""Products of fixed shape: a row's result does not depend on the other rows.

A library for linear algebra chooses its kernels, and how threads share the work, by the number of
rows. The sums of a row are then taken in another order and rounded otherwise, and a search over
hundreds of steps amplifies the last digit until it ends in another minimum. So rows are multiplied
in blocks of one size, the last one filled up. On a GPU, where that would cost too much, all rows
are taken at once.

Within a block a row's place must not matter either. Seen on processors without AVX-512, products of
5 to 11 columns are rounded by the place of the row, the last digit that is: latents or measurements
of so few entries are solved to rounding alike in any batch, and not to the bit.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

ROWS = 16
# Rows of more numbers are taken one at a time: the last block would be filled up with gigabytes.
LARGE = 2**16


def in_blocks(function: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """``function(rows)``, computed for ``ROWS`` rows at a time.

    Parameters
    ----------
    function : callable
        Maps (N, ...) to (N, ...), each row by itself, for any N.
    rows : Tensor
        (N, ...), N at least 1.
    """
    if rows.device.type != "cpu":
        return function(rows)
    size = ROWS if rows[0].numel() <= LARGE else 1
    *whole, last = rows.split(size)
    absent = size - len(last)
    filled = torch.cat([last, last[-1:].expand(absent, *last.shape[1:])]) if absent else last
    results = [function(part) for part in (*whole, filled)]
    return torch.cat(results)[: len(rows)] if whole or absent else results[0]


def in_blocks_or_one(function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """As :func:`in_blocks`, but one image alone is not filled up.

    Only Jacobians ask for one image, and they always ask for one; each of its tangents, of which
    there are as many as the latent has entries, would be filled up with it.
    """
    return function(images) if len(images) == 1 else in_blocks(function, images)


class BlockLinear(nn.Linear):
    """A linear layer that takes images in blocks."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, ..., inputs) to (N, ..., outputs)."""
        return in_blocks_or_one(super().forward, x) if x.dim() > 1 else super().forward(x)


def with_block_products(network: nn.Module) -> nn.Module:
    """``network`` itself, with its linear layers changed to :class:`BlockLinear`."""
    for layer in network.modules():
        if type(layer) is nn.Linear:
            layer.__class__ = BlockLinear
    return network
