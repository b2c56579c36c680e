"""Total variation: the image of least variation that has the known pixels, or explains y.

    min over x of  TV(x)                            where x equals y at the known pixels
    min over x of  1/2 ||y - A x||^2 + weight TV(x)     where 0 <= x <= 1

L. Rudin, S. Osher, E. Fatemi, "Nonlinear total variation based noise removal algorithms", Physica
D 60, 1992. TV is isotropic; the channels of a pixel share one norm (X. Bresson, T. F. Chan, "Fast
dual minimization of the vectorial total variation norm and applications to color image
processing", Inverse Problems and Imaging 2(4), 2008), so that edges fall together.

Solved by :mod:`ganprior.baselines.primal_dual`, the first with lower = upper = y at the known
pixels and without A.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganprior.baselines.alphas import default_alpha
from ganprior.baselines.inpainting import known_pixels, mask_gains
from ganprior.baselines.inputs import checked_measurements, linear_facts, split_finite
from ganprior.baselines.linear_map import LinearMap, Pixels, count_and_scale
from ganprior.baselines.outcome import Outcome
from ganprior.baselines.penalties import TotalVariationNorm
from ganprior.baselines.primal_dual import SaddlePoint, minimise, minimise_in_box
from ganprior.numbers import check_count, check_noise_std, check_number
from ganprior.physics import Facts
from ganprior.physics.facts import stated_noise
from ganprior.physics.probing import as_rows
from ganprior.progress import Wish, with_progress
from ganprior.registry import Number, register
from ganprior.solution import Reconstructor, Solution, without_autocast
from ganprior.streams import Streams

PENALTY = TotalVariationNorm()
# Size of p over size of x, which sets the ratio of the two step lengths, for images that span
# [0, 1]: 3 to 10 take the fewest steps with every kind of mask.
DUAL_OVER_PRIMAL = 5


@register(
    "solver",
    "tv",
    "min over x in [0, 1] of 1/2 ||y - A x||^2 + weight TV(x)",
    Number(
        "weight",
        "of TV; when left out the known pixels of a mask stay as they are, elsewhere tuned",
        example=0.01,
        above=0,
    ),
    needs="linear",
)
class TotalVariation(Reconstructor):
    """Total variation; any linear physics.

    Parameters
    ----------
    weight : float, optional
        Weight of TV beside 1/2 ||y - A x||^2 summed over the entries of y, positive; x is kept in
        [0, 1]. When absent: the known pixels of a mask are kept as they are if they have no noise;
        elsewhere the weight is tuned for images in [0, 1], m / n and the noise, see
        :func:`~ganprior.baselines.alphas.default_alpha`, and scaled to the columns of A where its
        entries are not N(0, 1/m).
    noise_std : float, optional
        Standard deviation of each entry of y, from which the default weight follows. When absent:
        ``physics.noise_model.sigma`` where there is one, else 0.
    tolerance : float
        A signal has converged when its duality gap is at most this fraction of its objective.
    max_steps : int
        Steps after which a signal stops in any case.

    Raises
    ------
    ValueError
        If ``weight`` or ``tolerance`` is not positive, ``noise_std`` is negative or ``max_steps``
        is below 1.

    Examples
    --------
    >>> from ganprior import TotalVariation, demo_images, downsampling
    >>> physics = downsampling((1, 28, 28), 2)
    >>> x = TotalVariation()(physics(demo_images().head(1).floats()), physics)
    >>> bool((x >= 0).all() and (x <= 1).all())
    True
    """

    def __init__(
        self,
        weight: float | None = None,
        noise_std: float | None = None,
        *,
        tolerance: float = 1e-3,
        max_steps: int = 5000,
    ) -> None:
        super().__init__()
        if weight is not None:
            check_number("weight", weight, above=0, remedy="leave it out for the tuned default")
        check_noise_std(noise_std)
        check_number("tolerance", tolerance, above=0)
        check_count("max_steps", max_steps)
        self.weight = weight
        self.noise_std = noise_std
        self.tolerance = tolerance
        self.max_steps = max_steps

    @with_progress
    @without_autocast
    @torch.no_grad()
    def solve(
        self, y: Tensor, physics: Any, *, rng: Streams | int = 0, progress: Wish = False
    ) -> Solution:
        """Reconstruct and report; see :class:`~ganprior.solution.Solution`.

        Parameters
        ----------
        y : Tensor
            Measurements of B signals, first axis B.
        physics : object
            Linear, with ``A`` and ``A_adjoint``, as in deepinv.
        rng : Streams or int
            Not used: nothing here is random.
        progress : bool or callable
            True for a bar of the steps, on a terminal and in notebooks; or a function that is told
            the number of steps done and the number there are at most.

        Returns
        -------
        Solution
            A signal whose measurements are not all finite has status ``nonfinite`` and an image
            of zeros; the others are as they would be without it.

        Raises
        ------
        ValueError
            If y is not a tensor, or the physics is not linear, has no adjoint or does not fit y;
            or it is a mask without noise that hides every pixel of an image.
        """
        measured, finite = split_finite(checked_measurements(y, physics))
        if self.weight is None and not self._noisy(physics) and _is_mask(measured, physics):
            mask, gain = known_pixels(measured, physics, "")
            operator, problem = _interpolation(measured / gain, mask)
            found = minimise(operator, PENALTY, problem, self.tolerance, self.max_steps)
        else:
            found = self._regress(measured, physics)
        return found.solution(y, physics, finite)

    def _noisy(self, physics: Any) -> bool:
        return bool(stated_noise(physics).any() if self.noise_std is None else self.noise_std)

    def _regress(self, y: Tensor, physics: Any) -> Outcome:
        known, image = linear_facts(y, physics)
        weights = self._weights(known, image)
        found = minimise_in_box(
            LinearMap.from_physics(physics, known, Pixels(), y, image),
            PENALTY,
            as_rows(y),
            weights,
            image,
            self.tolerance,
            self.max_steps,
        )
        return replace(found, settings={"weight": weights})

    def _weights(self, known: Facts, image: Tensor) -> Tensor:
        """Weight of every signal, (B,)."""
        if self.weight is not None:
            return torch.full_like(image[:, 0, 0, 0], self.weight)
        m, scale = count_and_scale(known, image)
        return default_alpha("tv", known.n, m, scale, known.noise_std(self.noise_std)).to(image)


def _is_mask(y: Tensor, physics: Any) -> bool:
    return mask_gains(y, physics) is not None


def _interpolation(y: Tensor, mask: Tensor) -> tuple[LinearMap, SaddlePoint]:
    # Clipping to the range of the known pixels adds no variation, so that the box of the others
    # changes no minimum, and makes the dual finite.
    axes = (1, 2, 3)
    lowest = torch.where(mask, y, math.inf).amin(axes, keepdim=True)
    highest = torch.where(mask, y, -math.inf).amax(axes, keepdim=True)
    span = highest - lowest
    ratio = DUAL_OVER_PRIMAL / torch.where(span > 0, span, 1)
    nothing = LinearMap.from_matrix(y.new_zeros(0, y[0].numel()))
    return nothing, SaddlePoint(
        lower=torch.where(mask, y, lowest),
        upper=torch.where(mask, y, highest),
        y=y.new_zeros(len(y), 0),
        weight=torch.ones_like(ratio),
        primal_step=1 / (ratio * math.sqrt(PENALTY.squared_norm)),
        dual_step=ratio / math.sqrt(PENALTY.squared_norm),
    )
