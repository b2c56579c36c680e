"""What objects say of themselves, in one line."""

import torch

import ganprior
from ganprior import CSGM, Gaussian, Images, demo_images
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
