"""What all solvers that search the latent space of a prior share."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganprior.baselines.inputs import checked_measurements
from ganprior.physics import Facts, facts
from ganprior.priors import Latent, Prior
from ganprior.priors.check_prior import check_prior
from ganprior.priors.residual_law import ResidualLaw
from ganprior.priors.standard import Standard, standardised
from ganprior.progress import Wish, with_progress
from ganprior.solution import Reconstructor, Solution, squared_norm, without_autocast
from ganprior.solvers.engine import (
    EFFORTS,
    Effort,
    Objective,
    Problem,
    Setup,
    Stage,
    check_setup,
    chosen_effort,
    minimise,
    without_setup,
)
from ganprior.solvers.misfit import Residual, residual_of
from ganprior.streams import Streams


class LatentSolver(Reconstructor):
    """A solver that minimises an objective of its own over the latents of a prior.

    Parameters
    ----------
    prior : Prior
        Supplies the generator; it is not changed.
    effort : Effort, tuple of Stage or str
        Stages of the engine, or the name of one of ``efforts``.
    restarts, steps : int, optional
        Starts and first-order steps per signal, in place of those of the effort.
    setup : "auto", float or None
        What may be computed once per prior (:mod:`ganprior.solvers.engine.setup`).

    Attributes
    ----------
    efforts : mapping
        Efforts by name.
    kind : str
        Kind of the objective: a prior's card says of each what its own data leave unexplained.
    noise_std : float or None
        Standard deviation of the noise on each entry of y; None for what the physics states.

    Raises
    ------
    ValueError
        If ``prior`` is no ``Prior``, there is no such effort, or a number is below 1.
    """

    efforts: ClassVar[Mapping[str, Effort]] = EFFORTS
    kind: ClassVar[str] = "least-squares"
    noise_std: float | None = None

    def __init__(
        self,
        prior: Prior,
        effort: Effort | tuple[Stage, ...] | str,
        restarts: int | None = None,
        steps: int | None = None,
        setup: Setup = "auto",
    ) -> None:
        super().__init__()
        check_prior(prior)
        check_setup(setup)
        self.prior = prior
        self._searched: tuple[Latent, Standard] | None = None
        self.setup = setup
        effort = chosen_effort(effort, self.efforts, restarts, steps)
        self.effort = effort if setup else without_setup(effort)

    @abstractmethod
    def objective_for(self, y: Tensor, physics: Any, known: Facts | None = None) -> Objective:
        """Objective of the measurements ``y``, with every default filled in.

        Parameters
        ----------
        y : Tensor
            Measurements, (B, ...).
        physics : object
            What they were measured with.
        known : Facts, optional
            What is known of it, found out now when absent. The objective is one of measurements in
            its units: of ``y`` and ``physics`` divided by ``known.unit``. A solver whose objective
            has no weights that depend on it need not take this argument.
        """

    def _objective(self, y: Tensor, physics: Any, known: Facts) -> Objective:
        takes_known = "known" in inspect.signature(self.objective_for).parameters
        more = {"known": known} if takes_known else {}
        return self.objective_for(y, physics, **more)

    def known(self, y: Tensor, physics: Any) -> Facts:
        """Find out what the solver must know of a physics.

        Raises
        ------
        ValueError
            If the physics does not take images of the prior's shape, or does not make such ``y``.
        """
        known = facts(physics, self.prior.image_shape, count=len(y), like=y)
        known.check(y)
        return known

    def unit(self, y: Tensor, physics: Any, known: Facts) -> Tensor:
        """What measurements are divided by during the search, positive, (B,).

        The engine is tuned for columns of A of about unit norm. A power of two changes no digit.
        """
        return known.scale.sqrt().log2().round().exp2()

    def weights(self, known: Facts) -> dict[str, float | Tensor]:
        """Weights of the objective's terms in the units of the user's y, by their arguments."""
        return {}

    def objective_unit(self, unit: Tensor) -> Tensor:
        """What the objective is multiplied by when its measurements are by ``unit``, (B,)."""
        return unit**2

    @with_progress
    @without_autocast
    def solve(
        self,
        y: Tensor,
        physics: Any,
        *,
        rng: Streams | int = 0,
        progress: Wish = False,
        starts: Tensor | None = None,
        warm: Tensor | None = None,
    ) -> Solution:
        """Reconstruct images and report how it went.

        On a CPU, with the same number of threads, an image is reconstructed alike, to the last
        bit of its latent, alone and in any batch, if its random stream is the same (``rng``
        numbers the signals of a batch; see ``Streams.select``). It is not promised on a GPU,
        nor of a physics that cannot be cut down to some of its signals, or whose arithmetic on
        tensors of its own for each signal rounds otherwise in another batch.

        Parameters
        ----------
        y : Tensor
            Measurements of B signals, (B, ...), floating point or complex.
        physics : object
            Anything with ``A``, linear or not, on the device of ``y``.
        rng : Streams or int
            Random streams of the signals, or the seed to make them from.
        progress : bool or callable
            True for a bar of the steps, on a terminal and in notebooks; or a function that is told
            the number of steps done and the number there are at most.
        starts : Tensor, optional
            Latents to start from, (R, B, *latent shape), in place of those of the effort.
        warm : Tensor, optional
            Latents (W, B, *latent shape) that compete with those of the effort: the solution at
            another m or noise level, say. Reference experiments do without.

        Raises
        ------
        ValueError
            If ``y`` is not one tensor of floating-point or complex numbers in single or double
            precision, ``physics`` has no ``A``, or its measurements of the prior's images have
            another shape than ``y``.
        """
        y, streams = checked_measurements(y, physics), Streams.of(rng)
        # Gradients are this solver's business: callers run it under no_grad or inference_mode,
        # and tensors made under the latter cannot take part in autograd.
        with torch.inference_mode(False), torch.no_grad():
            y = y.clone()
            known = self.known(y, physics)
            known = known.in_units(self.unit(y, physics, known))
            objective = self._objective(y, physics, known)
            own = self._standard()
            problem = Problem(own.prior, objective, y, physics, known, self.setup)
            found = minimise(
                problem,
                self.effort,
                streams,
                starts=None if starts is None else self._flat(starts, problem, own),
                warm=None if warm is None else self._flat(warm, problem, own),
            )
            x = problem.images_found(found.z)
            error = squared_norm(y - physics.A(x))
            residual = self._residual(x, y, physics, known)
            unit = self.objective_unit(known.unit).to(x)
            effort = self.effort.on(problem)
        return Solution(
            x=x,
            measurement_error=error,
            objective=found.value * unit,
            status=residual.statuses(found.status),
            steps=found.steps,
            relative_residual=residual.relative,
            expected_residual=residual.expected,
            z=own.back(found.z).unflatten(-1, self.prior.latent.shape),
            restart=found.restart,
            trace=found.trace * unit,
            bank_seconds=found.bank_seconds,
            settings={
                **self.weights(known),
                "restarts": effort.restarts if starts is None else len(starts),
                "steps": effort.most_steps,
            },
        )

    def _standard(self) -> Standard:
        """The prior in the coordinates that are searched, those in which z is standard."""
        known = self._searched
        if known is None or known[0] is not self.prior.latent:
            known = self._searched = self.prior.latent, standardised(self.prior)
        return known[1]

    def _residual(self, x: Tensor, y: Tensor, physics: Any, known: Facts) -> Residual:
        law = ResidualLaw.of_card(self.prior.card, self.kind)
        return residual_of(x, y, physics, known, law, self.prior.latent.size, self.noise_std)

    def _flat(self, starts: Tensor, problem: Problem, own: Standard) -> Tensor:
        shape = (problem.count, *self.prior.latent.shape)
        if starts.dim() != len(shape) + 1 or tuple(starts.shape[1:]) != shape:
            wanted = ", ".join(str(size) for size in shape)
            raise ValueError(f"starts must be (R, {wanted}), got {tuple(starts.shape)}")
        return own.there(starts.clone().flatten(2)).to(problem.like)
