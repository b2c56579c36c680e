"""A small classifier, whose inner features the quality figures are measured in."""

from __future__ import annotations

from torch import Tensor, nn

from ganprior.priors.architectures.dcgan import halvings

FEATURES = 128


class Classifier(nn.Module):
    """Images (B, C, H, W) in [-1, 1] to logits of their class, (B, classes).

    The convolutions are those of the DCGAN discriminator with batch norm.

    Parameters
    ----------
    channels, size : int
        Channels, and height and width in pixels, of the images; any size from 2 on.
    classes : int
        Number of classes.
    filters : int
        Channels of the first layer; each later one has twice as many.
    """

    def __init__(self, channels: int, size: int, classes: int, filters: int = 16) -> None:
        super().__init__()
        self.trunk, width, side = halvings(channels, size, filters)
        self.hidden = nn.Sequential(
            nn.Flatten(), nn.Linear(width * side**2, FEATURES), nn.LeakyReLU(0.2)
        )
        self.output = nn.Linear(FEATURES, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the classes, (B, classes)."""
        logits: Tensor = self.output(self.features(x))
        return logits

    def features(self, x: Tensor) -> Tensor:
        """The last hidden layer, (B, 128)."""
        features: Tensor = self.hidden(self.trunk(x))
        return features
