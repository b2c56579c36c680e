"""Class loss of the auxiliary-classifier GAN.

A. Odena, C. Olah, J. Shlens, "Conditional Image Synthesis with Auxiliary Classifier GANs", 2017,
arXiv 1610.09585.

L_S is the likelihood of the right source, real or generated (equation 2): any adversarial
objective here takes that place. L_C = E log P(C = c | X_real) + E log P(C = c | X_fake) is that of
the right class (equation 3). The discriminator ascends L_S + L_C, the generator L_C - L_S: both
players want the class to be read off the image, so both add -L_C to their losses.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def class_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """-E log P(C = c | X): one term of equation (3), negated; what the generator adds.

    Parameters
    ----------
    logits : Tensor
        The classifier's output before its softmax, (B, classes).
    labels : Tensor
        The classes that were drawn, or those of the real images, int64 (B,).
    """
    return functional.cross_entropy(logits, labels)


def discriminator_class_loss(
    real: Tensor, real_labels: Tensor, fake: Tensor, fake_labels: Tensor
) -> Tensor:
    """-L_C: equation (3), negated; what the discriminator adds. Shapes as in ``class_loss``."""
    return class_loss(real, real_labels) + class_loss(fake, fake_labels)
