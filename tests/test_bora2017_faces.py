"""Figures of faces: photographs come from outside, and none is shown or committed."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from experiments import images, strips
from experiments.figures import FIGURES, load_figure
from experiments.rows import ROWS, read_csv
from experiments.sweep.produce import produce
from ganprior import load_images
from ganprior.jobs import Cell
from tests.cli_cases import refuse

ROOT = images.ROOT
NAMES = [name for name in FIGURES if name.startswith("bora2017/")]
NEEDY = ["bora2017/error-vs-m-faces", "bora2017/range-images-faces"]


@pytest.fixture
def fresh():
    """No images in memory from another test."""
    images.held_out.cache_clear()
    yield
    images.held_out.cache_clear()


@pytest.fixture
def photographs(tmp_path, monkeypatch, fresh):
    """Noise where photographs would be."""
    folder = tmp_path / "data" / "utkface_64" / "test"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(2):
        pixels = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:05}.png")
    monkeypatch.setenv(images.VARIABLE, str(tmp_path / "data"))
    return folder


@pytest.mark.parametrize("name", NEEDY)
@pytest.mark.parametrize("named", [None, "elsewhere"])
def test_without_photographs_a_figure_is_refused_in_one_line(
    name, named, tmp_path, monkeypatch, fresh
):
    if named:
        monkeypatch.setenv(images.VARIABLE, str(tmp_path / named))
    else:
        monkeypatch.delenv(images.VARIABLE, raising=False)
    line = refuse("figure", name, "--preset", "paper", "--out", tmp_path / "out")
    assert "set GANPRIOR_DATA to the folder that holds utkface_64/test" in line
    assert not (tmp_path / "out").exists()


def test_photographs_are_read_from_the_named_folder(photographs):
    names, x = images.held_out_block(images.UTKFACE, Cell("", last=2))
    assert names == ("00000.png", "00001.png")
    there = load_images(photographs)
    torch.testing.assert_close(x, there.floats())
    assert images.held_out(images.UTKFACE).sha256 == there.sha256


def test_a_figure_of_photographs_keeps_their_errors_and_no_pixel(photographs, tmp_path):
    figure = load_figure("bora2017/error-vs-m-faces")
    small = replace(
        figure.presets["smoke"], data=images.UTKFACE, measurements=(50,), images=2, variants=("",)
    )
    produce(figure.replace(presets={"small": small}), "small", tmp_path / "out")
    rows = read_csv(tmp_path / "out" / ROWS)
    assert "pixels" not in rows[0]
    assert {row["image"] for row in rows} == {"00000.png", "00001.png"}


def test_no_preset_that_keeps_pixels_reads_photographs():
    for name in NAMES:
        figure = load_figure(name)
        for config in figure.presets.values():
            keeps = hasattr(config, "shown") or "image-grid" in name
            assert not (keeps and getattr(config, "data", "") == images.UTKFACE)
    assert {
        name
        for name in NAMES
        for config in load_figure(name).presets.values()
        if getattr(config, "data", "") == images.UTKFACE
    } == set(NEEDY)


def test_no_committed_picture_of_a_face_is_a_photograph():
    found = 0
    for path in (ROOT / "experiments" / "bora2017" / "results").glob("*_faces/rows.csv.gz"):
        for row in read_csv(path):
            if row.get("pixels"):
                assert re.fullmatch(r"astronaut.*|G\(z\)\[\d+\]", row["image"])
                found += 1
    assert found or not any(
        (load_figure(name).results / ROWS).is_file()
        for name in NAMES
        if name.endswith("-faces") and name not in NEEDY
    )


def test_stand_ins_are_the_portrait_and_images_of_the_generator():
    names, x = images.held_out_block(images.STAND_INS, Cell("", last=3))
    assert names == ("astronaut", "G(z)[0]", "G(z)[1]")
    torch.testing.assert_close(x[:1], load_images(ROOT / images.PORTRAIT).floats())
    _, generated = images.range_images(images.FACES, Cell("", last=2))
    torch.testing.assert_close(x[1:], generated)


def test_the_noise_and_lambda_of_faces_are_the_papers_in_our_units():
    """Images in [-1, 1] are 2 x - 1: misfits are twice as large, their squares four times."""
    config = load_figure("bora2017/error-vs-m-faces").presets["paper"]
    assert config.noise_level == 0.01 / 2
    assert f" lambda={0.001 / 4}" in config.variants
    assert config.measurements == (20, 50, 100, 200, 500, 1000, 2500, 5000, 7500, 10000)
    assert (config.images, config.draws) >= (100, 3)


def test_pixels_in_colour_go_through_text_and_back():
    x = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    back = torch.from_numpy(strips.decode(strips.encode(x)).copy()).permute(2, 0, 1) / 255
    torch.testing.assert_close(back, x, rtol=0, atol=0.5 / 255 + 1e-6)
