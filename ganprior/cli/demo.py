"""``ganprior demo``: the whole way from images to a comparison, in one word."""

from __future__ import annotations

import math
from pathlib import Path

import click

from ganprior.cli.comparison_report import is_result
from ganprior.cli.inputs import Inputs
from ganprior.cli.measure_specs import MeasureSpec
from ganprior.cli.measurements import take
from ganprior.cli.options import OUT, device_option
from ganprior.cli.outcome import reconstruct_and_report
from ganprior.cli.results import RULE, check_results
from ganprior.cli.solver_specs import SolverSpec

DEMO_PRIOR = "fashion-mnist-k128-vae"
DEMO_MEASURE = "gaussian:m=100"
DEMO_SOLVERS = ("auto", "csgm", "gaussian-mixture", "tv", "lasso-dct", "lasso-wavelet")
DEMO_SEED = 0


@click.command()
@click.option(
    "--out",
    default="ganprior-demo",
    show_default=True,
    type=OUT,
    help=RULE,
)
@device_option
def demo(out: Path, device: str) -> None:
    """Recover ten images from 100 Gaussian measurements each, by six methods.

    'auto' takes the generator for a density, 'csgm' (Bora et al. 2017) for the set of all images;
    the others need no generator.

    The images are Fashion-MNIST test images, one of each class, which nothing that is shipped was
    fitted to.
    OUT receives the files that 'ganprior reconstruct' writes.
    """
    check_results(out, is_result(out))

    from ganprior.cli.devices import pick_device
    from ganprior.datasets import demo_images
    from ganprior.priors import Prior

    target = pick_device(device)
    prior = Prior.load(DEMO_PRIOR)
    images = demo_images()
    inputs = Inputs((images,), images.names, ("demo images",))
    n = math.prod(images.shape)
    click.echo(
        f"{len(images)} images of n = {n} pixels, measured by {DEMO_MEASURE}; prior: {DEMO_PRIOR}"
    )
    reconstruct_and_report(
        take(inputs, MeasureSpec.parse(DEMO_MEASURE), 0.0, DEMO_SEED),
        DEMO_PRIOR,
        prior,
        [SolverSpec.parse(text) for text in DEMO_SOLVERS],
        seed=DEMO_SEED,
        device=target,
        out=out,
    )
