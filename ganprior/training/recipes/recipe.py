"""A recipe: every number of one training run, checked when it is made."""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from typing import Any

from ganprior.names import check_name
from ganprior.registry import entries
from ganprior.training.recipes.values import (
    BETAS,
    COMPONENTS,
    COUNT,
    DIVERGENCES,
    FROM_ZERO,
    LABEL,
    OBJECTIVES,
    POSITIVE,
    SEED,
    SHARE,
    WEIGHT,
    check,
    convert,
    one_of,
)

# Changing these changes where a run ends or what is said about it, not the run itself.
NOT_OF_THE_RUN = ("steps", "expected")


@dataclass(frozen=True)
class Recipe:
    """One complete training run.

    Attributes
    ----------
    objective : str
        An adversarial objective of :mod:`ganprior.training.objectives` by name; ``"vae"``, an
        encoder and a decoder without adversary; or ``"vae-gan"``, non-saturating with an encoder.
    size, channels : int
        Height and width, and channels, of the images.
    latent_size : int
        k, the number of entries of z ~ N(0, I).
    filters, discriminator_filters : int
        Base width of generator (and encoder) and of discriminator.
    images : int
        How many images of the data set train: the first ones. The others validate.
    steps : int
        Generator steps in all.
    batch_size : int
        Images per step of either player; over all processes, where there are several.
    learning_rate, betas : float, pair of float
        Rate of all optimisers, and Adam's betas.
    discriminator_rate : float
        Rate of the discriminator, where it is another one; 0 for ``learning_rate``.
    optimizer : str
        ``"adam"`` or ``"rmsprop"``.
    decay_from : int
        Step from which the rate falls linearly, to 0 after the last one; 0 for a constant rate.
    architecture : str
        Networks, by name; see :mod:`ganprior.priors.architectures`.
    classes : int
        Classes of a conditional run, whose data need labels; 0 for an unconditional one.
    conditioning : str
        ``"labels"``: both players receive the label. ``"auxiliary"``: the generator does, and the
        discriminator classifies.
    mixture : int
        Pairs of generator and discriminator, each generator against each discriminator, with
        weights that are learned (MIX+GAN); a batch is then one of each generator.
    mixture_entropy : float
        Weight of the term that keeps a mixture's weights apart from 0.
    divergence : str
        Divergence of the objective ``"f-gan"``.
    critic_steps : int
        Discriminator steps before each generator step.
    penalty_weight : float
        Weight of the gradient penalty of ``"wgan-gp"``.
    clip : float
        Where ``"wgan"`` clips weights and ``"wgan-gradient-clip"`` gradients.
    encoder : bool
        Train an encoder with the generator, and ship it with the prior.
    vae_steps : int
        First steps in which encoder and decoder train as a VAE, before the objective takes over.
    reconstruction_weight, kl_weight : float
        Weights of the two terms of the VAE's loss: half the squared error, summed over an image
        in [-1, 1], and the Kullback-Leibler divergence. The adversarial loss has weight 1.
    real_label, fake_label, label_flip : float
        Soft labels of either kind of images, and the probability that a label is flipped; of
        ``"minimax"`` and ``"non-saturating"``.
    input_noise, input_noise_steps : float, int
        Standard deviation of noise on the discriminator's input, and steps in which it falls to 0.
    closeness_weight : float
        Weight of the penalty on samples of a minibatch that are too close.
    generator_noise, generator_dropout : float
        Standard deviation of noise, and share of dropout, in the generator's inner layers.
    dropout_at_test : bool
        Keep dropout when the prior is used.
    spectral_norm : bool
        Spectral normalisation of the discriminator.
    start_generator, start_discriminator, start_encoder : str
        Path or name of a prior, or path of a classifier, whose weights initialise a network
        wherever name and shape agree.
    ema_decay : float
        Decay per generator step of the moving average that ships.
    precision : str
        ``"float32"``, ``"bfloat16"``, or ``"auto"``: bfloat16 where the device has units for it.
    channels_last, compile : bool
        Layout of the networks in memory; ``torch.compile`` of the generator and the encoder.
    seed : int
        Seed of weights, data order and latents.
    sheet_every, checkpoint_every, monitor_every : int
        Steps between sample sheets, checkpoints, and rows of ``monitors.csv`` (0 for none).
    expected : str
        Time and quality to expect, in words.
    """

    objective: str = field(metadata=one_of(*OBJECTIVES))
    size: int = field(metadata=COUNT)
    channels: int = field(metadata=COUNT)
    latent_size: int = field(metadata=COUNT)
    filters: int = field(metadata=COUNT)
    discriminator_filters: int = field(metadata=COUNT)
    images: int = field(metadata=COUNT)
    steps: int = field(metadata=COUNT)
    batch_size: int = field(metadata=COUNT)
    learning_rate: float = field(metadata=POSITIVE)
    betas: tuple[float, float] = field(metadata=BETAS)
    discriminator_rate: float = field(default=0.0, metadata=WEIGHT)
    optimizer: str = field(default="adam", metadata=one_of("adam", "rmsprop"))
    decay_from: int = field(default=0, metadata=FROM_ZERO)
    architecture: str = field(default="dcgan", metadata=one_of(*entries("architecture")))
    classes: int = field(default=0, metadata=FROM_ZERO)
    conditioning: str = field(default="labels", metadata=one_of("labels", "auxiliary"))
    mixture: int = field(default=1, metadata=COMPONENTS)
    mixture_entropy: float = field(default=0.1, metadata=WEIGHT)
    divergence: str = "pearson"
    critic_steps: int = field(default=1, metadata=COUNT)
    penalty_weight: float = field(default=10.0, metadata=WEIGHT)
    clip: float = field(default=0.01, metadata=POSITIVE)
    encoder: bool = False
    vae_steps: int = field(default=0, metadata=FROM_ZERO)
    reconstruction_weight: float = field(default=1.0, metadata=WEIGHT)
    kl_weight: float = field(default=1.0, metadata=WEIGHT)
    real_label: float = field(default=1.0, metadata=LABEL)
    fake_label: float = field(default=0.0, metadata=LABEL)
    label_flip: float = field(default=0.0, metadata=SHARE)
    input_noise: float = field(default=0.0, metadata=WEIGHT)
    input_noise_steps: int = field(default=0, metadata=FROM_ZERO)
    closeness_weight: float = field(default=0.0, metadata=WEIGHT)
    generator_noise: float = field(default=0.0, metadata=WEIGHT)
    generator_dropout: float = field(default=0.0, metadata=SHARE)
    dropout_at_test: bool = False
    spectral_norm: bool = False
    start_generator: str = ""
    start_discriminator: str = ""
    start_encoder: str = ""
    ema_decay: float = field(default=0.999, metadata=SHARE)
    precision: str = field(default="auto", metadata=one_of("auto", "float32", "bfloat16"))
    channels_last: bool = True
    compile: bool = False
    seed: int = field(default=0, metadata=SEED)
    sheet_every: int = field(default=1000, metadata=COUNT)
    checkpoint_every: int = field(default=500, metadata=COUNT)
    monitor_every: int = field(default=1000, metadata=FROM_ZERO)
    expected: str = ""

    def __post_init__(self) -> None:
        for each in fields(self):
            check(each, getattr(self, each.name))
        if self.objective == "f-gan":
            check_name("divergence", self.divergence, DIVERGENCES)
        if self.classes == 1:
            raise ValueError("recipe: classes must be 0 (unconditional) or at least 2, got 1")
        if self.mixture > 1:
            self._check_mixture()

    def _check_mixture(self) -> None:
        mixture = f"recipe: mixture is {self.mixture}, but"
        if self.classes:
            raise ValueError(
                f"{mixture} classes is {self.classes}, and the label of an image of a mixture is "
                "the generator that makes it; --set classes=0 or mixture=1"
            )
        if self.trains_encoder or not self.has_adversary:
            raise ValueError(
                f"{mixture} an encoder trains with it, which would have to say of every image "
                "which generator is its own; --set mixture=1, or take an objective without encoder"
            )

    @property
    def has_adversary(self) -> bool:
        """Whether there is a discriminator."""
        return self.objective != "vae"

    @property
    def ships_encoder(self) -> bool:
        """Whether the prior comes with an encoder, which trains to the last step."""
        return self.encoder or self.objective in ("vae", "vae-gan")

    @property
    def trains_encoder(self) -> bool:
        """Whether some step trains an encoder."""
        return self.ships_encoder or self.vae_steps > 0

    @classmethod
    def of(cls, values: dict[str, Any]) -> Recipe:
        """Make a recipe of named values, each converted to its field's type.

        Raises
        ------
        ValueError
            If a name is unknown, a value does not convert or is out of range, or one is missing.
        """
        converted = _converted(values)
        needed = [each.name for each in fields(cls) if each.default is MISSING]
        missing = [name for name in needed if name not in converted]
        if missing:
            raise ValueError(f"recipe: {', '.join(missing)} missing; copy the ones of dcgan.toml")
        return cls(**converted)

    def override(self, **values: Any) -> Recipe:
        """Return the recipe with some values replaced, each converted to its field's type.

        Raises
        ------
        ValueError
            If a name is unknown, or a value does not convert or is out of range.
        """
        return replace(self, **_converted(values))

    def differences(self, other: Recipe) -> list[str]:
        """Names of the fields in which two recipes differ."""
        mine, theirs = asdict(self), asdict(other)
        return [name for name in mine if mine[name] != theirs[name]]

    def toml(self) -> str:
        """TOML text that ``load_recipe`` reads back."""
        # JSON's numbers, booleans, strings and arrays are valid TOML.
        return "".join(f"{name} = {json.dumps(value)}\n" for name, value in asdict(self).items())


def _converted(values: dict[str, Any]) -> dict[str, Any]:
    types = {each.name: str(each.type) for each in fields(Recipe)}
    for name in values:
        check_name("recipe option", name, types)
    return {name: convert(name, types[name], value) for name, value in values.items()}
