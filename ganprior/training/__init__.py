"""Training of priors: one file per adversarial objective, one loop for all of them.

Names are imported when they are first asked for: recipes are read without torch.
"""

import importlib
from typing import TYPE_CHECKING

_HOMES = {
    "classifier": ("TrainedClassifier", "load_classifier", "shipped_classifier"),
    "context_encoder": ("ContextEncoderRecipe", "train_context_encoder"),
    "distributed": ("World",),
    "evaluate": ("evaluate_prior",),
    "features": ("choose_features",),
    "loop": ("train",),
    "observer": ("TrainingFailed",),
    "objectives": ("DIVERGENCES", "Divergence", "Objective", "Score"),
    "precision": ("precision_for",),
    "representation": ("representation_error",),
    "recipes": ("Recipe", "load_recipe", "recipe_names"),
    "run_folder": ("RunFolder",),
    "trainer": ("Trainer",),
}

__all__ = [
    "DIVERGENCES",
    "ContextEncoderRecipe",
    "Divergence",
    "Objective",
    "Recipe",
    "RunFolder",
    "Score",
    "TrainedClassifier",
    "Trainer",
    "TrainingFailed",
    "World",
    "choose_features",
    "evaluate_prior",
    "load_classifier",
    "load_recipe",
    "precision_for",
    "recipe_names",
    "representation_error",
    "shipped_classifier",
    "train",
    "train_context_encoder",
]

if TYPE_CHECKING:
    from ganprior.training.classifier import TrainedClassifier, load_classifier, shipped_classifier
    from ganprior.training.context_encoder import ContextEncoderRecipe, train_context_encoder
    from ganprior.training.distributed import World
    from ganprior.training.evaluate import evaluate_prior
    from ganprior.training.features import choose_features
    from ganprior.training.loop import train
    from ganprior.training.objectives import DIVERGENCES, Divergence, Objective, Score
    from ganprior.training.observer import TrainingFailed
    from ganprior.training.precision import precision_for
    from ganprior.training.recipes import Recipe, load_recipe, recipe_names
    from ganprior.training.representation import representation_error
    from ganprior.training.run_folder import RunFolder
    from ganprior.training.trainer import Trainer
else:

    def __getattr__(name: str) -> object:
        """Import a name when it is first asked for (PEP 562)."""
        for home, names in _HOMES.items():
            if name in names:
                value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
