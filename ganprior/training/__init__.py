"""Training of priors: one file per adversarial objective, one loop for all of them."""

from ganprior.training.loop import train
from ganprior.training.recipes import Recipe, load_recipe, recipe_names
from ganprior.training.run_folder import RunFolder
from ganprior.training.trainer import Trainer

__all__ = ["Recipe", "RunFolder", "Trainer", "load_recipe", "recipe_names", "train"]
