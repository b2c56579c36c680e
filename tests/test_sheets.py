"""Contact sheets, pixel by pixel."""

import numpy as np
import pytest
import torch
from PIL import Image

from ganprior.sheets import contact_sheet, save_sheet


def test_images_stand_row_by_row_on_white():
    images = torch.tensor([0.0, 0.2, 0.4]).reshape(3, 1, 1, 1).expand(3, 1, 2, 3)
    sheet = np.asarray(contact_sheet(images, 2, gap=1))
    expected = np.full((2 * 3 + 1, 2 * 4 + 1), 255, np.uint8)
    expected[1:3, 1:4], expected[1:3, 5:8], expected[4:6, 1:4] = 0, 51, 102
    assert np.array_equal(sheet, expected)


def test_colours_zoom_and_clipping(tmp_path):
    pixels = torch.tensor([[2.0, -1.0], [0.0, 1.0]]).expand(1, 3, 2, 2).clone()
    pixels[:, 1:] = 0
    save_sheet(tmp_path / "sheet.png", pixels, 1, zoom=2)
    with Image.open(tmp_path / "sheet.png") as sheet:
        colours = np.asarray(sheet.convert("RGB"))
    assert colours.shape == (8, 8, 3)
    assert colours[2:6, 2:6, 0].tolist() == [[255, 255, 0, 0]] * 2 + [[0, 0, 255, 255]] * 2
    assert not colours[2:6, 2:6, 1:].any()


@pytest.mark.parametrize(
    ("shape", "columns"), [((0, 1, 2, 2), 1), ((2, 1, 2, 2), 0), ((1, 2, 2, 2), 1)]
)
def test_what_cannot_be_drawn_is_refused(shape, columns):
    with pytest.raises(ValueError, match="a sheet"):
        contact_sheet(torch.zeros(shape), columns)


def test_names_stand_to_the_right_of_their_rows():
    images = torch.zeros(2, 1, 40, 30)
    plain, named = (
        np.asarray(contact_sheet(images, 1, rows=rows)) for rows in ((), ("straight", ""))
    )
    assert np.array_equal(named[:, : plain.shape[1]], plain)
    beside = named[:, plain.shape[1] :]
    assert (beside[:42] < 128).any()
    assert (beside[42:] == 255).all()
