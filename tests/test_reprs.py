"""What objects say of themselves, in one line."""

import inspect
import io

import numpy as np
import pytest
import torch
from deepinv.physics import GaussianNoise, PoissonNoise
from PIL import Image

import ganprior
from ganprior import CSGM, Dense, Gaussian, Images, LassoDCT, demo_images, inpainting, make_physics
from tests.cases import tiny_dcgan


def test_a_solution_says_how_it_ended():
    prior = tiny_dcgan(latent_size=4, size=16)
    physics = Gaussian(20, (1, 16, 16), 0)
    y = physics.A(prior.sample(3, 0))
    found = CSGM(prior, restarts=1, steps=2).solve(y, physics)
    text = repr(found)
    assert text.startswith("Solution(3 images, 1 x 16 x 16: ")
    assert sum(int(word) for word in text.split(": ")[1].split("; ")[0].split()[::2]) == 3
    assert f"{float(found.measurement_error.max()):.3g})" in text


def test_images_say_what_they_are():
    text = repr(demo_images())
    assert text.startswith("Images(10 of 1 x 28 x 28, uint8")
    one = Images(torch.zeros(1, 3, 4, 5), ("a.png",), "0")
    assert repr(one) == "Images(1 of 3 x 4 x 5, float32: a.png)"


def test_a_prior_says_what_it_draws():
    prior = ganprior.Prior.from_module(torch.nn.Unflatten(1, (1, 2, 3)), 6, image_range=(-9, 9))
    assert repr(prior) == "Prior(1 x 2 x 3 images, 6 GaussianLatent)"
    assert "\n" not in repr(ganprior.Prior.load("fashion-mnist-dcgan"))


def test_a_solver_is_one_line():
    prior = tiny_dcgan(latent_size=4, size=16)
    assert repr(CSGM(prior, 0.5)) == f"CSGM({prior!r}, latent_weight=0.5)"
    assert "\n" not in repr(LassoDCT())
    assert repr(LassoDCT()).startswith("LassoDCT(")


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("gaussian:m=10", "Gaussian(m=10, img_size=(1, 28, 28), noise_std=0.1)"),
        ("structured:m=10", "StructuredRows(m=10, img_size=(1, 28, 28), noise_std=0.1)"),
        ("mri:acceleration=4", "SingleCoilMRI(acceleration=4.0, img_size=(1, 28, 28), "),
        ("mask:half=left", "Inpainting(m=392, img_size=(1, 28, 28), noise_std=0.1)"),
        ("downsample:factor=2", "Downsampling(factor=2, imsize=(1, 28, 28), noise_std=0.1)"),
        ("blur:sigma=1", "Blur(noise_std=0.1)"),
        ("identity", "Denoising(noise_std=0.1)"),
    ],
)
def test_a_physics_is_one_line(spec, text):
    made = make_physics(spec, (1, 28, 28), noise_model=GaussianNoise(0.1))
    assert repr(made).startswith(text)
    assert "\n" not in repr(made)


def test_a_physics_says_what_its_noise_is():
    matrix = torch.eye(4)
    levels = GaussianNoise(torch.tensor([0.1, 0.3, 0.2]))
    assert repr(Dense(matrix, (1, 2, 2))) == "Dense(m=4, img_size=(1, 2, 2), noise_std=0)"
    assert repr(Dense(matrix, (1, 2, 2), levels)).endswith("noise_std=0.1 to 0.3)")
    assert repr(Dense(matrix, (1, 2, 2), PoissonNoise())).endswith("noise_model=PoissonNoise)")
    assert repr(make_physics("gray", (3, 28, 28))) == "Decolorize(noise_std=0)"
    colours = inpainting(torch.ones(2, 1, 2, 2), (3, 2, 2))
    assert repr(colours) == "Inpainting(m=12, img_size=(3, 2, 2), noise_std=0)"


def test_help_opens_with_a_signature_that_can_be_read():
    assert "effort: 'Effort | tuple[Stage, ...] | str' = 'balanced'" in str(inspect.signature(CSGM))


def test_notebooks_show_pictures():
    prior = tiny_dcgan(latent_size=4, size=16)
    physics = Gaussian(20, (1, 16, 16), 0)
    found = CSGM(prior, restarts=1, steps=2).solve(physics.A(prior.sample(3, 0)), physics)
    side = 4 * 16 + 2
    for shown, columns in ((demo_images(), 10), (found, 3), (prior, 10)):
        data = shown._repr_png_()
        assert data is not None
        with Image.open(io.BytesIO(data)) as picture:
            zoomed = 2 * 28 + 2 if shown is not found and shown is not prior else side
            assert picture.size == (columns * zoomed + 2, zoomed + 2)
    many = Images(torch.zeros(30, 1, 4, 5), ("a",) * 30, "0")
    data = many._repr_png_()
    assert data is not None
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.height == 2 * (4 * 12 + 2) + 2


@pytest.fixture
def solution():
    prior = tiny_dcgan(latent_size=4, size=16)
    physics = Gaussian(20, (1, 16, 16), 0)
    return CSGM(prior, restarts=1, steps=2).solve(physics.A(prior.sample(2, 0)), physics)


def test_a_solution_is_saved_whole(solution, tmp_path):
    solution.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as saved:
        np.testing.assert_array_equal(saved["x"], solution.x)
        np.testing.assert_array_equal(saved["z"], solution.z)
        assert saved["status"].tolist() == [str(status) for status in solution.status]
        assert saved["settings_restarts"] == 1
        assert "std" not in saved
    solution.save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (2 * 18 + 2, 20)
    for suffix in ("pdf", "svg"):
        solution.save(tmp_path / f"a.{suffix}")
        assert (tmp_path / f"a.{suffix}").stat().st_size > 1000
    with pytest.raises(ValueError, match=r"a.doc is no name .* .npz, .png, .pdf, .svg"):
        solution.save(tmp_path / "a.doc")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "a.pdf", "a.png", "a.svg"]


def test_a_plot_has_errors_and_maps(solution):
    from matplotlib import pyplot

    alone, compared = solution.plot(), solution.plot(solution.x * 0.5)
    assert len(alone.axes) == 2
    assert len(compared.axes) == 6
    error = (solution.x.clamp(0, 1) - solution.x * 0.5).square().flatten(1).mean(1)
    assert compared.axes[2].get_xlabel() == f"error {float(error[0]):#.3g}"
    worst = (solution.x.clamp(0, 1) - solution.x * 0.5).abs().max()
    assert f"(white: {float(worst):.2g})" in compared.axes[4].get_ylabel()
    one = ganprior.plot({"a": solution.x[:1], "b": solution.x[:1]}, original=solution.x[:1])
    assert [place.get_title() for place in one.axes[:3]] == ["original", "a", "b"]
    pyplot.close("all")
    with pytest.raises(ValueError, match="all images must have one shape"):
        solution.plot(solution.x[:1])
    with pytest.raises(ValueError, match="must be a tensor of images"):
        ganprior.plot(torch.zeros(3, 4))
