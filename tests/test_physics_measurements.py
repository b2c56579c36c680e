"""How many numbers are measured, with which noise, and what is refused."""

import math

import deepinv
import pytest
import torch

from ganprior.physics import (
    Dense,
    Gaussian,
    SingleCoilMRI,
    StructuredRows,
    add_noise,
    blur,
    cartesian_mask,
    downsampling,
    inpainting,
    masks,
    measurement_count,
)
from ganprior.streams import Streams
from tests.cases_physics import ANY_BATCH, images, make

pytestmark = pytest.mark.filterwarnings("ignore:Casting complex values to real")


# --- Counting measurements -------------------------------------------------------------------

COUNTS = {
    "gaussian": 30,
    "dense, m > n": 140,
    "mask center": 120 - 6 * 5,
    "mask random": 3 * (64 - 51),
    "mask half": 60,
    "mask per channel": 3 * 8,
    "downsample": 3 * 2 * 2,
    "blur": 120,
    # Of two lines of 12, less the imaginary parts at the two frequencies that mirror themselves.
    "mri": 2 * 12 * 2 - 2,
    "structured": 40,
    "gray": 64,
    "identity": 120,
}


@pytest.mark.parametrize("name", COUNTS)
def test_measurement_count(name):
    physics, size = make(name)
    assert measurement_count(physics, size) == COUNTS[name]


def test_measurement_count_of_one_mask_per_image():
    mask = torch.ones(3, 1, 4, 4)
    mask[0, :, 0], mask[1, :, :, :2] = 0, 0
    counts = measurement_count(inpainting(mask, (2, 4, 4)), (2, 4, 4))
    assert isinstance(counts, torch.Tensor)
    assert counts.tolist() == [24, 16, 32]


def test_measurement_count_of_other_peoples_physics():
    class Squares:
        def A(self, x):
            return torch.complex(x, 2 * x).flatten(1)[:, :7] ** 2

    assert measurement_count(Squares(), (1, 4, 4)) == 14
    retrieval = deepinv.physics.RandomPhaseRetrieval(m=9, img_size=(1, 4, 4), dtype=torch.float32)
    assert measurement_count(retrieval, (1, 4, 4)) == 9
    coils = deepinv.physics.MultiCoilMRI(
        mask=torch.eye(4)[None], coil_maps=torch.ones(3, 4, 4).to(torch.complex64)
    )
    assert measurement_count(coils, (2, 4, 4)) == 2 * 3 * 4


# --- Noise -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ANY_BATCH)
def test_noise_depends_on_seed_and_index_alone(name):
    physics, size = make(name)
    y = physics.A(images(size))
    before = y.clone()
    whole = add_noise(y, 0.3, Streams(5, [10, 11, 12]), physics)
    parts = [add_noise(y[i : i + 1], 0.3, Streams(5, [10 + i]), physics) for i in (0, 1, 2)]
    assert torch.equal(whole, torch.cat(parts))
    assert torch.equal(y, before)
    assert whole.dtype == y.dtype
    assert not torch.equal(whole, add_noise(y, 0.3, Streams(6, [10, 11, 12]), physics))


@pytest.mark.parametrize("name", ["mask random", "mask per image", "mri"])
def test_noise_falls_on_measured_entries_only(name):
    physics, size = make(name)
    y = physics.A(images(size))
    noise = add_noise(y, 0.3, Streams(0), physics) - y
    measured = physics.mask.expand_as(y) == 1
    assert not noise[~measured].any()
    # In two imaginary parts, of a real image's spectrum where it mirrors itself, nothing is.
    assert (noise[measured] == 0).sum() == (6 if name == "mri" else 0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex128])
def test_noise_has_the_standard_deviation_asked_for(dtype):
    y = torch.zeros(4, 5000, dtype=dtype)
    noise = add_noise(y, 0.2, Streams(1))
    real = torch.view_as_real(noise) if noise.is_complex() else noise
    assert noise.dtype == dtype
    assert abs(real.std() - 0.2) < 0.004
    assert not torch.equal(noise[0], noise[1])


def test_no_noise_is_a_copy():
    y = torch.ones(2, 3)
    same = add_noise(y, 0, Streams(0))
    assert torch.equal(same, y)
    assert same is not y


# --- Bad input -------------------------------------------------------------------------------

SIZE = (1, 8, 8)
HALF_MASK = torch.full((8, 8), 0.5)
STACKED = deepinv.physics.stack(Gaussian(3, SIZE), Gaussian(4, SIZE))

BAD = {
    "m = 0": (lambda: Gaussian(0, SIZE), "m=0"),
    "m = True": (lambda: Gaussian(True, SIZE), "m=True"),
    "m > n": (lambda: Gaussian(65, SIZE), "between 1 and n=64.*m=65"),
    "structured m = 0": (lambda: StructuredRows(0, SIZE), "m=0"),
    "structured m > n": (lambda: StructuredRows(65, SIZE), "between 1 and n=64.*m=65"),
    "size of two": (lambda: Gaussian(5, (8, 8)), r"channels, height, width.*\(8, 8\)"),
    "matrix of wrong width": (lambda: Dense(torch.rand(4, 63), SIZE), r"\(m, 64\).*\(4, 63\)"),
    "matrix of no rows": (lambda: Dense(torch.rand(0, 64), SIZE), "m at least 1"),
    "matrix of integers": (lambda: Dense(torch.ones(4, 64).long(), SIZE), r"int64.*\.float\(\)"),
    "matrix with NaN": (lambda: Dense(torch.full((4, 64), math.nan), SIZE), "NaN or infinite"),
    "matrix with inf": (lambda: Dense(torch.full((4, 64), math.inf), SIZE), "NaN or infinite"),
    "x of wrong size": (lambda: Gaussian(5, SIZE).A(torch.rand(1, 1, 7, 8)), r"8, 8.*7, 8"),
    "x of wrong type": (
        lambda: Gaussian(5, SIZE).A(torch.rand(1, *SIZE).double()),
        r"x is torch.float64.*physics.to\(torch.float64\)",
    ),
    "y of wrong length": (lambda: Gaussian(5, SIZE).A_adjoint(torch.rand(1, 6)), r"batch, 5"),
    "structured y": (lambda: StructuredRows(5, SIZE).A_adjoint(torch.rand(1, 6)), r"batch, 5"),
    "fraction 1": (lambda: masks.random(SIZE, 1.0), r"\[0, 1\), got 1.0"),
    "fraction nan": (lambda: masks.center(SIZE, math.nan), r"\[0, 1\), got nan"),
    "center hides all": (lambda: masks.center(SIZE, 0.99), "hides every pixel"),
    "random hides all": (lambda: masks.random(SIZE, 0.999), "hides every pixel"),
    "pattern hides all": (lambda: masks.pattern(SIZE, 0.999), "hides every pixel"),
    "half of what": (
        lambda: masks.half(SIZE, "middle"),  # type: ignore[arg-type]
        "left, right, top, bottom.*'middle'",
    ),
    "mask hides all": (lambda: inpainting(torch.zeros(8, 8), SIZE), "hides every pixel"),
    "mask hides one image": (
        lambda: inpainting(torch.tensor([1.0, 0.0])[:, None, None, None].expand(2, 1, 8, 8), SIZE),
        "hides every pixel of an image",
    ),
    "mask of no images": (lambda: inpainting(torch.ones(0, 1, 8, 8), SIZE), "mask must have shape"),
    "mask of wrong size": (lambda: inpainting(torch.ones(7, 8), SIZE), r"\(7, 8\)"),
    "mask of wrong channels": (lambda: inpainting(torch.ones(2, 8, 8), SIZE), r"\(2, 8, 8\)"),
    "mask of five axes": (lambda: inpainting(torch.ones(1, 1, 1, 8, 8), SIZE), "mask must have"),
    "mask of greys": (lambda: inpainting(HALF_MASK, SIZE), "only 1 .* and 0"),
    "mask of NaN": (lambda: inpainting(HALF_MASK * math.nan, SIZE), "only 1 .* and 0"),
    "factor 1": (lambda: downsampling(SIZE, 1), "at least 2.*got 1"),
    "factor that divides not": (lambda: downsampling(SIZE, 3), r"divide.*got 3"),
    "sigma 0": (lambda: blur(SIZE, 0), "above 0"),
    "sigma infinite": (lambda: blur(SIZE, math.inf), "above 0"),
    "sigma too large": (lambda: blur(SIZE, 5), "wider than the 8x8 image"),
    "mri of colour": (lambda: SingleCoilMRI(torch.ones(8, 8), (3, 8, 8)), "one channel"),
    "mri of nothing": (lambda: SingleCoilMRI(torch.zeros(8, 8), SIZE), "hides every"),
    "acceleration 0.5": (lambda: cartesian_mask(SIZE, 0.5), "between 1 and the width 8"),
    "acceleration above W": (lambda: cartesian_mask(SIZE, 9), "between 1 and the width 8"),
    "negative noise": (lambda: add_noise(torch.ones(1, 2), -1, Streams(0)), "got -1"),
    "infinite noise": (lambda: add_noise(torch.ones(1, 2), math.inf, Streams(0)), "got inf"),
    "stacked count": (lambda: measurement_count(STACKED, SIZE), "one tensor, got TensorList"),
    "stacked noise": (
        lambda: add_noise(STACKED.A(torch.rand(1, *SIZE)), 0.1, Streams(0)),
        "one tensor, got TensorList",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_one_line(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_blur_far_below_a_pixel_changes_nothing():
    x = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(3))
    for sigma in (1e-320, 1e-200, 1e-3):
        torch.testing.assert_close(blur((1, 8, 8), sigma).A(x), x)
