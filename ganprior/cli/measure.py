"""``ganprior measure``: measurements of images in a file, as an instrument would give them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import click

from ganprior.cli.inputs import read_inputs
from ganprior.cli.measure_specs import MeasureSpec
from ganprior.cli.measurement_files import save
from ganprior.cli.measurements import as_matrix, take
from ganprior.cli.options import NOISE_STD, OUT, SEED, SIDE, limit_option
from ganprior.cli.output import check_file
from ganprior.cli.spec_help import measure_help


@click.command(epilog=measure_help())
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--measure", "spec", required=True, metavar="SPEC", help="How to measure; see below.")
@click.option("--out", required=True, type=OUT, metavar="FILE.npz")
@click.option(
    "--noise-std", type=NOISE_STD, default=0.0, show_default=True, help="Noise on each entry of y."
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of A and noise.")
@limit_option
@click.option("--size", type=SIDE, help="Resize images to SIZE x SIZE.")
@click.option("--channels", type=click.IntRange(1, 3), help="Convert images: 1 gray, 3 colour.")
@click.option("--store-matrix", is_flag=True, help="Store A itself, (m, n), with y as (N, m).")
@click.option("--keep-images", is_flag=True, help="Store the images too, to know the errors later.")
def measure(
    inputs: tuple[str, ...],
    spec: str,
    out: Path,
    noise_std: float,
    seed: int,
    limit: int | None,
    size: int | None,
    channels: int | None,
    store_matrix: bool,
    keep_images: bool,
) -> None:
    """Measure the images of INPUT and store y with what is needed to rebuild A.

    'ganprior reconstruct --measurements FILE.npz' starts from such a file.
    """
    parsed = MeasureSpec.parse(spec)
    check_file("--out", out, ".npz")
    read = read_inputs(
        inputs,
        limit=limit,
        size=size,
        channels=channels,
        remedy="measure them apart, or make them alike with --size and --channels",
    )
    measured = take(read, parsed, noise_std, seed).whole()
    if not keep_images:
        measured = replace(measured, original=None)
    m, matrix = measured.m, None
    if store_matrix:
        y, matrix = as_matrix(measured)
        measured = replace(measured, y=y)
    save(measured, out, matrix=matrix)
    click.echo(f"wrote {out}: {len(read)} signals, m = {m}, n = {math.prod(read.shape)}")
