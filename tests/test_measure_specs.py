"""Specs of the command line: what they build, what they refuse, and that reading one is light."""

import subprocess
import sys

import pytest
import torch

from ganprior.cli.measure_specs import MeasureSpec
from ganprior.physics import measurement_count

SHAPE = (1, 28, 28)
COUNTS = {
    "gaussian:m=100": 100,
    "structured:m=100": 100,
    "mask:center=0.25": 588,
    "mask:random=0.8": 157,
    "mask:half=left": 392,
    "mask:pattern=0.25": 588,
    "mask:grid=4": 49,
    "mask:holes=3": 592,
    "downsample:factor=4": 49,
    "blur:sigma=2": 784,
    # Less the imaginary parts at the two frequencies that mirror themselves.
    "mri:acceleration=4": 2 * 28 * 7 - 2,
    "identity": 784,
}
RANDOM = [
    "gaussian:m=100",
    "structured:m=100",
    "mask:random=0.8",
    "mask:pattern=0.25",
    "mask:holes=3",
    "mri:acceleration=4",
]


@pytest.mark.parametrize("text", COUNTS)
def test_every_spec_builds_its_physics(text):
    spec = MeasureSpec.parse(text)
    physics = spec.build(SHAPE, seed=0)
    assert spec.text == text
    assert measurement_count(physics, SHAPE) == COUNTS[text]
    assert physics.A(torch.rand(2, *SHAPE)).shape[0] == 2


@pytest.mark.parametrize("text", COUNTS)
def test_build_depends_on_the_seed_alone(text):
    x = torch.rand(1, *SHAPE)
    spec = MeasureSpec.parse(text)
    first, again, other = (spec.build(SHAPE, seed).A(x) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (text not in RANDOM)


def test_gray_measures_colour_alone_and_names_the_option_that_asked():
    spec = MeasureSpec.parse("gray", "--measured")
    assert measurement_count(spec.build((3, 8, 8), 0), (3, 8, 8)) == 64
    with pytest.raises(ValueError, match=r"^--measured gray: gray measures images of three"):
        spec.build(SHAPE, 0)


def test_options_have_the_type_of_the_library():
    assert MeasureSpec.parse("gaussian:m=100").options == {"m": 100}
    assert MeasureSpec.parse("mask:half=left").options == {"half": "left"}
    assert MeasureSpec.parse(" blur : sigma = 2 ").options == {"sigma": 2.0}
    assert MeasureSpec.parse("identity").options == {}


def test_mask_half_hides_the_side_named():
    physics = MeasureSpec.parse("mask:half=left").build((3, 8, 8), 0)
    y = physics.A(torch.ones(1, 3, 8, 8))
    assert not y[..., :4].any()
    assert y[..., 4:].all()


BAD = {
    "": "no name",
    ":m=3": "no name",
    "gausian:m=100": "unknown measurement 'gausian'; did you mean 'gaussian'?.*identity",
    "tomography": "unknown measurement 'tomography'; known: downsample",
    "gaussian": "option 'm' is missing",
    "gaussian:": "not key=value",
    "gaussian:m": "'m' in 'gaussian:m' is not key=value",
    "gaussian:m=": "not key=value",
    "gaussian:m=1,m=2": "'m' is given twice",
    "gaussian:n=100": "unknown option 'n'; .*known: m",
    "gaussian:m=0": "m must be a whole number of at least 1, got '0'",
    "gaussian:m=-5": "got '-5'",
    "gaussian:m=1.5": "whole number of at least 1, got '1.5'",
    "structured:m=many": "got 'many'",
    "mask": "exactly one of text, center, random, half, pattern, grid, holes, got none",
    "mask:center=0.2,random=0.2": "exactly one .* got center, random",
    "mask:centre=0.25": "unknown option 'centre'; did you mean 'center'?",
    "mask:center=1": "center must be a number at least 0 and below 1, got '1'",
    "mask:random=-0.1": "got '-0.1'",
    "mask:random=nan": "got 'nan'",
    "mask:half=lef": "unknown value of half 'lef'; did you mean 'left'?.*bottom",
    "downsample:factor=1": "at least 2, got '1'",
    "blur:sigma=0": "sigma must be a number above 0, got '0'",
    "blur:sigma=inf": "got 'inf'",
    "blur:sigma=1e308": r"between 1e-18 and 1e\+18 in size, got '1e308'",
    "mri:acceleration=0.5": "at least 1, got '0.5'",
    "identity:m=1": "unknown option 'm'; known: none",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_spec_is_refused_in_one_line(text):
    with pytest.raises(ValueError, match=BAD[text]) as caught:
        MeasureSpec.parse(text)
    assert str(caught.value).startswith("--measure")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        (
            "gaussian:m=785",
            SHAPE,
            "--measure gaussian:m=785: m must be a whole number between 1 and n=784",
        ),
        ("structured:m=785", SHAPE, "between 1 and n=784"),
        ("mask:center=0.999", SHAPE, "hides every pixel"),
        ("mask:random=0.9999", SHAPE, "hides every pixel"),
        ("downsample:factor=5", SHAPE, "divide the height and width .* got 5"),
        ("blur:sigma=20", SHAPE, "wider than the 28x28 image"),
        ("blur:sigma=1e17", SHAPE, r"sigma=1e\+17 needs a kernel wider than the 28x28 image"),
        ("mri:acceleration=29", SHAPE, "between 1 and the width 28"),
        ("mri:acceleration=4", (3, 28, 28), "one channel"),
    ],
)
def test_spec_that_does_not_suit_the_image_is_refused(text, shape, message):
    with pytest.raises(ValueError, match=message) as caught:
        MeasureSpec.parse(text).build(shape, 0)
    assert "\n" not in str(caught.value)


def test_reading_a_spec_imports_nothing_heavy():
    code = (
        "import sys; from ganprior.cli.measure_specs import MeasureSpec;"
        "MeasureSpec.parse('gaussian:m=100');"
        "print([name for name in ('torch', 'deepinv', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
