"""Measurements that are far from what a density expects: p-values, and ``unlike_prior``."""

import math

import pytest
import torch

from ganprior import MAP, Auto, Gaussian, Posterior, Prior, Status, load_images
from ganprior.evaluation.distances import distance_law
from ganprior.physics import add_noise
from ganprior.priors.distance_law import DistanceLaw
from ganprior.streams import Streams
from tests.cases import Dense, gaussian, rng
from tests.cases_density import SHAPE, as_mixture, linear_density

LAW = DistanceLaw((1.0, 10.0), (1.0, 2.0), (0.5, 0.3))
NOISE = 0.05


@pytest.fixture(scope="module")
def law():
    """How far images of the linear density measure, by some of them."""
    prior = linear_density()
    return distance_law(prior, as_mixture(prior).sample(60, rng(21)))


@pytest.fixture
def judging(law):
    """Linear density whose card knows images of its own law."""
    prior = linear_density()
    prior.card["density"] = {"distances": law.describe()}
    return prior


class TestLaw:
    def test_so_many_deviations_above_the_mean_of_the_logarithm(self):
        m = torch.tensor([5.0, 50.0]).double()
        middle = LAW.p_value(m * torch.tensor([1.0, 2.0]), m, 5)
        assert middle[0] == pytest.approx(0.5)
        assert middle[1] == pytest.approx(0.5)
        # Student's t of 8 degrees of freedom exceeds 4.501 once in a thousand times.
        far = 2 * math.exp(4.501 * 0.3 * math.sqrt(6 / 8))
        assert LAW.p_value(m[1:] * far, m[1:], 5).item() == pytest.approx(1e-3, rel=0.01)

    def test_what_noise_alone_explains_is_not_unlikely(self):
        law = DistanceLaw((1.0,), (0.01,), (0.01,))
        m = torch.tensor([20.0]).double()
        chi_square = torch.special.gammaincc(m / 2, m * 1.2 / 2)
        torch.testing.assert_close(law.p_value(m * 1.2, m, 5), chi_square)

    def test_a_card_gives_it_back_or_says_that_it_is_damaged(self):
        card = {"density": {"distances": LAW.describe(), "images": 5000}}
        assert DistanceLaw.of_card(card, "distances") == LAW
        assert DistanceLaw.of_card({"density": {}}, "distances") is None
        card["density"]["distances"]["spread"] = [0.5, -1]
        with pytest.raises(ValueError, match="density in the prior's card are damaged"):
            DistanceLaw.of_card(card, "distances")


def test_the_square_is_the_distance_under_the_law_of_y():
    """One Gaussian: (y - A mu)^T (A Sigma A^T + s^2 I)^-1 (y - A mu), closed form."""
    prior = linear_density(1)
    mixture, physics = as_mixture(prior), gaussian(12, SHAPE, dtype=torch.float64)
    y = add_noise(physics.A(mixture.sample(4, rng(1))), NOISE, Streams(0))
    A = (
        physics.matrix.double()
        if hasattr(physics, "matrix")
        else physics.A(torch.eye(36).double().reshape(36, *SHAPE)).T
    )
    root = mixture.square_roots()[0].T @ mixture.basis
    sigma = root.T @ root + torch.diag(mixture.diagonal)
    covariance = A @ sigma @ A.T + NOISE**2 * torch.eye(12).double()
    away = y - A @ mixture.mean()
    expected = (away * torch.linalg.solve(covariance, away.T).T).sum(1)
    found = MAP(prior, NOISE, steps=500).distances(y, physics)
    torch.testing.assert_close(found.square, expected, rtol=1e-3, atol=1e-3)
    assert found.m.tolist() == [12] * 4


@pytest.mark.parametrize("m", [8, 30])
def test_own_images_pass_and_others_and_another_a_do_not(judging, m):
    prior = judging
    own, physics = as_mixture(prior).sample(60, rng(5)), gaussian(m, SHAPE, dtype=torch.float64)
    solver = MAP(prior, NOISE)
    y = add_noise(physics.A(own), NOISE, Streams(1))
    found = solver.solve(y, physics)
    assert found.status.count(Status.UNLIKE_PRIOR) <= 1
    # Not all of the same p: so far they are probabilities.
    assert 0.2 < float((found.p_value < 0.5).double().mean()) < 0.8
    other = solver.solve(physics.A(own[:10] * 6 - 3), physics)
    assert set(other.status) == {Status.UNLIKE_PRIOR}
    assert "hardly any image" in other.status[0].advice.lower()
    # y is ten times what that A would give.
    wrong = Dense(0.1 * physics.A(torch.eye(36).double().reshape(36, *SHAPE)).T, SHAPE)
    assert set(solver.solve(y[:5], wrong).status) == {Status.UNLIKE_PRIOR}


@pytest.mark.parametrize(
    "kind",
    [
        Auto,
        Posterior,
        lambda prior, noise: Posterior(prior, noise, method="sampling", particles=32),
    ],
    ids=["auto", "laplace", "sampling"],
)
def test_the_other_solvers_say_the_same(judging, kind):
    prior = judging
    physics = gaussian(30, SHAPE, dtype=torch.float64)
    x = as_mixture(prior).sample(3, rng(5))
    x[1] = 6 * x[1] - 3
    y = physics.A(x)
    y[2, 0] = torch.nan
    found, known = kind(prior, NOISE).solve(y, physics), MAP(prior, NOISE).solve(y, physics)
    torch.testing.assert_close(found.p_value[:2], known.p_value[:2])
    assert found.p_value[2].isnan()
    assert found.status[1:] == (Status.UNLIKE_PRIOR, Status.NONFINITE)
    assert found.status[0] is not Status.UNLIKE_PRIOR


def test_a_prior_that_does_not_say_flags_nothing():
    prior = linear_density()
    physics = gaussian(30, SHAPE, dtype=torch.float64)
    found = MAP(prior, NOISE).solve(physics.A(as_mixture(prior).sample(2, rng(5)) * 9), physics)
    assert found.p_value is None
    assert Status.UNLIKE_PRIOR not in found.status


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match="1 images are too few"):
        distance_law(linear_density(), torch.zeros(1, *SHAPE))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("mnist-k64-vae", "data/mnist_test_100.npz"),
        ("fashion-mnist-k128-vae", "data/fashion_mnist_test_100.npz"),
    ],
)
def test_shipped_priors_know_their_own(name, data):
    """Whole counts are those of the figure ``density/trust``, with inverted clothes among them."""
    prior, x = Prior.load(name), load_images(data, limit=10).floats()
    physics = Gaussian(100, prior.image_shape, 1)
    solver = MAP(prior, components=1)
    assert Status.UNLIKE_PRIOR not in solver.solve(physics.A(x), physics).status
    if name.startswith("mnist"):
        assert set(solver.solve(physics.A(1 - x[:4]), physics).status) == {Status.UNLIKE_PRIOR}
