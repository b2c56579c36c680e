"""Training of the context encoder: it fills holes of many kinds, and a discriminator looks on.

D. Pathak, P. Krahenbuhl, J. Donahue, T. Darrell, A. A. Efros, "Context encoders: Feature learning
by inpainting", 2016, arXiv 1604.07379. With M^ = 1 - M, which is 1 at the hidden pixels:

    (1)  L_rec = ||M^ (x - F(M x))||^2, normalised: a mean over the hidden pixels,
    (2)  L_adv = max_D  E log D(x) + E log(1 - D(x^)),
    (3)  L     = 0.999 L_rec + 0.001 L_adv.

The paper's discriminator looks at the block that was filled in. Holes here have any shape, so it
looks at x^, the image with its holes filled: M x + M^ F(M x).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from ganprior.baselines import ContextEncoder
from ganprior.datasets import Images
from ganprior.physics import masks
from ganprior.priors.architectures import ContextEncoder as Network
from ganprior.priors.architectures import initialise
from ganprior.priors.architectures.dcgan import DCGANDiscriminator
from ganprior.priors.network_files import check_size
from ganprior.streams import derive_seed
from ganprior.training.batches import Batches
from ganprior.training.objectives import Objective, make_objective
from ganprior.training.optimizers import set_rate

CPU = torch.device("cpu")
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class ContextEncoderRecipe:
    """Every number of the training of a context encoder.

    Attributes
    ----------
    images : int
        How many images of the data set train: the first ones.
    steps, batch_size : int
        Steps of each player in all, and images in each.
    filters, bottleneck, discriminator_filters : int
        Widths of the networks.
    learning_rate, discriminator_rate : float
        Adam's rates at the beginning, the encoder's ten times the other's (section 5 of the
        paper); from half of the steps on they fall linearly, to 0 after the last one.
    betas : pair of float
        Adam's.
    reconstruction_weight, adversarial_weight : float
        Weights of equation (3).
    objective : str
        ``"minimax"`` is equation (2). The authors' code (context-encoder, ``train.lua``) descends
        -log D(x^) instead, which is ``"non-saturating"``.
    seed : int
        Seed of weights, data order and masks.

    Raises
    ------
    ValueError
        If a count or a rate is not positive.
    """

    images: int = 59_000
    steps: int = 2400
    batch_size: int = 64
    filters: int = 24
    bottleneck: int = 256
    discriminator_filters: int = 16
    learning_rate: float = 2e-3
    discriminator_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    reconstruction_weight: float = 0.999
    adversarial_weight: float = 0.001
    objective: str = "minimax"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("images", "steps", "batch_size", "filters", "bottleneck", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")


def draw_masks(count: int, shape: Shape, rng: torch.Generator) -> Tensor:
    """One mask per image, each of a kind drawn at random, float32 (count, 1, H, W).

    The kinds are the four that Yeh et al. (2017) report: the centre and irregular blobs (a quarter
    of the area each), 80% of the pixels at random, and one half.
    """
    kinds: list[Callable[[], Tensor]] = [
        lambda: masks.center(shape),
        lambda: masks.pattern(shape, 0.25, rng),
        lambda: masks.random(shape, 0.8, rng),
        lambda: masks.half(shape, ("left", "right", "top", "bottom")[_draw(4, rng)]),
    ]
    return torch.stack([kinds[_draw(len(kinds), rng)]() for _ in range(count)])


def reconstruction_loss(x: Tensor, filled: Tensor, mask: Tensor) -> Tensor:
    """Equation (1): squared error per hidden pixel, a mean over the images (B, C, H, W).

    Parameters
    ----------
    x, filled : Tensor
        Images in [-1, 1], and the network's.
    mask : Tensor
        1 for a known pixel and 0 for a hidden one, (B, 1, H, W).
    """
    hidden = (1 - mask).expand_as(x).flatten(1)
    errors = hidden * (x - filled).flatten(1).square()
    return (errors.sum(1) / hidden.sum(1)).mean()


class ContextEncoderTrainer:
    """Both players and the random state of one training.

    Parameters
    ----------
    images : Images
        Square images, of a size that the DCGAN discriminator has (28, 32, 64, ...).
    recipe : ContextEncoderRecipe
        All numbers.
    device : torch.device
        Where the networks live.

    Attributes
    ----------
    network, discriminator : nn.Module
        F and D, of images in [-1, 1].
    step : int
        Steps taken.

    Raises
    ------
    ValueError
        If the images are not square, too small, or fewer than a batch.
    """

    def __init__(
        self, images: Images, recipe: ContextEncoderRecipe, device: torch.device = CPU
    ) -> None:
        channels, height, width = images.shape
        if height != width:
            raise ValueError(f"images must be square, got {height} x {width}; resize them")
        pixels = images.pixels[: recipe.images]
        if len(pixels) < recipe.batch_size:
            raise ValueError(
                f"{len(pixels)} images are fewer than a batch of {recipe.batch_size}; give more"
            )
        if pixels.is_floating_point():
            pixels = (pixels * 255).round().byte()
        self.recipe, self.device, self.step = recipe, device, 0
        self.shape = images.shape
        self.rng = torch.Generator().manual_seed(derive_seed(recipe.seed, "context encoder"))
        self.batches = Batches(pixels, recipe.batch_size, recipe.seed)
        self.objective: Objective = make_objective(recipe.objective)
        check_size(lambda: [Network(images.shape, recipe.filters, recipe.bottleneck)])
        self.network = Network(images.shape, recipe.filters, recipe.bottleneck)
        self.discriminator = DCGANDiscriminator(channels, height, recipe.discriminator_filters)
        players: list[nn.Module] = [self.network, self.discriminator]
        for player in players:
            initialise(player, self.rng)
            # Channels-last is what oneDNN and cuDNN convolve fastest.
            player.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        rates = (recipe.learning_rate, recipe.discriminator_rate)
        self.optimizers = [
            torch.optim.Adam(player.parameters(), rate, recipe.betas)
            for player, rate in zip(players, rates, strict=True)
        ]

    def train_step(self) -> tuple[Tensor, Tensor]:
        """One step of D, then one of F, on one batch; L_rec and L_adv, scalars."""
        self._set_rates()
        x = self.batches.take(self.device).images
        mask = draw_masks(len(x), self.shape, self.rng).to(self.device)
        filled = self.network(x, mask)
        whole = torch.where(mask > 0, x, filled)
        for_network, for_discriminator = self.optimizers
        loss = self.objective.discriminator_loss(self.discriminator, x, whole.detach(), self.rng)
        _descend(for_discriminator, loss)
        self.discriminator.requires_grad_(False)
        reconstruction = reconstruction_loss(x, filled, mask)
        adversarial = self.objective.generator_loss(self.discriminator, whole)
        recipe = self.recipe
        # (3)
        loss = recipe.reconstruction_weight * reconstruction
        _descend(for_network, loss + recipe.adversarial_weight * adversarial)
        self.discriminator.requires_grad_(True)
        self.step += 1
        return reconstruction.detach(), adversarial.detach()

    def _set_rates(self) -> None:
        left = min(1.0, 2 * (self.recipe.steps - self.step) / self.recipe.steps)
        rates = (self.recipe.learning_rate, self.recipe.discriminator_rate)
        for optimizer, rate in zip(self.optimizers, rates, strict=True):
            set_rate(optimizer, left * rate)


def train_context_encoder(
    images: Images,
    recipe: ContextEncoderRecipe | None = None,
    *,
    device: torch.device = CPU,
    progress: Callable[[int], None] = lambda step: None,
) -> ContextEncoder:
    """Train a context encoder on images with holes drawn anew for each.

    Parameters
    ----------
    images : Images
        The first ``recipe.images`` train.
    recipe : ContextEncoderRecipe, optional
        All numbers; those of the shipped one when absent.
    device : torch.device
        Where to train.
    progress : callable
        Told the number of steps done.

    Returns
    -------
    ContextEncoder
        On the CPU; its card says how it was trained.

    Raises
    ------
    ValueError
        As :class:`ContextEncoderTrainer`.
    """
    recipe = recipe or ContextEncoderRecipe()
    trainer = ContextEncoderTrainer(images, recipe, device)
    while trainer.step < recipe.steps:
        trainer.train_step()
        progress(trainer.step)
    count = min(recipe.images, len(images))
    card = {
        "recipe": asdict(recipe),
        "training_images": count,
        "masks": "per image one of center=0.25, pattern=0.25, random=0.8, half=any",
        "data_sha256": images.sha256,
    }
    return ContextEncoder(trainer.network.cpu(), card)


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def _draw(count: int, rng: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=rng))
