"""Recipes: every number of a training run, in a TOML file beside this module."""

from __future__ import annotations

import difflib
import json
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Recipe:
    """One complete training run.

    Attributes
    ----------
    objective : str
        ``"non-saturating"`` or ``"wgan-gp"``.
    size, channels : int
        Height and width, and channels, of the images.
    latent_size : int
        k, the number of entries of z ~ N(0, I).
    filters, discriminator_filters : int
        Base width of the two networks.
    images : int
        How many images of the data set train: the first ones.
    steps : int
        Generator steps.
    critic_steps : int
        Discriminator steps before each of them.
    penalty_weight : float
        Weight of the gradient penalty; used by ``"wgan-gp"`` alone.
    batch_size : int
        Images per step of either player.
    learning_rate, betas : float, pair of float
        Adam, the same for both players.
    ema_decay : float
        Decay per generator step of the moving average that ships.
    precision : str
        ``"float32"``, ``"bfloat16"``, or ``"auto"``: bfloat16 where the device has units for it.
    seed : int
        Seed of weights, data order and latents.
    sheet_every, checkpoint_every : int
        Steps between sample sheets and between checkpoints.
    """

    objective: str
    size: int
    channels: int
    latent_size: int
    filters: int
    discriminator_filters: int
    images: int
    steps: int
    batch_size: int
    learning_rate: float
    betas: tuple[float, float]
    critic_steps: int = 1
    penalty_weight: float = 10.0
    ema_decay: float = 0.999
    precision: str = "auto"
    seed: int = 0
    sheet_every: int = 1000
    checkpoint_every: int = 500

    def __post_init__(self) -> None:
        _choice("objective", self.objective, ("non-saturating", "wgan-gp"))
        _choice("precision", self.precision, ("auto", "float32", "bfloat16"))
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "int" and field.name != "seed" and value < 1:
                raise ValueError(f"recipe: {field.name} must be at least 1, got {value}")
        if self.learning_rate <= 0 or not 0 <= self.ema_decay < 1:
            raise ValueError("recipe: learning_rate must be positive and ema_decay in [0, 1)")

    def override(self, **values: Any) -> Recipe:
        """Return the recipe with some values replaced, each converted to its field's type.

        Raises
        ------
        ValueError
            If a name is unknown or a value does not convert.
        """
        return replace(self, **_converted(values))

    def differences(self, other: Recipe) -> list[str]:
        """Names of the fields in which two recipes differ."""
        mine, theirs = asdict(self), asdict(other)
        return [name for name in mine if mine[name] != theirs[name]]

    def toml(self) -> str:
        """TOML text that :func:`read_recipe` reads back."""
        # JSON's numbers, strings and arrays are valid TOML.
        return "".join(f"{name} = {json.dumps(value)}\n" for name, value in asdict(self).items())


def recipe_names() -> list[str]:
    """Names of the recipes of the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_recipe(name: str) -> Recipe:
    """Load a recipe of the package by name.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    _choice("recipe", name, tuple(recipe_names()))
    return read_recipe(_FOLDER / f"{name}.toml")


def read_recipe(path: Path) -> Recipe:
    """Read a recipe from a TOML file.

    Raises
    ------
    ValueError
        If the file is not TOML, lacks a value or has one that no recipe knows.
    """
    try:
        values = tomllib.loads(path.read_text())
        return Recipe(**_converted(values))
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise ValueError(f"{path} is not a recipe: {error}") from error


def _converted(values: dict[str, Any]) -> dict[str, Any]:
    types = {field.name: str(field.type) for field in fields(Recipe)}
    for name in values:
        _choice("recipe option", name, tuple(types))
    return {name: _convert(name, types[name], value) for name, value in values.items()}


def _convert(name: str, kind: str, value: Any) -> Any:
    try:
        if kind == "int":
            return int(value)
        if kind == "float":
            return float(value)
        if kind == "str":
            return str(value)
        parts = value.split(",") if isinstance(value, str) else value
        first, second = (float(part) for part in parts)
    except (TypeError, ValueError) as error:
        wanted = {"int": "a whole number", "float": "a number"}.get(kind, "two numbers a,b")
        raise ValueError(f"recipe option {name} wants {wanted}, got {value!r}") from error
    return first, second


def _choice(what: str, value: str, known: tuple[str, ...]) -> None:
    if value in known:
        return
    near = difflib.get_close_matches(value, known, 1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
    raise ValueError(f"unknown {what} {value!r}{hint}")
