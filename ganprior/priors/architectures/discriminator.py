"""The form that every discriminator here has: features, then a last layer."""

from __future__ import annotations

from torch import Tensor, nn


class Discriminator(nn.Module):
    """Images (B, channels, size, size) in [-1, 1] to one number each, (B,).

    The number is a logit or a critic's value; no sigmoid is applied.

    Parameters
    ----------
    features : nn.Sequential
        All layers but the last.
    output : nn.Conv2d or nn.Linear
        The last one, with one output.
    """

    def __init__(self, features: nn.Sequential, output: nn.Conv2d | nn.Linear) -> None:
        super().__init__()
        self.features = features
        self.output = output

    def forward(self, x: Tensor) -> Tensor:
        """One number per image, (B,)."""
        number: Tensor = self.output(self.features(x))
        return number.flatten()


def widened(layer: nn.Conv2d | nn.Linear, outputs: int) -> nn.Conv2d | nn.Linear:
    """A last layer over the same features with more outputs, (B, outputs) once flattened."""
    if isinstance(layer, nn.Linear):
        return nn.Linear(layer.in_features, outputs)
    height, width = layer.kernel_size
    return nn.Conv2d(layer.in_channels, outputs, (height, width))
