"""How ``error_vs_m.py`` is run: on digits, clothes and faces, whole, short and as a smoke test."""

from __future__ import annotations

from dataclasses import dataclass, replace

from experiments.images import FACES, STAND_INS, UTKFACE

VARIANTS = ("", " lambda=0", " + D")
PAPER_LAMBDA = " lambda=0.00025"  # of CelebA: 0.001 / 4


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: str
    prior: str
    second_prior: str = ""  # a weaker prior, with the tuned lambda alone
    measurements: tuple[int, ...] = (10, 25, 50, 100, 200, 300, 400, 500, 750)
    second_measurements: tuple[int, ...] = (25, 100, 500)
    pixel_measurements: tuple[int, ...] = ()  # where Lasso in pixels is run; everywhere if empty
    noise_level: float = 0.1  # sqrt(m) noise_std
    images: int = 100
    draws: int = 3  # of A and of the noise
    variants: tuple[str, ...] = VARIANTS  # of CSGM
    block: int = 50
    effort: str = "balanced"


@dataclass(frozen=True)
class Scale:
    """Size of the images, and what is claimed and told at which m.

    Attributes
    ----------
    n : int
        Values of an image.
    few : int
        CSGM is below every Lasso up to this many measurements.
    told : tuple of int
        Measurements of the headline.
    """

    n: int
    few: int
    told: tuple[int, int]


GRAY, COLOUR = Scale(784, 100, (25, 100)), Scale(12288, 500, (100, 500))


def gray_presets(data: str, prior: str, second: str = "") -> dict[str, Config]:
    """Presets of a data set of 28 x 28."""
    return {
        "paper": Config(data, prior, second),
        "short": Config(data, prior, second, draws=1, variants=("",)),
        "smoke": Config(
            data, prior, second, (25, 100, 750), (100,), images=6, draws=1, effort="smoke"
        ),
    }


def face_presets() -> dict[str, Config]:
    """Presets of faces; the smoke preset needs no photograph."""
    paper = Config(
        UTKFACE,
        FACES,
        measurements=(20, 50, 100, 200, 500, 1000, 2500, 5000, 7500, 10000),
        noise_level=0.005,
        variants=(*VARIANTS, PAPER_LAMBDA),
    )
    short = replace(
        paper,
        measurements=(20, 50, 100, 200, 500, 1000, 2500, 5000),
        pixel_measurements=(100, 500),
        images=32,
        draws=1,
        variants=("", " lambda=0", " + D"),
        block=32,
        effort="fast",
    )
    smoke = replace(
        short,
        data=STAND_INS,
        measurements=(50, 500),
        images=3,
        variants=("", " + D"),
        effort="smoke",
    )
    return {"paper": paper, "short": short, "smoke": smoke}
