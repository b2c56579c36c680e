"""Poisson blending: dense least squares, both solvers, known pixels, what has nothing to blend."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import linalg
from torch import Tensor

from ganprior.baselines.blending import poisson_blend
from ganprior.physics import masks
from tests.cases import rng

METHODS = ("sparse", "conjugate-gradients")
SIZE = (1, 28, 28)
MASKS = {
    "center": masks.center(SIZE),
    "random": masks.random(SIZE, 0.8, rng(1)),
    "half": masks.half(SIZE, "left"),
    "pattern": masks.pattern(SIZE, 0.25, rng(2)),
    "grid": masks.grid(SIZE),
    "holes": masks.holes(SIZE, 4, 0.2, rng(3)),
    "corner": torch.ones(SIZE).index_fill_(1, torch.arange(5), 0),
}


def pair(count: int, shape: tuple[int, int, int], seed: int = 0) -> tuple[Tensor, Tensor]:
    """Generated images and images with known pixels, float32 in [0, 1]."""
    both = torch.rand(2, count, *shape, generator=rng(seed))
    return both[0], both[1]


def dense_blend(generated: Tensor, y: Tensor, mask: Tensor, screening: float) -> np.ndarray:
    """Least squares of one plane (H, W) over its hidden pixels, one row per pair of neighbours."""
    height, width = y.shape
    number = np.arange(height * width).reshape(height, width)
    pairs = [*zip(number[1:].flat, number[:-1].flat, strict=True)]
    pairs += [*zip(number[:, 1:].flat, number[:, :-1].flat, strict=True)]
    g, known = generated.double().numpy().ravel(), mask.bool().numpy().ravel()
    rows, values = np.zeros((len(pairs) + known.size, known.size)), []
    for row, (i, j) in enumerate(pairs):
        rows[row, i], rows[row, j] = 1, -1
        values.append(g[i] - g[j])
    rows[len(pairs) :] = np.sqrt(screening) * np.eye(known.size)
    right = np.concatenate([values, np.sqrt(screening) * g])
    x = np.where(known, y.double().numpy().ravel(), 0.0)
    x[~known] = linalg.lstsq(rows[:, ~known], right - rows[:, known] @ x[known])[0]
    return x.reshape(height, width)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("screening", [0.0, 0.3])
def test_it_is_the_least_squares_solution_of_each_channel(method, screening):
    generated, y = pair(2, (3, 7, 6))
    mask = torch.stack([masks.random((1, 7, 6), 0.6, rng(i)) for i in range(2)])
    x = poisson_blend(generated, y, mask, screening=screening, method=method)
    for image in range(2):
        for channel in range(3):
            place = (image, channel)
            dense = dense_blend(generated[place], y[place], mask[image, 0], screening)
            np.testing.assert_allclose(x[place], dense, atol=1e-5)


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("screening", [0.0, 0.05])
def test_both_solvers_agree_on_every_mask(name, screening):
    generated, y = pair(3, (3, 28, 28))
    mask = MASKS[name]
    sparse, other = (
        poisson_blend(generated, y, mask, screening=screening, method=method)  # type: ignore[arg-type]
        for method in METHODS
    )
    torch.testing.assert_close(sparse, other, rtol=0, atol=2e-6)
    assert not torch.equal(sparse, torch.where(mask.bool(), y, generated))


@pytest.mark.parametrize("method", METHODS)
def test_known_pixels_stay_bit_by_bit_and_inputs_unchanged(method):
    generated, y = pair(2, (3, 28, 28))
    y[:, :, 10, 10] = torch.nan  # Hidden pixels may hold anything.
    kept = generated.clone(), y.clone()
    x = poisson_blend(generated, y, MASKS["center"], method=method)
    known = MASKS["center"].bool().expand_as(y)
    assert torch.equal(x[known], y[known])
    assert x.isfinite().all()
    assert x.dtype == torch.float32
    torch.testing.assert_close((generated, y), kept, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("method", METHODS)
def test_a_generated_image_that_is_off_by_a_constant_comes_back_exactly(method):
    """Its gradients are those of the image: what blending is for."""
    _, y = pair(2, (3, 28, 28))
    x = poisson_blend(y + 0.2, y, MASKS["half"], method=method)
    torch.testing.assert_close(x, y, rtol=0, atol=2e-6)


def test_screening_keeps_the_generated_colour_far_from_the_boundary():
    generated, known = torch.full((1, 1, 64, 64), 0.2), torch.full((1, 1, 64, 64), 0.8)
    mask = masks.center((1, 64, 64), 0.5)
    plain, screened = (
        poisson_blend(generated, known, mask, screening=s)[0, 0, 32, 32] for s in (0.0, 0.1)
    )
    assert plain == pytest.approx(0.8, abs=1e-5)
    assert screened == pytest.approx(0.2, abs=1e-2)


@pytest.mark.parametrize("method", METHODS)
def test_an_image_alone_is_the_same_in_a_batch(method):
    generated, y = (part.double() for part in pair(3, (1, 28, 28)))
    own = torch.stack([MASKS["center"], MASKS["random"], MASKS["half"]])
    whole = poisson_blend(generated, y, own, method=method)
    for i in range(3):
        part = slice(i, i + 1)
        alone = poisson_blend(generated[part], y[part], own[part], method=method)
        torch.testing.assert_close(alone, whole[part], rtol=0, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_a_bad_image_disturbs_no_other(method):
    generated, y = pair(2, (1, 28, 28))
    clean = poisson_blend(generated, y, MASKS["center"], method=method)
    y[0, 0, 0, 0] = torch.nan
    y[0, 0, 6, 9] = torch.inf
    dirty = poisson_blend(generated, y, MASKS["center"], method=method)
    torch.testing.assert_close(dirty[1], clean[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_channel_with_no_known_or_no_hidden_pixel_has_nothing_to_blend(method):
    generated, y = pair(1, (2, 8, 8))
    mask = torch.stack([torch.zeros(8, 8), torch.ones(8, 8)])
    x = poisson_blend(generated, y, mask, method=method)
    assert torch.equal(x[:, 0], generated[:, 0])
    assert torch.equal(x[:, 1], y[:, 1])


@pytest.mark.parametrize("shape", [(1, 1, 1, 9), (1, 1, 9, 1)])
@pytest.mark.parametrize("method", METHODS)
def test_a_line_of_pixels_is_interpolated_linearly(method, shape):
    line = torch.linspace(0, 1, 9).reshape(shape)
    mask = torch.zeros(9)
    mask[[0, 8]] = 1
    x = poisson_blend(torch.zeros(shape), line, mask.reshape(shape), method=method)
    torch.testing.assert_close(x, line)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": torch.zeros(1, 1, 8, 9)}, "both be"),
        ({"screening": -1.0}, "screening must be"),
        ({"screening": float("nan")}, "screening must be"),
        ({"method": "magic"}, "method must be auto, sparse or conj"),
    ],
)
def test_bad_arguments_are_refused(changes, message):
    given = {"generated": torch.zeros(1, 1, 8, 8), "y": torch.zeros(1, 1, 8, 8)} | changes
    with pytest.raises(ValueError, match=message):
        poisson_blend(mask=masks.center((1, 8, 8)), **given)
