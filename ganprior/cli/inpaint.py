"""``ganprior inpaint``: images with holes, filled by a prior and by what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganprior.cli.block_work import Blockwise
from ganprior.cli.comparison_report import is_result
from ganprior.cli.inputs import Inputs, read_inputs
from ganprior.cli.mask_inputs import MaskOption
from ganprior.cli.measurements import Measurements, Signals
from ganprior.cli.options import (
    SEED,
    SHARE,
    block_options,
    convert_option,
    device_option,
    error_maps_option,
    figure_format_option,
    json_option,
    limit_option,
    resize_option,
    results_option,
    trust_options,
)
from ganprior.cli.outcome import reconstruct_and_report
from ganprior.cli.results import check_results
from ganprior.cli.solver_specs import SolverSpec
from ganprior.cli.spec_help import mask_help, solver_help
from ganprior.cli.uncertainty import check_uncertainty, uncertainty_option
from ganprior.jobs import blocks

if TYPE_CHECKING:
    from torch import Tensor

    from ganprior.priors import Prior


# Images that are looked at together.
_AT_ONCE = 1000


@dataclass(frozen=True)
class _Request:
    """Arguments and options as given."""

    inputs: tuple[str, ...]
    mask: tuple[str, ...]
    mask_per_image: bool
    invert: bool
    threshold: float | None
    prior: str
    solver: tuple[str, ...]
    compare: tuple[str, ...]
    no_blend: bool
    damaged: bool
    seed: int
    device: str
    limit: int | None
    resize: str | None
    convert: bool
    out: Path
    as_json: bool
    blockwise: Blockwise
    figure_formats: tuple[str, ...]
    error_maps: bool
    uncertainty: bool

    @property
    def masks(self) -> MaskOption:
        """The mask options."""
        return MaskOption(self.mask, self.mask_per_image, self.invert, self.threshold, self.resize)

    @property
    def solvers(self) -> list[SolverSpec]:
        """The methods to run, those of ``--solver`` first."""
        solvers = [SolverSpec.parse(text) for text in self.solver]
        if self.no_blend:
            solvers = [spec.unblended() for spec in solvers]
        return solvers + [SolverSpec.parse(text, "--compare") for text in self.compare]


@click.command(epilog=f"{mask_help()}\n\n{solver_help()}")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--mask",
    multiple=True,
    metavar="SPEC|FILE",
    help="What is hidden: see below, or a picture. Give one, or one per image; none where NaN in "
    "INPUT marks the missing pixels.",
)
@click.option("--mask-per-image", is_flag=True, help="Draw a random mask anew for each image.")
@click.option("--invert", is_flag=True, help="In a mask from a file hide black or opaque pixels.")
@click.option(
    "--threshold",
    type=SHARE,
    help="Brightness, or transparency, from which on a mask from a file hides a pixel.",
)
@click.option("--prior", required=True, metavar="NAME|PATH", help="Shipped prior, or file of one.")
@trust_options
@click.option(
    "--solver",
    multiple=True,
    default=["semantic"],
    show_default=True,
    metavar="SPEC",
    help="Solver, see below; give several to compare them.",
)
@click.option(
    "--compare", multiple=True, metavar="SPEC", help="What to compare with: tv, low-rank, ..."
)
@click.option("--no-blend", is_flag=True, help="Leave the generator's images as they are.")
@click.option(
    "--damaged",
    is_flag=True,
    help="INPUT is damaged where the mask hides it, or NaN: no error is known.",
)
@click.option(
    "--seed", type=SEED, default=0, show_default=True, help="Seed of random masks and starts."
)
@device_option
@limit_option
@resize_option("the prior's")
@convert_option
@results_option
@block_options
@uncertainty_option
@figure_format_option
@error_maps_option
@json_option
def inpaint(**options: Any) -> None:
    """Hide a part of images, or take damaged ones, and fill the holes.

    INPUT is an image file, a folder, an .npz or .npy file, idx files or the name of a data set.
    A mask from a file hides what is white in it or, where anything in it is transparent, what is
    transparent; it has the size that the images have before --resize, and is resized with them.

    OUT receives summary.json, reconstructions.npz (images as the solvers give them, not clipped),
    figure.png, and every result as a picture of its own, images/NAME-SOLVER.png. The rows of
    semantic are the blended images, whose known pixels are those of INPUT; those of semantic-raw
    are the images that the generator gave.
    """
    request = _Request(blockwise=Blockwise.of(options), **options)
    solvers = request.solvers
    if not (request.mask or request.damaged):
        raise ValueError("nothing is hidden: give --mask, or --damaged for NaN in INPUT")
    request.masks.check()
    if request.uncertainty:
        check_uncertainty(solvers)
    check_results(request.out, is_result(request.out), resume=request.blockwise.resume)

    from ganprior.cli.devices import pick_device
    from ganprior.priors import Prior

    device = pick_device(request.device)
    prior = Prior.load(request.prior)
    inputs = _read(request, prior)
    reconstruct_and_report(
        _hide(request, inputs),
        request.prior,
        prior,
        solvers,
        seed=request.seed,
        device=device,
        out=request.out,
        as_json=request.as_json,
        blockwise=request.blockwise,
        figure_formats=request.figure_formats,
        error_maps=request.error_maps,
        uncertainty=request.uncertainty,
        more={**request.masks.describe(), "damaged": request.damaged},
    )


def _read(request: _Request, prior: Prior) -> Inputs:
    channels, size, _ = prior.image_shape
    return read_inputs(
        request.inputs,
        limit=request.limit,
        size=size if request.resize else None,
        channels=channels if request.convert else None,
        fit=request.resize,
        missing=request.damaged,
        expected=(f"the prior {request.prior}", prior.image_shape),
        remedy="use another prior, or --resize for the size and --convert for the channels",
    )


def _hide(request: _Request, inputs: Inputs) -> Signals:
    """Images without the pixels that the mask hides, and the mask as their physics."""
    from ganprior.physics import inpainting

    shape = inputs.shape
    hidden = _Hidden(request.masks, inputs, _native(request, inputs), request.seed)
    if not (request.mask or hidden.missing):
        raise ValueError("--damaged without --mask: no pixel of INPUT is NaN; give --mask")

    def part(first: int, last: int) -> Measurements:
        x = inputs.part(first, last)
        physics = inpainting(hidden.mask(first, last, x), shape)
        return Measurements(
            y=physics.A(x.nan_to_num()),
            physics=physics,
            image_shape=shape,
            names=inputs.names[first:last],
            indices=tuple(range(first, last)),
            spec=request.masks.measure,
            seed=request.seed,
            noise_std=0.0,
            original=None if request.damaged else x,
        )

    return Signals(
        inputs.names,
        inputs.sources,
        inputs.sha256,
        shape,
        request.masks.measure,
        request.seed,
        0.0,
        part,
        {"resize": request.resize, "convert": request.convert},
    )


def _native(request: _Request, inputs: Inputs) -> tuple[int, int]:
    """Height and width of the images before they were resized, where a mask has to have them."""
    if not (request.resize and any(Path(text).is_file() for text in request.mask)):
        return inputs.shape[1:]
    return read_inputs(request.inputs, limit=request.limit, missing=request.damaged).shape[1:]


class _Hidden:
    """What is hidden of images: what a mask hides, and their own missing pixels.

    Parameters
    ----------
    masks : MaskOption
        The mask options.
    inputs : Inputs
        The images.
    native : tuple of int
        As for :meth:`~ganprior.cli.mask_inputs.MaskOption.build`.
    seed : int
        Seed of the run.
    """

    def __init__(
        self, masks: MaskOption, inputs: Inputs, native: tuple[int, int], seed: int
    ) -> None:
        self._masks, self._inputs, self._native, self._seed = masks, inputs, native, seed
        parts = (inputs.part(*ends) for ends in blocks(len(inputs), _AT_ONCE))
        self.missing = any(bool(x.isnan().any()) for x in parts)

    def mask(self, first: int, last: int, x: Tensor) -> Tensor:
        """Mask of images ``first`` to ``last``, which are ``x``: (1, H, W) or (B, 1, H, W)."""
        inputs = self._inputs
        images = range(first, last)
        mask = self._masks.build(images, len(inputs), inputs.shape, self._native, self._seed)
        # A pixel is missing as a whole: the methods fill all of its channels together.
        return mask * ~x.isnan().any(1, keepdim=True) if self.missing else mask
