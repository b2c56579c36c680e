"""``ganprior evaluate``: the quality figures of a prior."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganprior.cli.held_out import Splits, split
from ganprior.cli.inputs import load_images
from ganprior.cli.options import (
    OUT,
    SEED,
    at_least,
    convert_option,
    resize_option,
    trust_options,
)
from ganprior.cli.output import check_folder
from ganprior.cli.results import RULE, check_results, new_results
from ganprior.cli.train import data_name
from ganprior.cli.verbosity import remark

if TYPE_CHECKING:
    import torch

    from ganprior.datasets import Images
    from ganprior.evaluation.evaluate import Evaluation
    from ganprior.evaluation.features import Features
    from ganprior.priors import Prior

# Name of a figure in the card, and in the table.
_WORDS = {
    "frechet_distance": "Fréchet distance",
    "precision": "precision",
    "recall": "recall",
    "features": "  measured in",
    "compared_images": "  images of either kind",
    "support_estimate": "different images",
    "real_support_estimate": "  of as many real images",
    "diversity": "diversity",
    "real_diversity": "  of real images",
    "read_as_asked": "read as asked",
    "asked_images": "  samples",
    "nearest_training_error": "distance to training images",
    "real_nearest_training_error": "  of real images",
    "representation_error": "representation error",
    "how": "  by",
    "images": "  of",
    "log_likelihood": "log p(x), nats",
    "log_likelihood_of_mixture": "  of the Gaussian mixture",
    "tuning_images": "  of, and errors below of",
}
_COLUMNS = 10
_FIGURE = "nearest.png"


@dataclass(frozen=True)
class _Request:
    """Arguments and options of ``evaluate``, as click hands them over."""

    prior: str
    data: str
    count: int
    fitted: int
    solved: int
    holdout: int | None
    seed: int
    out: Path | None
    classifier: Path | None
    resize: str | None
    convert: bool
    skip_unreadable: bool
    update_card: bool | None


@click.command()
@click.argument("prior")
@trust_options
@click.option("--data", required=True, help="Folder, file or torchvision name of real images.")
@click.option(
    "--count",
    default=10_000,
    show_default=True,
    type=at_least(4),
    help="Images of either kind that are compared.",
)
@click.option(
    "--fitted",
    default=100,
    show_default=True,
    type=at_least(0),
    help="Held-out images fitted for the representation error.",
)
@click.option(
    "--solved",
    default=20,
    show_default=True,
    type=at_least(0),
    help="Images that solvers recover from few measurements: the last training images, where "
    "neither the prior nor its density was fitted to them.",
)
@click.option(
    "--holdout",
    metavar="N",
    type=at_least(4),
    help="Of images without a test split compare N, drawn by the seed, and take the others for "
    "training images.",
)
@click.option("--seed", default=0, show_default=True, type=SEED, help="Seed of samples and fits.")
@click.option("--out", type=OUT, help=f"{RULE}  [default: NAME-quality]")
@click.option(
    "--classifier",
    type=click.Path(path_type=Path),
    help="Take the features of this one, made by train-classifier.",
)
@resize_option("the prior's")
@convert_option
@click.option("--skip-unreadable", is_flag=True, help="Leave out files that cannot be read.")
@click.option(
    "--update-card/--keep-card",
    default=None,
    help="Write the figures into the prior's card.  [default: unless it is a shipped one]",
)
def evaluate(**options: Any) -> None:
    """Measure the quality of PRIOR, a name or a .safetensors file, against real images.

    Compared are samples and held-out images: the test split, or, of a set without splits, what
    the prior was not trained on or --holdout says. Subfolders by class give labels, by which a
    classifier is trained for the comparison where none is at hand. OUT receives nearest.png: rows
    of samples, and under each sample the training image nearest to it.
    """
    request = _Request(**options)

    from ganprior.priors import Prior, cards, find_prior, read_card, write_card

    path = find_prior(request.prior)
    updates = request.update_card
    updates = not cards.comes_with_ganprior(path) if updates is None else updates
    out = request.out or Path(f"{path.stem}-quality")
    check_results(out, _is_result)
    if updates:
        check_folder("the card's folder", path.parent)

    from ganprior.evaluation.evaluate import check_held_out, evaluate_prior, update_quality

    prior = Prior.load(path)
    splits = _read(request, prior)
    # Before a classifier is trained for nothing.
    check_held_out(prior, splits.held_out, request.fitted)
    features = _features(request, prior, splits)
    tuning = _last(splits.tuning, request.solved)
    if features is None:
        remark("no features for these images: no Fréchet distance, precision and recall")
    result = evaluate_prior(
        prior,
        splits.held_out,
        splits.training,
        features,
        count=request.count,
        fitted=request.fitted,
        tuning=tuning,
        seed=request.seed,
        progress=remark,
    )
    figures = {**result.figures, **_which(request, splits.held_out)}
    if "errors" in figures and tuning is not None:
        figures["tuning_images"] = (
            f"the last {len(tuning)} training images ({data_name(request.data)})"
        )
    _print_table(figures)
    with new_results(out, _is_result) as new:
        _save_figure(result, prior, new / _FIGURE)
    click.echo(
        f"samples{'' if result.nearest is None else ', nearest training images'}: {out / _FIGURE}"
    )
    if updates:
        write_card(path, update_quality(read_card(path), figures))
        click.echo(f"card: {path.with_name(path.stem + '.json')}")


def _read(request: _Request, prior: Prior) -> Splits:
    """Real images in the order of their source; see :func:`ganprior.cli.held_out.split`."""

    def load(which: str) -> Images:
        return load_images(
            request.data,
            split=which,
            size=prior.image_shape[1] if request.resize else None,
            channels=prior.image_shape[0] if request.convert else None,
            fit=request.resize or "crop",
            skip_unreadable=request.skip_unreadable,
        )

    first, test = load("train"), load("test")
    skipped = test.skipped + (first.skipped if first.sha256 != test.sha256 else 0)
    if skipped:
        remark(f"{skipped} unreadable files of {request.data} are left out")
    return split(first, test, prior.card, request.holdout, request.seed, request.data)


def _features(request: _Request, prior: Prior, splits: Splits) -> Features | None:
    from ganprior.evaluation.classifier import load_classifier
    from ganprior.evaluation.features import Features, choose_features

    if request.classifier is not None:
        made = f"of {request.classifier.name}"
        return Features.of(load_classifier(request.classifier), made)
    return choose_features(
        prior.card.get("data_sha256"),
        prior.image_shape,
        splits.training,
        progress=lambda step: remark("training a classifier") if step == 1 else None,
    )


def _which(request: _Request, held_out: Images) -> dict[str, Any]:
    """What the card says of the images."""
    fitted = min(request.fitted, len(held_out))
    images = f"{fitted} held-out images ({data_name(request.data)})"
    words = {"images": images} if fitted else {}
    return {**words, "images_sha256": held_out.sha256, "seed": request.seed}


def _is_result(name: str) -> bool:
    return name == _FIGURE


def _print_table(figures: dict[str, Any]) -> None:
    width = max(map(len, _WORDS.values()))
    for key, words in _WORDS.items():
        if key in figures:
            value = figures[key]
            text = _support(value) if isinstance(value, dict) else value
            click.echo(f"{words.ljust(width)}  {text}")
    _print_errors(figures.get("errors", {}))


def _support(found: dict[str, float | None]) -> str:
    """An estimate with its 90% interval, of which a side may be open."""
    size, low, high = (found[key] for key in ("size", "low", "high"))
    if size is None or high is None:
        return f"at least {low:,.0f}"
    return f"{size:,.0f} (90% interval {low:,.0f} to {high:,.0f})"


def _print_errors(errors: dict[str, dict[str, float]]) -> None:
    """Errors by solver, a column for every number of measurements."""
    width = max(map(len, _WORDS.values()))
    for i, (solver, own) in enumerate(errors.items()):
        if not i:
            click.echo("error, m =".ljust(width + 2) + "  ".join(m.ljust(8) for m in own).rstrip())
        cells = "  ".join(f"{error:<8.4g}" for error in own.values())
        click.echo(f"  {solver}".ljust(width + 2) + cells.rstrip())


def _last(images: Images | None, count: int) -> Images | None:
    if images is None or not count:
        return None
    return images.select(max(len(images) - count, 0))


def _save_figure(result: Evaluation, prior: Prior, path: Path) -> None:
    """Rows of samples, each followed by the row of their nearest training images."""
    from ganprior.cli.sample import zoom_of
    from ganprior.sheets import save_sheet

    save_sheet(
        path,
        _in_turn(result.samples, result.nearest),
        _COLUMNS,
        zoom=zoom_of(prior.image_shape[1:]),
        rows=() if result.nearest is None else _names(len(result.samples)),
    )


def _names(count: int) -> list[str]:
    """Names of the rows: two for each row of samples that is whole, or the only one."""
    return ["samples", "nearest in training"] * max(1, count // _COLUMNS)


def _in_turn(samples: torch.Tensor, nearest: torch.Tensor | None) -> torch.Tensor:
    import torch

    if nearest is None:
        return samples
    whole = len(samples) - len(samples) % _COLUMNS or len(samples)
    rows = zip(samples[:whole].split(_COLUMNS), nearest[:whole].split(_COLUMNS), strict=True)
    return torch.cat([part for pair in rows for part in pair])
