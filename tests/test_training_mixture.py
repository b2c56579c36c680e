"""MIX+GAN: payoffs of all pairs, weights that are learned, and everything as for one pair."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import softplus

from ganprior import Prior
from ganprior.priors.architectures import Mixture, components_of
from ganprior.training import train
from ganprior.training.distance import estimate_distance
from ganprior.training.mixture import Together, entropy_term
from tests.cases import rng
from tests.cases_training import OBJECTIVES, tiny_recipe, tiny_trainer
from tests.cli_cases import refuse

T = 3
ADVERSARIAL = [name for name in OBJECTIVES if name not in ("vae", "vae-gan")]
# Of a run that was interrupted as of one that was not.
WHOLE: dict[str, Any] = {"mixture": T, "steps": 6, "size": 16, "monitor_every": 2}


def weigh(trainer: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights of both sides that are not equal."""
    with torch.no_grad():
        trainer.generator.logits.copy_(torch.tensor([0.5, -0.5, 0.1]))
        trainer.discriminator.logits.copy_(torch.tensor([-1.0, 0.3, 0.2]))
    return trainer.generator.logits.softmax(0), trainer.discriminator.logits.softmax(0)


class TestLosses:
    def test_they_are_those_of_all_pairs_by_both_weights_and_the_entropy_terms(self):
        """Of the non-saturating game, written out, in networks without batch norm."""
        trainer: Any = tiny_trainer(mixture=T, architecture="mlp", mixture_entropy=0.3)
        w, v = weigh(trainer)
        real, _ = trainer.batches.take(torch.device("cpu"))
        z = trainer.latents()
        assert z.shape == (T * 8, 4)
        fake = trainer.losses.images(z, None)
        generators, judges = trainer.generator.components, trainer.discriminator.components
        loss_d, loss_g = torch.tensor(0.0), torch.tensor(0.0)
        for i, part in enumerate(z.chunk(T)):
            for j, judge in enumerate(judges):
                on_fake = judge(generators[i](part))
                payoff = softplus(-judge(real)).mean() + softplus(on_fake).mean()
                loss_d = loss_d + w[i] * v[j] * payoff
                loss_g = loss_g + w[i] * v[j] * softplus(-on_fake).mean()
        loss_d = loss_d - 0.3 * v.log().sum() / T
        loss_g = loss_g - 0.3 * w.log().sum() / T
        torch.testing.assert_close(trainer.losses.discriminator(real, fake, None, 0), loss_d)
        torch.testing.assert_close(trainer.losses.adversarial(z, None, 0), loss_g)
        ours = torch.autograd.grad(loss_g, trainer.generator.logits)[0]
        found = trainer.losses.adversarial(z, None, 0)
        torch.testing.assert_close(torch.autograd.grad(found, trainer.generator.logits)[0], ours)

    @pytest.mark.parametrize("objective", ADVERSARIAL)
    def test_pairs_that_are_all_alike_have_the_loss_of_one(self, objective):
        """By every objective, the entropy term aside, whatever the weights are."""
        mixture: Any = tiny_trainer(objective, mixture=T, architecture="mlp", mixture_entropy=0.0)
        one: Any = tiny_trainer(objective, architecture="mlp")
        for player in ("generator", "discriminator"):
            for each in mixture.networks[player].components:
                each.load_state_dict(one.networks[player].state_dict())
        weigh(mixture)
        real, _ = one.batches.take(torch.device("cpu"))
        z = one.latents()
        fake = one.losses.images(z, None)
        for trainer in (one, mixture):
            trainer.rng.manual_seed(3)
        found = mixture.losses.adversarial(z.repeat(T, 1), None, 0)
        torch.testing.assert_close(found, one.losses.adversarial(z, None, 0))
        if objective != "wgan-gp":  # whose places on the lines each pair draws anew
            found = mixture.losses.discriminator(real, fake.repeat(T, 1, 1, 1), None, 0)
            torch.testing.assert_close(found, one.losses.discriminator(real, fake, None, 0))

    def test_the_entropy_term_is_least_at_equal_weights(self):
        equal = entropy_term(torch.zeros(5).log_softmax(0))
        assert float(equal) == pytest.approx(math.log(5))
        logits = torch.tensor([3.0, 0.0, 0.0, 0.0, 0.0], requires_grad=True)
        term = entropy_term(logits.log_softmax(0))
        assert term > equal
        term.backward()
        assert logits.grad is not None
        # To be descended: the largest weight falls.
        assert logits.grad[0] > 0 > logits.grad[1]

    def test_batches_are_scored_together_once(self):
        asked = []

        def score(x: torch.Tensor) -> torch.Tensor:
            asked.append(len(x))
            return x.sum(1)

        parts = torch.randn(6, 2, generator=rng()).chunk(3)
        together = Together(score, parts)
        for part in (*parts, *parts):
            assert torch.equal(together(part), part.sum(1))
        other = torch.ones(4, 2)
        assert torch.equal(together(other), other.sum(1))
        assert asked == [6, 4]


class TestSteps:
    @pytest.mark.parametrize("objective", ADVERSARIAL)
    def test_every_objective_moves_every_network_and_both_weights(self, objective):
        trainer: Any = tiny_trainer(objective, mixture=T, size=16)
        before = {
            p: [q.clone() for q in trainer.networks[p].parameters()] for p in trainer.networks
        }
        for _ in range(2):
            step = trainer.train_step()
        assert all(torch.as_tensor(value).isfinite() for value in step)
        for player, own in before.items():
            moved = zip(trainer.networks[player].parameters(), own, strict=True)
            assert not any(torch.equal(now, then) for now, then in moved if then.numel() > 1)
        state = trainer.rng.get_state()
        distance = estimate_distance(trainer)
        assert distance is not None
        assert math.isfinite(distance)
        assert torch.equal(trainer.rng.get_state(), state)

    def test_clipping_is_of_each_critic_and_not_of_the_weights(self):
        trainer: Any = tiny_trainer("wgan", mixture=T, clip=0.01)
        weigh(trainer)
        trainer.train_step()
        assert trainer.discriminator.logits.abs().max() > 0.5
        networks = trainer.discriminator.components.parameters()
        assert all(parameter.abs().max() <= 0.01 for parameter in networks)

    def test_a_generator_that_fools_nobody_loses_weight(self):
        """All discriminators are sure that the first one's images are generated."""
        trainer: Any = tiny_trainer("minimax", mixture=T, architecture="mlp", learning_rate=0.05)
        with torch.no_grad():
            for generator, value in zip(trainer.generator.components, (-5, 5, 5), strict=True):
                generator[-3].weight.zero_()
                generator[-3].bias.fill_(value)
        for _ in range(30):
            trainer._play_discriminator()
        for _ in range(20):
            trainer._play_generator()
        weights = trainer.generator.log_weights.detach().exp()
        assert float(weights.sum()) == pytest.approx(1, abs=1e-5)
        judged = [float(trainer.discriminator(g(trainer.latents()[:8])).mean())
                  for g in trainer.generator.components]  # fmt: skip
        assert int(weights.argmin()) == min(range(T), key=lambda i: judged[i])

    def test_the_discriminators_rate_is_its_own(self):
        trainer = tiny_trainer(discriminator_rate=1e-4, decay_from=5, steps=10)
        trainer.step = 6
        trainer.train_step()
        rates = {name: own.param_groups[0]["lr"] for name, own in trainer.optimizers.items()}
        assert rates == pytest.approx({"generator": 8e-4, "discriminator": 8e-5})

    def test_a_mixture_starts_from_one_prior_or_from_a_mixture(self, tmp_path):
        for name, count in (("one", 1), ("three", T)):
            train(tiny_trainer(steps=2, mixture=count), tmp_path / name, progress=False)
        sources = {name: str(tmp_path / name / "prior.safetensors") for name in ("one", "three")}
        trainer: Any = tiny_trainer(mixture=T, start_generator=sources["one"])
        first, all_three = (load_file(source) for source in sources.values())
        for component in trainer.generator.components:
            for key, weight in component.named_parameters():
                assert torch.equal(weight, first[f"generator.{key}"].float())
        trainer = tiny_trainer(mixture=T, start_generator=sources["three"])
        for key, weight in trainer.generator.named_parameters():
            assert torch.equal(weight, all_three[f"generator.{key}"].float())


class TestRun:
    @pytest.fixture(scope="class")
    def whole(self, tmp_path_factory) -> Path:
        out: Path = tmp_path_factory.mktemp("whole")
        train(tiny_trainer("wgan-gp", **WHOLE), out, progress=False)
        return out

    def test_an_interrupted_run_goes_on_bit_for_bit(self, whole, tmp_path):
        trainer = tiny_trainer("wgan-gp", **WHOLE)
        train(trainer, tmp_path, should_stop=lambda: trainer.step == 4, progress=False)
        train(tiny_trainer("wgan-gp", **WHOLE), tmp_path, resume=True, progress=False)
        for name in ("losses.csv", "monitors.csv", "samples.png"):
            assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()
        one, other = (load_file(f / "checkpoint.safetensors") for f in (whole, tmp_path))
        assert one.keys() == other.keys()
        assert {"generator/logits", "average/module.logits", "discriminator/logits"} <= one.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)

    def test_the_weights_entropy_is_monitored(self, whole):
        head, *rows = (whole / "monitors.csv").read_text().splitlines()
        assert head == "step,distance,generator_entropy,discriminator_entropy"
        for row in rows:
            assert 0 < float(row.split(",")[2]) <= math.log(T) + 1e-6

    def test_it_ships_a_prior_whose_labels_are_the_generators(self, whole):
        trainer: Any = tiny_trainer("wgan-gp", **WHOLE)
        trainer.restore(whole / "checkpoint.safetensors")
        prior: Any = Prior.load(whole / "prior")
        assert prior.classes == T
        average = trainer.average.module.logits.detach().softmax(0)
        torch.testing.assert_close(prior.component_weights, average, rtol=0, atol=1e-4)
        assert prior.card["mixture_weights"] == [round(float(w), 4) for w in average]
        assert prior.card["architecture"]["mixture"] == T
        z = torch.randn(4, 4, generator=rng())
        expected = average @ torch.stack(
            [judge(prior.generator.given(0)(z)) for judge in prior.discriminator.components]
        )
        torch.testing.assert_close(
            prior.discriminator(prior.generator.given(0)(z)), expected, rtol=0.1, atol=0.05
        )

    def test_a_checkpoint_of_another_mixture_is_refused(self, whole):
        trainer = tiny_trainer("wgan-gp", **{**WHOLE, "mixture": 2})
        with pytest.raises(ValueError, match=r"another recipe: mixture differ"):
            trainer.restore(whole / "checkpoint.safetensors")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mixture": 0}, "mixture must be at least 1, got 0"),
        ({"mixture": 101}, "mixture must be at most 100, got 101"),
        ({"mixture": "two"}, "mixture wants a whole number"),
        ({"mixture": 2, "classes": 3}, "classes is 3, and the label of an image of a mixture is"),
        ({"mixture": 2, "objective": "vae"}, "an encoder trains with it"),
        ({"mixture": 2, "objective": "vae-gan"}, "an encoder trains with it"),
        ({"mixture": 2, "vae_steps": 5}, "an encoder trains with it"),
        ({"mixture": 2, "mixture_entropy": -1}, "mixture_entropy must be >= 0"),
    ],
)
def test_what_cannot_be_mixed_is_refused(changes, message):
    with pytest.raises(ValueError, match=message) as caught:
        tiny_recipe(**changes)
    assert "\n" not in str(caught.value)


def test_the_command_line_refuses_it_in_one_line(tmp_path):
    options = ("--data", tmp_path, "--out", tmp_path / "run", "--set", "mixture=3")
    assert "an encoder trains with it" in refuse("train", "vae", *options)


def test_other_networks_are_their_own_component():
    trainer = tiny_trainer()
    assert components_of(trainer.generator) == [trainer.generator]
    assert isinstance(tiny_trainer(mixture=2).generator, Mixture)
