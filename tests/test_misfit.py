"""Solutions that leave far more of y than those of a prior's own data."""

from __future__ import annotations

import copy
import math

import pytest
import torch

from ganprior import CSGM, LassoDCT, Prior, SemanticInpainting, Status, load_images
from ganprior.physics import Gaussian, add_noise, blur, facts, identity, inpainting, masks
from ganprior.priors import prior_names
from ganprior.priors.residual_law import ResidualLaw
from ganprior.solvers import Adam, Descend, Random
from ganprior.solvers.misfit import residual_of, residual_squares
from ganprior.streams import Streams
from tests.cases import Dense, linear_prior, rng, tiny_dcgan

SHAPE = (1, 28, 28)
KEY = ResidualLaw.KEY
DIGITS, CLOTHES = "data/mnist_test_100.npz", "data/fashion_mnist_test_100.npz"
LAW = ResidualLaw((1.0, 10.0), (0.02, 0.04), (0.1, 0.2))


class TestLaw:
    def test_it_is_linear_in_the_logarithm_between_rows_and_constant_outside(self):
        mean, limit = LAW.at(torch.tensor([0.1, 1, math.sqrt(10), 10, 1000]))
        assert mean.tolist() == pytest.approx([0.02, 0.02, 0.03, 0.04, 0.04])
        assert limit.tolist() == pytest.approx([0.1, 0.1, 0.15, 0.2, 0.2])

    def test_a_card_gives_it_back(self):
        card = {KEY: {"least-squares": LAW.describe(), "images": "10 of them"}}
        assert ResidualLaw.of_card(card, "least-squares") == LAW
        assert ResidualLaw.of_card(card, "semantic") is None
        assert ResidualLaw.of_card({}, "semantic") is None

    @pytest.mark.parametrize(
        "stated",
        [
            [1],
            "much",
            {"least-squares": 3},
            {"least-squares": {"mean": [1]}},
            {"least-squares": {**LAW.describe(), "mean": ["a", "b"]}},
            {"least-squares": {**LAW.describe(), "mean": [0.1]}},
            {"least-squares": {**LAW.describe(), "limit": [0.1, math.nan]}},
            {"least-squares": {**LAW.describe(), "limit": [0.1, -1]}},
            {"least-squares": {**LAW.describe(), "measurements_per_latent_entry": [10, 1]}},
            {"least-squares": {row: [] for row in ResidualLaw.rows()}},
        ],
    )
    def test_a_damaged_card_is_refused_in_one_line(self, stated):
        with pytest.raises(ValueError, match="residuals in the prior's card are damaged") as caught:
            ResidualLaw.of_card({KEY: stated}, "least-squares")
        assert "\n" not in str(caught.value)


class TestResidual:
    """Of a linear prior whose images are all that it is asked for."""

    def prior(self, limit: float = 0.01) -> Prior:
        prior = linear_prior(5, (1, 6, 6))
        law = ResidualLaw((1.0,), (limit / 4,), (limit,))
        prior.card |= {KEY: {"least-squares": law.describe()}}
        return prior

    def measured(self, count: int, c: float = 1.0) -> tuple[torch.Tensor, Dense]:
        matrix = torch.randn(30, 36, generator=rng(), dtype=torch.float64)
        physics = Dense(c * matrix, (1, 6, 6))
        return self.prior().render(self.prior().latent.sample(count, 1)), physics

    def test_what_is_planted_fits_and_another_a_does_not(self):
        x, physics = self.measured(20)
        other = Dense(physics.matrix.flip(0), (1, 6, 6))
        solver = CSGM(self.prior(), 0.0)
        assert Status.MISFIT not in solver.solve(physics.A(x), physics).status
        assert set(solver.solve(physics.A(x), other).status) == {Status.MISFIT}

    def test_it_is_what_deviates_and_what_noise_leaves(self):
        """||y - A x||^2 for x + 0.1 x, and noise of 0.05: what is expected of both is known."""
        x, physics = self.measured(500)
        x = x / x.square().mean((1, 2, 3), keepdim=True).sqrt()
        y = add_noise(physics.A(1.1 * x), 0.05, Streams(0))
        known = facts(physics, (1, 6, 6), count=500, like=y)
        law = ResidualLaw((1.0,), (0.01,), (0.02,))
        found = residual_of(x, y, physics, known, law, 5, 0.05)
        left = (y - physics.A(x)).square().sum(1)
        torch.testing.assert_close(found.relative.square(), left / y.square().sum(1))
        assert found.expected is not None
        expected = found.expected.square() * y.square().sum(1)
        # s is the larger of two that agree on average.
        assert float(expected.mean()) == pytest.approx(float(left.mean()), rel=0.15)
        assert found.misfit.double().mean() <= 0.01

    def test_of_a_blur_and_of_a_hole_the_larger_size_counts(self):
        x = load_images(DIGITS, limit=5).floats()
        for physics in (blur(SHAPE, 1), inpainting(masks.center(SHAPE), SHAPE)):
            y = physics.A(x)
            known = facts(physics, SHAPE, count=5, like=y)
            left, size = residual_squares(0.9 * x, y, physics, known)
            squares = y.double().square().flatten(1).sum(1)
            torch.testing.assert_close(left, 0.01 * squares, rtol=1e-4, atol=0)
            image = 0.81 * x.double().square().flatten(1).sum(1)
            shown, even = 0.81 * squares, known.scale * image
            brightness = (image / 784).sqrt()
            expected = torch.maximum(shown, even) / brightness
            torch.testing.assert_close(size, expected, rtol=1e-4, atol=0)
        assert (even > shown).all()  # most of a digit is in the hole

    @pytest.mark.parametrize("c", [1e-3, 1e3])
    def test_units_change_nothing(self, c):
        x, physics = self.measured(3)
        _, scaled = self.measured(3, c)
        y = physics.A(x + 0.1)
        ours = CSGM(self.prior(), noise_std=0.01).solve(y, physics)
        other = CSGM(self.prior(), noise_std=0.01 * c).solve(c * y, scaled)
        for name in ("relative_residual", "expected_residual"):
            torch.testing.assert_close(getattr(other, name), getattr(ours, name), rtol=1e-3, atol=0)
        assert other.status == ours.status

    def test_noise_that_is_stated_is_no_misfit_and_noise_that_is_not_is_one(self):
        x, _ = self.measured(8)
        physics = Gaussian(36, (1, 6, 6), dtype=torch.float64)
        y = add_noise(physics.A(x), 3.0, Streams(0))
        told = CSGM(self.prior(), 0.0, noise_std=3.0).solve(y, physics)
        untold = CSGM(self.prior(), 0.0).solve(y, physics)
        assert Status.MISFIT not in told.status
        assert set(untold.status) == {Status.MISFIT}

    def test_entries_that_do_not_respond_count_for_nothing(self):
        x, _ = self.measured(3)
        mask = masks.center((1, 6, 6))
        physics = inpainting(mask, (1, 6, 6))
        y = physics.A(x)
        junk = torch.where(mask.bool(), y, 7.0)
        clean, dirty = (CSGM(self.prior(), 0.1).solve(given, physics) for given in (y, junk))
        torch.testing.assert_close(dirty.relative_residual, clean.relative_residual)
        assert dirty.status == clean.status

    def test_a_prior_that_does_not_say_flags_nothing(self):
        y = torch.rand(2, 1, 8, 8, generator=rng())
        found = CSGM(tiny_dcgan(), 0.1, effort="fast", restarts=1, steps=5).solve(y, identity())
        assert found.expected_residual is None
        assert Status.MISFIT not in found.status
        relative = (y - found.x).flatten(1).norm(dim=1) / y.flatten(1).norm(dim=1)
        torch.testing.assert_close(found.relative_residual, relative)

    def test_a_baseline_says_its_residual_alone(self):
        physics = Gaussian(30, (1, 8, 8))
        y = physics.A(torch.rand(2, 1, 8, 8, generator=rng()))
        y[1] = 0
        found = LassoDCT(alpha=0.1).solve(y, physics)
        left = (y - physics.A(found.x)).norm(dim=1)
        assert found.relative_residual is not None
        assert found.relative_residual[0] == pytest.approx(float(left[0] / y[0].norm()))
        assert found.relative_residual[1] == 0
        assert found.expected_residual is None

    def test_signals_that_are_not_finite_stay_so(self):
        y = torch.rand(2, 1, 6, 6, generator=rng(), dtype=torch.float64)
        y[0, 0, 0, 0] = math.nan
        assert CSGM(self.prior(), 0.1).solve(y, identity()).status[0] == Status.NONFINITE


class TestShippedPriors:
    """Digits by the prior of digits, and what is none; ``tuning/misfits`` has whole counts."""

    BY_CSGM = (
        pytest.param(CSGM, Gaussian(100, SHAPE), id="gaussian"),
        pytest.param(CSGM, inpainting(masks.center(SHAPE), SHAPE), id="center"),
        pytest.param(CSGM, inpainting(masks.random(SHAPE, 0.8), SHAPE), id="random"),
        pytest.param(CSGM, blur(SHAPE, 1), id="blur"),
    )
    # Its limit is that of half an image, which clothes with a hole may stay below.
    SEMANTIC = pytest.param(
        SemanticInpainting, inpainting(masks.center(SHAPE), SHAPE), id="semantic"
    )

    @pytest.mark.parametrize("name", prior_names())
    def test_every_one_states_what_csgm_leaves_of_its_own_data(self, name):
        """Where a card states no law CSGM flags nothing, and says nothing of it."""
        prior = Prior.load(name)
        one = prior.given(0) if prior.classes else prior
        law = ResidualLaw.of_card(one.card, CSGM.kind)
        assert law is not None
        places = law.measurements_per_latent_entry
        assert places[0] <= 1
        assert places[-1] >= min(15, math.prod(prior.image_shape) / prior.latent.size)
        mean, limit = law.at(torch.tensor(places))
        assert (mean < limit).all()
        y = torch.rand(1, 30, generator=rng())
        solver = CSGM(one, effort=(Random(1), Descend(Adam(0.1), 1)))
        found = solver.solve(y, Gaussian(30, prior.image_shape))
        assert found.expected_residual is not None
        assert found.expected_residual[0] > 0

    def flagged(self, kind, physics, x) -> float:
        solver = kind(Prior.load("mnist"), effort="fast")
        return solver.solve(physics.A(x), physics).status.count(Status.MISFIT) / len(x)

    @pytest.mark.parametrize(("kind", "physics"), [*BY_CSGM, SEMANTIC])
    def test_digits_are_not_flagged(self, kind, physics):
        assert self.flagged(kind, physics, load_images(DIGITS, limit=60).floats()) <= 0.02

    @pytest.mark.parametrize(("kind", "physics"), BY_CSGM)
    def test_clothes_are(self, kind, physics):
        assert self.flagged(kind, physics, load_images(CLOTHES, limit=30).floats()) >= 0.8

    @pytest.mark.parametrize(("kind", "physics"), [*BY_CSGM, SEMANTIC])
    def test_inverted_digits_are(self, kind, physics):
        assert self.flagged(kind, physics, 1 - load_images(DIGITS, limit=20).floats()) == 1

    def test_a_planted_image_is_not_flagged_and_the_card_decides(self):
        prior = copy.deepcopy(Prior.load("mnist"))
        physics = Gaussian(100, SHAPE)
        digits = physics.A(load_images(DIGITS, limit=3).floats())
        planted = physics.A(prior.sample(20, rng()))
        assert Status.MISFIT not in CSGM(prior, effort="fast").solve(planted, physics).status
        prior.card[KEY]["least-squares"]["limit"] = [1e-6] * len(
            prior.card[KEY]["least-squares"]["limit"]
        )
        assert set(CSGM(prior, effort="fast").solve(digits, physics).status) == {Status.MISFIT}
