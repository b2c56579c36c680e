"""Quality of a prior: figures by hand, conditional priors, and what a card keeps."""

import pytest
import torch

from ganprior.datasets import Images
from ganprior.evaluation.evaluate import (
    draw_samples,
    evaluate_prior,
    share_read_as_asked,
    update_quality,
)
from ganprior.evaluation.features import Features
from ganprior.evaluation.representation import fit_latents, representation_error
from ganprior.evaluation.support import support_figures
from ganprior.metrics import diversity, frechet_distance
from ganprior.solvers import Adam, Descend, Effort, Polish, Random
from tests.cases import rng, tiny_dcgan
from tests.cases_conditional import conditional_mlp


def pixels(images):
    """Features of a few pixels, so that covariances have full rank."""
    return images.flatten(1)[:, ::9]


FEATURES = Features(pixels, "some pixels")
QUICK = Effort(Random(6), Descend(Adam(0.2, 0.05), 30), Polish(20))


def image_set(images, labels=None) -> Images:
    return Images(images, tuple(map(str, range(len(images)))), "sha", labels)


def test_figures_are_those_of_the_samples():
    prior, real = tiny_dcgan(), torch.rand(30, 1, 8, 8, generator=rng(1))
    result = evaluate_prior(prior, image_set(real), None, FEATURES, count=20, fitted=0)
    assert result.nearest is None
    assert result.figures["compared_images"] == 20
    assert result.figures["features"] == "some pixels"
    expected = frechet_distance(pixels(real[:20]), pixels(result.samples))
    assert result.figures["frechet_distance"] == pytest.approx(expected, rel=1e-3)
    assert result.figures["diversity"] == pytest.approx(diversity(result.samples), rel=1e-3)
    assert result.figures["real_diversity"] == pytest.approx(diversity(real[:20]), rel=1e-3)
    assert "representation_error" not in result.figures
    # Only the seed decides, and figures are short.
    again = evaluate_prior(prior, image_set(real), None, FEATURES, count=20, fitted=0)
    assert again.figures == result.figures
    other = evaluate_prior(prior, image_set(real), None, FEATURES, count=20, fitted=0, seed=1)
    assert other.figures["frechet_distance"] != result.figures["frechet_distance"]
    assert len(f"{result.figures['frechet_distance']:g}") <= 7


def test_samples_of_few_images_are_counted_as_few():
    prior, real = tiny_dcgan(), torch.rand(120, 1, 8, 8, generator=rng(1))
    training = torch.rand(200, 1, 8, 8, generator=rng(2))
    fake = torch.rand(5, 1, 8, 8, generator=rng(4))[torch.randint(5, (120,), generator=rng(3))]
    found = support_figures(pixels(training), pixels(fake), pixels(real))
    assert found["support_estimate"]["size"] == pytest.approx(5, rel=0.2)
    assert found["real_support_estimate"]["low"] > 500
    result = evaluate_prior(
        prior, image_set(real), image_set(training), FEATURES, count=100, fitted=0
    )
    assert result.figures["real_support_estimate"]["low"] > 500
    assert set(result.figures["support_estimate"]) == {"size", "low", "high"}


def test_a_prior_that_draws_its_training_images_is_shown_to_have_memorised_them():
    prior = tiny_dcgan()
    rest = torch.rand(20, 1, 8, 8, generator=rng(2))
    probe = evaluate_prior(prior, image_set(rest), None, None, count=10, fitted=0)
    training = torch.cat([rest[:5], probe.samples.flip(0), rest[5:10]])
    held_out = image_set(rest[10:])
    result = evaluate_prior(prior, held_out, image_set(training), None, count=10, fitted=0)
    assert result.figures["nearest_training_error"] == pytest.approx(0, abs=1e-9)
    assert result.figures["real_nearest_training_error"] > 0.01
    assert result.nearest is not None
    assert torch.allclose(result.nearest, result.samples)
    assert "frechet_distance" not in result.figures


def test_a_perfect_prior_has_perfect_figures():
    prior = tiny_dcgan()
    real = prior.sample(400, rng(1))
    figures = evaluate_prior(prior, image_set(real), None, FEATURES, count=400, fitted=2).figures
    assert figures["frechet_distance"] < 0.05
    assert figures["precision"] > 0.9
    assert figures["recall"] > 0.9
    assert figures["representation_error"] < 1e-6
    worse = (real * 0.5).square()
    far = evaluate_prior(prior, image_set(worse), None, FEATURES, count=400, fitted=0).figures
    assert far["frechet_distance"] > 10 * figures["frechet_distance"]
    assert far["recall"] < 0.5


def test_samples_in_chunks_are_all_drawn_and_labels_go_on(monkeypatch):
    monkeypatch.setattr("ganprior.evaluation.evaluate._CHUNK", 8)
    prior = conditional_mlp()
    seen = []

    class Reader:
        def read(self, images):
            seen.append(images)
            return prior.round_robin(len(images)) % 2

    # Chunks are of whole rounds, 6 images; labels 0 and 1 are read right, 2 is not.
    share = share_read_as_asked(prior, Reader(), 20, rng())  # type: ignore[arg-type]
    assert share == pytest.approx(14 / 20)
    assert [len(images) for images in seen] == [6, 6, 6, 2]
    drawn = draw_samples(prior, 20, rng(), pixels)
    assert torch.equal(drawn.first, torch.cat(seen))
    assert drawn.features.shape == (20, 4)


def test_images_of_a_conditional_prior_are_fitted_by_their_labels():
    prior = conditional_mlp(latent_size=2)
    z, labels = torch.randn(3, 2, generator=rng(1)), torch.tensor([2, 0, 2])
    images = prior.render(z, labels)
    assert representation_error(prior, images, labels, effort=QUICK).max() < 1e-6
    # An image keeps its starts, whatever the others are; of another class it is out of reach.
    alone = [
        representation_error(prior, images[:1], torch.tensor([label]), effort=QUICK)
        for label in (2, 1)
    ]
    assert alone[0] < 1e-6
    assert alone[1] > 1e-4
    with pytest.raises(ValueError, match="fitted to images by their labels"):
        fit_latents(prior, images)
    with pytest.raises(ValueError, match="--fitted 0"):
        evaluate_prior(prior, image_set(images), None, None)


def test_images_of_another_shape_are_refused():
    images = image_set(torch.zeros(5, 3, 8, 8))
    with pytest.raises(ValueError, match=r"\(1, 8, 8\), the data \(3, 8, 8\)"):
        evaluate_prior(tiny_dcgan(), images, None, None)


def test_a_card_keeps_the_first_figures_that_differ():
    card = {"quality": {"representation_error": 0.01, "how": "CSGM"}, "data": "MNIST"}
    same = update_quality(card, {"representation_error": 0.01, "recall": 0.5})
    assert "quality_before" not in same
    assert same["quality"] == {"representation_error": 0.01, "how": "CSGM", "recall": 0.5}
    new = update_quality(card, {"representation_error": 0.008})
    assert new["quality_before"] == card["quality"]
    assert new["quality"] == {"representation_error": 0.008, "how": "CSGM"}
    newer = update_quality(new, {"representation_error": 0.007})
    assert newer["quality_before"] == card["quality"]
    assert newer["data"] == "MNIST"
    assert card["quality"]["representation_error"] == 0.01
    assert update_quality({}, {"recall": 1.0}) == {"quality": {"recall": 1.0}}
