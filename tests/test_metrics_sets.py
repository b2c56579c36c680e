"""Distances between sets of images: closed forms, scipy, torchmetrics, plain transcriptions."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import nn

from ganprior.metrics import (
    diversity,
    duplicate_distance,
    extract_features,
    frechet_distance,
    nearest_images,
    per_pixel_error,
    precision_recall,
    support_size,
)
from tests.cases import rng


def cloud(count: int, size: int, seed: int = 0) -> torch.Tensor:
    """Features with correlations and a mean of their own."""
    source = rng(seed)
    mix = torch.randn(size, size, generator=source)
    return torch.randn(count, size, generator=source) @ mix + torch.randn(size, generator=source)


def whitened(count: int, size: int) -> torch.Tensor:
    """Features whose sample mean is 0 and sample covariance I, exactly, in float64."""
    features = torch.randn(count, size, generator=rng(), dtype=torch.float64)
    features -= features.mean(0)
    factor = torch.linalg.cholesky(torch.cov(features.T))
    return torch.linalg.solve_triangular(factor, features.T, upper=False).T


def test_frechet_distance_of_two_gaussians_has_a_closed_form():
    white = whitened(50, 3)
    scale, shift = torch.tensor([2.0, 0.5, 3.0]), torch.tensor([1.0, -2.0, 0.5])
    # Covariances that commute: |shift|^2 + sum (1 - scale)^2.
    expected = shift.square().sum() + (1 - scale).square().sum()
    assert frechet_distance(white, white * scale + shift) == pytest.approx(float(expected))


def test_frechet_distance_is_scipys_matrix_root():
    real, fake = cloud(40, 6).double(), cloud(50, 6, seed=1).double()
    c, d = np.cov(real.T), np.cov(fake.T)
    expected = (real.mean(0) - fake.mean(0)).square().sum() + np.trace(
        c + d - 2 * scipy.linalg.sqrtm(c @ d).real
    )
    assert frechet_distance(real, fake) == pytest.approx(float(expected), rel=1e-9)
    assert frechet_distance(fake, real) == pytest.approx(float(expected), rel=1e-9)


def test_frechet_distance_is_torchmetrics_with_the_same_extractor():
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Extractor(nn.Module):
        num_features = 5

        def __init__(self):
            super().__init__()
            self.weight = torch.randn(48, 5, generator=rng(4))

        def forward(self, x):
            return (x.flatten(1) @ self.weight).tanh()

    source = rng(7)
    real = torch.rand(30, 3, 4, 4, generator=source)
    fake = torch.rand(20, 3, 4, 4, generator=source) ** 2
    theirs = FrechetInceptionDistance(Extractor(), normalize=True)
    theirs.update(real, real=True)
    theirs.update(fake, real=False)
    features = [extract_features(Extractor(), images, chunk=7) for images in (real, fake)]
    assert frechet_distance(*features) == pytest.approx(float(theirs.compute()), rel=1e-5)


def test_frechet_distance_of_few_or_broken_features():
    few = cloud(4, 10)  # a covariance of rank 3
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-4)
    assert frechet_distance(few, few + 1) == pytest.approx(10, rel=1e-5)
    assert math.isnan(frechet_distance(few, few * math.nan))
    with pytest.raises(ValueError, match="at least 2 images"):
        frechet_distance(few, few[:1])
    with pytest.raises(ValueError, match="one extractor"):
        frechet_distance(few, few[:, :3])


def brute_share(points: np.ndarray, manifold: np.ndarray, k: int) -> float:
    """Equations 1 and 2 of Kynkäänniemi et al. word by word."""
    inside = 0
    for point in points:
        found = False
        for i, centre in enumerate(manifold):
            others = np.delete(manifold, i, axis=0)
            nearest = np.sort(np.sqrt(((others - centre) ** 2).sum(1)))[k - 1]
            found = found or np.sqrt(((point - centre) ** 2).sum()) <= nearest
        inside += found
    return inside / len(points)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_and_recall_are_the_papers(k):
    real, fake = (
        torch.randn(40, 3, generator=rng()),
        torch.randn(30, 3, generator=rng(1)) * 0.7 + 1.3,
    )
    expected = (
        brute_share(fake.numpy(), real.numpy(), k),
        brute_share(real.numpy(), fake.numpy(), k),
    )
    assert 0 < min(expected) < max(expected) < 1
    assert precision_recall(real, fake, k) == pytest.approx(expected, abs=1e-12)


def test_extremes_of_precision_and_recall():
    real = torch.randn(50, 4, generator=rng())
    assert precision_recall(real, real) == (1, 1)
    assert precision_recall(real, real + 100) == (0, 0)
    # Two clusters of which one is drawn: all good, half missing.
    both = torch.cat([real, real + 100])
    assert precision_recall(both, real) == (1, 0.5)
    assert precision_recall(real, both) == (0.5, 1)
    assert all(math.isnan(share) for share in precision_recall(real, real * math.nan))
    with pytest.raises(ValueError, match="at least 4 images"):
        precision_recall(real, real[:3])
    with pytest.raises(ValueError, match="neighbours must be at least 1, got 0"):
        precision_recall(real, real, 0)


@pytest.mark.parametrize("size", [50, 500])
def test_the_size_of_a_known_support_is_within_its_interval(size, monkeypatch):
    monkeypatch.setattr("ganprior.metrics.support._CHUNK", 300)
    images = torch.randn(size, 20, generator=rng())
    distance = duplicate_distance(torch.randn(1000, 20, generator=rng(1)))
    held = 0
    for seed in range(20):
        drawn = images[torch.randint(size, (1000,), generator=rng(seed))]
        # The same image is not drawn to the last bit.
        found = support_size(drawn + 1e-3 * torch.rand(1000, 20, generator=rng(2)), distance)
        assert found.size == 1000 * 999 / 2 / found.pairs
        assert found.size == pytest.approx(size, rel=0.25)
        held += found.low <= size <= found.high
    assert held >= 14


def test_pairs_nearer_than_the_distance_are_counted_once(monkeypatch):
    monkeypatch.setattr("ganprior.metrics.support._CHUNK", 2)
    points = torch.tensor([[0.0], [0.0], [0.5], [3.0], [7.0]])
    assert support_size(points, 0).pairs == 1
    assert support_size(points, 0.5).pairs == 3
    none = support_size(points[2:], 1)
    assert (none.pairs, none.size, none.high) == (0, math.inf, math.inf)
    # No pair of three: the mean number of pairs is below 3.0 with 95% confidence.
    assert none.low == pytest.approx(3 / -math.log(0.05))
    # Distances to the nearest other one: 0, 0, 0.5, 2.5, 4.
    assert duplicate_distance(points, share=0.5) == pytest.approx(0.5, abs=1e-6)
    for wrong in (lambda: support_size(points[:1], 1), lambda: duplicate_distance(points[:1])):
        with pytest.raises(ValueError, match="two or more images"):
            wrong()
    with pytest.raises(ValueError, match="share must be between 0 and 1, got 1"):
        duplicate_distance(points, share=1)
    with pytest.raises(ValueError, match="distance must be 0 or more, got nan"):
        support_size(points, math.nan)


def test_diversity_is_the_mean_distance_of_pairs():
    x = torch.rand(5, 2, 3, 4, generator=rng())
    pairs = [(x[i] - x[j]).square().mean().sqrt() for i in range(5) for j in range(i)]
    assert diversity(x) == pytest.approx(float(torch.stack(pairs).mean()), rel=1e-5)
    assert diversity(x[:1].expand(4, -1, -1, -1)) == pytest.approx(0, abs=1e-6)
    assert diversity(torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)])) == pytest.approx(1)
    with pytest.raises(ValueError, match="got 1"):
        diversity(x[:1])


@pytest.mark.parametrize("as_bytes", [True, False])
def test_the_nearest_images_are_found_over_all_chunks(as_bytes, monkeypatch):
    monkeypatch.setattr("ganprior.metrics.nearest._CHUNK", 4)
    pixels = torch.randint(0, 256, (11, 1, 3, 3), generator=rng(), dtype=torch.uint8)
    floats = pixels.float() / 255
    places = torch.tensor([10, 0, 5, 7])
    images = (floats[places] + 0.01).clamp(0, 1)
    found = nearest_images(images, pixels if as_bytes else floats)
    assert torch.equal(found.place, places)
    expected = per_pixel_error(images, floats[places])
    assert torch.allclose(found.per_pixel_error.float(), expected, atol=1e-6)
    with pytest.raises(ValueError, match="one shape"):
        nearest_images(images, pixels[:, :, :2])


def test_features_are_of_clipped_images_and_bytes_are_scaled():
    x = torch.rand(7, 1, 3, 3, generator=rng()) * 3 - 1
    features = extract_features(lambda b: b, x, chunk=2)
    assert torch.equal(features, x.clamp(0, 1).flatten(1))
    pixels = torch.tensor([[[[0, 51], [102, 255]]]], dtype=torch.uint8)
    assert torch.allclose(extract_features(lambda b: b, pixels), torch.tensor([[0, 0.2, 0.4, 1]]))
