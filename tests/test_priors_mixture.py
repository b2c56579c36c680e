"""Priors of mixtures: the label is the generator, as often drawn as it weighs, and searched."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from ganprior import CSGM, FAST, MAP, ByLabel, Prior, solver
from ganprior.datasets import Images
from ganprior.evaluation import evaluate_prior
from ganprior.evaluation.evaluate import check_held_out
from ganprior.evaluation.representation import representation_error
from ganprior.priors import read_card
from ganprior.priors.architectures import Architecture
from ganprior.priors.turns import in_shares
from ganprior.solution import Reconstructor, Solution, Status
from tests.cases import gaussian, rng
from tests.cases_architectures import tiny_architecture, tiny_prior
from tests.cases_density import tiny_density
from tests.cli_cases import succeed

T = 3


def mixture(name: str = "mlp", **changes: Any) -> Prior:
    prior: Any = tiny_prior(name, mixture=T, **changes)
    with torch.no_grad():
        prior.generator.logits.copy_(torch.tensor([0.5, 0.25, 0.25]).log())
    own: Prior = prior
    return own


@pytest.mark.parametrize("name", ["dcgan", "dcgan-tanh", "mlp", "resnet"])
def test_an_image_is_that_of_its_generator(name):
    prior: Any = mixture(name).double()
    z = torch.randn(6, 5, generator=rng(), dtype=torch.float64)
    labels = torch.tensor([2, 0, 2, 1, 0, 2])
    images = prior(z, labels)
    for i, label in enumerate(labels.tolist()):
        one = prior.given(label)
        assert one.classes == 0
        torch.testing.assert_close(one(z[i : i + 1])[0], images[i], rtol=1e-12, atol=1e-12)
        assert not torch.allclose(prior.given((label + 1) % T)(z[i : i + 1])[0], images[i])
    x = prior.from_unit(images)
    torch.testing.assert_close(prior.given(1).discriminator(x), prior.discriminator(x))
    with pytest.raises(ValueError, match=r"no labels: give one of 0 \.\.\. 2"):
        prior(z)


def test_gradients_pass_to_the_right_latents_and_generators():
    prior: Any = mixture()
    z = torch.randn(3, 5, generator=rng(), requires_grad=True)
    prior(z, torch.tensor([1, 1, 2]))[0].sum().backward()
    assert z.grad is not None
    assert z.grad[0].any()
    assert not z.grad[1:].any()
    moved = [any(p.grad is not None and p.grad.any() for p in one.parameters())
             for one in prior.generator.components]  # fmt: skip
    assert moved == [False, True, False]


@pytest.mark.parametrize("name", ["dcgan", "mlp"])
def test_it_is_saved_and_loaded_and_so_is_one_generator_of_it(name, tmp_path):
    prior = mixture(name)
    prior.save(tmp_path / "all")
    again = Prior.load(tmp_path / "all")
    change = again.card["float16_largest_pixel_change"]
    assert again.classes == T
    assert (again.sample(9, 1) - prior.sample(9, 1)).abs().max() <= 3 * change < 0.05
    prior.card["mixture_weights"] = [0.5, 0.25, 0.25]
    one = prior.given(2)
    one.save(tmp_path / "two")
    assert "mixture_weights" not in read_card(tmp_path / "two")
    loaded = Prior.load(tmp_path / "two")
    assert loaded.classes == 0
    assert loaded.component_weights is None
    assert (loaded.sample(9, 1) - one.sample(9, 1)).abs().max() <= 3 * change


class TestTurns:
    def test_generators_draw_as_often_as_they_weigh(self):
        prior = mixture()
        labels = prior.round_robin(400)
        assert labels is not None
        assert torch.bincount(labels).tolist() == [200, 100, 100]
        first = prior.round_robin(7)
        assert first is not None
        assert torch.equal(labels[:7], first)
        z = prior.sample_latents(5, 3)
        assert torch.equal(prior.sample(5, 3), prior.render(z, labels[:5]))

    @pytest.mark.parametrize("count", [1, 2, 5, 7])
    def test_equal_weights_take_turns(self, count):
        turns = in_shares(torch.full((count,), 1.0).softmax(0), 4 * count)
        assert turns.tolist() == list(range(count)) * 4

    def test_no_share_is_ever_far_behind(self):
        weights = torch.rand(6, generator=rng())
        weights /= weights.sum()
        counts = torch.nn.functional.one_hot(in_shares(weights, 500), 6).cumsum(0)
        due = weights * torch.arange(1, 501)[:, None]
        assert (counts - due).abs().max() < 3


class Fixed(Reconstructor):
    """A solver whose objective is known beforehand."""

    def __init__(self, objective: list[float], value: float) -> None:
        super().__init__()
        self.values, self.value = torch.tensor(objective), value

    def solve(self, y: Tensor, physics: Any, *, rng: Any = 0, progress: Any = False) -> Solution:
        x = torch.full((len(y), 1, 2, 2), self.value)
        status = (Status.CONVERGED if self.value else Status.NONFINITE,) * len(y)
        own = self.value * torch.ones(len(y))
        settings = {"steps": 5, "lambda": own, "part": self.value}
        return Solution(x, own, self.values, status, own.long(), z=x.flatten(1), settings=settings)


class TestSolving:
    def test_every_signal_has_the_label_of_its_least_objective(self):
        values = iter([[3.0, float("nan"), 2.0], [1.0, 9.0, 4.0], [2.0, 8.0, 1.0]])
        numbers = iter([0.0, 1.0, 2.0])
        prior = mixture()
        made = ByLabel(prior, lambda one: Fixed(next(values), next(numbers)))
        solution = made.solve(torch.zeros(3, 4), None)
        assert solution.settings["label"].tolist() == [1, 2, 2]
        assert solution.objective.tolist() == [1, 8, 1]
        assert solution.x[:, 0, 0, 0].tolist() == [1, 2, 2]
        assert solution.z is not None
        assert solution.z[:, 0].tolist() == solution.steps.tolist() == [1, 2, 2]
        assert solution.status == (Status.CONVERGED,) * 3
        assert solution.settings["steps"] == 5
        assert solution.settings["lambda"].tolist() == [1, 2, 2]
        assert solution.settings["part"].tolist() == [1, 2, 2]

    def test_csgm_finds_the_generator_of_planted_images(self):
        prior = mixture(size=8, filters=16)
        labels = torch.tensor([0, 1, 2, 1])
        x = prior(prior.sample_latents(4, 5), labels).detach()
        physics = gaussian(40, prior.image_shape)
        search = solver("csgm:lambda=0,effort=fast", prior)
        assert isinstance(search, ByLabel)
        solution = search.solve(physics.A(x), physics)
        assert torch.equal(solution.settings["label"], labels)
        assert (solution.x - x).square().mean() < 1e-5
        assert solution.z is not None
        rendered = prior.render(solution.z, solution.settings["label"])
        torch.testing.assert_close(rendered, solution.x, rtol=1e-4, atol=1e-4)
        assert representation_error(prior, x, effort=FAST).max() < 1e-5

    def test_a_density_of_each_generator_makes_it_a_choice_by_evidence(self):
        prior = mixture(size=8, filters=16)

        def with_density(one: Prior) -> MAP:
            one.density = tiny_density(5, one.image_shape)
            return MAP(one, 0.05)

        physics = gaussian(30, prior.image_shape)
        y = physics.A(prior.sample(3, 2))
        by_label = ByLabel(prior, with_density)
        solution = by_label.solve(y, physics)
        weights = prior.component_weights
        assert weights is not None
        alone = torch.stack([one.solve(y, physics).objective for one in by_label.solvers])
        joint = alone - weights.log()[:, None]
        torch.testing.assert_close(solution.objective, joint.min(0).values)
        assert torch.equal(solution.settings["label"], joint.argmin(0))

    def test_conditional_priors_are_searched_alike(self):
        prior = tiny_prior("mlp", classes=T, size=8, filters=16)
        x = prior(prior.sample_latents(2, 1), torch.tensor([2, 0])).detach()
        physics = gaussian(40, prior.image_shape)
        solution = solver("csgm:lambda=0,effort=fast", prior).solve(physics.A(x), physics)
        assert solution.settings["label"].tolist() == [2, 0]

    def test_what_has_no_labels_is_refused(self):
        with pytest.raises(ValueError, match="prior has no labels to choose from"):
            ByLabel(tiny_prior("mlp"), CSGM)


def test_it_is_evaluated_without_the_datas_labels():
    prior = mixture(size=8, filters=16)
    pixels = (prior.sample(12, 4) * 255).round().byte()
    held_out = Images(pixels, tuple(map(str, range(12))), "sum", torch.arange(12) % 10)
    check_held_out(prior, replace(held_out, labels=None), 3)
    found = evaluate_prior(prior, held_out, None, None, fitted=0, tuning=held_out.head(1)).figures
    assert found["errors"]["csgm"].keys() == {"25"}
    assert "read_as_asked" not in found


def test_the_command_line_reconstructs_samples_and_lists(tmp_path):
    prior = mixture(size=8, filters=16)
    prior.save(tmp_path / "three")
    succeed("sample", "--prior", tmp_path / "three", "--count", 8, "--out", tmp_path / "s.npz")
    options = ("--prior", tmp_path / "three", "--measure", "gaussian:m=40", "--limit", 2)
    out = succeed("reconstruct", tmp_path / "s.npz", *options, "--out", tmp_path / "found")
    assert "csgm" in out.output
    assert '"label": [' in (tmp_path / "found/summary.json").read_text()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mixture": 0}, "mixture must be 1 to 100, got 0"),
        ({"mixture": 101}, "mixture must be 1 to 100, got 101"),
        ({"mixture": 2, "classes": 2}, "a mixture has neither classes nor an encoder"),
        ({"mixture": 2, "encoder": True}, "a mixture has neither classes nor an encoder"),
        ({"mixture": 2, "label": 2}, r"label must be one of 0 \.\.\. 1, got 2"),
    ],
)
def test_architectures_that_cannot_be(changes, message):
    with pytest.raises(ValueError, match=message):
        Architecture.of({**tiny_architecture().describe(), **changes})
