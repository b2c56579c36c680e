"""What the studio shows is what the command line computes; none of this needs Gradio."""

import io
import shlex
import zipfile
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganprior import Prior
from ganprior.cli.sample import draw_latents
from ganprior.studio import pictures
from ganprior.studio.question import Question, answers, archive, picture_of, solver_names
from ganprior.studio.walk import walk, walk_command
from tests.cases import tiny_dcgan
from tests.cli_cases import read_arrays, read_summary, refuse, succeed

PRIOR = "fashion-mnist-dcgan"
SOLVERS = ["lasso-dct", "tv"]


def png_of(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def drawing(size: int = 280) -> bytes:
    """A layer of an editor ten times as large as the image: opaque where something is drawn."""
    pixels = np.zeros((size, size, 4), np.uint8)
    pixels[100:150, 80:200] = 255, 0, 0, 255
    return png_of(pixels)


def question(mask: torch.Tensor | None) -> Question:
    pixels = pictures.test_picture(pictures.CLOTHES, 2, Prior.load(PRIOR))
    return Question(PRIOR, pixels, mask, 60, 0.05, 3)


@pytest.mark.parametrize("way", ["measured", "hole"])
def test_the_command_gives_what_is_seen(tmp_path, monkeypatch, way):
    mask = pictures.drawn_mask([drawing()], (28, 28)) if way == "hole" else None
    asked = question(mask)
    found = list(answers(asked, SOLVERS))
    with zipfile.ZipFile(io.BytesIO(archive(asked, found))) as saved:
        saved.extractall(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").rename(tmp_path / "seen")
    command = (tmp_path / "command.txt").read_text().strip()
    succeed(*shlex.split(command)[1:])
    arrays, rows = read_arrays(tmp_path / "results"), read_summary(tmp_path / "results")["rows"]
    for i, answer in enumerate(found):
        assert answer.x is not None
        np.testing.assert_allclose(arrays[f"solver_{i}"], answer.x, atol=1e-5)
        assert answer.row[1] == f"{rows[i]['per_pixel_error']:#.3g}"
        assert answer.row[5] == rows[i]["status"]
        assert (tmp_path / "seen" / f"{SOLVERS[i]}.png").is_file()


def test_a_solver_that_cannot_costs_the_others_nothing():
    [cannot, can] = answers(question(None), ["low-rank", "lasso-dct"])
    assert cannot.x is None
    assert "missing pixels only" in cannot.row[5]
    assert "\n" not in cannot.row[5]
    assert can.x is not None
    assert picture_of(question(None), [cannot, can]).height > 100


def test_every_solver_is_offered_that_needs_no_file():
    assert {"csgm", "auto", "posterior", "lasso-dct", "semantic"} <= set(solver_names())
    assert "nearest-patch" not in solver_names()


def test_what_says_how_sure_it_is_has_a_map():
    asked = question(None)
    [answer] = answers(asked, ["lasso-dct"])
    assert answer.x is not None
    sure = type(answer)(answer.solver, answer.x, torch.full_like(answer.x, 0.1), answer.row)
    assert picture_of(asked, [sure]).height > picture_of(asked, [answer]).height


def test_a_drawn_pixel_is_hidden_where_most_of_it_is_covered():
    mask = pictures.drawn_mask([drawing()], (28, 28))
    expected = torch.ones(1, 28, 28)
    expected[:, 10:15, 8:20] = 0
    assert torch.equal(mask, expected)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([], "nothing is hidden"),
        ([png_of(np.zeros((28, 28, 4), np.uint8))], "nothing is hidden"),
        ([png_of(np.full((28, 28, 4), 255, np.uint8))], "all of the picture"),
        ([b"%!PS-Adobe-3.0 EPSF-3.0"], "cannot be read as an image"),
    ],
    ids=["none", "clear", "full", "eps"],
)
def test_a_drawing_that_is_no_hole_is_refused(layers, words):
    with pytest.raises(ValueError, match=words):
        pictures.drawn_mask(layers, (28, 28))


def test_a_picture_of_any_size_and_depth_fits_the_prior(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (50, 40, 3)).astype(np.uint8)
    shown: dict[str, Any] = {
        "a.png": rgb,
        "b.PNG": rgb[..., 0],
        "c.png": rgb[..., 0].astype(np.uint16) * 257,
    }
    for name, pixels in shown.items():
        (tmp_path / name).write_bytes(png_of(pixels))
        found = pictures.visitors_picture(tmp_path / name, name, Prior.load(PRIOR))
        assert (found.shape, found.dtype) == ((1, 28, 28), torch.uint8)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.png", b"no picture"),
        ("a.png", png_of(np.zeros((9, 9), np.uint8))[:40]),
        ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0"),
        ("a.npz", b"PK"),
        ("a", b""),
    ],
    ids=["text", "truncated", "eps", "npz", "nothing"],
)
def test_a_bad_picture_is_one_line_that_names_no_path_of_the_server(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=r"^a") as refused:
        pictures.visitors_picture(tmp_path / name, f"/elsewhere/{name}", Prior.load(PRIOR))
    assert str(tmp_path) not in str(refused.value)
    assert "elsewhere" not in str(refused.value)


def test_test_images_suit_every_prior():
    colour = tiny_dcgan(latent_size=4, size=16, channels=3)
    for source in pictures.sources():
        assert pictures.test_picture(source, 105, colour).shape == (3, 16, 16)
    own = pictures.test_picture(pictures.DRAWN, 5, colour)
    expected = colour.render(draw_latents(colour, 1, 5))[0]
    torch.testing.assert_close(own / 255, expected.clamp(0, 1), atol=0.5 / 255 + 1e-6, rtol=0)


def test_a_walk_is_that_of_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    start, sheet = walk(Prior.load(PRIOR), 5, 0.0)
    end, _ = walk(Prior.load(PRIOR), 5, 1.0)
    succeed(*shlex.split(walk_command(PRIOR, 5))[1:])
    with Image.open("walk.png") as drawn:
        whole = np.asarray(drawn)
    shown = np.asarray(sheet)
    factor = (whole.shape[0] - 6) // 2 // 28
    assert shown.shape[0] == 2 * 86 + 2
    assert shown.shape[1] > 9 * 86 + 2
    for column, image in ((0, start), (8, end)):
        left = 2 + column * (28 * factor + 2)
        tile = whole[2 : 2 + 28 * factor : factor, left : left + 28 * factor : factor]
        np.testing.assert_allclose(tile.astype(int), image[0].numpy().astype(int), atol=1)


def test_a_missing_gradio_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'ganprior[studio]'" in refuse("studio")
