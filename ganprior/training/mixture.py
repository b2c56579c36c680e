"""MIX+GAN: T generators against T discriminators, each side a mixture.

S. Arora, R. Ge, Y. Liang, T. Ma, Y. Zhang, "Generalization and equilibrium in generative
adversarial nets", 2017, arXiv 1703.00573. With the weights w of the generators and v of the
discriminators, softmaxes of numbers that are learned with the networks, the players descend

    sum over i, j of w_i v_j F(G_i, D_j) + beta R,    R(w) = -(1 / T) sum over i of log w_i,

where F is the loss of either player by any objective of this package. R is log T at equal weights,
its least, and grows without bound as a weight goes to 0; the discriminators' side has R(v). Beta is
.1 in the authors' code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ganprior.priors.architectures import Mixture, MixtureGenerator
from ganprior.training.losses import Losses
from ganprior.training.objectives import Score
from ganprior.training.scoring import Scorer
from ganprior.training.stabilisers import closeness_penalty


def entropy_term(log_weights: Tensor) -> Tensor:
    """R(w) from log w (T,): at least log T, which it is at equal weights; a scalar."""
    return -log_weights.mean()


def weight_entropies(networks: Mapping[str, nn.Module]) -> dict[str, float]:
    """Entropy of the weights of every mixture among networks, in nats: at most log T."""
    logs = {n: own.log_weights.detach() for n, own in networks.items() if isinstance(own, Mixture)}
    return {f"{name}_entropy": -float(log.exp() @ log) for name, log in logs.items()}


class Together:
    """Scores of one discriminator, of some batches all at once the first time one is asked for.

    Objectives ask for the pair of one generator after the other; the images of all generators
    make one batch here, also for batch norm.

    Parameters
    ----------
    score : callable
        (N, C, H, W) to (N,).
    *batches : sequence of Tensor
        Batches of equal size that are scored together. Any other tensor is scored by itself.
    """

    def __init__(self, score: Score, *batches: Sequence[Tensor]) -> None:
        self.score = score
        self.batches = batches
        self._known: dict[int, Tensor] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """Scores of a batch."""
        together = next((own for own in self.batches if any(x is one for one in own)), None)
        if together is None:
            return self.score(x)
        if id(x) not in self._known:
            parts = self.score(torch.cat(list(together))).chunk(len(together))
            self._known |= {id(one): part for one, part in zip(together, parts, strict=True)}
        return self._known[id(x)]


class MixtureLosses(Losses):
    """Losses of two mixtures, scalars; see :class:`~ganprior.training.losses.Losses`."""

    def images(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Images in [-1, 1] of latents (T B, k), B of each generator in turn."""
        with self.autocast:
            x = cast(MixtureGenerator, self.networks["generator"]).each(z)
        return x.float()

    def discriminator(self, real: Tensor, fake: Tensor, labels: Tensor | None, step: int) -> Tensor:
        """Loss of the discriminators on real images (B, ...) and the generators' (T B, ...)."""
        assert self.objective is not None
        loss = self.objective.discriminator_loss
        payoffs = self._pairs(lambda score, own: loss(score, real, own, self.rng), fake, step, real)
        ours, theirs = self._log_weights("discriminator"), self._log_weights("generator").detach()
        expected = theirs.exp() @ payoffs @ ours.exp()
        return expected + self.recipe.mixture_entropy * entropy_term(ours)

    def adversarial(self, z: Tensor, labels: Tensor | None, step: int) -> Tensor:
        """Loss of the generators on images of latents (T B, k)."""
        assert self.objective is not None
        loss = self.objective.generator_loss
        fake = self.images(z, labels)
        payoffs = self._pairs(loss, fake, step)
        ours, theirs = self._log_weights("generator"), self._log_weights("discriminator").detach()
        expected = ours.exp() @ payoffs @ theirs.exp()
        if self.recipe.closeness_weight:
            own = [closeness_penalty((part + 1) / 2) for part in fake.chunk(len(ours))]
            expected = expected + self.recipe.closeness_weight * ours.exp() @ torch.stack(own)
        return expected + self.recipe.mixture_entropy * entropy_term(ours)

    def distance(self, real: Tensor, fake: Tensor, labels: Tensor | None, step: int) -> Tensor:
        """Mean of the pairs' estimates, by the weights of both sides."""
        assert self.objective is not None
        distance = self.objective.distance
        pairs = self._pairs(lambda score, own: distance(score(real), score(own)), fake, step, real)
        ours, theirs = self._log_weights("generator"), self._log_weights("discriminator")
        return ours.exp() @ pairs @ theirs.exp()

    def _pairs(
        self, payoff: Callable[[Score, Tensor], Tensor], fake: Tensor, step: int, *real: Tensor
    ) -> Tensor:
        """Payoff of every generator's images against every discriminator, (T, T)."""
        judges = cast(Mixture, self.networks["discriminator"]).components
        parts = fake.chunk(len(judges))
        noise = self.score(None, step).noise
        scores = [Together(Scorer(one, self.autocast, None, noise), parts, real) for one in judges]
        columns = [torch.stack([payoff(score, part) for part in parts]) for score in scores]
        return torch.stack(columns, 1)

    def _log_weights(self, player: str) -> Tensor:
        return cast(Mixture, self.networks[player]).log_weights
