"""Failures of a training run, each named once and early, with what to do about it.

Signs that Radford et al. (2015, arXiv 1511.06434), Arjovsky, Chintala and Bottou (2017, arXiv
1701.07875) and Salimans et al. (2016, arXiv 1606.03498) describe: a discriminator that has won
gives the generator no gradient; gradients grow without bound; a generator collapses to few
images. The thresholds are ours: far from what runs that end well show.
"""

from __future__ import annotations

import math
import statistics
from collections import deque

from ganprior.training.recipes import Recipe

# Objectives whose discriminator loss is at least 0 and reaches it when the discriminator is
# always right. A Wasserstein or variational loss passes through 0 in good health.
_ZERO_IS_DEFEAT = ("minimax", "non-saturating", "least-squares", "hinge", "vae-gan")
# What counts as zero, and for how many steps in a row: a lucky batch is no failure.
_ZERO, _ZERO_STEPS = 0.01, 200
# A gradient is exploding when, so many steps in a row, its norm is above this multiple of the
# median of earlier steps. The floor spares networks that had no gradient to speak of.
_EXPLOSION, _EXPLOSION_STEPS, _EXPLOSION_FLOOR = 100.0, 10, 10.0
# Steps that the median is over, and between two looks at it.
_HISTORY, _REFRESH = 500, 50
# Share of the real images' diversity, over so many looks in a row: the first sheets of a run
# are all alike before they are anything.
_COLLAPSE, _COLLAPSE_LOOKS = 0.5, 2


class Health:
    """Watches losses, gradient norms and diversity, and warns once per kind of failure.

    Parameters
    ----------
    recipe : Recipe
        The run that is watched; advice and the meaning of a loss depend on its objective.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._named: set[str] = set()
        self._zeros = 0
        self._collapsed = 0
        self._norms = {"discriminator": _Norms(), "generator": _Norms()}

    def check(
        self, step: int, loss_d: float, loss_g: float, norm_d: float, norm_g: float
    ) -> str | None:
        """Look at one step.

        Parameters
        ----------
        step : int
            Generator steps so far.
        loss_d, loss_g : float
            Losses of discriminator and generator.
        norm_d, norm_g : float
            Norms of their gradients, over all parameters.

        Returns
        -------
        str or None
            A warning of one line, or None in good health and for a failure already named.
        """
        values = {
            "discriminator loss": loss_d,
            "generator loss": loss_g,
            "discriminator gradient": norm_d,
            "generator gradient": norm_g,
        }
        broken = [name for name, value in values.items() if not math.isfinite(value)]
        if broken:
            return self._name(
                "nonfinite",
                f"step {step}: {' and '.join(broken)} not finite; {self.gentler()}",
            )
        return self._check_zero(step, loss_d) or self._check_norms(step, norm_d, norm_g)

    def check_diversity(self, step: int, generated: float, real: float) -> str | None:
        """Look at the diversity of a minibatch; see :func:`ganprior.metrics.diversity`.

        Parameters
        ----------
        step : int
            Generator steps so far.
        generated, real : float
            Mean distance between two generated and between two real images.

        Returns
        -------
        str or None
            A warning of one line, or None.
        """
        self._collapsed = self._collapsed + 1 if generated < _COLLAPSE * real else 0
        if self._collapsed < _COLLAPSE_LOOKS:
            return None
        return self._name(
            "collapse",
            f"step {step}: the generator has collapsed, its images differ by {generated:.3g} where "
            f"real ones differ by {real:.3g}; --set closeness_weight=... keeps samples apart, "
            "objective wgan-gp seldom collapses",
        )

    def _check_zero(self, step: int, loss_d: float) -> str | None:
        losing = self.recipe.objective in _ZERO_IS_DEFEAT and loss_d < _ZERO
        self._zeros = self._zeros + 1 if losing else 0
        if self._zeros < _ZERO_STEPS:
            return None
        return self._name(
            "zero",
            f"step {step}: the discriminator loss has been under {_ZERO} for {_ZERO_STEPS} steps, "
            "the generator learns nothing from it any more; --set real_label=0.9 or "
            "input_noise=0.1, or fewer discriminator_filters",
        )

    def _check_norms(self, step: int, norm_d: float, norm_g: float) -> str | None:
        for player, norm in (("discriminator", norm_d), ("generator", norm_g)):
            typical = self._norms[player].exploding(norm)
            if typical is not None:
                warning = self._name(
                    "explosion",
                    f"step {step}: the {player}'s gradient is exploding, its norm is {norm:.3g} "
                    f"where {typical:.3g} was usual; {self.gentler()}",
                )
                if warning:
                    return warning
        return None

    def gentler(self) -> str:
        """Half a sentence on what to do about numbers that grow without bound."""
        rate = self.recipe.learning_rate
        advice = f"lower the rate, --set learning_rate={rate / 4:g}"
        clipped = self.recipe.objective in ("wgan", "wgan-gradient-clip")
        return advice + (", or clip less far, --set clip=..." if clipped else "")

    def _name(self, kind: str, warning: str) -> str | None:
        if kind in self._named:
            return None
        self._named.add(kind)
        return warning


class _Norms:
    """Gradient norms of one player: what was usual, and for how long they have been far above."""

    def __init__(self) -> None:
        self._usual: deque[float] = deque(maxlen=_HISTORY)
        self._seen = 0
        self._median = math.inf
        self._above = 0

    def exploding(self, norm: float) -> float | None:
        """Take one norm; what was usual when the last norms are all far above it, else None."""
        if norm > max(_EXPLOSION_FLOOR, _EXPLOSION * self._median):
            self._above += 1
            # Kept out of what is usual, or an explosion would soon look so.
            return self._median if self._above >= _EXPLOSION_STEPS else None
        self._above = 0
        self._usual.append(norm)
        self._seen += 1
        # Sorting at every step would cost more than it tells.
        if self._seen % _REFRESH == 0:
            self._median = statistics.median(self._usual)
        return None
