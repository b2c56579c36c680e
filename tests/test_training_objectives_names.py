"""Objectives by name: what each says of its discriminator, and every mistake named."""

import pytest

from ganprior.training.objectives import (
    DIVERGENCES,
    FGAN,
    OBJECTIVES,
    LeastSquares,
    Minimax,
    NonSaturating,
    Objective,
    WassersteinClip,
    WassersteinGP,
    WassersteinGradientClip,
    make_objective,
    objective_options,
)


def test_names():
    assert set(OBJECTIVES) == {
        "minimax",
        "non-saturating",
        "f-gan",
        "wgan",
        "wgan-gradient-clip",
        "wgan-gp",
        "least-squares",
        "hinge",
    }
    for name, kind in OBJECTIVES.items():
        objective = make_objective(name, critic_steps=3)
        assert type(objective) is kind
        assert isinstance(objective, Objective)
        assert objective.critic_steps == 3


def test_options_reach_their_fields():
    assert make_objective("minimax", critic_steps=4) == Minimax(4)
    assert make_objective("non-saturating", real_label=0.9) == NonSaturating(real_label=0.9)
    assert make_objective("wgan-gp", critic_steps=4, penalty_weight=2) == WassersteinGP(4, 2)
    assert make_objective("wgan", clip=0.1) == WassersteinClip(5, 0.1)
    assert make_objective("wgan-gradient-clip") == WassersteinGradientClip(5, 1.0)
    made = make_objective("f-gan", divergence="kl", non_saturating=True)
    assert made == FGAN(1, DIVERGENCES["kl"], True)
    assert make_objective("f-gan", divergence=DIVERGENCES["kl"]) == FGAN(1, DIVERGENCES["kl"])
    assert objective_options("wgan-gp") == ["critic_steps", "penalty_weight"]


def test_defaults_are_those_of_the_papers():
    assert make_objective("wgan") == WassersteinClip(critic_steps=5, clip=0.01)
    assert make_objective("wgan-gp") == WassersteinGP(critic_steps=5, penalty_weight=10)
    assert make_objective("minimax") == Minimax(1, 1.0, 0.0, 0.0)
    assert make_objective("least-squares") == LeastSquares(1, 1.0, 0.0, 1.0)


def test_an_objective_says_what_its_discriminator_gives():
    outputs = {name: make_objective(name).discriminator_output for name in OBJECTIVES}
    logits = {name for name, output in outputs.items() if output == "probability"}
    assert logits == {"minimax", "non-saturating", "f-gan"}
    assert set(outputs.values()) == {"probability", "critic"}
    assert make_objective("f-gan", divergence="pearson").discriminator_output == "critic"
    free = {name for name in OBJECTIVES if not make_objective(name).discriminator_batch_norm}
    assert free == {"wgan-gp"}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("wgan-pg", {}, "unknown objective 'wgan-pg'; did you mean 'wgan-gp'.*known: f-gan, "),
        ("xyz", {}, "unknown objective 'xyz'; known: f-gan"),
        ("wgan", {"clipp": 1}, "unknown option of wgan 'clipp'; did you mean 'clip'"),
        ("hinge", {"clip": 1}, "unknown option of hinge 'clip'; known: critic_steps"),
        ("f-gan", {"divergence": "pearsn"}, "unknown divergence 'pearsn'; did you mean 'pearson'"),
        ("minimax", {"critic_steps": 0}, "critic_steps must be at least 1, got 0"),
        ("minimax", {"real_label": 1.1}, r"real_label must be above fake_label .* got 1.1"),
        ("minimax", {"real_label": 0.2, "fake_label": 0.3}, r"real_label must be above .*0\.3"),
        ("minimax", {"fake_label": -0.1}, r"fake_label must be in \[0, 1\), got -0.1"),
        ("non-saturating", {"flip_probability": 0.5}, "flip_probability must be in .*, got 0.5"),
        ("wgan", {"clip": 0}, "clip must be positive, got 0"),
        ("wgan-gradient-clip", {"clip": float("nan")}, "clip must be positive, got nan"),
        ("wgan-gp", {"penalty_weight": -1}, "penalty_weight must be at least 0, got -1"),
        ("wgan-gp", {"penalty_weight": float("inf")}, "penalty_weight must be .*, got inf"),
        ("least-squares", {"real_target": 0}, r"real_target must be above fake_target \(0.0\)"),
        ("least-squares", {"generator_target": -1}, "generator_target must be above fake_target"),
    ],
)
def test_mistakes_are_named_in_one_line(name, options, message):
    with pytest.raises(ValueError, match=message) as error:
        make_objective(name, **options)
    assert "\n" not in str(error.value)
