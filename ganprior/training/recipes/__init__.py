"""Recipes: every number of a training run, in a TOML file beside this module."""

from __future__ import annotations

import difflib
import json
import math
import tomllib
from dataclasses import MISSING, asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
_FROM_ZERO = ("seed", "decay_from")


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
    decay_from : int
        Step from which the rate falls linearly, to 0 after the last one; 0 for a constant rate.
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
    decay_from: int = 0
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
            if field.type == "int" and value < (least := 0 if field.name in _FROM_ZERO else 1):
                raise ValueError(f"recipe: {field.name} must be at least {least}, got {value}")
        _inside("learning_rate", self.learning_rate, 0 < self.learning_rate < math.inf, "positive")
        _inside("penalty_weight", self.penalty_weight, 0 <= self.penalty_weight < math.inf, ">= 0")
        _inside("ema_decay", self.ema_decay, 0 <= self.ema_decay < 1, "in [0, 1)")
        _inside("betas", self.betas, all(0 <= beta < 1 for beta in self.betas), "two in [0, 1)")

    @classmethod
    def of(cls, values: dict[str, Any]) -> Recipe:
        """Make a recipe of named values, each converted to its field's type.

        Raises
        ------
        ValueError
            If a name is unknown, a value does not convert or is out of range, or one is missing.
        """
        converted = _converted(values)
        needed = [field.name for field in fields(cls) if field.default is MISSING]
        missing = [name for name in needed if name not in converted]
        if missing:
            raise ValueError(f"recipe: {', '.join(missing)} missing; copy the ones of dcgan.toml")
        return cls(**converted)

    def override(self, **values: Any) -> Recipe:
        """Return the recipe with some values replaced, each converted to its field's type.

        Raises
        ------
        ValueError
            If a name is unknown, or a value does not convert or is out of range.
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


def load_recipe(name: str | Path) -> Recipe:
    """Load a recipe of the package by name, or one from a ``.toml`` file by path.

    Raises
    ------
    ValueError
        If there is none of that name, or the file is no recipe.
    """
    if str(name).endswith(".toml"):
        return _read(Path(name))
    _choice("recipe", str(name), tuple(recipe_names()), "or the path of a .toml file")
    return _read(_FOLDER / f"{name}.toml")


def _read(path: Path) -> Recipe:
    try:
        return Recipe.of(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"cannot read recipe {path}: {reason}") from error


def _converted(values: dict[str, Any]) -> dict[str, Any]:
    types = {field.name: str(field.type) for field in fields(Recipe)}
    for name in values:
        _choice("recipe option", name, tuple(types))
    return {name: _convert(name, types[name], value) for name, value in values.items()}


def _convert(name: str, kind: str, value: Any) -> Any:
    try:
        if isinstance(value, bool):
            raise TypeError("true and false are no numbers and no words")
        if kind == "int":
            whole = int(value)
            if isinstance(value, float) and value != whole:
                raise ValueError("int() would cut the fraction")
            return whole
        if kind == "float":
            return float(value)
        if kind == "str":
            return str(value)
        parts = value.split(",") if isinstance(value, str) else value
        first, second = (float(part) for part in parts)
    except (TypeError, ValueError, OverflowError) as error:
        words = {"int": "a whole number", "float": "a number", "str": "a word"}
        wanted = words.get(kind, "two numbers a,b")
        raise ValueError(f"recipe option {name} wants {wanted}, got {value!r}") from error
    return first, second


def _inside(name: str, value: object, inside: bool, wanted: str) -> None:
    if not inside:
        raise ValueError(f"recipe: {name} must be {wanted}, got {value}")


def _choice(what: str, value: str, known: tuple[str, ...], other: str = "") -> None:
    if value in known:
        return
    near = difflib.get_close_matches(value, known, 1)
    suggestion = f"did you mean {near[0]!r}? " if near else ""
    end = f", {other}" if other else ""
    raise ValueError(f"unknown {what} {value!r}; {suggestion}known: {', '.join(known)}{end}")
