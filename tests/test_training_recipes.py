"""Recipes: text in, numbers out, and every mistake named."""

import pytest

from ganprior.training import Recipe, load_recipe, recipe_names
from tests.cases_training import tiny_recipe


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipes_load_and_round_trip(name, tmp_path):
    recipe = load_recipe(name)
    path = tmp_path / "copy.toml"
    path.write_text(recipe.toml())
    assert load_recipe(path) == recipe
    assert recipe.images == 59000
    assert (recipe.size, recipe.channels) == (28, 1)


def test_names():
    assert recipe_names() == ["dcgan", "wgan-gp"]
    with pytest.raises(ValueError, match=r"unknown recipe 'dcgn'; did you mean 'dcgan'\?.*\.toml"):
        load_recipe("dcgn")


def test_values_are_converted_from_text():
    recipe = load_recipe("dcgan").override(steps="7", learning_rate="1e-3", betas="0.1,0.9")
    assert (recipe.steps, recipe.learning_rate, recipe.betas) == (7, 1e-3, (0.1, 0.9))
    assert recipe.differences(load_recipe("dcgan")) == ["steps", "learning_rate", "betas"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"step": 3}, "unknown recipe option 'step'; did you mean 'steps'"),
        ({"steps": "1e4"}, "steps wants a whole number, got '1e4'"),
        ({"steps": 2.5}, "steps wants a whole number, got 2.5"),
        ({"steps": True}, "steps wants a whole number, got True"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"betas": "0.5"}, "betas wants two numbers a,b, got '0.5'"),
        ({"betas": "0.5,1"}, "betas must be two in"),
        ({"learning_rate": "fast"}, "learning_rate wants a number, got 'fast'"),
        ({"learning_rate": "nan"}, "learning_rate must be positive, got nan"),
        ({"learning_rate": 0}, "learning_rate must be positive"),
        ({"penalty_weight": -1}, "penalty_weight must be >= 0"),
        ({"ema_decay": 1}, "ema_decay must be in"),
        ({"objective": "wgan"}, "unknown objective 'wgan'; did you mean 'wgan-gp'"),
        ({"precision": "half"}, "unknown precision 'half'"),
    ],
)
def test_wrong_values_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        tiny_recipe().override(**values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps = ", "cannot read recipe .*mine.toml"),
        ("steps = 5", "objective, size, channels, .* missing"),
        ("stepz = 5", "unknown recipe option 'stepz'"),
    ],
)
def test_wrong_files_are_named(text, message, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_recipe(path)
    with pytest.raises(ValueError, match=r"cannot read recipe .*absent.toml: No such file"):
        load_recipe(tmp_path / "absent.toml")


def test_a_recipe_has_its_defaults():
    assert Recipe.of({k: v for k, v in vars(tiny_recipe()).items() if k != "ema_decay"}).ema_decay
