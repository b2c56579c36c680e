"""The minimisation problem of a batch of signals: values, gradients and Jacobians in chunks.

On a CPU what is computed of a signal does not depend, to the last bit, on the others or on its
place among them: restarts and signals form one list, which is cut into chunks of sizes that round
alike (``sizes``), products are of fixed shape (``blocks``), and Jacobians are of one signal each.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ganprior.cuda_graph import Recording
from ganprior.physics import Facts, facts
from ganprior.priors import Prior
from ganprior.priors.hashing import hash_of
from ganprior.solution import squared_norm
from ganprior.solvers.engine.forward import Forward
from ganprior.solvers.engine.generator import own_generator
from ganprior.solvers.engine.objective import Objective
from ganprior.solvers.engine.pieces import in_line, in_rectangles
from ganprior.solvers.engine.pushforward import pushforward
from ganprior.solvers.engine.setup import Setup, passes
from ganprior.solvers.engine.sizes import sizes_for

# Bound on what one chunk may take while its gradients are computed.
MEMORY_BOUND = 512 * 2**20
# Maps as large as the image that an objective keeps behind the generator: image, measurements, and
# what is left of them.
PHYSICS_MAPS = 6
# On a CPU chunks also have to stay in the cache: with thousands of images a gradient was measured
# to take twice as long per image as with a few hundred.
CPU_IMAGES = 128


class Problem:
    """Objective of B signals as a function of latents (R, B, k), k flattened.

    Parameters
    ----------
    prior : Prior
        The prior; a folded copy of its generator is used.
    objective : Objective
        What to minimise.
    y : Tensor
        Measurements, (B, ...), real or complex.
    physics : object
        Forward operator of all B signals. What is said above holds where it can be cut down to
        some of them; where it has a tensor for each, as a mask, its own arithmetic must round
        alike in any batch, as products entry by entry do.
    known : Facts, optional
        What is known of it; found out now when absent. The problem is in its units: y and A are
        divided by them.
    setup : "auto", float or None
        How much may be computed once per prior (:mod:`ganprior.solvers.engine.setup`).

    Attributes
    ----------
    count : int
        B.
    can_leave, alike : bool
        Whether signals can leave the batch, and whether all are measured alike. Where they cannot
        leave it a subset of the signals costs as much as all of them.
    measurements : Tensor
        Real numbers measured of each signal, int64 (B,).
    scale : Tensor
        Size of each signal's objective, (B,), by which the engine judges what is small; see
        :class:`~ganprior.solvers.engine.objective.Objective`.
    images_per_chunk, passing_per_chunk : int
        Images at most whose gradients are computed at once, and those without.
    passes : int
        Generator passes at most for the bank, and as many for the curvature.
    tangents : int
        Entries of a latent at most whose tangents make a Jacobian: each costs a pass, and what is
        affordable does not depend on ``setup``.
    """

    def __init__(
        self,
        prior: Prior,
        objective: Objective,
        y: Tensor,
        physics: Any,
        known: Facts | None = None,
        setup: Setup = "auto",
    ) -> None:
        self.count = len(y)
        self.prior = prior
        self._objective = objective
        image = torch.empty(1, *prior.image_shape, dtype=y.dtype.to_real(), device=y.device)
        self.like = image
        own = own_generator(prior, image)
        self._generator = own.network
        known = known or facts(physics, prior.image_shape, count=self.count, like=y)
        self.measurements = known.m
        self._forward = Forward(physics, known)
        self.y = self._forward.measurements(y.detach())
        self.can_leave = self._forward.can_select
        # One signal's operator takes any number of images, as its restarts.
        self.alike = self._forward.alike or self.count == 1
        self._penalty: Tensor | None = None
        self.passes = passes(setup, own, prior.latent, image)
        self.tangents = passes("auto", own, prior.latent, image)
        self.passing_per_chunk = max(1, MEMORY_BOUND // own.passing_bytes)
        behind = PHYSICS_MAPS * image.numel() * image.element_size()
        most = MEMORY_BOUND // (own.kept_bytes + behind)
        self.images_per_chunk = max(1, min(most, CPU_IMAGES) if y.device.type == "cpu" else most)
        self._recording = Recording()
        self.scale = self._scale()

    @cached_property
    def prior_hash(self) -> str:
        """Hash of the prior's weights, law and range."""
        return hash_of(self.prior)

    def key(self, *settings: object) -> str:
        """Hash of the prior's weights and law, and of the settings of what is kept of it."""
        return hashlib.sha256(repr((self.prior_hash, *settings)).encode()).hexdigest()[:32]

    def _scale(self) -> Tensor:
        if hasattr(self._objective, "scale_of"):
            return self._objective.scale_of(self.y)
        # That of a black image at z = 0.
        z = self.like.new_zeros(1, self.count, self.prior.latent.size)
        x = self.like.new_zeros(1, self.count, *self.like.shape[1:])
        with torch.no_grad():
            values = torch.empty_like(z[0, :, 0])
            for places, part in self._pieces(1):
                own = part._shaped(z[:, places[0]])
                black = part._objective.objective(own, x[:, places[0]], part.y, part._forward)
                values[places] = black
        return values.abs()

    def subset(self, signals: Tensor) -> Problem:
        """Problem of some of the signals, by position, int64 (number kept,).

        Any number of times the same signal, where the operator can be cut down to it.
        """
        if torch.equal(signals, torch.arange(self.count, device=signals.device)):
            return self
        return self._cut(signals) if self.can_leave else _Covered(self, signals)

    def _cut(self, signals: Tensor) -> Problem:
        part = copy.copy(self)
        part.count = len(signals)
        part.alike = self.alike or part.count == 1
        part.y, part.measurements = self.y[signals], self.measurements[signals]
        part._recording = Recording()
        part._forward = self._forward.select(signals)
        if hasattr(self._objective, "select"):
            part._objective = self._objective.select(signals)
        if hasattr(self, "scale"):
            part.scale = self.scale[signals]
        part._penalty = None if self._penalty is None else self._penalty[signals]
        return part

    def penalised(self, weight: float) -> Problem:
        """Problem with weight times scale times ||z||^2 added; it is for first-order steps."""
        part = copy.copy(self)
        part._recording = Recording()
        part._penalty = weight * self.scale
        return part

    def images(self, z: Tensor) -> Tensor:
        """G(z) in [0, 1], (..., C, H, W), of latents (..., k)."""
        lead = z.shape[:-1]
        latents = z.reshape(-1, *self.prior.latent.shape)
        # Under an autocast of its own a generator gives another type than it is given.
        return self.prior.to_unit(self._generator(latents).to(z)).unflatten(0, lead)

    def images_found(self, z: Tensor) -> Tensor:
        """G(z) in [0, 1], (B, C, H, W), of one latent (B, k) of each signal."""
        x = z.new_empty(self.count, *self.like.shape[1:])
        with torch.no_grad():
            for places, _ in self._pieces(1):
                x[places] = self.images(z[places])
        return x

    def project(self, z: Tensor) -> Tensor:
        """Latents (..., k) in the set that the objective allows, all of them by default."""
        project = getattr(self._objective, "project", None)
        return z if project is None else project(self._shaped(z)).reshape(z.shape)

    def rows(self, y: Tensor) -> Tensor:
        """Measurements (N, ...) as real vectors (N, M)."""
        return (torch.view_as_real(y) if y.is_complex() else y).flatten(1)

    def measured(self, x: Tensor) -> Tensor:
        """A x of images (N, C, H, W) as real vectors (N, M), where all signals are alike."""
        with torch.no_grad():
            return self.rows(self._forward.all_at_once(x))

    def measurement_errors(self, x: Tensor) -> Tensor:
        """||y - A x||^2 of every image (N, C, H, W) for every signal, (N, B); no gradient."""
        with torch.no_grad():
            errors = []
            for part in x.split(max(1, CPU_IMAGES // self.count)):
                each = part[:, None].expand(-1, self.count, *part.shape[1:])
                errors.append(squared_norm(self._forward.A(each) - self.y, lead=2))
            return torch.cat(errors)

    def back_projections(self) -> Tensor | None:
        """A^+ y, (B, C, H, W); None where the physics has no A_dagger."""
        return self._forward.back_projection(self.y)

    def value(self, z: Tensor) -> Tensor:
        """Objective (R, B) of latents (R, B, k); no gradient."""
        values, latents = z.new_empty(len(z) * self.count), z.flatten(0, 1)
        with torch.no_grad():
            for places, part in self._pieces(len(z)):
                values[places] = part._value(latents[places])
        return values.view(z.shape[:2])

    def value_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Objective (R, B) and its gradient (R, B, k).

        The gradient is that of the sum over signals, never of a mean: what happens to a signal
        does not depend on how many others there are. On a GPU it is recorded, and replayed where
        the next call has latents of the same shape.
        """
        values, gradient = self._recording.call(self._value_and_gradient, z)
        return values, gradient

    def _value_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        latents = z.detach().flatten(0, 1)
        values, gradient = latents.new_empty(len(latents)), torch.empty_like(latents)
        for places, part in self._pieces(len(z)):
            own = latents[places].requires_grad_(True)
            with torch.enable_grad():
                value = part._value(own)
                (gradient[places],) = torch.autograd.grad(value.sum(), own)
            values[places] = value.detach()
        return values.view(z.shape[:2]), gradient.view(z.shape)

    def residual_and_jacobian(self, z: Tensor) -> tuple[Tensor, Tensor] | None:
        """Residual (B, M) and its Jacobian (B, M, k) at latents (B, k).

        The Jacobian is exact: the k unit vectors travel through generator and physics as
        tangents (forward-mode differentiation), as many at once as the memory bound allows.

        Returns None where the objective has no residual or the physics no forward-mode derivative.
        """
        if self._residual(z[None, :1].detach(), self._first()) is None:
            return None
        step = self._signals_per_jacobian(z.shape[-1])
        parts = []
        for chosen in torch.arange(self.count, device=z.device).split(step):
            part = self.subset(chosen)
            try:
                parts.append(part._linearised(z[chosen]))
            except (RuntimeError, NotImplementedError):
                return None
        residuals, jacobians = zip(*parts, strict=True)
        return torch.cat(residuals), torch.cat(jacobians)

    def _signals_per_jacobian(self, latent_size: int) -> int:
        if not self.can_leave:
            return self.count
        # The tangents of one signal are a batch by themselves.
        return 1 if self._steady else max(1, self.images_per_chunk // latent_size)

    def curvature_products(self, z: Tensor) -> Callable[[Tensor], Tensor] | None:
        """v, (B, k), to J^T J v at latents (B, k), without a Jacobian; None as for those."""
        if self._residual(z[None, :1].detach(), self._first()) is None:
            return None
        back = torch.func.vjp(self._residual_of_each, z)[1]

        def product(v: Tensor) -> Tensor:
            along = pushforward(self._residual_of_each, z, v)
            found: Tensor = back(along)[0]
            return found

        return product

    def _residual_of_each(self, z: Tensor) -> Tensor:
        r = self._residual(z[None], self)
        assert r is not None
        return r[0]

    def _linearised(self, z: Tensor) -> tuple[Tensor, Tensor]:
        residual = self._residual_of_each

        def derivative(direction: Tensor) -> Tensor:
            return pushforward(residual, z, direction.expand_as(z))

        units = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
        chunk = max(1, self.passing_per_chunk // self.count)
        along = torch.vmap(derivative, out_dims=-1, chunk_size=chunk)
        with torch.no_grad():
            return residual(z), along(units)

    def _first(self) -> Problem:
        if not self.can_leave:
            return self
        return self.subset(torch.zeros(1, dtype=torch.long, device=self.y.device))

    def _residual(self, z: Tensor, part: Problem) -> Tensor | None:
        if part.count != z.shape[1]:
            z = z.expand(-1, part.count, -1)
        return part._objective.residual(part._shaped(z), part.images(z), part.y, part._forward)

    def _value(self, z: Tensor) -> Tensor:
        x = self.images(z)
        value = self._objective.objective(self._shaped(z), x, self.y, self._forward)
        return value if self._penalty is None else value + self._penalty * z.square().sum(-1)

    def _shaped(self, z: Tensor) -> Tensor:
        return z.unflatten(-1, self.prior.latent.shape)

    @property
    def _steady(self) -> bool:
        """Whether pieces round alike: on a GPU that would cost too much."""
        return self.y.device.type == "cpu" and self.can_leave and self._forward.can_repeat

    def _pieces(self, restarts: int) -> Iterator[tuple[Tensor, Problem]]:
        """Cut (restarts, signals) into pieces, each with the problem of its signals."""
        most = self.images_per_chunk
        if self._steady:
            judged = hasattr(self._objective, "discriminator")
            sizes = sizes_for(self.prior, self.like, most, judged)
            count = restarts * self.count
            pieces = in_line(count, sizes.cover(count, self._networks))
        else:
            width = min(self.count, most) if self.can_leave else self.count
            pieces = in_rectangles(restarts, self.count, most, width, self.y.device)
        for places in pieces:
            whole = not self._steady and places.shape[1] == self.count
            yield places, self if whole else self._cut(places[0] % self.count)

    def _networks(self, z: Tensor) -> Tensor:
        """What networks make of latents (N, *latent shape), (N, numbers)."""
        x = self.images(z.flatten(1))
        judge = getattr(self._objective, "discriminator", None)
        outputs = [x] if judge is None else [x, judge(x)]
        return torch.cat([output.reshape(len(z), -1) for output in outputs], 1)


class _Covered(Problem):
    """Some of the signals of a problem that none can leave: all are computed, the others dropped.

    Parameters
    ----------
    whole : Problem
        All signals.
    signals : Tensor
        Positions of the own ones, int64.
    """

    def __init__(self, whole: Problem, signals: Tensor) -> None:
        vars(self).update(vars(whole))
        self._whole, self._own = whole, signals
        self.count = len(signals)
        self.y, self.scale = whole.y[signals], whole.scale[signals]
        self.measurements = whole.measurements[signals]

    def subset(self, signals: Tensor) -> Problem:
        return self._whole.subset(self._own[signals])

    def penalised(self, weight: float) -> Problem:
        return _Covered(self._whole.penalised(weight), self._own)

    def value(self, z: Tensor) -> Tensor:
        return self._whole.value(self._spread(z))[:, self._own]

    def value_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        value, gradient = self._whole.value_and_gradient(self._spread(z))
        return value[:, self._own], gradient[:, self._own]

    def residual_and_jacobian(self, z: Tensor) -> tuple[Tensor, Tensor] | None:
        found = self._whole.residual_and_jacobian(self._spread(z[None])[0])
        return found and (found[0][self._own], found[1][self._own])

    def curvature_products(self, z: Tensor) -> Callable[[Tensor], Tensor] | None:
        product = self._whole.curvature_products(self._spread(z[None])[0])
        return product and (lambda v: product(self._spread(v[None])[0])[self._own])

    def images_found(self, z: Tensor) -> Tensor:
        return self._whole.images_found(self._spread(z[None])[0])[self._own]

    def measurement_errors(self, x: Tensor) -> Tensor:
        return self._whole.measurement_errors(x)[:, self._own]

    def back_projections(self) -> Tensor | None:
        found = self._whole.back_projections()
        return None if found is None else found[self._own]

    def _spread(self, z: Tensor) -> Tensor:
        """Latents (R, B, k) of the own signals among zeros of the others."""
        full = z.new_zeros(len(z), self._whole.count, z.shape[-1])
        full[:, self._own] = z
        return full
