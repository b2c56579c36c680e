"""The losses of a run: the objective's, plus what the recipe adds to them."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from ganprior.training.objectives import Objective
from ganprior.training.objectives.auxiliary_classifier import class_loss, discriminator_class_loss
from ganprior.training.objectives.vae import (
    gaussian_reconstruction,
    negative_elbo,
    posterior_divergence,
    sample_posterior,
)
from ganprior.training.recipes import Recipe
from ganprior.training.scoring import Scorer
from ganprior.training.stabilisers import InputNoise, closeness_penalty


class Losses:
    """Scalar losses of the players, to be descended.

    Parameters
    ----------
    recipe : Recipe
        Which terms there are, and their weights.
    objective : Objective or None
        The adversarial objective.
    networks : dict of nn.Module
        ``"generator"``, ``"discriminator"``, ``"encoder"``, as far as there are any.
    autocast : torch.autocast
        Number format of the networks' convolutions; the losses themselves are float32.
    rng : torch.Generator
        Source of noise, label flips and posterior samples.
    """

    def __init__(
        self,
        recipe: Recipe,
        objective: Objective | None,
        networks: dict[str, nn.Module],
        autocast: torch.autocast,
        rng: torch.Generator,
    ) -> None:
        self.recipe = recipe
        self.objective = objective
        self.networks = networks
        self.autocast = autocast
        self.rng = rng
        self.noise = InputNoise(recipe.input_noise, recipe.input_noise_steps)
        self.auxiliary = recipe.classes > 0 and recipe.conditioning == "auxiliary"

    def images(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Images in [-1, 1] of latents (B, k) and their labels (B,), where there are labels."""
        generator = self.networks["generator"]
        with self.autocast:
            x: Tensor = generator(z) if labels is None else generator(z, labels)
        return x.float()

    def discriminator(self, real: Tensor, fake: Tensor, labels: Tensor | None, step: int) -> Tensor:
        """Loss of the discriminator on images (B, C, H, W) of both kinds, of the same labels."""
        assert self.objective is not None
        score = self.score(labels, step)
        loss = self.objective.discriminator_loss(score, real, fake, self.rng)
        if self.auxiliary and labels is not None:
            classes = self._classify(real), labels, self._classify(fake), labels
            loss = loss + discriminator_class_loss(*classes)
        return loss

    def generator(
        self,
        z: Tensor | None,
        labels: Tensor | None,
        real: Tensor | None,
        real_labels: Tensor | None,
        step: int,
    ) -> Tensor:
        """Loss of the generator on latents, as the decoder of the VAE on images, or their sum."""
        losses = []
        if z is not None:
            losses.append(self.adversarial(z, labels, step))
        if real is not None:
            losses.append(self.vae(real, real_labels))
        return torch.stack(losses).sum()

    def adversarial(self, z: Tensor, labels: Tensor | None, step: int) -> Tensor:
        """Adversarial loss of the generator on images of latents (B, k)."""
        assert self.objective is not None
        fake = self.images(z, labels)
        loss = self.objective.generator_loss(self.score(labels, step), fake)
        if self.auxiliary and labels is not None:
            loss = loss + class_loss(self._classify(fake), labels)
        if self.recipe.closeness_weight:
            # In [0, 1], where the background of most images is 0 and makes no two alike.
            loss = loss + self.recipe.closeness_weight * closeness_penalty((fake + 1) / 2)
        return loss

    def vae(self, real: Tensor, labels: Tensor | None) -> Tensor:
        """Weighted bound on images (B, C, H, W), to be descended by both networks."""
        with self.autocast:
            mean, log_variance = self.networks["encoder"].moments(real)  # type: ignore[operator]
        mean, log_variance = mean.float(), log_variance.float()
        decoded = self.images(sample_posterior(mean, log_variance, self.rng), labels)
        weight, kl_weight = self.recipe.reconstruction_weight, self.recipe.kl_weight
        reconstruction = weight * gaussian_reconstruction(decoded, real)
        return negative_elbo(reconstruction, posterior_divergence(mean, log_variance), kl_weight)

    def distance(self, real: Tensor, fake: Tensor, labels: Tensor | None, step: int) -> Tensor:
        """Estimate of the divergence that the objective minimises, from images of both kinds."""
        assert self.objective is not None
        score = self.score(labels, step)
        return self.objective.distance(score(real), score(fake))

    def score(self, labels: Tensor | None, step: int) -> Scorer:
        """The discriminator as a function of images alone, as objectives take it."""
        noise = partial(self.noise, step=step, rng=self.rng) if self.recipe.input_noise else None
        told = None if self.auxiliary else labels
        return Scorer(self.networks["discriminator"], self.autocast, told, noise)

    def _classify(self, x: Tensor) -> Tensor:
        with self.autocast:
            logits: Tensor = self.networks["discriminator"].classify(x)  # type: ignore[operator]
        return logits.float()
