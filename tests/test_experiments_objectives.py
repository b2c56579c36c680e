"""Parts of the figures that compare objectives, against closed forms and independent sources."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance
from torch import nn

from experiments.objectives import dead_units, lines, modes, saturation, stacked_mnist
from experiments.objectives.densities import (
    Gaussian,
    Mixture,
    best_gaussian,
    divergence,
    grid,
    log_normal,
    squared_mmd,
)
from experiments.objectives.digits import COMMITTED, activations, digits, rectify, trainer_of
from experiments.objectives.game import (
    Affine,
    Game,
    Network,
    Settings,
    objective_of,
    to_points,
    to_runs,
)
from ganprior.training.objectives import FGAN, WassersteinClip

MIXTURE = Mixture((0.3, 0.7), ((-1.0, 0.5), (2.0, 0.0)), (0.5, 1.0))


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


def game_of(objective, rng, runs=2, **settings):
    sizes, leaky = (2, 8, 1), partial(nn.LeakyReLU, 0.2)
    players = Network(runs, (1, 8, 2), nn.ReLU, rng), Network(runs, sizes, leaky, rng)
    return Game(Settings(objective, batch=16, **settings), *players, MIXTURE.draw, runs, rng)


class TestGame:
    def test_points_are_those_of_the_runs(self):
        x = torch.randn(3, 5, 2)
        points = to_points(x)
        assert points.shape == (15, 2, 1, 1)
        assert torch.equal(points[4, :, 0, 0], x[1, 1])
        assert torch.equal(to_runs(points, 3), x)

    @pytest.mark.parametrize(
        "objective", ["minimax", "non-saturating", "wgan", "wgan-gp", "f-gan pearson"]
    )
    @pytest.mark.parametrize("closeness", [0.0, 1.0])
    def test_no_run_changes_another(self, objective, closeness):
        ends = []
        for scale in (1.0, 3.0):
            seeded = torch.Generator().manual_seed(1)
            game = game_of(objective, seeded, closeness_weight=closeness, input_noise=0.1)
            with torch.no_grad():
                game.discriminator.output.weight[1] *= scale
                game.generator.output.weight[1] *= scale
            for _ in range(3):
                game.play()
            parameters = [*game.generator.parameters(), *game.discriminator.parameters()]
            ends.append([p.detach() for p in parameters])
        for one, other in zip(*ends, strict=True):
            assert torch.allclose(one[0], other[0], atol=1e-6)
        assert not all(torch.allclose(a[1], b[1]) for a, b in zip(*ends, strict=True))

    def test_its_gradient_is_that_of_a_run_alone(self, rng):
        game = game_of("non-saturating", rng, runs=3)
        real, fake = (MIXTURE.draw(3, 16, rng) for _ in range(2))
        loss = game.objective.discriminator_loss(game.score, *map(to_points, (real, fake)), rng)
        weight = game.discriminator.output.weight
        (together,) = torch.autograd.grad(game.runs * loss, weight)
        scores = [game.discriminator(x)[1].flatten() for x in (real, fake)]
        alone = nn.functional.softplus(-scores[0]).mean() + nn.functional.softplus(scores[1]).mean()
        (expected,) = torch.autograd.grad(alone, weight)
        assert torch.allclose(together[1], expected[1], atol=1e-6)

    def test_the_objective_is_the_package_s(self):
        made = objective_of(Settings("f-gan reverse-kl", critic_steps=2))
        assert isinstance(made, FGAN)
        assert (made.critic_steps, made.divergence.name) == (2, "reverse-kl")
        assert objective_of(Settings("wgan", clip=0.3)) == WassersteinClip(1, clip=0.3)

    def test_rates_fall_over_the_second_half(self, rng):
        game = game_of("minimax", rng, steps=4, decay=True, generator_rate=1.0)
        seen = []
        for _ in range(4):
            game.play()
            seen.append(game._descents[game.generator].param_groups[0]["lr"])
        assert seen == [1.0, 1.0, 1.0, 0.5]


class TestDensities:
    def test_divergences_of_gaussians_are_the_closed_forms(self):
        x, volume = grid(-20, 20, 8001)
        p, q = log_normal(x, (0.0,), 1.0), log_normal(x, (1.0,), 2.0)
        kl = math.log(2) + (1 + 1) / (2 * 4) - 0.5
        reverse = -math.log(2) + (4 + 1) / 2 - 0.5
        assert divergence("kl", p, q, volume) == pytest.approx(kl, rel=1e-6)
        assert divergence("reverse-kl", p, q, volume) == pytest.approx(reverse, rel=1e-6)
        assert divergence("jeffreys", p, q, volume) == pytest.approx(kl + reverse, rel=1e-6)
        overlap = math.sqrt(2 * 2 / 5) * math.exp(-1 / (4 * 5))
        hellinger = divergence("squared-hellinger", p, q, volume)
        assert hellinger == pytest.approx(2 - 2 * overlap, rel=1e-6)

    def test_far_apart_jensen_shannon_is_log_2(self):
        x, volume = grid(-20, 20, 8001)
        p, q = log_normal(x, (-9.0,), 0.5), log_normal(x, (9.0,), 0.5)
        # The package's is twice the usual one.
        found = divergence("jensen-shannon", p, q, volume)
        assert found == pytest.approx(2 * math.log(2), rel=1e-6)

    def test_moments_and_density_of_a_mixture_are_those_of_its_draws(self, rng):
        x = MIXTURE.draw(1, 200_000, rng)[0].double()
        assert x.mean(0).tolist() == pytest.approx(MIXTURE.mean, abs=0.02)
        assert x.var(0).mean().sqrt().item() == pytest.approx(MIXTURE.std, abs=0.02)
        points, volume = grid(-8, 8, 161, 2)
        density = MIXTURE.log_density(points).exp()
        assert density.sum().item() * volume == pytest.approx(1, abs=1e-6)
        right = density[points[:, 0] > 1].sum().item() * volume
        assert right == pytest.approx((x[:, 0] > 1).double().mean().item(), abs=0.02)

    def test_mean_discrepancy_is_the_double_integral(self):
        x, volume = grid(-6, 7, 44, 2)
        apart = MIXTURE.log_density(x).exp() - log_normal(x, (0.5, 0.5), 1.2).exp()
        kernel = (-torch.cdist(x, x).square() / (2 * 0.8**2)).exp()
        integral = (apart @ kernel @ apart).item() * volume**2
        assert squared_mmd(MIXTURE, (0.5, 0.5), 1.2, 0.8) == pytest.approx(integral, rel=1e-3)
        alone = Mixture((1.0,), ((0.5, 0.5),), (1.5,))
        assert squared_mmd(alone, (0.5, 0.5), 1.5, 0.8) == pytest.approx(0, abs=1e-12)

    def test_the_best_gaussian_by_kl_has_the_moments(self):
        data = Mixture((0.3, 0.7), ((-1.0,), (2.0,)), (0.5, 1.0))
        x, volume = grid(-12, 12, 2001)
        log_p = data.log_density(x)

        def loss(fit: Gaussian) -> float:
            return divergence("kl", log_p, log_normal(x, *fit), volume)

        found = best_gaussian(data, loss)
        assert found.mean == pytest.approx(data.mean, abs=1e-3)
        assert found.std == pytest.approx(data.std, abs=1e-3)

    def test_an_affine_generator_has_its_density(self, rng):
        generator = Affine(torch.tensor([[1.0], [-2.0]]), torch.tensor([0.5, 3.0]))
        x = generator(torch.randn(2, 100_000, 1, generator=rng)).detach()
        assert x.mean((1, 2)).tolist() == pytest.approx([1, -2], abs=0.05)
        assert x.std((1, 2)).tolist() == pytest.approx([0.5, 3], rel=0.02)


class TestLines:
    def test_transport_of_shifted_points_is_the_shift(self):
        x = np.random.default_rng(0).uniform(size=(40, 2)) * [0, 1]
        value, gradient = lines.transport(x, x + np.array([-0.7, 0]))
        assert value == pytest.approx(0.7)
        assert gradient.sum(0) == pytest.approx([-1, 0])

    def test_transport_on_a_line_is_scipy_s(self):
        draw = np.random.default_rng(1)
        x, y = draw.normal(size=(60, 1)), draw.normal(1, 2, size=(60, 1))
        value, _ = lines.transport(x, y)
        assert value == pytest.approx(wasserstein_distance(x[:, 0], y[:, 0]))

    def test_histograms_of_equal_and_of_disjoint_samples(self, rng):
        x, y = (lines.draw_line(1, 500, rng, at)[0].double().numpy() for at in (0.0, 0.5))
        assert lines.histograms(x, x) == {lines.JS: 0, lines.KL: 0, lines.TV: 0}
        found = lines.histograms(x, y)
        assert found[lines.JS] == pytest.approx(math.log(2))
        assert found[lines.TV] == pytest.approx(1)
        assert found[lines.KL] == math.inf

    def test_the_generator_draws_the_line(self, rng):
        x = lines.Line((0.25, -1.0))(torch.randn(2, 20_000, 1, generator=rng)).detach()
        assert torch.equal(x[:, 0, 0], torch.tensor([0.25, -1.0]))
        assert x[..., 1].mean().item() == pytest.approx(0.5, abs=0.01)
        assert x[..., 1].std().item() == pytest.approx(1 / math.sqrt(12), abs=0.01)

    def test_the_slope_of_a_linear_critic(self, rng):
        critic = Network(1, (2, 1), nn.ReLU, rng)
        game = Game(Settings("wgan"), lines.Line((0.0,)), critic, lines.draw_line, 1, rng)
        expected = critic.output.weight.norm().item()
        assert lines.slopes(game).item() == pytest.approx(expected, rel=1e-5)


class TestModes:
    def test_all_modes_of_the_data_are_covered(self, rng):
        for centres in (modes.ring(), modes.square()):
            [points] = modes.draw_around(centres, 0.05, 1, 5000, rng)
            nearest, near = modes.read_points(points, centres, 0.05)
            found = modes.covered(nearest[near], len(centres), len(points), 0.2)
            assert found.all()
            # Within three standard deviations in the plane: 1 - e^-4.5.
            assert near.double().mean().item() == pytest.approx(1 - math.exp(-4.5), abs=0.01)
            assert modes.divergence_from_uniform(nearest, len(centres)) < 0.01

    def test_a_mode_is_covered_from_its_share_on(self):
        classes = torch.tensor([0] * 90 + [1] * 6 + [2] * 4)
        assert modes.covered(classes, 4, 100, 0.2).tolist() == [True, True, False, False]
        assert modes.covered(classes, 4, 100, 0.0).tolist() == [True, True, True, False]

    def test_divergence_from_uniform(self):
        assert modes.divergence_from_uniform(torch.arange(8), 8) == pytest.approx(0, abs=1e-12)
        one = torch.zeros(10, dtype=torch.long)
        assert modes.divergence_from_uniform(one, 8) == pytest.approx(math.log(8))
        half = torch.tensor([0, 1, 0, 1])
        assert modes.divergence_from_uniform(half, 8) == pytest.approx(math.log(4))

    def test_forgotten_are_modes_that_were_there_once(self):
        history = [[True, True, False], [False, True, False], [False, True, True]]
        assert modes.forgotten([torch.tensor(look) for look in history]) == 1


class TestStackedMnist:
    def test_labels_spell_what_the_channels_show(self):
        found = stacked_mnist.stacked(COMMITTED, 50, 0)
        source = digits(COMMITTED)
        assert found.shape == (3, 28, 28)
        for image, label in zip(found.pixels[:5], found.labels[:5].tolist(), strict=True):
            for plane, digit in zip(image, f"{label:03}", strict=True):
                [[place]] = (source.pixels[:, 0] == plane).all((1, 2)).nonzero().tolist()
                assert source.labels[place] == int(digit)

    def test_real_images_are_read_as_labelled(self):
        found = stacked_mnist.stacked(COMMITTED, 200, 0)
        read = stacked_mnist.read(found.floats())
        assert found.labels is not None
        assert torch.eq(read, found.labels).double().mean() > 0.9


class TestUnits:
    def tiny(self, **values):
        sizes = {"filters": 4, "discriminator_filters": 4, "batch_size": 16, "latent_size": 4}
        return trainer_of(digits(COMMITTED), **{**sizes, **values})

    @pytest.mark.parametrize(("slope", "dead"), [(0.0, 1), (0.2, 0)])
    def test_a_unit_below_zero_is_silent_and_with_relu_dead(self, slope, dead):
        trainer = self.tiny(architecture="dcgan-unnormalised")
        for network in trainer.networks.values():
            rectify(network, slope)
        with torch.no_grad():
            trainer.discriminator.features[0].bias[2] = -100
        rows = dead_units.count_units(trainer, 32)
        first = next(row for row in rows if row["player"] == "discriminator")
        assert first["units"] == 4
        assert (first["silent"], first["dead"]) == (1, dead)

    def test_rectifiers_are_replaced(self):
        trainer = self.tiny()
        rectify(trainer.discriminator, 0.0)
        kinds = {type(child) for _, _, child in activations(trainer.discriminator)}
        assert kinds == {nn.ReLU}

    def test_a_sure_discriminator_is_saturated(self):
        trainer = self.tiny()
        with torch.no_grad():
            trainer.discriminator.output.weight.zero_()
            trainer.discriminator.output.bias.fill_(10.0)
        found = saturation.look(trainer)
        assert found["saturated"] == 0.5
        assert found["on_real"] == found["on_fake"] == pytest.approx(1, abs=1e-3)
