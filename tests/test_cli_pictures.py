"""``ganprior inpaint`` writes every result as a picture of its own, under a valid file name."""

import numpy as np
import pytest
import torch
from PIL import Image

from ganprior.cli.pictures import file_names, picture_files, write_pictures
from tests.cli_cases import SIDE, save_images, save_prior, succeed


def pixels(path):
    with Image.open(path) as picture:
        return np.array(picture)


def test_pixels_are_those_of_the_result_clipped(tmp_path):
    x = torch.tensor([-0.2, 0.0, 0.5, 1.0, 1.3, torch.nan]).reshape(1, 1, 2, 3)
    colour = torch.rand(1, 3, 2, 3, generator=torch.Generator().manual_seed(0))
    write_pictures(tmp_path, ["images/a.png", "images/b.png"], [x[0], colour[0]])
    first, second = (tmp_path / "images" / name for name in ("a.png", "b.png"))
    assert pixels(first).tolist() == [[0, 0, 128], [255, 255, 0]]
    assert pixels(second).shape == (2, 3, 3)
    expected = (colour[0].permute(1, 2, 0) * 255).round().byte().numpy()
    np.testing.assert_array_equal(pixels(second), expected)


@pytest.mark.parametrize(
    ("names", "solvers", "expected"),
    [
        (["old photo.JPG"], ["semantic:steps=5"], ["old-photo-semantic"]),
        (["x.npz[3]", "x.npz[4]"], ["tv"], ["x-3-tv", "x-4-tv"]),
        (["x.JFIF", "y.pbm"], ["tv"], ["x-tv", "y-tv"]),
        (["a/x.png", "b/x.png"], ["tv"], ["a-x-tv", "b-x-tv"]),
        (["x.png", "x.jpg"], ["tv"], ["x.png-tv", "x.jpg-tv"]),
        (["x"], ["tv", "tv:weight=0.1"], ["x-tv", "x-tv-weight=0.1"]),
        (["x"], ["nearest-patch:images=/tmp/train"], ["x-nearest-patch"]),
        (["../.."], ["tv"], ["image-tv"]),
    ],
)
def test_names(names, solvers, expected):
    assert picture_files(names, solvers) == [f"images/{name}.png" for name in expected]


def test_equal_names_are_numbered():
    assert file_names(["a b", "a-b", "c"], ["a b", "a-b", "c"]) == ["a-b-0", "a-b-1", "c"]


def test_a_user_with_a_damaged_picture_gets_a_picture(tmp_path):
    original = (255 * np.load(save_images(tmp_path / "i.npz"))["images"][0, 0]).astype(np.uint8)
    stroke = np.zeros((SIDE, SIDE), np.uint8)
    stroke[5:8, 3:12] = 255
    Image.fromarray(np.maximum(original, stroke)).save(tmp_path / "scratched.png")
    Image.fromarray(stroke).save(tmp_path / "stroke.png")
    done = succeed(
        "inpaint", tmp_path / "scratched.png", "--mask", tmp_path / "stroke.png", "--damaged",
        "--prior", save_prior(tmp_path), "--solver", "semantic:restarts=2,steps=5",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert str(tmp_path / "out" / "images") in done.stdout
    images = {path.name: pixels(path) for path in (tmp_path / "out" / "images").iterdir()}
    assert set(images) == {"scratched-semantic.png", "scratched-semantic-raw.png"}
    blended = images["scratched-semantic.png"]
    np.testing.assert_array_equal(blended[stroke == 0], original[stroke == 0])
    assert (blended[stroke > 0] < 255).all()
