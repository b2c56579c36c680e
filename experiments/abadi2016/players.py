"""Alice, Bob and Eve: the networks of many independent runs, stepped at once.

M. Abadi, D. G. Andersen, "Learning to protect communications with adversarial neural cryptography",
2016, arXiv 1610.06918, section 2, with the networks and losses that the authors released
("adversarial_crypto" among the TensorFlow models): a fully connected layer of 2N values without a
non-linearity, then three convolutions, of width 2 and stride 2 to two channels, of width 1 to two,
of width 1 to one, with sigmoid, sigmoid and tanh behind them; Xavier's weights, biases of 0. The
paper itself has a sigmoid behind the first layer, and four convolutions of twice the channels.

A network of two thousand weights spends its time in calls and in reading memory. All runs share
every call and every message, and the batch is the last axis: tensors are (runs, values, batch). A
run has weights of its own, and no run changes what another one does. Bits are -1 and 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

# Random bits of an int64 that are used.
BITS = 62


class Player(nn.Module):
    """The network of R runs, (R or 1, inputs, B) to (R, outputs, B) in [-1, 1].

    Parameters
    ----------
    inputs : int
        Values that it reads.
    outputs : int
        N, values that it writes.
    rngs : sequence of torch.Generator
        Source of the weights of each run, R.
    """

    def __init__(self, inputs: int, outputs: int, rngs: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.full = nn.Parameter(_xavier(rngs, 2 * outputs, inputs))
        self.full_bias = nn.Parameter(torch.zeros(len(rngs), 2 * outputs, 1))
        # Channels out, then what each reads: two neighbours, or two channels.
        shapes = ((2, 2), (2, 2), (1, 2))
        self.weights = nn.ParameterList([_xavier(rngs, *shape) for shape in shapes])
        self.biases = nn.ParameterList([torch.zeros(len(rngs), shape[0], 1) for shape in shapes])

    def forward(self, x: Tensor) -> Tensor:
        """Each run's own network."""
        first, second, third = zip(self.weights, self.biases, strict=True)
        weight, bias = _joined(self.full, self.full_bias, *first)
        runs, values, batch = len(weight), weight.shape[1], x.shape[-1]
        hidden = torch.baddbmm(bias, weight, x.expand(runs, -1, -1)).sigmoid()
        # A convolution of width 1 does the same at every place: places join the batch.
        hidden = hidden.view(runs, 2, values // 2 * batch)
        hidden = torch.baddbmm(second[1], second[0], hidden).sigmoid()
        output = torch.baddbmm(third[1], third[0], hidden).tanh()
        return output.view(runs, values // 2, batch)


def _joined(full: Tensor, bias: Tensor, kernel: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """The first two layers as one: nothing is between them, and the batch meets one product.

    Values 2 i and 2 i + 1 of the first layer are place i of the convolution, whose kernel is (R, 2
    channels, 2). Rows of the result are all places of one channel, then those of the other.
    """
    runs, values, inputs = full.shape
    weight = kernel[:, None] @ full.view(runs, values // 2, 2, inputs)
    both = kernel[:, None] @ bias.view(runs, values // 2, 2, 1) + shift[:, None]
    return (
        weight.transpose(1, 2).reshape(runs, values, inputs),
        both.transpose(1, 2).reshape(runs, values, 1),
    )


def _xavier(rngs: Sequence[torch.Generator], outputs: int, inputs: int) -> Tensor:
    """Uniform weights of variance 2 / (inputs + outputs), (R, outputs, inputs)."""
    bound = (6 / (inputs + outputs)) ** 0.5
    drawn = [torch.rand(outputs, inputs, generator=rng) for rng in rngs]
    return bound * (2 * torch.stack(drawn) - 1)


def random_bits(values: int, batch: int, rng: torch.Generator) -> Tensor:
    """Bits -1 and 1, (1, values, batch): the same for every run."""
    count = values * batch
    words = torch.randint(1 << BITS, (-(-count // BITS), 1), generator=rng)
    bits = (words >> torch.arange(BITS)) & 1
    return bits.flatten()[:count].view(1, values, batch).float().mul_(2).sub_(1)


def bits_wrong(guess: Tensor, truth: Tensor) -> Tensor:
    """Error of every message in bits, (R, B): half of the L1 distance (section 2.3)."""
    return (guess - truth).abs().sum(1) / 2


def with_key(values: Tensor, key: Tensor) -> Tensor:
    """What Alice or Bob reads: values (R or 1, N, B), and the key (1, N, B) behind them."""
    return torch.cat([values, key.expand(len(values), -1, -1)], 1)


Weights = list[Tensor]


def weights_of(networks: Iterable[nn.Module], run: int) -> Weights:
    """Copies of the weights of one run."""
    return [p.detach()[run].clone() for network in networks for p in network.parameters()]


@torch.no_grad()
def set_weights(networks: Iterable[nn.Module], runs: Sequence[Weights]) -> None:
    """Let networks have these runs, in this order, and no other."""
    parameters = [p for network in networks for p in network.parameters()]
    for parameter, own in zip(parameters, zip(*runs, strict=True), strict=True):
        parameter.data, parameter.grad = torch.stack(own), None


def drop_moments(optimizer: torch.optim.Optimizer, kept: Sequence[int]) -> None:
    """Let Adam remember these runs, in this order, and no other."""
    for state in optimizer.state.values():
        for name in ("exp_avg", "exp_avg_sq"):
            state[name] = state[name][list(kept)]
