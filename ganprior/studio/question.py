"""What is asked for in the studio, what solvers answer, and the command that asks it again."""

from __future__ import annotations

import functools
import io
import shlex
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ganprior.cli.pictures import file_names
from ganprior.metrics import psnr
from ganprior.physics import add_noise, inpainting, make_physics
from ganprior.plotting import HIDDEN, reconstructions
from ganprior.priors import Prior
from ganprior.registry import Spec, entries
from ganprior.solvers.by_name import make
from ganprior.streams import Streams
from ganprior.strips import Strip, draw
from ganprior.studio.pictures import as_image, png

# Solvers that are chosen at first.
USUAL = ("lasso-dct", "csgm", "auto")
COLUMNS = ("solver", "per-pixel error", "PSNR (dB)", "residual", "seconds", "status")


@dataclass(frozen=True)
class Question:
    """A picture that is measured, or has a hole.

    Attributes
    ----------
    prior : str
        Name of the prior.
    pixels : Tensor
        The picture, uint8, (C, H, W).
    mask : Tensor or None
        (1, H, W), 0 where it is hidden; None where it is measured by ``m`` random rows.
    m : int
        Number of measurements.
    noise_std : float
        Noise on each of them.
    seed : int
        Seed of A, noise and starts.
    """

    prior: str
    pixels: Tensor
    mask: Tensor | None
    m: int
    noise_std: float
    seed: int

    @property
    def x(self) -> Tensor:
        """The picture as a batch of one, float32 in [0, 1]."""
        return self.pixels[None].float() / 255

    def measured(self) -> tuple[Tensor, Any]:
        """Measurements and physics, as those of ``ganprior reconstruct`` and ``inpaint``."""
        x, shape = self.x, tuple(self.pixels.shape)
        if self.mask is not None:
            physics = inpainting(self.mask, shape)
            return physics.A(x), physics
        physics = make_physics(f"gaussian:m={self.m}", shape, self.seed)
        noise = self.noise_std
        return add_noise(physics.A(x), noise, Streams(self.seed, [0]), physics, shape), physics

    def command(self, solvers: Sequence[str]) -> str:
        """Command line that gives the same, with the saved picture and mask."""
        ways = [word for name in solvers for word in ("--solver", name)]
        common = ["--prior", self.prior, "--seed", str(self.seed), *ways, "--out", "results"]
        if self.mask is not None:
            words = ["inpaint", "picture.png", "--mask", "mask.png"]
        else:
            words = ["reconstruct", "picture.png", "--measure", f"gaussian:m={self.m}"]
            words += ["--noise-std", f"{self.noise_std:g}"]
        return shlex.join(["ganprior", *words, *common])


@dataclass(frozen=True)
class Answer:
    """What one solver made of it; an answer without an image says why there is none.

    Attributes
    ----------
    solver : str
        Name of the solver.
    x : Tensor or None
        (1, C, H, W), not clipped.
    std : Tensor or None
        Standard deviation of every pixel, where the solver says.
    row : tuple of str
        What the table has of it, by :data:`COLUMNS`.
    """

    solver: str
    x: Tensor | None
    std: Tensor | None
    row: tuple[str, ...]


@functools.lru_cache(maxsize=4)
def load_prior(name: str, device: str = "cpu") -> Prior:
    """Prior of a name, read once; nothing changes it."""
    return Prior.load(name).to(device)


def solver_names() -> list[str]:
    """Solvers that need nothing but a prior and measurements."""
    known = entries("solver").values()
    return [e.name for e in known if not any(option.required for option in e.options)]


def answers(question: Question, solvers: Sequence[str], device: str = "cpu") -> Iterator[Answer]:
    """Ask one solver after the other."""
    y, physics = question.measured()
    y, physics = y.to(device), physics.to(device)
    for name in solvers:
        yield _answer(question, name, y, physics, device)


def _answer(question: Question, name: str, y: Tensor, physics: Any, device: str) -> Answer:
    begin = time.perf_counter()
    try:
        prior = load_prior(question.prior, device)
        method = make(Spec.read("solver", name), prior, _noise(question), uncertainty=True)
        found = method.solve(y, physics, rng=Streams(question.seed, [0]))
    except ValueError as error:
        # What one solver cannot do shall not cost the others' work.
        return Answer(name, None, None, (name, "", "", "", "", " ".join(str(error).split())))
    seconds = time.perf_counter() - begin
    x, std = found.x.cpu(), found.std
    residual = found.relative_residual
    row = (
        name,
        f"{float((x.clamp(0, 1) - question.x).square().mean()):#.3g}",
        f"{float(psnr(x, question.x)[0]):.2f}",
        "" if residual is None else f"{float(residual[0]):.2g}",
        f"{seconds:.2g}",
        str(found.status[0]),
    )
    return Answer(name, x, None if std is None else std.cpu(), row)


def _noise(question: Question) -> float:
    return 0.0 if question.mask is not None else question.noise_std


def picture_of(question: Question, found: Sequence[Answer]) -> Image.Image:
    """The picture, what is known of it, and every answer with its errors, in a row."""
    strips = [Strip("original", question.x)]
    if question.mask is not None:
        known = question.mask.bool()
        strips.append(Strip("known", question.x.where(known, torch.tensor(HIDDEN))))
    shown = [(answer.solver, answer.x, answer.std) for answer in found if answer.x is not None]
    strips += reconstructions(shown, question.x, error_maps=True)
    figure = Figure(dpi=150)
    canvas = FigureCanvasAgg(figure)
    draw(figure, strips, side=1.4)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def archive(question: Question, found: Sequence[Answer]) -> bytes:
    """A zip file of the picture, the mask, every result, and the command that gives the same."""
    files = {"picture.png": png(as_image(question.pixels))}
    if question.mask is not None:
        files["mask.png"] = png(as_image(1 - question.mask))
    known = [answer for answer in found if answer.x is not None]
    stems = file_names([a.solver for a in known], [a.solver for a in known])
    for stem, answer in zip(stems, known, strict=True):
        assert answer.x is not None
        files[f"results/{stem}.png"] = png(as_image(answer.x[0]))
    files["figure.png"] = png(picture_of(question, found))
    command = question.command([answer.solver for answer in found])
    files["command.txt"] = f"{command}\n".encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, data in files.items():
            whole.writestr(name, data)
    return file.getvalue()
