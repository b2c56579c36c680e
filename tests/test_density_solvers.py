"""MAP and Posterior against the closed form of a linear generator, and what they refuse."""

from dataclasses import replace

import pytest
import torch

from ganprior import MAP, Gaussian, GaussianMixture, Posterior, Prior
from ganprior.physics import Dense, inpainting, masks
from ganprior.solution import Status
from ganprior.solvers import particles, tempering
from tests.cases import gaussian, rng, tiny_dcgan
from tests.cases_density import SHAPE, as_mixture, dense_dcgan, linear_density

NOISE = 0.05


def measured(prior, count=4, m=12):
    """Images of the density itself, measured with noise: float64."""
    physics = gaussian(m, SHAPE, dtype=torch.float64)
    x = as_mixture(prior).sample(count, rng(3))
    noise = torch.randn(count, m, generator=rng(4), dtype=torch.float64)
    return x, physics.A(x) + NOISE * noise, physics


class TestMAP:
    def test_linear_generator_gives_the_mean_and_evidence_of_the_mixture(self):
        prior = linear_density()
        _, y, physics = measured(prior)
        closed = GaussianMixture(as_mixture(prior), NOISE).solve(y, physics)
        found = MAP(prior, NOISE, components=3, steps=500).solve(y, physics)
        torch.testing.assert_close(found.x, closed.x, rtol=0, atol=1e-3)
        torch.testing.assert_close(found.objective, closed.objective, rtol=1e-3, atol=1e-3)

    def test_masks_of_one_each_equal_the_same_rows_as_matrices(self):
        prior = linear_density()
        holes = (torch.rand(2, 1, 6, 6, generator=rng(8)) > 0.5).double()
        x = as_mixture(prior).sample(2, rng(3))
        physics = inpainting(holes, SHAPE)
        solver = MAP(prior, NOISE, steps=500)
        found = solver.solve(physics.A(x), physics)
        for i in range(2):
            rows = torch.eye(36, dtype=torch.float64)[holes[i].flatten() == 1]
            dense = Dense(rows, SHAPE)
            alone = solver.solve(dense.A(x[i : i + 1]), dense)
            torch.testing.assert_close(found.x[i], alone.x[0], rtol=0, atol=1e-3)

    def test_what_the_generator_cannot_draw_is_found(self):
        """With all pixels measured the image comes back, and G(z) alone does not."""
        prior = linear_density()
        x = as_mixture(prior).sample(3, rng(5))
        physics = gaussian(36, SHAPE, dtype=torch.float64)
        found = MAP(prior, 1e-4, steps=300).solve(physics.A(x), physics)
        assert (found.x - x).square().mean() < 1e-3 * (prior(found.z) - x).square().mean()

    def test_few_components_are_those_that_explain_best(self):
        prior = linear_density()
        _, y, physics = measured(prior, count=6, m=30)
        every = MAP(prior, NOISE, components=3, steps=300).solve(y, physics)
        one = MAP(prior, NOISE, components=1, steps=300).solve(y, physics)
        torch.testing.assert_close(one.z, every.z, rtol=0, atol=1e-2)

    def test_signals_that_are_not_finite_disturb_no_other(self):
        prior = linear_density()
        _, y, physics = measured(prior, 3)
        clean = MAP(prior, NOISE)(y, physics)
        y[1, 0] = torch.nan
        found = MAP(prior, NOISE).solve(y, physics)
        assert [s is Status.NONFINITE for s in found.status] == [False, True, False]
        assert (found.x[1] == 0).all()
        torch.testing.assert_close(found.x[::2], clean[::2], rtol=0, atol=1e-6)

    def test_priors_without_a_density_are_refused(self):
        with pytest.raises(ValueError, match="no density; fit one with 'ganprior fit-density'"):
            MAP(tiny_dcgan())

    @pytest.mark.parametrize("wrong", [{"components": 0}, {"steps": 0}, {"noise_std": -1.0}])
    def test_wrong_numbers_are_refused(self, wrong):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))}.* at least [01]"):
            MAP(linear_density(), **wrong)

    def test_images_of_another_size_are_refused(self):
        physics = Gaussian(5, (1, 4, 4))
        with pytest.raises(ValueError, match="take a prior of that size"):
            MAP(linear_density())(torch.zeros(1, 5), physics)


@pytest.mark.parametrize("method", ["laplace", "sampling"])
class TestPosterior:
    def test_linear_generator_gives_mean_spread_and_evidence_of_the_mixture(self, method):
        prior = linear_density()
        _, y, physics = measured(prior)
        closed = GaussianMixture(as_mixture(prior), NOISE).posterior(y, physics)
        solver = Posterior(prior, NOISE, method=method, particles=2000, moves=10, draws=2000)
        found = solver.solve(y, physics, rng=1)
        scale = closed.std.mean()
        assert (found.x - closed.mean).abs().mean() < 0.1 * scale
        assert (found.std - closed.std).abs().mean() < 0.1 * scale
        assert (found.log_evidence - closed.log_evidence).abs().max() < 0.5

    @pytest.mark.parametrize("draws", [20, 200])
    def test_ninety_percent_lie_between_low_and_high(self, method, draws):
        prior = linear_density()
        x, y, physics = measured(prior, 60)
        found = Posterior(prior, NOISE, method=method, draws=draws).solve(y, physics)
        inside = ((found.low <= x) & (x <= found.high)).double().mean()
        assert 0.88 < inside < 0.92

    def test_latents_are_those_of_the_draws(self, method):
        """Where the generator leaves next to nothing out, a draw is the image of its latent."""
        prior = linear_density()
        density = prior.density
        assert density is not None
        law = density.deviation
        scaled = {name: 1e-8 * getattr(law, name) for name in ("diagonal", "variances")}
        small = replace(law, factors=1e-4 * law.factors, **scaled)
        prior.density = replace(density, deviation=small)
        _, y, physics = measured(prior, 3)
        found = Posterior(prior, NOISE, method=method).solve(y, physics)
        assert found.latents.shape == (64, 3, *prior.latent.shape)
        images = prior.render(found.latents.flatten(0, 1)).unflatten(
            0, (64, 3)
        ) + small.mean().reshape(SHAPE)
        assert (found.samples - images).abs().max() < 0.01 * found.std.mean()

    def test_images_that_are_not_finite_have_no_spread(self, method):
        prior = linear_density()
        _, y, physics = measured(prior, 2)
        y[0, 0] = torch.inf
        found = Posterior(prior, NOISE, method=method).solve(y, physics)
        assert found.status[0] is Status.NONFINITE
        assert (found.std[0] == 0).all()
        assert (found.std[1] > 0).all()


class TestParticles:
    """Where the posterior is far narrower than the law of the latents."""

    def narrow(self):
        prior = linear_density()
        x = as_mixture(prior).sample(2, rng(3))
        physics = gaussian(36, SHAPE, dtype=torch.float64)
        return prior, physics.A(x), physics

    def test_they_find_it(self):
        prior, y, physics = self.narrow()
        closed = GaussianMixture(as_mixture(prior), 1e-3).posterior(y, physics)
        found = Posterior(prior, 1e-3, method="sampling", draws=500).solve(y, physics, rng=1)
        assert (found.x - closed.mean).abs().mean() < 0.2 * closed.std.mean()
        assert (found.log_evidence - closed.log_evidence).abs().max() < 0.5
        assert found.rhat.max() < 1.2
        assert Status.NOT_MIXED not in found.status

    def test_those_that_do_not_say_so(self, monkeypatch):
        """From p(z) alone, and never moved."""
        monkeypatch.setattr(particles, "NEAR", 1)
        monkeypatch.setattr(particles, "BANK", 300)
        monkeypatch.setattr(tempering, "_move", lambda *_: None)
        prior, y, physics = self.narrow()
        found = Posterior(prior, 1e-3, method="sampling", particles=128).solve(y, physics, rng=1)
        assert set(found.status) == {Status.NOT_MIXED}
        assert "method laplace" in found.status[0].advice

    def test_few_cannot_tell(self):
        prior, y, physics = self.narrow()
        found = Posterior(prior, 1e-3, method="sampling", particles=100).solve(y, physics, rng=1)
        assert found.rhat.isnan().all()
        assert Status.NOT_MIXED not in found.status


def test_other_methods_are_refused():
    with pytest.raises(ValueError, match="one of laplace, sampling"):
        Posterior(linear_density(), method="guess")  # type: ignore[arg-type]


def test_float32_dcgan_with_a_mask_for_all():
    prior = dense_dcgan()
    physics = inpainting(masks.center(prior.image_shape, 0.2), prior.image_shape)
    x = prior.sample(2, 0)
    found = Posterior(prior, 0.01, method="sampling", particles=32).solve(physics.A(x), physics)
    assert found.x.dtype == torch.float32
    assert found.samples.shape == (64, 2, *prior.image_shape)
    # Known pixels are sure.
    assert found.std[..., 0, 0].max() < 0.02 < found.std.max()


def test_the_density_is_saved_with_its_prior(tmp_path):
    prior = dense_dcgan()
    prior.save(tmp_path / "own")
    again = Prior.load(tmp_path / "own.safetensors").density
    for name in ("weights", "means", "factors"):
        own, stored = getattr(prior.density, name), getattr(again, name)
        torch.testing.assert_close(stored, own, rtol=2e-3, atol=2e-3)
    x = torch.rand(3, *prior.image_shape, generator=rng()) * 0.1
    own, stored = prior.density.deviation.log_density(x), again.deviation.log_density(x)
    torch.testing.assert_close(stored, own, rtol=1e-2, atol=1e-2)
