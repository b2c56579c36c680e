"""``ganprior arithmetic``: sums and differences of the mean latents of labelled groups."""

from __future__ import annotations

import re
from pathlib import Path

import click

from ganprior.cli.options import OUT, SEED, at_least, trust_options
from ganprior.cli.output import check_file
from ganprior.cli.sample import check_amount, zoom_of
from ganprior.registry import MOST

_TERM = re.compile(r"\s*([+-])?\s*(\d+)")


@click.command()
@click.argument("expression")
@click.option("--prior", required=True, help="Name of a prior, or a .safetensors file.")
@trust_options
@click.option("--data", help="Labelled images; a conditional prior needs none.")
@click.option("--count", default=3, show_default=True, type=at_least(1), help="Per group.")
@click.option("--seed", default=0, show_default=True, type=SEED, help="Seed of latents and starts.")
@click.option("--out", required=True, type=OUT, help="PNG file to write.")
def arithmetic(
    expression: str, prior: str, data: str | None, count: int, seed: int, out: Path
) -> None:
    """Add and subtract mean latents of labelled groups: EXPRESSION is "8 - 3 + 1", of labels.

    One row per group: images of its latents and last that of their mean. In the last row stands
    the image of the sum, after images of latents around it (Radford et al. 2016, section 6.3.2).

    The latents of a group are those of labelled images, found by the prior's encoder or, without
    one, by CSGM from all pixels. A conditional prior draws them, and its labels are added and
    subtracted with them.
    """
    signs, labels = parse_expression(expression)
    check_file("--out", out, ".png")

    import torch

    from ganprior.evaluation.arithmetic import groups_of_images, groups_of_labels
    from ganprior.priors import Prior
    from ganprior.priors.arithmetic import combine, neighbours
    from ganprior.sheets import save_sheet
    from ganprior.streams import Streams

    loaded = Prior.load(prior)
    check_amount("--count", count * (len(labels) + 1), loaded)
    if loaded.classes:
        loaded, groups = groups_of_labels(loaded, labels, count, seed=seed)
    elif data is None:
        raise ValueError(f"prior {prior} is not conditional; give labelled images with --data")
    else:
        from ganprior.cli.inputs import load_images

        images = load_images(data, split="test")
        groups = groups_of_images(loaded, images, labels, count, seed=seed)
    total = combine(groups, signs)
    rows = [torch.cat([z, z.mean(0, keepdim=True)]) for z in groups]
    around = neighbours(total, count, Streams(seed).generator("neighbours", 0))
    rows.append(torch.cat([around, total[None]]))
    names = [f"{'-' if s < 0 else '+'} {k}, mean last" for s, k in zip(signs, labels, strict=True)]
    save_sheet(
        out,
        loaded.render(torch.cat(rows)),
        count + 1,
        zoom=zoom_of(loaded.image_shape[1:]),
        rows=[*names, "near the sum, sum last"],
    )
    click.echo(f"{expression.strip()}, {count} latents per group: {out}")


def parse_expression(text: str) -> tuple[list[int], list[int]]:
    """Signs and labels of a sum such as ``8 - 3 + 1``.

    Raises
    ------
    ValueError
        If it is not labels with + or - between them.
    """
    signs: list[int] = []
    labels: list[int] = []
    place = 0
    rest = text.rstrip()
    while place < len(rest):
        term = _TERM.match(rest, place)
        if term is None or (labels and term[1] is None):
            break
        signs.append(-1 if term[1] == "-" else 1)
        labels.append(int(term[2]))
        place = term.end()
    if not labels or place < len(rest) or max(labels) > MOST:
        raise ValueError(
            f'EXPRESSION must be labels with + or -, such as "8 - 3 + 1", got {text!r}'
        )
    return signs, labels
