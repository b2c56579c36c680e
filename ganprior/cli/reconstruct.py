"""``ganprior reconstruct``: images from few measurements, by one or several solvers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganprior.cli.block_work import Blockwise
from ganprior.cli.comparison_report import is_result
from ganprior.cli.inputs import read_inputs
from ganprior.cli.measure_specs import MeasureSpec
from ganprior.cli.measured_pictures import read_measured
from ganprior.cli.measurements import Signals, take
from ganprior.cli.options import (
    NOISE_STD,
    SEED,
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
from ganprior.cli.spec_help import measure_help, solver_help
from ganprior.cli.uncertainty import check_uncertainty, uncertainty_option

if TYPE_CHECKING:
    from ganprior.priors import Prior


@dataclass(frozen=True)
class _Request:
    """Arguments and options as given; None where one was left out."""

    inputs: tuple[str, ...]
    prior: str
    measure: str | None
    measured: str | None
    measurements: Path | None
    solver: tuple[str, ...]
    noise_std: float | None
    seed: int | None
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


@click.command(epilog=f"{measure_help()}\n\n{solver_help()}")
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option("--prior", required=True, metavar="NAME|PATH", help="Shipped prior, or file of one.")
@trust_options
@click.option("--measure", metavar="SPEC", help="How to measure the images; see below.")
@click.option(
    "--measured",
    metavar="SPEC",
    help="INPUT is measured already, as by --measure SPEC: a small photograph, say.",
)
@click.option(
    "--measurements",
    type=click.Path(path_type=Path),
    metavar="FILE.npz",
    help="Start from these measurements, without INPUT.",
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
@resize_option("the prior's")
@convert_option
@results_option
@block_options
@uncertainty_option
@figure_format_option
@error_maps_option
@json_option
def reconstruct(**options: Any) -> None:
    """Measure images and recover them, or recover images from pictures or stored measurements.

    INPUT is an image file, a folder, an .npz or .npy file, idx files or the name of a data set.
    Pixels are in [0, 1]; --noise-std is a standard deviation in the units of y, A having
    N(0, 1/m) entries.

    With --measured INPUT holds what the physics gives of images that are not known: low-resolution,
    blurred, gray or masked pictures. So '--measured downsample:factor=4' enlarges a picture four
    times, to the prior's size. What a mask hides may look like anything, and NaN in an .npz or .npy
    file marks what was not measured. --noise-std is then the noise that INPUT has.

    A file for --measurements comes from 'ganprior measure', or holds y (signals, m) and A (m, n)
    of your own; with x, the true images in [0, 1], errors are reported as well. --noise-std and
    --seed default to what the file says: the noise that y has, and the seed of the starts.

    OUT receives summary.json, reconstructions.npz (images as the solvers give them, not clipped),
    figure.png, and every result as a picture of its own, images/NAME-SOLVER.png.
    """
    request = _Request(blockwise=Blockwise.of(options), **options)
    solvers = [SolverSpec.parse(text) for text in request.solver]
    _check_modes(request)
    if request.uncertainty:
        check_uncertainty(solvers)
    spec = _spec(request)
    if spec is not None:
        for solver in solvers:
            solver.check_measured(spec)
    check_results(request.out, is_result(request.out), resume=request.blockwise.resume)

    from ganprior.cli.devices import pick_device
    from ganprior.priors import Prior

    device = pick_device(request.device)
    prior = Prior.load(request.prior)
    signals = _stored(request, prior) if spec is None else _read(request, spec, prior)
    reconstruct_and_report(
        signals,
        request.prior,
        prior,
        solvers,
        seed=signals.seed if request.seed is None else request.seed,
        device=device,
        out=request.out,
        as_json=request.as_json,
        blockwise=request.blockwise,
        figure_formats=request.figure_formats,
        error_maps=request.error_maps,
        uncertainty=request.uncertainty,
        more={"already_measured": request.measure is None},
    )


def _check_modes(request: _Request) -> None:
    """Refuse options that contradict each other, or leave open where the measurements are from."""
    if request.measurements is None:
        if not request.inputs:
            raise ValueError("nothing to reconstruct: give INPUT images or --measurements FILE.npz")
        if request.measure is None and request.measured is None:
            raise ValueError(
                "INPUT images need --measure to say how to measure them, such as gaussian:m=100, "
                "or --measured to say how they were measured"
            )
        if request.measure is not None and request.measured is not None:
            raise ValueError(
                "--measure is for whole images and --measured for what was measured of some; "
                "give one of them"
            )
        return
    others = {
        "INPUT": request.inputs,
        "--measure": request.measure,
        "--measured": request.measured,
        "--resize": request.resize,
        "--convert": request.convert,
    }
    given = [name for name, value in others.items() if value]
    if given:
        raise ValueError(
            f"--measurements {request.measurements} brings its own measurements and physics; "
            f"drop {' and '.join(given)}"
        )


def _spec(request: _Request) -> MeasureSpec | None:
    """What the inputs are or were measured by; None for stored measurements."""
    if request.measured is not None:
        return MeasureSpec.parse(request.measured, "--measured")
    return None if request.measure is None else MeasureSpec.parse(request.measure)


def _read(request: _Request, spec: MeasureSpec, prior: Prior) -> Signals:
    """Measurements of the inputs, or the inputs as measurements."""
    noise_std, seed = request.noise_std or 0.0, request.seed or 0
    if request.measured is not None:
        signals = read_measured(
            request.inputs,
            spec,
            prior.image_shape,
            noise_std=noise_std,
            seed=seed,
            limit=request.limit,
            resize=request.resize,
            convert=request.convert,
        )
    else:
        channels, size, _ = prior.image_shape
        inputs = read_inputs(
            request.inputs,
            limit=request.limit,
            size=size if request.resize else None,
            channels=channels if request.convert else None,
            fit=request.resize,
            expected=(f"the prior {request.prior}", prior.image_shape),
            remedy="use another prior, --resize for the size and --convert for the channels, or "
            "--measured if they are measurements",
        )
        signals = take(inputs, spec, noise_std, seed)
    return replace(signals, settings={"resize": request.resize, "convert": request.convert})


def _stored(request: _Request, prior: Prior) -> Signals:
    from ganprior.cli.measurement_files import load
    from ganprior.files import sha256

    path = request.measurements
    assert path is not None
    measured = load(path, prior.image_shape).part(0, request.limit)
    if request.noise_std is not None:
        measured = replace(measured, noise_std=request.noise_std)
    return Signals(
        measured.names,
        (str(path),),
        (sha256(path),),
        measured.image_shape,
        measured.spec,
        measured.seed,
        measured.noise_std,
        measured.part,
    )
