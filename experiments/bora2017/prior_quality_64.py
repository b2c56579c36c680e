"""What a prior of 64 x 64 pixels can represent: its error on 64 test images, as PSNR too.

Representation error (projection in the paper: A = I, lambda = 0): the mean of
min_z ||G(z) - x||^2 / n over held-out test images, the floor of every reconstruction error. The
paper's DCGAN of CelebA has 22.1 dB in a published reproduction.

    python -m experiments.bora2017.prior_quality_64 faces-64 --data FOLDER/utkface_64/test

reads the first 64 images of the folder, which are not committed: photographs of people or of cars,
for research only. It writes their errors, by index, to ``results/prior_quality_64/rows.csv``, where
rows of other priors stay, ``summary.csv`` beside it, and the figures into the prior's card. It
takes about ten minutes on one CPU core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from experiments.bora2017.prior_quality import representation
from experiments.rows import Row, git_revision, read_csv, replaced, write_csv
from ganprior import BALANCED, Effort, Images, Prior, load_images
from ganprior.priors import find_prior, read_card, write_card

RESULTS = Path(__file__).parent / "results" / "prior_quality_64"
HOW = "CSGM, A = I, lambda = 0, default effort: mean of ||G(z) - x||^2 / n"


@dataclass(frozen=True)
class Config:
    """What is measured."""

    images: int = 64
    batch: int = 16  # images in memory at once, with their restarts
    effort: Effort = BALANCED
    seed: int = 0


def run(config: Config, name: str, images: Images) -> Iterator[Row]:
    """Yield one row per image."""
    prior, revision = Prior.load(name), git_revision()
    x = images.select(0, config.images).floats()
    signals = iter(range(len(x)))
    for part in x.split(config.batch):
        for error in representation(prior, part, config.seed, config.effort).tolist():
            yield {
                "prior": name,
                "data": prior.card["data"],
                "signal": next(signals),
                "per_pixel_error": f"{error:.7g}",
                "seed": config.seed,
                "data_sha256": images.sha256[:12],
                "prior_sha256": prior.card["weights_sha256"][:12],
                "revision": revision,
            }


def summarise(rows: list[Row]) -> list[Row]:
    """One line per prior: mean error, mean PSNR, and the PSNR of the mean error."""
    table = []
    for name in dict.fromkeys(row["prior"] for row in rows):
        own = [row for row in rows if row["prior"] == name]
        errors = torch.tensor([float(row["per_pixel_error"]) for row in own], dtype=torch.float64)
        table.append(
            {
                "prior": name,
                "data": own[0]["data"],
                "representation error": f"{errors.mean():.5f}",
                "PSNR (dB)": f"{psnr(errors).mean():.2f}",
                "PSNR of the mean error (dB)": f"{psnr(errors.mean()):.2f}",
                "test images": len(own),
            }
        )
    return table


def psnr(error: torch.Tensor) -> torch.Tensor:
    """-10 log10 of the per-pixel error of images in [0, 1], in dB."""
    return -10 * error.log10()


def quality(line: Row, images_sha256: str) -> Row:
    """Figures of a summary's line as a card has them."""
    return {
        "representation_error": float(line["representation error"]),
        "representation_psnr": float(line["PSNR (dB)"]),
        "representation_psnr_of_mean_error": float(line["PSNR of the mean error (dB)"]),
        "images": f"{line['test images']} test images, the first ones",
        "images_sha256": images_sha256,
        "how": HOW,
    }


def main() -> None:
    """Measure one prior; write rows, summary and card."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("prior", help="name of the prior")
    parser.add_argument("--data", required=True, help="folder of its test images")
    arguments = parser.parse_args()
    path, config = find_prior(arguments.prior), Config()
    channels, size, _ = read_card(path)["image_shape"]
    images = load_images(arguments.data, size=size, channels=channels, limit=config.images)
    rows: list[Row] = []
    for row in run(config, arguments.prior, images):
        rows.append(row)
        print(row["signal"], row["per_pixel_error"], flush=True)
    file = RESULTS / "rows.csv"
    others = read_csv(file) if file.is_file() else []
    rows = replaced(others, rows)
    summary = summarise(rows)
    write_csv(file, rows)
    write_csv(RESULTS / "summary.csv", summary)
    [line] = [line for line in summary if line["prior"] == arguments.prior]
    print(line)
    card = read_card(path)
    write_card(path, {**card, "quality": {**card["quality"], **quality(line, images.sha256)}})


if __name__ == "__main__":
    main()
