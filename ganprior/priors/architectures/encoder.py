"""The encoder: the generator's mirror, from images to latents."""

from __future__ import annotations

from torch import Tensor, nn

from ganprior.priors.architectures.discriminator import Discriminator, widened


class Encoder(nn.Module):
    """Images (B, C, H, W) in [-1, 1] to the mean and log-variance of q(z | x).

    It is the Gaussian encoder with diagonal covariance of a variational autoencoder (Kingma,
    Welling 2014, arXiv 1312.6114, appendix C.2).

    Parameters
    ----------
    network : Discriminator
        Its features are taken over; its last layer is replaced by one with 2 k outputs.
    latent_size : int
        k.
    """

    def __init__(self, network: Discriminator, latent_size: int) -> None:
        super().__init__()
        self.features = network.features
        self.output: nn.Module = widened(network.output, 2 * latent_size)

    def forward(self, x: Tensor) -> Tensor:
        """Mean of q(z | x), a latent per image, (B, k)."""
        return self.moments(x)[0]

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z | x), each (B, k)."""
        mean, log_variance = self.numbers(x).chunk(2, 1)
        return mean, log_variance

    def numbers(self, x: Tensor) -> Tensor:
        """Means, then log-variances, (B, 2 k)."""
        numbers: Tensor = self.output(self.features(x))
        return numbers.flatten(1)
