"""Recipes: complete training runs, as TOML files beside this module. Nothing here needs torch."""

from __future__ import annotations

import tomllib
from pathlib import Path

from ganprior.names import check_name
from ganprior.training.recipes.recipe import NOT_OF_THE_RUN, Recipe

__all__ = ["NOT_OF_THE_RUN", "Recipe", "load_recipe", "recipe_names"]

_FOLDER = Path(__file__).parent


def recipe_names() -> list[str]:
    """Names of the recipes of the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_recipe(name: str | Path) -> Recipe:
    """Load a recipe of the package by name, or one from a ``.toml`` file by path.

    Raises
    ------
    ValueError
        If there is none of that name, or the file is no recipe.

    Examples
    --------
    >>> from ganprior import load_recipe
    >>> load_recipe("dcgan").override(steps=100).steps
    100
    """
    if str(name).endswith(".toml"):
        return _read(Path(name))
    check_name("recipe", name, recipe_names(), "or the path of a .toml file")
    return _read(_FOLDER / f"{name}.toml")


def _read(path: Path) -> Recipe:
    try:
        return Recipe.of(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"cannot read recipe {path}: {reason}") from error
