"""``ganprior reconstruct``: images from few measurements, by one or several solvers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganprior.cli.comparison_report import is_result
from ganprior.cli.inputs import read_inputs
from ganprior.cli.measure_specs import MeasureSpec
from ganprior.cli.measurements import Measurements, take
from ganprior.cli.options import (
    MEASURE_SPECS,
    NOISE_STD,
    SEED,
    SOLVER_SPECS,
    convert_option,
    device_option,
    json_option,
    limit_option,
    results_option,
)
from ganprior.cli.outcome import Source, reconstruct_and_report
from ganprior.cli.results import check_results
from ganprior.cli.solver_specs import SolverSpec

if TYPE_CHECKING:
    from ganprior.priors import Prior


@dataclass(frozen=True)
class _Request:
    """Arguments and options as given; None where one was left out."""

    inputs: tuple[str, ...]
    prior: str
    measure: str | None
    measurements: Path | None
    solver: tuple[str, ...]
    noise_std: float | None
    seed: int | None
    device: str
    limit: int | None
    resize: bool
    convert: bool
    out: Path
    as_json: bool


@click.command(epilog=f"{MEASURE_SPECS}\n\n{SOLVER_SPECS}")
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option("--prior", required=True, metavar="NAME|PATH", help="Shipped prior, or file of one.")
@click.option("--measure", metavar="SPEC", help="How to measure the images; see below.")
@click.option(
    "--measurements",
    type=click.Path(path_type=Path),
    metavar="FILE.npz",
    help="Start from these measurements, without INPUT and --measure.",
)
@click.option(
    "--solver",
    multiple=True,
    default=["csgm"],
    show_default=True,
    metavar="SPEC",
    help="Solver, see below; give several to compare them.",
)
@click.option("--noise-std", type=NOISE_STD, help="Noise on each entry of y.  [default: 0]")
@click.option("--seed", type=SEED, help="Seed of A, noise and starts.  [default: 0]")
@device_option
@limit_option
@click.option("--resize", is_flag=True, help="Resize images to the prior's size.")
@convert_option
@results_option
@json_option
def reconstruct(**options: Any) -> None:
    """Measure images and recover them, or recover images from stored measurements.

    INPUT is an image file, a folder, an .npz or .npy file, idx files or the name of a data set.
    Pixels are in [0, 1]; --noise-std is a standard deviation in the units of y, A having
    N(0, 1/m) entries.

    A file for --measurements comes from 'ganprior measure', or holds y (signals, m) and A (m, n)
    of your own; with x, the true images in [0, 1], errors are reported as well. --noise-std then
    only states the noise that y has, and --seed is that of the starts; both default to what the
    file says.

    OUT receives summary.json, reconstructions.npz (images as the solvers give them, not clipped),
    figure.png, and every result as a picture of its own, images/NAME-SOLVER.png.
    """
    request = _Request(**options)
    solvers = [SolverSpec.parse(text) for text in request.solver]
    spec = _measure_spec(request)
    check_results(request.out, is_result(request.out))

    from ganprior.cli.devices import pick_device
    from ganprior.priors import Prior

    device = pick_device(request.device)
    prior = Prior.load(request.prior)
    source, measured = _stored(request, prior) if spec is None else _measured(request, spec, prior)
    reconstruct_and_report(
        source,
        measured,
        request.prior,
        prior,
        solvers,
        seed=measured.seed if request.seed is None else request.seed,
        device=device,
        out=request.out,
        as_json=request.as_json,
    )


def _measure_spec(request: _Request) -> MeasureSpec | None:
    """Spec by which to measure the inputs; None to start from stored measurements."""
    if request.measurements is None:
        if not request.inputs:
            raise ValueError("nothing to reconstruct: give INPUT images or --measurements FILE.npz")
        if request.measure is None:
            raise ValueError(
                "INPUT images need --measure to say how to measure them, such as gaussian:m=100"
            )
        return MeasureSpec.parse(request.measure)
    others = {
        "INPUT": request.inputs,
        "--measure": request.measure,
        "--resize": request.resize,
        "--convert": request.convert,
    }
    given = [name for name, value in others.items() if value]
    if given:
        raise ValueError(
            f"--measurements {request.measurements} brings its own measurements and physics; "
            f"drop {' and '.join(given)}"
        )
    return None


def _measured(request: _Request, spec: MeasureSpec, prior: Prior) -> tuple[Source, Measurements]:
    channels, size, _ = prior.image_shape
    inputs = read_inputs(
        request.inputs,
        limit=request.limit,
        size=size if request.resize else None,
        channels=channels if request.convert else None,
        expected=(f"the prior {request.prior}", prior.image_shape),
        remedy="use another prior, or --resize for the size and --convert for the channels",
    )
    measured = take(inputs, spec, request.noise_std or 0.0, request.seed or 0)
    return Source(inputs.sources, inputs.sha256, measured.original), measured


def _stored(request: _Request, prior: Prior) -> tuple[Source, Measurements]:
    from ganprior.cli.measurement_files import load
    from ganprior.files import sha256

    assert request.measurements is not None
    measured = load(request.measurements, prior.image_shape).head(request.limit)
    if request.noise_std is not None:
        measured = replace(measured, noise_std=request.noise_std)
    hashes = (sha256(request.measurements),)
    return Source((str(request.measurements),), hashes, measured.original), measured
