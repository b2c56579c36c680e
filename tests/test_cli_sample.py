"""``ganprior sample``, ``interpolate`` and ``priors``."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganprior import Prior, Streams, load_images
from ganprior.priors import cards, linear_path, read_card, spherical_path, write_card
from tests.cases import tiny_dcgan
from tests.cases_conditional import conditional_mlp
from tests.cli_cases import refuse, succeed

SIDE, GAP, ZOOM = 8, 2, 8


@pytest.fixture(scope="module")
def prior(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("prior") / "tiny"
    tiny_dcgan().save(path)
    return path.with_suffix(".safetensors")


def tiles(path: Path) -> np.ndarray:
    """Images of a sheet at their own size, (rows, columns, H, W), in 0 ... 255."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        sheet = np.asarray(image).astype(int)
    step = SIDE * ZOOM + GAP
    rows, columns = ((length - GAP) // step for length in sheet.shape)
    cut = [
        sheet[GAP + r * step :, GAP + c * step :][: SIDE * ZOOM : ZOOM, : SIDE * ZOOM : ZOOM]
        for r in range(rows)
        for c in range(columns)
    ]
    return np.stack(cut).reshape(rows, columns, SIDE, SIDE)


def latent(seed: int, index: int) -> torch.Tensor:
    return torch.randn(6, generator=Streams(seed).generator("samples", index))


def assert_images(shown: np.ndarray, prior: Path, z: list[torch.Tensor]) -> None:
    images = Prior.load(prior)(torch.stack(z)).detach().squeeze(1) * 255
    # Half a level of rounding, and a batch of another size.
    assert np.abs(shown - images.numpy()).max() < 0.51


def test_samples_are_the_priors_images(prior, tmp_path):
    out = tmp_path / "new folder/samples.png"
    result = succeed("sample", "--prior", prior, "--count", 6, "--seed", 3, "--out", out)
    assert str(out) in result.stdout
    # Six images are nearest to a square of three columns.
    sheet = tiles(out)
    assert sheet.shape[:2] == (2, 3)
    assert_images(sheet.reshape(6, SIDE, SIDE), prior, [latent(3, i) for i in range(6)])


def test_an_image_keeps_its_place_in_the_seed(prior, tmp_path):
    out = [tmp_path / f"{i}.png" for i in range(3)]
    succeed("sample", "--prior", prior, "--count", 5, "--columns", 5, "--out", out[0])
    succeed("sample", "--prior", prior, "--count", 2, "--columns", 2, "--out", out[1])
    succeed("sample", "--prior", prior, "--count", 2, "--seed", 1, "--out", out[2])
    assert np.abs(tiles(out[0])[:, :2] - tiles(out[1])).max() <= 1
    assert not np.array_equal(tiles(out[1]), tiles(out[2]))


@pytest.mark.parametrize("name", ["drawn.npz", "drawn"])
def test_samples_one_by_one_are_those_of_the_sheet(prior, tmp_path, name):
    succeed("sample", "--prior", prior, "--count", 12, "--seed", 3, "--out", tmp_path / name)
    images = load_images(tmp_path / name)
    assert images.labels is None
    assert images.shape == (1, SIDE, SIDE)
    assert_images(
        images.floats().squeeze(1).numpy() * 255, prior, [latent(3, i) for i in range(12)]
    )


@pytest.mark.parametrize("name", ["drawn.npz", "drawn"])
def test_samples_of_a_conditional_prior_keep_their_labels(tmp_path, monkeypatch, name):
    own = conditional_mlp(classes=3)
    monkeypatch.setattr(Prior, "load", lambda name: own)
    succeed("sample", "--prior", "any", "--count", 7, "--out", tmp_path / name)
    images = load_images(tmp_path / name)
    assert images.labels is not None
    assert images.labels.tolist() == [0, 1, 2, 0, 1, 2, 0]
    z = torch.stack(
        [torch.randn(4, generator=Streams(0).generator("samples", i)) for i in range(7)]
    )
    expected = own.render(z, images.labels)
    assert (images.floats() - expected).abs().max() < 0.51 / 255


def test_interpolation_has_two_rows_per_pair(prior, tmp_path):
    out = tmp_path / "paths.png"
    succeed("interpolate", "--prior", prior, "--seed", 4, "--pairs", 2, "--frames", 5, "--out", out)
    sheet = tiles(out)
    assert sheet.shape[:2] == (4, 5)
    for pair in (0, 1):
        ends = latent(4, 2 * pair), latent(4, 2 * pair + 1)
        assert_images(sheet[2 * pair], prior, list(linear_path(*ends, 5)))
        assert_images(sheet[2 * pair + 1], prior, list(spherical_path(*ends, 5)))
        assert np.abs(sheet[2 * pair, 2] - sheet[2 * pair + 1, 2]).max() > 5


def test_a_grid_walk_has_four_samples_as_corners(prior, tmp_path):
    out = tmp_path / "grid.png"
    succeed("interpolate", "--prior", prior, "--seed", 4, "--grid", "--frames", 3, "--out", out)
    sheet = tiles(out)
    assert sheet.shape[:2] == (3, 3)
    assert_images(sheet[[0, 0, 2, 2], [0, 2, 0, 2]], prior, [latent(4, i) for i in range(4)])


def test_paths_of_a_conditional_prior_have_a_label_each(tmp_path, monkeypatch):
    own = conditional_mlp(classes=2)
    monkeypatch.setattr(Prior, "load", lambda name: own)
    monkeypatch.setattr(sys.modules[__name__], "SIDE", 6)
    monkeypatch.setattr(sys.modules[__name__], "ZOOM", 10)
    out = tmp_path / "paths.png"
    succeed("interpolate", "--prior", "any", "--pairs", 3, "--frames", 2, "--out", out)
    shown = tiles(out)[::2].reshape(6, 6, 6)
    z = torch.stack(
        [torch.randn(4, generator=Streams(0).generator("samples", i)) for i in range(6)]
    )
    expected = own.render(z, torch.tensor([0, 0, 1, 1, 0, 0])).squeeze(1) * 255
    assert np.abs(shown - expected.numpy()).max() < 0.51


@pytest.mark.parametrize("command", ["sample", "interpolate"])
def test_bad_input_is_one_line_and_writes_nothing(command, prior, tmp_path):
    out = tmp_path / "out.png"
    (tmp_path / "file").write_text("")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(prior.read_bytes()[:1000])
    (tmp_path / "broken.json").write_bytes(prior.with_suffix(".json").read_bytes())
    before = sorted(tmp_path.iterdir())
    for args, word in (
        (["--prior", "tinny", "--out", out], "no prior 'tinny'"),
        (["--prior", broken, "--out", out], "is not a whole safetensors file"),
        (["--prior", prior, "--out", tmp_path / "file/out.png"], "is not a folder"),
        (["--prior", prior, "--out", out, "--seed", "-1"], "--seed"),
        (["--prior", prior], "Missing option '--out'"),
    ):
        assert word in refuse(command, *args)
    assert "is no sheet" in refuse("sample", "--prior", prior, "--out", tmp_path / "out.jpg")
    for place in (tmp_path, tmp_path / "new", tmp_path / "a.npz"):
        words = refuse("sample", "--prior", prior, "--columns", 2, "--out", place)
        assert "--columns is for a sheet" in words
    for place in (tmp_path / "out.jpg", tmp_path):
        words = refuse("interpolate", "--prior", prior, "--out", place)
        assert "is not the name of a PNG file" in words
    assert "--count" in refuse("sample", "--prior", prior, "--out", out, "--count", 0)
    assert "--frames" in refuse("interpolate", "--prior", prior, "--out", out, "--frames", 1)
    assert sorted(tmp_path.iterdir()) == before


def test_priors_are_listed_from_their_cards(prior, tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "WEIGHTS", tmp_path)
    monkeypatch.setattr(cards, "outside_priors", dict)
    card = {**read_card(prior), "data": "clothes", "licence": "MIT"}
    for name, quality in (("long-name", {}), ("b", {"representation_error": 0.00712})):
        write_card(tmp_path / name, {**card, "quality": quality})
        # The weights are not looked at.
        (tmp_path / f"{name}.safetensors").write_bytes(b"")
    assert succeed("priors").stdout.splitlines() == [
        "b          1x8x8  k=6  clothes  MIT  representation error 0.0071",
        "long-name  1x8x8  k=6  clothes  MIT  representation error not measured",
    ]
    several = {**card["architecture"], "classes": 10}
    write_card(tmp_path / "b", {**card, "alias": "cloth", "architecture": several})
    assert succeed("priors").stdout.splitlines() == [
        "b          1x8x8  k=6, 10 classes  clothes  MIT  representation error not measured"
        "  default, alias cloth",
        "long-name  1x8x8  k=6              clothes  MIT  representation error not measured",
    ]
    solved = {"errors": {"csgm": {"25": 0.03, "100": 0.0123456}}}
    write_card(tmp_path / "b", {**card, "quality": solved})
    assert (
        succeed("priors").stdout.splitlines()[0].endswith("not measured  csgm at m = 100: 0.0123")
    )
    solved["errors"]["map"] = {"100": 0.002}
    write_card(tmp_path / "b", {**card, "quality": solved})
    assert succeed("priors").stdout.splitlines()[0].endswith("not measured  map at m = 100: 0.0020")
    write_card(tmp_path / "b", {})
    assert "unknown" in succeed("priors").stdout.splitlines()[0]
    (tmp_path / "b.json").write_text("[")
    assert "b.json is not a prior's card" in refuse("priors")


def test_no_prior_shipped_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "WEIGHTS", tmp_path)
    monkeypatch.setattr(cards, "outside_priors", dict)
    assert "no prior is shipped" in succeed("priors").stdout


def test_listing_imports_nothing_heavy():
    probe = (
        "import sys\nfrom ganprior.cli.main import cli\n"
        "for args in (['priors'], ['sample', '--help'], ['interpolate', '--help']):\n"
        "    try: cli.main(args)\n    except SystemExit as end: assert not end.code\n"
        "print('heavy:', *({'torch', 'numpy', 'deepinv', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy:"


def test_every_shipped_card_is_complete():
    for name in cards.prior_names():
        [line] = [x for x in succeed("priors").stdout.splitlines() if x.split()[0] == name]
        assert "unknown" not in line
        assert "not measured" not in line
