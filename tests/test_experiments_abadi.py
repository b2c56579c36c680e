"""Alice, Bob and Eve: many runs at once are each what they would be alone."""

import pytest
import torch
from scipy.stats import chi2_contingency
from torch.nn import functional as F

from experiments.abadi2016 import chi_squared, cryptography, selective
from experiments.abadi2016.players import Player, bits_wrong, random_bits, with_key
from experiments.abadi2016.training import Game, generators
from tests.cases import rng


def weights(network):
    return torch.cat([p.detach().flatten(1) for p in network.parameters()], 1)


class TestPlayer:
    def test_it_is_a_full_layer_and_three_convolutions_for_each_run(self):
        player = Player(6, 4, generators([3, 5], "Alice"))
        for parameter in player.parameters():
            parameter.data += 0.3 * torch.randn(parameter.shape, generator=rng())
        x = torch.randn(2, 6, 10, generator=rng(1))
        for run, own in enumerate(x):
            hidden = F.linear(own.T, player.full[run], player.full_bias[run, :, 0])[:, None]
            layers = list(zip(player.weights, player.biases, strict=True))
            weight, bias = layers[0]
            hidden = F.conv1d(hidden, weight[run][:, None], bias[run, :, 0], stride=2).sigmoid()
            for (weight, bias), bend in zip(layers[1:], (torch.sigmoid, torch.tanh), strict=True):
                hidden = bend(F.conv1d(hidden, weight[run][:, :, None], bias[run, :, 0]))
            assert torch.allclose(player(x)[run], hidden[:, 0].T, atol=1e-6)

    def test_weights_are_those_of_the_seed(self):
        both, one = (Player(6, 4, generators(seeds, "Eve")) for seeds in ([3, 5], [5]))
        assert torch.equal(weights(both)[1], weights(one)[0])
        assert not torch.equal(weights(both)[0], weights(both)[1])


def test_bits_are_fair_and_do_not_depend_on_each_other():
    bits = random_bits(6, 40_000, rng())[0]
    assert bits.shape == (6, 40_000)
    assert set(bits.unique().tolist()) == {-1, 1}
    assert (bits.mean(1).abs() < 0.02).all()
    assert (torch.corrcoef(bits) - torch.eye(6)).abs().max() < 0.02


def test_an_error_is_counted_in_bits():
    truth = torch.tensor([[[1.0], [-1.0], [1.0]]])
    assert bits_wrong(truth, truth).item() == 0
    assert bits_wrong(-truth, truth).item() == 3
    assert bits_wrong(torch.zeros(2, 3, 1), truth).tolist() == [[1.5], [1.5]]


class TestGame:
    def test_a_run_is_what_it_is_alone(self):
        both, one = (Game(4, seeds, 32, 1e-3) for seeds in ([0, 1], [1]))
        for game in (both, one):
            for _ in range(5):
                game.play()
        for name in ("alice", "bob", "eve"):
            own = weights(getattr(one, name))[0]
            assert torch.allclose(weights(getattr(both, name))[1], own, atol=1e-5)

    def test_the_others_play_on_where_a_run_leaves(self):
        whole, fewer = (Game(4, [0, 1, 2], 32, 1e-3) for _ in range(2))
        for step in range(6):
            if step == 3:
                [left] = fewer.leave([1])
                assert torch.equal(left[0], whole.alice.full[1])
            whole.play()
            fewer.play()
        assert torch.allclose(weights(whole.bob)[[0, 2]], weights(fewer.bob), atol=1e-5)
        assert torch.allclose(weights(whole.eve)[[0, 2]], weights(fewer.eve), atol=1e-5)

    def test_new_eves_read_an_alice_who_hides_nothing_and_do_not_change_her(self, monkeypatch):
        game = Game(4, [0], 128, 1e-2)
        before = weights(game.alice)
        monkeypatch.setattr(game.alice, "forward", lambda x: x[:, :4])
        looks = list(game.new_eves([0], 2, 400, 2, 1000))
        assert [look[:3] for look in looks] == [
            (0, number, step) for step in (200, 400) for number in (1, 2)
        ]
        assert max(error for _, _, step, error in looks if step == 400) < 0.4
        assert torch.equal(weights(game.alice), before)

    def test_a_run_ends_where_bob_reads_and_eve_does_not(self, monkeypatch):
        config = cryptography.Config(((4, 2, 20),), batch=8, look_every=10, measured=64)
        game = Game(4, [0, 1], 8, 1e-3)
        start = weights(game.alice)
        monkeypatch.setattr(cryptography, "BOB_ENDS", 100)
        monkeypatch.setattr(cryptography, "EVE_ENDS", -1)
        found, ends = cryptography.train(game, config, 2, 20)
        assert (ends, len(found)) == ([0, 0], 2)
        assert torch.equal(weights(game.alice), start)
        monkeypatch.setattr(cryptography, "BOB_ENDS", -1)
        found, ends = cryptography.train(game, config, 2, 20)
        assert (ends, len(found)) == ([20, 20], 6)
        assert not torch.equal(weights(game.alice), start)


class TestChiSquared:
    def test_it_is_that_of_scipy(self):
        plain = random_bits(3, 4000, rng())
        cipher = torch.randn(1, 3, 4000, generator=rng(1))
        cipher[0, 2] += 0.3 * plain[0, 1]
        dependent, strength = chi_squared.compare(plain, cipher)
        parts = torch.bucketize(
            cipher[0, 2], cipher[0, 2].quantile(torch.tensor([0.25, 0.5, 0.75]))
        )
        table = [
            [int(((parts == i) & (plain[0, 1] == b)).sum()) for i in range(4)] for b in (-1, 1)
        ]
        expected = (chi2_contingency(table, correction=False).statistic / 4000) ** 0.5
        assert strength.item() == pytest.approx(expected, rel=1e-3)
        assert dependent.item() == pytest.approx(1 / 9)

    def test_a_pad_hides_and_a_copy_does_not(self):
        plain, key = random_bits(8, 20_000, rng()).chunk(2, 1)
        dependent, strength = chi_squared.compare(plain, torch.cat([plain * key, plain]))
        assert dependent.tolist() == [0, pytest.approx(1 / 4)]
        assert strength[0] < 0.05
        assert strength[1] == pytest.approx(1)


def test_a_success_is_in_proportion_to_the_bits():
    row = {"bits": "32", "bob": "0.09", "eve": "14.7"}
    assert cryptography.succeeded(row)
    assert not cryptography.succeeded({**row, "bob": "0.11"})
    assert not cryptography.succeeded({**row, "eve": "14.5"})


class TestSelective:
    def test_three_quarters_of_the_bits_are_those_of_another_value(self):
        game = selective.SelectiveGame([0], 8, 1e-3)
        plain, key = game.draw(20_000)
        same = (plain[:, 8:] == plain[:, :8]).float().mean(2)
        assert same.numpy() == pytest.approx(0.75, abs=0.02)
        assert (plain.mean(2).abs() < 0.03).all()
        assert abs((plain * key).mean()) < 0.02

    def test_what_is_published_lacks_the_third_value(self):
        plain = torch.arange(16.0).view(1, 16, 1)
        assert selective.published(plain).flatten().tolist() == [*range(8), *range(12, 16)]
        game = selective.SelectiveGame([0, 1], 8, 1e-3)
        secret, cipher = game.intercept(5)
        assert (secret.shape, cipher.shape) == ((1, 4, 5), (2, 16, 5))

    def test_all_players_learn(self):
        game = selective.SelectiveGame([0], 32, 1e-3)
        players = (game.alice, game.bob, game.reader, game.eve, game.blind)
        before = [weights(player) for player in players]
        game.play()
        assert not any(torch.equal(weights(p), old) for p, old in zip(players, before, strict=True))


def test_the_key_stands_behind_what_alice_and_bob_read():
    cipher, key = torch.randn(3, 4, 5, generator=rng()), random_bits(4, 5, rng())
    read = with_key(cipher, key)
    assert torch.equal(read[:, :4], cipher)
    assert torch.equal(read[:, 4:], key.expand(3, -1, -1))
