"""The prior: a generator, the law of its latent, and what may come with them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganprior.priors.architectures.architecture import check_label
from ganprior.priors.architectures.conditional import (
    check_labels,
    classes_of,
    discriminator_given,
    generator_given,
)
from ganprior.priors.architectures.mixture import weights_of
from ganprior.priors.architectures.stochastic import drawing_from
from ganprior.priors.cards import card_given
from ganprior.priors.checks import (
    check_law,
    check_network,
    check_readings,
    checked_image_shape,
    checked_range,
    eval_mode,
    image_of,
)
from ganprior.priors.density import Density
from ganprior.priors.fixed_noise import FixedNoise
from ganprior.priors.latent import GaussianLatent, Latent, UniformLatent, checked_latent_shape
from ganprior.priors.modules import plain
from ganprior.priors.stored_prior import StoredPrior
from ganprior.priors.turns import take_turns
from ganprior.sheets import sheet_png
from ganprior.streams import as_generator


class Prior(StoredPrior):
    """Images as the range of a generator, x = G(z) with z of a known law.

    Parameters
    ----------
    generator : nn.Module
        Maps latents (B, *latent shape) to images (B, C, H, W) in ``image_range``; a conditional
        one takes labels, int64 (B,), as its second argument.
    latent : Latent
        Law of z.
    image_shape : tuple of int
        (C, H, W).
    image_range : pair of float
        Range of the generator's output; ``prior(z)`` maps it to [0, 1].
    discriminator : nn.Module, optional
        Maps images in ``image_range`` to one logit or critic value each, (B,).
    encoder : nn.Module, optional
        Maps images in ``image_range`` to latents.
    classes : int, optional
        Number of classes of a conditional generator; read from the generator if it is of this
        package, else 0, which means an unconditional one.
    density : Density, optional
        Laws of the latents of real images and of what the generator leaves out of them, for the
        solvers that take the prior for a density: MAP.
    card : dict, optional
        Facts about the prior: data, licence, recipe, measured quality.

    Raises
    ------
    ValueError
        If ``generator`` is no module, ``latent`` no law, ``image_shape`` is not (C, H, W) or
        ``image_range`` is not increasing.

    Examples
    --------
    >>> from torch import nn
    >>> from ganprior import Prior
    >>> decoder = nn.Sequential(nn.Linear(20, 784), nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28)))
    >>> mine = Prior.from_module(decoder, latent_shape=20, image_range=(0, 1))
    >>> mine.image_shape
    (1, 28, 28)
    >>> mine.sample(4, 0).shape
    torch.Size([4, 1, 28, 28])
    """

    def __init__(
        self,
        generator: nn.Module,
        latent: Latent,
        image_shape: tuple[int, int, int],
        *,
        image_range: tuple[float, float] = (-1.0, 1.0),
        discriminator: nn.Module | None = None,
        encoder: nn.Module | None = None,
        classes: int | None = None,
        density: Density | None = None,
        card: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        check_network("generator", generator)
        check_law(latent)
        self.generator = plain(generator)
        self.latent = latent
        self.image_shape = checked_image_shape(image_shape)
        self.image_range = checked_range(image_range)
        self.discriminator = discriminator
        self.encoder = encoder
        self.classes = classes_of(generator) if classes is None else classes
        self.density = density
        self.card = dict(card or {})

    def __repr__(self) -> str:
        """One line: name, image size, latent law, and what comes with the generator."""
        name = f"{self.card['name']}, " if self.card.get("name") else ""
        images, latents = (" x ".join(map(str, s)) for s in (self.image_shape, self.latent.shape))
        extras = [word for word in ("discriminator", "encoder") if getattr(self, word) is not None]
        extras += [f"{self.classes} classes"] if self.classes else []
        law = type(self.latent).__name__
        return f"Prior({', '.join([f'{name}{images} images', f'{latents} {law}', *extras])})"

    def _repr_png_(self) -> bytes | None:
        """Show ten samples in a notebook, those of seed 0."""
        return sheet_png(self.sample(10, 0)) if self.image_shape[0] in (1, 3) else None

    @classmethod
    def from_module(
        cls,
        module: nn.Module,
        latent_shape: int | Sequence[int],
        *,
        latent: Literal["gaussian", "uniform"] | Latent = "gaussian",
        image_range: tuple[float, float] = (-1.0, 1.0),
        discriminator: nn.Module | None = None,
        encoder: nn.Module | None = None,
        classes: int | None = None,
        noise_seed: int | None = None,
    ) -> Prior:
        """Make a prior of anyone's generator, VAE decoder or linear map.

        Parameters
        ----------
        module : nn.Module
            Maps (B, *latent_shape) to (B, C, H, W) in ``image_range``. A copy of it is called
            once, in eval mode and on one latent, to learn the image shape; so are those of the
            discriminator and the encoder, on that image.
        latent_shape : int or sequence of int
            Shape of one latent.
        latent : str or Latent
            Law of z: ``"gaussian"`` for N(0, I), ``"uniform"`` for [-1, 1]^k, or a law.
        image_range, discriminator, encoder, classes
            As for the class.
        noise_seed : int, optional
            For a module that draws noise inside, as StyleGAN2 does: its noise is drawn once, from
            this seed, so that an image is a function of its latent; see
            :class:`~ganprior.priors.fixed_noise.FixedNoise`.

        Raises
        ------
        ValueError
            If the law is unknown, the module does not take such latents or gives something else
            than an image in ``image_range``, or the discriminator or the encoder does not take
            that image.
        """
        check_network("module", module)
        module = plain(module)
        classes = classes_of(module) if classes is None else classes
        if noise_seed is not None:
            module = FixedNoise(module, noise_seed)
        if isinstance(latent, str):
            laws = {"gaussian": GaussianLatent, "uniform": UniformLatent}
            if latent not in laws:
                raise ValueError(f"latent must be 'gaussian' or 'uniform', got {latent!r}")
            latent = laws[latent](latent_shape)
        check_law(latent)
        wanted = checked_latent_shape(latent_shape)
        if latent.shape != wanted:
            raise ValueError(f"latent_shape is {wanted}, but the law given is over {latent.shape}")
        image_range = checked_range(image_range)
        image = image_of(module, latent, image_range, conditional=classes > 0)
        check_readings(discriminator, "discriminator", image, 1)
        check_readings(encoder, "encoder", image, latent.size)
        channels, height, width = image.shape[1:]
        return cls(
            module,
            latent,
            (channels, height, width),
            image_range=image_range,
            discriminator=discriminator,
            encoder=encoder,
            classes=classes,
        )

    @property
    def discriminator_output(self) -> str | None:
        """``"probability"`` (of a logit), ``"critic"``, or None without a discriminator."""
        if self.discriminator is None:
            return None
        return str(self.card.get("discriminator_output", "probability"))

    def given(self, label: int) -> Prior:
        """Make the prior of one class, x = G(z, label): an ordinary, unconditional prior.

        It is a copy, can be saved, and goes wherever a prior goes.

        Parameters
        ----------
        label : int
            The class, 0 ... ``classes`` - 1.

        Raises
        ------
        ValueError
            If the prior is unconditional or the label is out of range.
        """
        check_label(label, self.classes)
        own = self.discriminator
        one = Prior(
            generator_given(self.generator, label),
            self.latent,
            self.image_shape,
            image_range=self.image_range,
            discriminator=None if own is None else discriminator_given(own, label),
            encoder=copy.deepcopy(self.encoder),
            classes=0,
            card=card_given(self.card, label),
        )
        return one.train(self.training)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images (B, C, H, W) in [0, 1] of latents (B, *latent shape).

        Parameters
        ----------
        z : Tensor
            Latents.
        labels : Tensor, optional
            Of a conditional prior the label of each image, int64 (B,).

        Raises
        ------
        ValueError
            If labels are missing, out of range, or given to an unconditional prior.
        """
        if labels is None and not self.classes:
            return self.to_unit(self.generator(z))
        labels = check_labels(labels, self.classes, len(z)).to(z.device)
        return self.to_unit(self.generator(z, labels))

    @property
    def component_weights(self) -> Tensor | None:
        """Weights of the generators of a mixture, whose numbers are its labels; else None."""
        return weights_of(self.generator)

    def round_robin(self, count: int) -> Tensor | None:
        """Labels 0, 1, ... and again from 0, int64 (count,); None for an unconditional prior.

        Of a mixture each comes as often as it weighs.
        """
        return take_turns(self.component_weights, self.classes, count)

    def to_unit(self, images: Tensor) -> Tensor:
        """Map ``image_range`` to [0, 1]."""
        low, high = self.image_range
        return images if (low, high) == (0.0, 1.0) else (images - low) / (high - low)

    def from_unit(self, images: Tensor) -> Tensor:
        """Map [0, 1] to ``image_range``, which the discriminator and the encoder take."""
        low, high = self.image_range
        return images if (low, high) == (0.0, 1.0) else images * (high - low) + low

    def sample_latents(self, count: int, rng: torch.Generator | int) -> Tensor:
        """Latents, float32 (count, *latent shape): of the density where there is one.

        Parameters
        ----------
        count : int
            Number of latents.
        rng : torch.Generator or int
            Their source, or a seed.
        """
        if self.density is None:
            return self.latent.sample(count, rng)
        z = self.density.sample_latents(count, as_generator(rng))
        return z.float().unflatten(1, self.latent.shape)

    def sample(self, count: int, rng: torch.Generator | int) -> Tensor:
        """Images (count, C, H, W) in [0, 1] of :meth:`sample_latents`, in eval mode.

        The labels of a conditional prior take turns, as :meth:`round_robin` gives them.

        Parameters
        ----------
        count : int
            Number of images.
        rng : torch.Generator or int
            Source of the latents, and of dropout where the generator has it at test time; or a
            seed.
        """
        rng = as_generator(rng)
        z = self.sample_latents(count, rng)
        with drawing_from(self.generator, rng):
            return self.render(z, self.round_robin(count))

    @torch.no_grad()
    def render(self, z: Tensor, labels: Tensor | None = None, *, chunk: int = 256) -> Tensor:
        """Images (B, C, H, W) in [0, 1] of latents, in eval mode and in chunks.

        Unlike :meth:`forward` it keeps no graph, and takes z to the generator's device and dtype.
        """
        parameter = next(self.parameters(), None)
        z = z if parameter is None else z.to(parameter)
        given = (z,) if labels is None else (z, labels)
        with eval_mode(self):
            parts = zip(*(tensor.split(chunk) for tensor in given), strict=True)
            return torch.cat([self(*part) for part in parts])
