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

from ganprior.baselines.inpainting import known_pixels
from ganprior.baselines.inputs import checked_measurements, linear_facts, split_finite
from ganprior.baselines.linear_map import (
    LinearMap,
    Pixels,
    normal_image,
    squared_operator_norm,
)
from ganprior.baselines.primal_dual import SaddlePoint, minimise
from ganprior.physics.probing import as_rows
from ganprior.solution import Reconstructor, Solution, without_autocast
from ganprior.streams import Streams

# ||grad||^2 <= 8 (Chambolle 2004, theorem 3.1).
GRADIENT_NORM = 8
# Size of p over size of x, which sets the ratio of the two step lengths, for weight 1 and images
# that span [0, 1]: 3 to 10 take the fewest steps with every kind of mask.
DUAL_OVER_PRIMAL = 5


class TotalVariation(Reconstructor):
    """Total variation: inpainting, and any linear physics once a weight is given.

    Parameters
    ----------
    weight : float, optional
        Weight of TV beside 1/2 ||y - A x||^2 summed over the entries of y, positive; x is then
        kept in [0, 1]. When absent: the known pixels of a mask are kept as they are.
    tolerance : float
        A signal has converged when its duality gap is at most this fraction of its objective.
    max_steps : int
        Steps after which a signal stops in any case.

    Raises
    ------
    ValueError
        If ``weight`` or ``tolerance`` is not positive or ``max_steps`` is below 1.
    """

    def __init__(
        self, weight: float | None = None, *, tolerance: float = 1e-3, max_steps: int = 5000
    ) -> None:
        super().__init__()
        if weight is not None and not 0 < weight < math.inf:
            raise ValueError(f"weight={weight} must be positive; leave it out to keep known pixels")
        if not tolerance > 0:
            raise ValueError(f"tolerance={tolerance} must be positive, such as 1e-3")
        if max_steps < 1:
            raise ValueError(f"max_steps={max_steps} must be at least 1")
        self.weight = weight
        self.tolerance = tolerance
        self.max_steps = max_steps

    @without_autocast
    @torch.no_grad()
    def solve(self, y: Tensor, physics: Any, *, rng: Streams | int = 0) -> Solution:
        """Reconstruct and report; see :class:`~ganprior.solution.Solution`.

        Parameters
        ----------
        y : Tensor
            Measurements of B signals, first axis B.
        physics : object
            A mask; with a ``weight`` any linear physics with ``A`` and ``A_adjoint``.
        rng : Streams or int
            Not used: nothing here is random.

        Returns
        -------
        Solution
            A signal whose measurements are not all finite has status ``nonfinite`` and an image
            of zeros; the others are as they would be without it.

        Raises
        ------
        ValueError
            If y is not a tensor, or the physics is not linear, does not fit y, or, without a
            weight, is not a mask.
        """
        measured, finite = split_finite(checked_measurements(y, physics))
        if self.weight is None:
            mask, gain = known_pixels(measured, physics, "give TotalVariation a weight")
            operator, problem = _interpolation(measured / gain, mask)
            unit = torch.ones_like(problem.weight)
        else:
            operator, problem, unit = _regression(measured, physics, self.weight)
        found = minimise(operator, problem, self.tolerance, self.max_steps)
        found = replace(found, objective=found.objective * unit.flatten() ** 2)
        settings = {} if self.weight is None else {"weight": self.weight}
        return replace(found, settings=settings).solution(y, physics, finite)


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
        primal_step=1 / (ratio * math.sqrt(GRADIENT_NORM)),
        dual_step=ratio / math.sqrt(GRADIENT_NORM),
    )


def _regression(y: Tensor, physics: Any, weight: float) -> tuple[LinearMap, SaddlePoint, Tensor]:
    """Operator and problem with A and y divided by a unit, and the unit, (B, 1, 1, 1)."""
    known, image = linear_facts(y, physics)
    # Columns of A of unit norm: beside ||grad||^2 neither huge nor tiny, whatever the units.
    unit = known.scale.sqrt().to(image)[:, None]
    operator = LinearMap.from_physics(physics, known, Pixels(), y, image).divided(unit)
    bound = squared_operator_norm(operator, normal_image(image).flatten(1)) + GRADIENT_NORM
    length = bound.sqrt().expand(len(y), 1)[..., None, None]
    unit = unit[..., None, None]
    weights = weight / unit**2
    ratio = DUAL_OVER_PRIMAL * weights
    problem = SaddlePoint(
        lower=torch.zeros_like(image),
        upper=torch.ones_like(image),
        y=as_rows(y) / unit.flatten(1),
        weight=weights,
        primal_step=1 / (ratio * length),
        dual_step=ratio / length,
    )
    return operator, problem, unit
