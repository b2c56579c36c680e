"""Figure 1a of Bora et al. (2017, arXiv 1703.03208) on Fashion-MNIST: error against m.

Claim: with few Gaussian measurements the prior's reconstruction error is far below that of Lasso;
past some m the error of the prior stays at its representation error and Lasso overtakes it.

All methods see the same images (held-out test images), A and noise-free measurements. The weights
of every method were tuned on other images (``tune_lasso.py``, ``tune_csgm.py``).

    python -m experiments.bora2017.error_vs_m --preset paper

writes ``results/error_vs_m_fashion_mnist/``: ``rows.csv`` (a row per image, m and method),
``summary.csv`` (mean and 95% interval, 1.96 s / sqrt(N)), ``config.json`` and ``figure.png``.
The paper preset takes about a quarter of an hour on two CPU cores, smoke less than a minute.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from experiments.rows import Row, git_revision, write_csv
from ganprior import CSGM, LassoDCT, LassoPixel, LassoWavelet, Prior, Streams, load_images
from ganprior.files import write_atomically
from ganprior.metrics import per_pixel_error
from ganprior.physics import Gaussian
from ganprior.solution import Reconstructor
from ganprior.streams import derive_seed

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results" / "error_vs_m_fashion_mnist"


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    measurements: tuple[int, ...] = (10, 25, 50, 100, 200, 300, 400, 500, 750)
    prior: str = "fashion-mnist-dcgan"
    second_prior: str = "fashion-mnist-wgan-gp"
    second_measurements: tuple[int, ...] = (25, 100, 500)  # the weaker prior, to compare the two
    images: int = 100
    seed: int = 0
    data: str = "data/fashion_mnist_test_100.npz"


PRESETS = {
    "paper": Config(),
    "smoke": Config(measurements=(25, 100), second_measurements=(100,), images=6),
}


def methods(config: Config) -> dict[str, Reconstructor]:
    """Every method of the figure by the name it has there."""
    solvers: dict[str, Reconstructor] = {
        f"csgm {name}": CSGM(Prior.load(name)) for name in (config.prior, config.second_prior)
    }
    lassos = {"lasso-dct": LassoDCT(), "lasso-wavelet": LassoWavelet(), "lasso-pixel": LassoPixel()}
    return {**solvers, **lassos}


def run(config: Config) -> Iterator[Row]:
    """Yield one row per number of measurements, method and image."""
    images = load_images(ROOT / config.data, limit=config.images)
    x = images.floats()
    revision = git_revision()
    solvers = methods(config)
    for m in config.measurements:
        rng = torch.Generator().manual_seed(derive_seed(config.seed, "physics", m))
        physics = Gaussian(m, images.shape, rng)
        y = physics.A(x)
        for name, solver in solvers.items():
            if config.second_prior in name and m not in config.second_measurements:
                continue
            begin = time.perf_counter()
            solution = solver.solve(y, physics, rng=Streams(config.seed))
            seconds = (time.perf_counter() - begin) / len(x)
            prior = getattr(solver, "prior", None)
            for i, error in enumerate(per_pixel_error(solution.x, x).tolist()):
                yield {
                    "m": m,
                    "method": name,
                    "image": images.names[i],
                    "per_pixel_error": round(error, 7),
                    "status": str(solution.status[i]),
                    "seconds": round(seconds, 3),
                    "seed": config.seed,
                    "data_sha256": images.sha256[:12],
                    "prior_sha256": prior.card["weights_sha256"][:12] if prior else "",
                    "revision": revision,
                }


def summarise(rows: list[Row]) -> list[Row]:
    """Mean and half-width of the 95% interval per m and method, a row per m."""
    table: dict[int, Row] = {}
    names = list(dict.fromkeys(row["method"] for row in rows))
    groups: dict[tuple[int, str], list[float]] = {}
    for row in rows:
        groups.setdefault((int(row["m"]), row["method"]), []).append(float(row["per_pixel_error"]))
    for (m, method), errors in groups.items():
        blank = {key: "" for name in names for key in (name, f"{name} ±")}
        line = table.setdefault(m, {"m": m, **blank})
        line[method] = f"{statistics.fmean(errors):.4f}"
        half = 1.96 * statistics.stdev(errors) / math.sqrt(len(errors))
        line[f"{method} ±"] = f"{half:.4f}"
    for line in table.values():
        lasso, csgm = (
            min(float(line[name]) for name in names if name.startswith(kind) and line[name])
            for kind in ("lasso", "csgm")
        )
        line["best csgm / best lasso"] = f"{csgm / lasso:.3f}"
    return [table[m] for m in sorted(table)]


def plot(summary: list[Row], path: Path) -> None:
    """Error against m with 95% intervals, both axes logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    names = [key for key in summary[0] if f"{key} ±" in summary[0]]
    for name, marker in zip(names, "osD^v<>", strict=False):
        shown = [row for row in summary if row[name]]
        m = [int(row["m"]) for row in shown]
        mean = [float(row[name]) for row in shown]
        half = [float(row[f"{name} ±"]) for row in shown]
        style = "-" if name.startswith("csgm") else "--"
        axes.errorbar(m, mean, half, marker=marker, ms=4, ls=style, capsize=2, label=name)
    m = [int(row["m"]) for row in summary]
    axes.set(xscale="log", yscale="log", xlabel="measurements m (n = 784)")
    axes.set_ylabel("per-pixel squared error")
    axes.set_xticks(m, [str(value) for value in m])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=150))
    plt.close(figure)


def main() -> None:
    """Run a preset and write its results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", choices=sorted(PRESETS), default="smoke")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    config = PRESETS[arguments.preset]
    out = arguments.out or (RESULTS if arguments.preset == "paper" else Path("runs/error_vs_m"))
    rows = []
    for row in run(config):
        rows.append(row)
        if len(rows) % config.images == 0:
            print(row["m"], row["method"], row["seconds"], "s per image", flush=True)
    write_csv(out / "rows.csv", rows)
    summary = summarise(rows)
    write_csv(out / "summary.csv", summary)
    text = json.dumps({"preset": arguments.preset, **asdict(config)}, indent=2) + "\n"

    def write(path: Path) -> None:
        path.write_text(text)

    write_atomically(out / "config.json", write)
    plot(summary, out / "figure.png")
    print(f"results in {out}")


if __name__ == "__main__":
    main()
