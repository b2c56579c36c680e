"""What two samples of a law, duplicates among draws, and a mixture of pairs say of a game."""

import math

import pytest
import torch
from scipy.stats import wasserstein_distance
from torch import nn

from experiments.arora2017 import generalization, mix_gan, mixed_images, rings
from experiments.arora2018 import birthday
from experiments.figures import load_figure
from experiments.objectives.digits import COMMITTED
from experiments.objectives.game import Network
from ganprior import Prior
from ganprior.priors.architectures import MixtureDiscriminator, MixtureGenerator
from ganprior.training.mixture import MixtureLosses
from ganprior.training.objectives import NonSaturating
from tests.cases import rng
from tests.cases_training import tiny_recipe, tiny_trainer

TINY = mixed_images.Pictures(
    digits=COMMITTED,
    clothes="Fashion-MNIST, committed sample",
    tuning="Fashion-MNIST, committed sample",
    first=0,
    images=50,
    steps=2,
    batch=4,
    filters=2,
    latent_size=4,
    samples=50,
    response_steps=2,
    inverted=1,
    bank=30,
)


class TestDistancesOfSamples:
    def test_w1_on_a_line_is_that_of_scipy(self):
        a, b = torch.randn(2, 40, 1, generator=rng())
        expected = wasserstein_distance(a[:, 0].numpy(), b[:, 0].numpy())
        assert generalization.wasserstein(a, b) == pytest.approx(expected, rel=1e-5)

    def test_jensen_shannon_counts_the_points_in_common(self):
        a = torch.randn(4, 3, generator=rng())
        b = torch.randn(4, 3, generator=rng(1))
        assert generalization.jensen_shannon(a, b) == pytest.approx(math.log(2), rel=1e-6)
        assert generalization.jensen_shannon(a, a.flip(0)) == pytest.approx(0, abs=1e-7)
        half = torch.cat([a[:2], b[:2]])
        assert generalization.jensen_shannon(a, half) == pytest.approx(math.log(2) / 2, rel=1e-5)

    def test_networks_are_1_lipschitz_so_that_the_distance_is_below_w1(self):
        network = generalization.Network(5, rng())
        a, b = torch.randn(2, 200, 5, generator=rng(1))
        apart = (network(a) - network(b)).abs() / (a - b).norm(dim=1)
        assert 0 < apart.max() <= 1
        few = generalization.neural_net_distance(a[:20], b[:20], 60, 0)
        assert 0 < few <= generalization.wasserstein(a[:20], b[:20])

    def test_a_shift_is_seen_whole(self):
        """The mean of a 1-Lipschitz function moves by the length of a shift at most."""
        a = torch.randn(100, 2, generator=rng())
        found = generalization.neural_net_distance(a, a + torch.tensor([3.0, 4.0]), 300, 0)
        assert 4.5 < found <= 5 + 1e-5


def test_cards_say_how_many_images_a_prior_draws():
    found = load_figure("arora2018/birthday").committed()
    own = [row for row in found if row["method"] not in (birthday.PLANTED, birthday.REAL)]
    assert len(own) == 8
    for row in own:
        quality = Prior.load(row["method"]).card["quality"]
        assert quality["support_estimate"]["low"] == float(f"{float(row['low']):.4g}")
        assert quality["real_support_estimate"]["size"] is not None


class TestMixtures:
    def game(self, runs: int = 2) -> rings.Game:
        config = rings.Rings(batch=8, samples=400, response_steps=60)
        game = rings.Game(config, 8, 3, 16, runs)
        with torch.no_grad():
            for side in (game.generators, game.critics):
                side.logits.normal_(generator=rng(4))
        return game

    def test_points_have_the_losses_of_the_package_seed_by_seed(self):
        game = self.game()
        real, state = game.real(8, game.rng), game.rng.get_state()
        fake = game.draw(game.generators, 8)
        z = torch.randn(2, 3, 8, 4, generator=game.rng.set_state(state))
        loss_d = game.expected(-game.values(fake, game.critics, real), "critics")
        loss_d = loss_d - 0.1 * game.critics.log_weights.mean(1).sum()
        loss_g = game.expected(game.losses(fake)) - 0.1 * game.generators.log_weights.mean(1).sum()
        expected_d, expected_g = torch.tensor(0.0), torch.tensor(0.0)
        for run in range(2):
            losses = package_losses(game, run)
            points = fake[run].flatten(0, 1)[..., None, None]
            own = real[run][..., None, None]
            expected_d = expected_d + losses.discriminator(own, points, None, 0)
            expected_g = expected_g + losses.adversarial(z[run].flatten(0, 1), None, 0)
        torch.testing.assert_close(loss_d, expected_d)
        torch.testing.assert_close(loss_g, expected_g)

    def test_samples_come_of_each_generator_as_often_as_it_weighs(self):
        game = self.game(1)
        with torch.no_grad():
            for i in range(3):
                game.generators.networks.output.weight[i].zero_()
                game.generators.networks.output.bias[i] = float(i)
        shares = torch.bincount(game.sample(4000)[0, :, 0].round().long()) / 4000
        weights = game.generators.log_weights[0].exp()
        torch.testing.assert_close(shares, weights, rtol=0, atol=0.03)

    def test_who_has_not_learned_gains_and_who_is_not_judged_does_not(self):
        game = self.game()
        with torch.no_grad():
            game.critics.networks.output.weight.zero_()
            game.critics.networks.output.bias.zero_()
            game.generators.networks.output.bias.fill_(3.0)
        discriminator, generator = rings.duality_gap(game)
        # From log 1/4, at most to 0.
        assert (discriminator > 0.5).all()
        assert (discriminator <= math.log(4)).all()
        assert generator.tolist() == [0, 0]

    def test_the_wide_pair_has_so_many_times_the_parameters(self):
        def parameters(width: int) -> int:
            network = Network(1, (4, width, width, 2), torch.nn.ReLU, rng())
            return sum(p.numel() for p in network.parameters())

        wide = rings.width_of(64, 5)
        assert parameters(wide - 1) < 5 * parameters(64) * 1.01
        assert parameters(wide) == pytest.approx(5 * parameters(64), rel=0.03)
        filters = mixed_images.width_of(mixed_images.Pictures(), 1, 5)
        assert mixed_images.width_of(mixed_images.Pictures(), 1, 1) == (8, 8)
        assert all(2 * 8 < width < 5 * 8 for width in filters)

    @pytest.mark.parametrize("data", [mixed_images.STACKED, mixed_images.FASHION])
    def test_pictures_are_trained_counted_and_inverted(self, data):
        """On the committed images, too shortly for anything to be learnt."""
        config = mix_gan.Config(pictures=TINY)
        (cell,) = (c for c in mix_gan.cells(config) if c.panel == data and c.method == "3 pairs")
        (row,) = mix_gan.rows(config, cell)
        assert 1 <= row["covered"] <= mixed_images.MODES[data]
        assert 0 <= row["kl"] <= math.log(mixed_images.MODES[data]) + 1e-3
        assert row["generator_entropy"] == pytest.approx(math.log(3), abs=1e-3)
        assert min(row["discriminator_gain"], row["generator_gain"]) >= 0
        errors = [row[name] for name in mix_gan.ERRORS]
        inverted = data == mixed_images.FASHION
        assert all(0 < error < 1 for error in errors) if inverted else errors == ["", "", ""]

    def test_an_even_mixture_has_the_entropy_of_its_number(self):
        trainer = tiny_trainer(mixture=3)
        assert mixed_images.entropy(trainer.generator) == pytest.approx(math.log(3))
        assert mixed_images.entropy(tiny_trainer().generator) == 0


class Points(nn.Module):
    """One network of a batch of them, of points that stand as images of one pixel."""

    def __init__(self, network: Network, number: int) -> None:
        super().__init__()
        self.network = rings.pick(network, torch.tensor([number]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.network(x.flatten(1)[None])[0]
        return found[:, 0] if found.shape[1] == 1 else found[..., None, None]


def package_losses(game: rings.Game, run: int) -> MixtureLosses:
    """The package's losses of one seed."""
    ours = [Points(game.generators.networks, 3 * run + i) for i in range(3)]
    theirs = [Points(game.critics.networks, 3 * run + i) for i in range(3)]
    generators, judges = MixtureGenerator(ours), MixtureDiscriminator(theirs)
    with torch.no_grad():
        generators.logits.copy_(game.generators.logits[run])
        judges.logits.copy_(game.critics.logits[run])
    networks: dict[str, nn.Module] = {"generator": generators, "discriminator": judges}
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=False)
    return MixtureLosses(tiny_recipe(mixture=3), NonSaturating(), networks, autocast, rng())
