"""Pictures of the experiment: PSNR of every slice by method, and a few slices side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from experiments.bora2017 import plots
from experiments.rows import Row
from ganprior.files import write_atomically

SHOWN = 6  # the first test slices, not chosen


def draw_methods(rows: list[Row], path: Path) -> None:
    """Box of the PSNR of all slices per method."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    figure, [axes] = plots.new_figure(width=7.2)
    psnrs = [[float(row["psnr"]) for row in rows if row["method"] == name] for name in methods]
    axes.boxplot(psnrs, showmeans=True)
    axes.set_xticks(range(1, len(methods) + 1), methods, rotation=20, ha="right", fontsize=8)
    axes.set_ylabel("PSNR (dB) of test slices")
    axes.set_title("simulated, phase-free k-space, acceleration 4", fontsize=9)
    axes.grid(alpha=0.3, axis="y")
    plots.save(figure, path)


def draw_slices(x: Tensor, found: Mapping[str, Tensor], path: Path) -> None:
    """Write a sheet: the slices on top, a method per row."""
    figure, _ = plots.new_figure(width=1.3 * SHOWN, height=1.3 * (1 + len(found)))
    figure.clear()
    grid = figure.subplots(1 + len(found), SHOWN, squeeze=False)
    for line, (name, images) in zip(grid, {"original": x, **found}.items(), strict=True):
        for axes, image in zip(line, images, strict=False):
            axes.imshow(image[0].clamp(0, 1), cmap="gray", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, fontsize=7)
    write_atomically(path, lambda file: figure.savefig(file, dpi=100))
