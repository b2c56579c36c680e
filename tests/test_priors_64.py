"""The priors of 64 x 64 pixels: cards, licences, size, and that solvers run with them.

Test images are generated, or the portrait of an astronaut: photographs of the sets stay outside.
"""

import re
from pathlib import Path

import pytest
import torch

from experiments.figures import load_figure
from experiments.rows import ROWS, read_csv
from ganprior import (
    CSGM,
    Gaussian,
    LassoDCT,
    Prior,
    SemanticInpainting,
    inpainting,
    load_images,
)
from ganprior.metrics import per_pixel_error, psnr
from ganprior.priors import find_prior, read_card
from ganprior.priors.places import RESEARCH_PRIORS
from ganprior.solvers import LBFGS, Descend, Effort, Random
from ganprior.training import load_recipe
from tests.cases import rng

ROOT = Path(__file__).parents[1]
NAMES = sorted([*RESEARCH_PRIORS, "brain-mri-64"])
MEGABYTE = 2**20
QUALITY = load_figure("bora2017/prior-quality-64")
QUICK = Effort(Random(2, tried=4), Descend(LBFGS(), 20, tolerance=0.03, window=5))


def astronaut(prior: Prior) -> torch.Tensor:
    """The portrait, in gray for a prior of gray images."""
    return load_images(ROOT / "data/astronaut_face_64.png", channels=prior.image_shape[0]).floats()


@pytest.mark.parametrize("name", NAMES)
class TestEach:
    def test_the_card_tells_what_a_user_needs(self, name):
        card = read_card(find_prior(name))
        assert card["image_shape"] == [1 if name == "brain-mri-64" else 3, 64, 64]
        assert len(card["data_sha256"]) == 64
        assert len(card["quality"]["images_sha256"]) == 64
        assert card["quality"]["images"] == "64 test images, the first ones"
        assert 0 < card["float16_largest_pixel_change"] < 1 / 255
        assert card["discriminator_output"] == "probability"

    def test_the_card_holds_the_recipe_of_the_package(self, name):
        card, recipe = read_card(find_prior(name)), load_recipe(name)
        ran, packaged = (
            dict(line.split(" = ", 1) for line in text.splitlines())
            for text in (card["recipe"], recipe.toml())
        )
        assert card["steps"] == recipe.steps
        # What to expect was written down afterwards; later recipes may have more values.
        assert {k for k in ran if ran[k] != packaged[k]} <= {"expected"}

    def test_files_are_small_and_a_sample_sheet_lies_beside(self, name):
        path = find_prior(name)
        assert path.stat().st_size < 13 * MEGABYTE
        assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")

    def test_the_measurements_are_of_these_weights(self, name):
        rows = read_csv(QUALITY.results / ROWS)
        hashes = {row["prior_sha256"] for row in rows if row["method"] == name}
        assert hashes == {Prior.load(name).card["weights_sha256"][:12]}

    def test_csgm_comes_near_a_generated_image(self, name):
        prior = Prior.load(name)
        x = prior.sample(2, rng(5)).clamp(0, 1)
        physics = Gaussian(500, prior.image_shape)
        y = physics.A(x)
        error = per_pixel_error(CSGM(prior, 0.0, effort=QUICK)(y, physics), x)
        mean = prior.sample(16, rng(6)).mean(0, keepdim=True).expand_as(x)
        assert (error < 0.5 * per_pixel_error(mean, x)).all()

    def test_semantic_inpainting_keeps_the_known_pixels_and_fills_the_hole(self, name):
        prior = Prior.load(name)
        x = prior.sample(1, rng(7)).clamp(0, 1)
        mask = torch.ones(1, 64, 64)
        mask[:, 24:40, 24:40] = 0
        physics = inpainting(mask, prior.image_shape)
        found = SemanticInpainting(prior, effort=QUICK)(physics.A(x), physics)
        known = mask.bool().expand_as(x)
        torch.testing.assert_close(found[known], x[known])
        gray = torch.full_like(x, 0.5)
        assert (found - x).square().sum() < (~known * (gray - x).square()).sum()


def test_the_measured_priors_are_these():
    assert {row["method"] for row in read_csv(QUALITY.results / ROWS)} == set(NAMES)


@pytest.mark.parametrize("name", RESEARCH_PRIORS)
def test_priors_for_research_only_lie_apart_and_say_so(name):
    path = find_prior(name)
    assert path.parent == ROOT / "data" / "priors" / name
    card, licence = read_card(path), (path.parent / "LICENSE").read_text("utf-8")
    for text in (card["licence"], licence.replace("\n", " ")):
        assert "research use" in text
        assert "o photograph of" in text
        assert "included" in text


def test_faces_stand_in_for_celeba_wherever_they_are_named():
    card = find_prior("faces-64").with_suffix(".json")
    named = ("ganprior/training/recipes/faces-64.toml", "README.md", "CHANGELOG.md")
    for path in (card, card.with_name("LICENSE"), *(ROOT / name for name in named)):
        text = " ".join(path.read_text("utf-8").replace("#", "").split())
        assert re.search(r"UTKFace.{0,80}stand(s|ing) in for CelebA", text), path
    assert read_card(card)["data"] == "UTKFace, standing in for CelebA"


def test_brain_mri_says_what_it_is_of():
    path = find_prior("brain-mri-64")
    card = read_card(path)
    assert "ODbL" in card["licence"]
    assert "ODbL" in path.with_name("LICENSE-brain-mri-64.txt").read_text("utf-8")
    for word in ("simulated", "phase-free", "subject"):
        assert word in card["limits"]


def test_faces_are_as_near_as_celebas_in_the_paper():
    assert read_card(find_prior("faces-64"))["quality"]["representation_psnr_of_mean_error"] >= 22.3


def test_the_astronaut_comes_back_better_than_by_lasso():
    prior = Prior.load("faces-64")
    x = astronaut(prior)
    physics = Gaussian(500, prior.image_shape)
    y = physics.A(x)
    ours = psnr(CSGM(prior, effort=QUICK)(y, physics), x)
    assert ours > psnr(LassoDCT()(y, physics), x) + 1
