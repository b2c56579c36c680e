"""What ``weights.py`` tunes: claim and paper preset of every figure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from experiments.images import FACES, UTKFACE
from experiments.tuning.untrained import LASSOS, UNTRAINED

DIGITS, CLOTHES = "MNIST", "Fashion-MNIST"
ON_FACES = f"{UTKFACE}: "


@dataclass(frozen=True)
class Config:
    """What is tuned; the presets are below.

    Attributes
    ----------
    methods : tuple of str
        Each with the data set that it is tuned on before it, ``MNIST: csgm mnist``.
    places : tuple
        Numbers of measurements, and noise levels sqrt(m) noise_std of each of them.
    weights : tuple of float
        The grid; of Lassos from large to small, each started where the one before ended.
    fallen : float
        A path of a Lasso ends where its weight is this far below the best one.
    first : int
        Training images from this one on are for tuning.
    """

    methods: tuple[str, ...]
    places: tuple[tuple[tuple[int, ...], tuple[float, ...]], ...]
    weights: tuple[float, ...]
    images: int
    effort: str = "balanced, no polish"
    fallen: float = 30
    first: int = 59_000


M = (10, 25, 50, 100, 200, 300, 400, 500, 750)
FACES_M = (50, 100, 200, 500, 1000, 2500)
COARSE_M = (25, 100, 300, 500)
ALPHAS = tuple(round(10 ** (1.5 - k / 4), 6) for k in range(19))
FACES_ALPHAS = tuple(round(10 ** (1 - k / 3), 6) for k in range(11))
COARSE = Config(
    tuple(f"{CLOTHES}: {name}" for name in UNTRAINED if name.endswith("-box")),
    ((COARSE_M, (0.1,)),),
    tuple(round(10 ** (0.5 - k / 2), 6) for k in range(8)),
    images=12,
)
# Claim and configuration by the name of a figure.
PAPER = {
    "csgm": (
        "lambda of CSGM per m and noise level",
        Config(
            (
                f"{CLOTHES}: csgm fashion-mnist-dcgan",
                f"{DIGITS}: csgm mnist",
                f"{DIGITS}: csgm mnist-k64-vae-gan",
            ),
            (((10, 25, 50, 100, 200, 750), (0.0, 1.0)),),
            (0.0, 0.03, 0.1, 0.3, 1.0, 3.0),
            images=24,
        ),
    ),
    # The paper's noise on images in [-1, 1] is 0.01, on [0, 1] half of that; 1 is for others.
    "csgm-faces": (
        "the same for faces",
        Config(
            (f"{ON_FACES}csgm {FACES}",),
            (((50, 200, 500, 2500), (0.005, 1.0)),),
            (0.0, 0.1, 0.3, 1.0, 3.0),
            images=8,
            effort="fast, no polish",
            first=22_000,
        ),
    ),
    "lasso": (
        "alpha of the Lassos per m and noise level",
        Config(
            tuple(f"{CLOTHES}: {name}" for name in LASSOS),
            ((M, (0.0, 0.1, 0.5, 2.0)),),
            ALPHAS,
            images=64,
        ),
    ),
    # Half decades in place of quarters and fewer images: a step takes three times as long as one
    # of the Lassos, and the error changes less with the weight.
    "total-variation": (
        "weights of total variation and of the Lasso weighted by frequency",
        replace(
            COARSE,
            methods=(f"{CLOTHES}: tv", f"{CLOTHES}: lasso-dct-frequency"),
            places=((COARSE_M, (0.1, 2.0)),),
        ),
    ),
    "lasso-box": ("alphas of the Lassos with the box", COARSE),
    # Of the figures of error against m and against the noise.
    "lasso-mnist": (
        "the same for digits",
        Config(
            tuple(f"{DIGITS}: {name}" for name in LASSOS),
            (
                ((10, 25, 50, 200, 300, 400, 750), (0.1,)),
                ((100, 500), (0.01, 0.1, 1, 2, 5, 10, 20, 50)),
            ),
            ALPHAS,
            images=24,
        ),
    ),
    "lasso-faces": (
        "the same for faces",
        Config(
            (f"{ON_FACES}lasso-dct", f"{ON_FACES}lasso-wavelet"),
            ((FACES_M, (0.005,)), ((100, 500, 2500), (1.0,))),
            FACES_ALPHAS,
            images=12,
            fallen=4,
            first=22_000,
        ),
    ),
    "discriminator": (
        "gamma of the discriminator term",
        Config(
            (
                f"{DIGITS}: csgm mnist + D",
                f"{CLOTHES}: csgm fashion-mnist-dcgan + D",
                f"{CLOTHES}: csgm fashion-mnist-wgan-gp + D",
            ),
            (((25, 100), (0.1,)),),
            (0.0, 0.001, 0.003, 0.01, 0.03, 0.1),
            images=24,
            effort="balanced",
        ),
    ),
    # The misfit is a sum over sixteen times as many values.
    "discriminator-faces": (
        "the same for faces",
        Config(
            (f"{ON_FACES}csgm {FACES} + D",),
            (((100, 500), (0.005,)),),
            (0.0, 0.01, 0.03, 0.1, 0.3, 1.0),
            images=12,
            effort="fast",
            first=22_000,
        ),
    ),
}
