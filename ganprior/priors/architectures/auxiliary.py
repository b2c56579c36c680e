"""A discriminator that also tells the class (AC-GAN).

A. Odena, C. Olah, J. Shlens, "Conditional Image Synthesis with Auxiliary Classifier GANs", 2017,
arXiv 1610.09585, section 3: D gives P(S | X), real or fake, and P(C | X), the class, from shared
weights; only the last layers are two.
"""

from __future__ import annotations

from torch import Tensor, nn

from ganprior.priors.architectures.discriminator import Discriminator, widened


class AuxiliaryDiscriminator(Discriminator):
    """Images (B, C, H, W) in [-1, 1] to a number, (B,), and to the logits of their class.

    Parameters
    ----------
    network : Discriminator
        Its features and its last layer are taken over; one more last layer is added.
    classes : int
        Number of classes.
    """

    def __init__(self, network: Discriminator, classes: int) -> None:
        super().__init__(network.features, network.output)
        self.classes = classes
        self.class_output: nn.Module = widened(network.output, classes)

    def classify(self, x: Tensor) -> Tensor:
        """Logits of the classes, (B, classes)."""
        return self.both(x)[1]

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The number (B,) and the class logits (B, classes), from one pass."""
        features = self.features(x)
        return self.output(features).flatten(), self.class_output(features).flatten(1)
