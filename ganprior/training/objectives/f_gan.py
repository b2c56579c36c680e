"""f-GAN: any f-divergence, from the variational bound that the discriminator raises.

S. Nowozin, B. Cseke, R. Tomioka, "f-GAN: Training Generative Neural Samplers using Variational
Divergence Minimization", 2016, arXiv 1606.00709.

D_f(P || Q) >= sup_T E_P T(x) - E_Q f*(T(x)) (equation 4), with equality at T = f'(p / q)
(equation 5). T = g_f(V) for a network V whose output is any real number (equation 7). The
discriminator ascends the bound and the generator descends it, one step each (Algorithm 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganprior.registry import register
from ganprior.training.objectives.f_divergences import GAN, Divergence
from ganprior.training.objectives.objective import Objective, Score


def variational_bound(divergence: Divergence, real: Tensor, fake: Tensor) -> Tensor:
    """E_P g_f(V(x)) - E_Q f*(g_f(V(x))) (equation 7), from V (B,) of both kinds of images."""
    return divergence.activation(real).mean() - divergence.conjugate_of_activation(fake).mean()


def bound_generator_loss(divergence: Divergence, fake: Tensor) -> Tensor:
    """-E_Q f*(g_f(V)): the part of the bound that the generator can descend (Algorithm 1)."""
    return -divergence.conjugate_of_activation(fake).mean()


def output_generator_loss(divergence: Divergence, fake: Tensor) -> Tensor:
    """-E_Q g_f(V): the generator ascends the discriminator's output (section 3.2)."""
    return -divergence.activation(fake).mean()


@register("objective", "f-gan", "an f-divergence, chosen by name")
@dataclass(frozen=True)
class FGAN(Objective):
    """The game over one row of the table of divergences.

    Attributes
    ----------
    critic_steps : int
        Discriminator steps before each generator step (1 in Algorithm 1).
    divergence : Divergence
        Which f.
    non_saturating : bool
        The generator ascends E g_f(V) instead of descending the bound (section 3.2, "Practical
        considerations"; with the GAN row it is Goodfellow's non-saturating generator). It keeps
        a gradient where the discriminator is sure, for kl, pearson, squared-hellinger,
        jensen-shannon and gan. For reverse-kl the bound itself has one, and for it and
        bhattacharyya the variant's gradient grows like e^-V.
    """

    divergence: Divergence = GAN
    non_saturating: bool = False

    @property
    def discriminator_output(self) -> str:
        """``"probability"`` where the best V is log(p / q), else ``"critic"``."""
        return "probability" if self.divergence.logit else "critic"

    def discriminator_loss(
        self, score: Score, real: Tensor, fake: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Equation (7), negated; each kind of images is its own batch for batch norm."""
        return -variational_bound(self.divergence, score(real), score(fake))

    def generator_loss(self, score: Score, fake: Tensor) -> Tensor:
        """Loss of the generator."""
        loss = output_generator_loss if self.non_saturating else bound_generator_loss
        return loss(self.divergence, score(fake))

    def distance(self, real: Tensor, fake: Tensor) -> Tensor:
        """Equation (7): a lower bound of the divergence."""
        return variational_bound(self.divergence, real, fake)
