"""Training of priors: one file per adversarial objective, one loop for all of them."""

from ganprior.training.loop import Trainer, train
from ganprior.training.recipes import Recipe, load_recipe, recipe_names

__all__ = ["Recipe", "Trainer", "load_recipe", "recipe_names", "train"]
