"""What every reconstruction method returns, and the two calls that it answers."""

from __future__ import annotations

import enum
import functools
import inspect
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import torch
from torch import Tensor, nn

from ganprior.plotting import plot
from ganprior.progress import Wish
from ganprior.sheets import sheet_png
from ganprior.solution_files import save
from ganprior.streams import Streams

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Status(enum.StrEnum):
    """How the reconstruction of one signal ended.

    Examples
    --------
    >>> from ganprior import Status
    >>> Status("max_steps").advice
    'The step limit came first; allow more steps if the error matters.'
    """

    CONVERGED = "converged"
    MAX_STEPS = "max_steps"
    MISFIT = "misfit"
    UNLIKE_PRIOR = "unlike_prior"
    NOT_MIXED = "not_mixed"
    NONFINITE = "nonfinite"

    @property
    def advice(self) -> str:
        """One sentence: what the status means and what to do about it."""
        return _ADVICE[self]


_ADVICE = {
    Status.CONVERGED: "The objective stopped decreasing; nothing needs to be done.",
    Status.MAX_STEPS: "The step limit came first; allow more steps if the error matters.",
    Status.MISFIT: "The prior explains y far worse than measurements of its own data: the image "
    "may be wrong; take a prior of this kind of images, or check y, the physics and the noise.",
    Status.UNLIKE_PRIOR: "Hardly any image of the prior's own data measures like y: the image may "
    "be wrong; take a prior of this kind of images, or check y, the physics and the noise.",
    Status.NOT_MIXED: "Draws of separate descent disagree: neither mean nor spread are those of "
    "the posterior; take more particles or moves, or method laplace.",
    Status.NONFINITE: "No finite result was found; check y and the physics for NaN, infinity or "
    "scale.",
}


@dataclass(frozen=True, repr=False)
class Solution:
    """Reconstructions of a batch of B signals, with one entry per signal in every field.

    Attributes
    ----------
    x : Tensor
        Reconstructed images, (B, C, H, W), not clipped.
    measurement_error : Tensor
        ||y - A(x)||^2 summed over the entries of y (squared modulus if complex), (B,).
    objective : Tensor
        Value that the method minimised, (B,).
    status : tuple of Status
        How each signal ended.
    steps : Tensor
        Steps that each signal took, int64, (B,).
    relative_residual : Tensor or None
        ||y - A x|| / ||y||, (B,); of G(z) where ``x`` is blended.
    expected_residual : Tensor or None
        What noise and the prior's own data lead one to expect of it, (B,); None for methods
        without a prior, and for priors whose card does not say. Where it is far exceeded, the
        status is ``misfit``.
    p_value : Tensor or None
        Probability that an image of the prior's own data measures as far from what the prior
        expects as y does, (B,); None for methods that take no prior for a density, and for priors
        whose card does not say. Below 1e-3 the status is ``unlike_prior``.
    z : Tensor or None
        Latents whose image ``x`` is, (B, *latent shape); None for methods without a prior.
    restart : Tensor or None
        Index of the restart that won, int64, (B,).
    trace : Tensor or None
        Best objective so far, (recorded steps, B).
    std : Tensor or None
        Standard deviation of every pixel given y, (B, C, H, W); None where a method has none.
    low, high : Tensor or None
        5% and 95% quantiles of every pixel given y, (B, C, H, W), likewise.
    bank_seconds : float
        What computing a bank of starts took, which happens once per prior; 0 in later calls.
    settings : dict
        Numbers that the method went by, also those that were left to it, by the names of its
        arguments: one for all signals, or a tensor (B,) with one for each.
    """

    x: Tensor
    measurement_error: Tensor
    objective: Tensor
    status: tuple[Status, ...]
    steps: Tensor
    relative_residual: Tensor | None = None
    expected_residual: Tensor | None = None
    p_value: Tensor | None = None
    z: Tensor | None = None
    restart: Tensor | None = None
    trace: Tensor | None = None
    std: Tensor | None = None
    low: Tensor | None = None
    high: Tensor | None = None
    bank_seconds: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """One line: how many images of what size, how they ended, and how well they fit y."""
        shape = " x ".join(map(str, self.x.shape[1:]))
        ends = ", ".join(f"{count} {status}" for status, count in Counter(self.status).items())
        errors = self.measurement_error.detach()
        fit = f"{float(errors.min()):.3g} to {float(errors.max()):.3g}" if len(errors) else "none"
        return (
            f"{type(self).__name__}({len(self.x)} images, {shape}: {ends}; measurement_error {fit})"
        )

    def _repr_png_(self) -> bytes | None:
        """Show the first images in a notebook."""
        return sheet_png(self.x) if len(self.x) and self.x.shape[1] in (1, 3) else None

    def plot(self, original: Tensor | None = None, *, error_maps: bool = True) -> Figure:
        """Draw the images, with errors and maps of how far off and how sure they are.

        Parameters
        ----------
        original : Tensor, optional
            True images in [0, 1], (B, C, H, W).
        error_maps : bool
            Whether to draw ``|x - x^|`` where those are given.

        Returns
        -------
        matplotlib Figure
            As of :func:`ganprior.plotting.plot`.

        Raises
        ------
        ValueError
            If ``original`` has another shape than ``x``.
        """
        return plot({"x̂": self.x}, original=original, std=self.std, error_maps=error_maps)

    def save(self, path: str | Path) -> None:
        """Write the solution to a file, whole or not at all.

        Parameters
        ----------
        path : str or Path
            By its suffix: ``.npz`` for all fields, each of ``settings`` as ``settings_NAME``;
            ``.png`` for the images, several as a contact sheet; ``.pdf`` or ``.svg`` for what
            :meth:`plot` draws.

        Raises
        ------
        ValueError
            If there is no such format, or the file cannot be written.
        """
        save(self, Path(path))


class Reconstructor(nn.Module, ABC):
    """A method that turns measurements into images: ``method(y, physics)``.

    The call follows deepinv's convention for reconstructors, so that any of ours drops into
    ``deepinv.test`` and stands beside deepinv's own.
    """

    def __repr__(self) -> str:
        """One line: the numbers and words that the method was made with, defaults left out."""
        prior, shown = getattr(self, "prior", None), []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name, None)
            if isinstance(value, str | int | float) and value != parameter.default:
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join([repr(prior)] * (prior is not None) + shown)})"

    @abstractmethod
    def solve(
        self, y: Tensor, physics: Any, *, rng: Streams | int = 0, progress: Wish = False
    ) -> Solution:
        """Reconstruct and report; see :class:`Solution`.

        Parameters
        ----------
        y : Tensor
            Measurements of B signals, first axis B.
        physics : object
            Anything with ``A``, ``A_adjoint`` (linear) as in deepinv.
        rng : Streams or int
            Random streams of the signals, or the seed to make them from.
        progress : bool or callable
            True for a bar of the steps, on a terminal and in notebooks; or a function that is told
            the number of steps done and the number there are at most.
        """

    def forward(self, y: Tensor, physics: Any, **_: Any) -> Tensor:
        """Reconstructed images (B, C, H, W) of measurements ``y``."""
        return self.solve(y, physics).x


def without_autocast(solve: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a ``solve`` keep the precision of its measurements where the caller has autocast on."""

    @functools.wraps(solve)
    def wrapped(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        tensors = (part for part in (*arguments, *options.values()) if isinstance(part, Tensor))
        devices = {"cpu", *(tensor.device.type for tensor in tensors)}
        with ExitStack() as stack:
            for device in filter(torch.amp.is_autocast_available, devices):
                stack.enter_context(torch.autocast(device, enabled=False))
            return solve(*arguments, **options)

    return wrapped


def relative_residual(left: Tensor, whole: Tensor) -> Tensor:
    """Root of ||y - A x||^2 over ||y||^2, (B,); of a y of zeros 0, or infinite."""
    nothing = torch.where(left > 0, torch.inf, 0.0).to(left)
    return torch.where(whole > 0, left / whole, nothing).sqrt()


def squared_norm(residual: Tensor, lead: int = 1) -> Tensor:
    """Squared norm over all axes but the first ``lead``; squared modulus for complex entries."""
    if residual.is_complex():
        residual = torch.view_as_real(residual)
    return residual.flatten(lead).square().sum(-1)
