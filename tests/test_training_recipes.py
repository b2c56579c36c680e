"""Recipes: text in, numbers out, and every mistake named."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ganprior.training import Recipe, Trainer, load_recipe, recipe_names
from ganprior.training.objectives import (
    DIVERGENCES,
    FGAN,
    Minimax,
    NonSaturating,
    WassersteinClip,
    WassersteinGP,
)
from ganprior.training.players import objective_of
from ganprior.training.recipes import values
from tests.cases_training import tiny_images, tiny_recipe

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipes_load_and_round_trip(name, tmp_path):
    recipe = load_recipe(name)
    path = tmp_path / "copy.toml"
    path.write_text(recipe.toml())
    assert load_recipe(path) == recipe
    assert recipe.expected


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipes_take_a_step_of_each_kind(name):
    small = {"filters": 2, "discriminator_filters": 2, "batch_size": 2, "vae_steps": 0}
    recipe = load_recipe(name).override(**small, precision="float32")
    # One goes on from the run of another.
    recipe = recipe.override(start_generator="", start_encoder="")
    images = tiny_images(4, recipe.size, recipe.channels, classes=recipe.classes)
    trainer = Trainer(recipe, images, torch.device("cpu"))
    assert all(value is None or value.isfinite() for value in trainer.train_step())


MEASURED = csv.DictReader(
    (ROOT / "experiments/benchmarks/results/recipes/summary.csv").read_text("utf-8").splitlines()
)


@pytest.mark.parametrize("row", MEASURED, ids=lambda row: row["recipe"])
def test_what_a_measured_recipe_expects_is_what_was_measured(row):
    expected = load_recipe(row["recipe"]).expected
    if row["read_as_asked"]:
        assert f"{float(row['read_as_asked']):.0%} of samples" in expected
    else:
        assert f"representation error {float(row['representation_error']):.4f}" in expected
    if "Fréchet" in expected:
        assert f"Fréchet distance {float(row['frechet_distance']):.2g}" in expected


def test_recipes_know_the_divergences_that_there_are():
    assert tuple(DIVERGENCES) == values.DIVERGENCES


def test_objectives_receive_their_options():
    recipe = tiny_recipe("wgan-gp", critic_steps=4, penalty_weight=2)
    assert objective_of(recipe) == WassersteinGP(4, 2.0)
    recipe = tiny_recipe("f-gan", divergence="jeffreys")
    assert objective_of(recipe) == FGAN(divergence=DIVERGENCES["jeffreys"])
    labels = {"real_label": 0.9, "fake_label": 0.1, "label_flip": 0.05}
    assert objective_of(tiny_recipe("minimax", **labels)) == Minimax(1, 0.9, 0.1, 0.05)
    assert objective_of(tiny_recipe("vae-gan")) == NonSaturating(1)
    assert objective_of(tiny_recipe("wgan", critic_steps=5, clip=0.1)) == WassersteinClip(5, 0.1)
    assert objective_of(tiny_recipe("vae")) is None


def test_names():
    assert {"dcgan", "wgan-gp", "mnist-k20", "mnist-k64", "cdcgan-mnist"} <= set(recipe_names())
    with pytest.raises(ValueError, match=r"unknown recipe 'dcgn'; did you mean 'dcgan'\?.*\.toml"):
        load_recipe("dcgn")


def test_values_are_converted_from_text():
    recipe = load_recipe("dcgan").override(steps="7", learning_rate="1e-3", betas="0.1,0.9")
    assert recipe.override(encoder="true", compile="False").encoder
    assert (recipe.steps, recipe.learning_rate, recipe.betas) == (7, 1e-3, (0.1, 0.9))
    assert recipe.differences(load_recipe("dcgan")) == ["steps", "learning_rate", "betas"]


@pytest.mark.parametrize(
    ("changes", "message"),
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
        ({"objective": "wgan-pg"}, "unknown objective 'wgan-pg'; did you mean 'wgan-gp'"),
        ({"precision": "half"}, "unknown precision 'half'"),
        ({"optimizer": "adm"}, "unknown optimizer 'adm'; did you mean 'adam'"),
        ({"architecture": "dcgan-gate"}, "did you mean 'dcgan-gated'"),
        ({"objective": "f-gan", "divergence": "person"}, "did you mean 'pearson'"),
        ({"conditioning": "auxilary"}, "did you mean 'auxiliary'"),
        ({"classes": 1}, "classes must be 0 .* or at least 2, got 1"),
        ({"clip": 0}, "clip must be positive"),
        ({"label_flip": 1}, r"label_flip must be in \[0, 1\), got 1"),
        ({"real_label": 1.5}, r"real_label must be in \[0, 1\], got 1.5"),
        ({"kl_weight": -1}, "kl_weight must be >= 0"),
        ({"spectral_norm": "on"}, "spectral_norm wants true or false, got 'on'"),
        ({"encoder": 1}, "encoder wants true or false, got 1"),
    ],
)
def test_wrong_values_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        tiny_recipe().override(**changes)


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


def test_recipes_are_read_without_torch():
    code = "import sys, ganprior.training.recipes; sys.exit('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1]).returncode == 0
    )
