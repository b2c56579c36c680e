"""Latent laws: where a generator's input comes from."""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from ganprior.numbers import check_count, check_number
from ganprior.streams import as_generator, derive_seed, standard_normal, uniform

# Latents, at least, from which mean and covariance of a law are found.
DRAWN = 8192
# Variance in every direction, in units of the mean one: a law may lie in a subspace.
FLAT = 1e-6
# Where the normal law of BigGAN's latents is cut off.
CUT = 2.0


def checked_latent_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    """Shape of one latent as whole numbers; an int k means (k,).

    Raises
    ------
    ValueError
        If it is neither a whole number nor some of them, or one is below 1.
    """
    try:
        sizes = shape if isinstance(shape, Iterable) else (shape,)
        found = tuple(operator.index(size) for size in sizes)
    except TypeError:
        found = ()
    if not found or min(found) < 1:
        raise ValueError(f"latent shape must hold positive sizes, got {shape!r}")
    return found


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and covariance of a law of latents, flattened.

    A latent of several rows that are independent and of one law has the moments of a row.

    Attributes
    ----------
    mean : Tensor
        m, float64, (k,).
    factor : Tensor
        L, lower triangular with a positive diagonal, L L^T the covariance, float64, (k, k).
    """

    mean: Tensor
    factor: Tensor

    @classmethod
    def of(cls, z: Tensor) -> Self:
        """Moments of latents (N, k); the covariance is shrunk, so that it has a factor.

        Shrunk as Ledoit and Wolf (2004) do, towards a multiple of the identity.
        """
        from sklearn.covariance import ledoit_wolf

        z = z.double().cpu()
        covariance = torch.from_numpy(ledoit_wolf(z.numpy())[0])
        floor = FLAT * covariance.diagonal().mean() + torch.finfo(torch.float64).tiny
        covariance.diagonal().add_(floor)
        return cls(z.mean(0), torch.linalg.cholesky(covariance))

    def apply(self, u: Tensor) -> Tensor:
        """m + L u, (..., k)."""
        moved = self.mean.to(u) + self._rows(u) @ self.factor.to(u).T
        return moved.reshape(u.shape)

    def remove(self, z: Tensor) -> Tensor:
        """L^-1 (z - m), (..., k)."""
        rows = (self._rows(z).double() - self.mean.to(z.device)).reshape(-1, len(self.mean))
        u = torch.linalg.solve_triangular(self.factor.to(z.device), rows.T, upper=False).T
        return u.reshape(z.shape).to(z)

    def _rows(self, z: Tensor) -> Tensor:
        return z.unflatten(-1, (-1, len(self.mean)))


class Latent(ABC):
    """Law of the latent z, with independent entries.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of one latent; an int k means (k,).

    Raises
    ------
    ValueError
        If ``shape`` is neither a whole number nor some of them, or one is below 1.
    """

    name: str

    def __init__(self, shape: int | Sequence[int]) -> None:
        self.shape = checked_latent_shape(shape)

    @property
    def size(self) -> int:
        """Number of entries of one latent: k in Bora et al. (2017)."""
        return math.prod(self.shape)

    @abstractmethod
    def sample(self, count: int, rng: torch.Generator | int) -> Tensor:
        """Draw ``count`` latents, float32 (count, *shape), by a generator or a seed.

        Raises
        ------
        ValueError
            If ``count`` is no whole number of at least 0, or ``rng`` neither of them.
        """

    @abstractmethod
    def penalty(self, z: Tensor) -> Tensor:
        """-log p(z) up to a constant, summed over a latent's axes: (..., *shape) to (...)."""

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, summed over a latent's axes: (..., *shape) to (...).

        Raises
        ------
        ValueError
            If the density of the law is not known: it is that of a network's outputs, say.
        """
        return -self.penalty(z) - self._log_normaliser()

    def _log_normaliser(self) -> float:
        """Logarithm of the integral of exp(-penalty)."""
        raise ValueError(f"the law {self.name} has no density that is known")

    def moments(self) -> Moments | None:
        """Mean and covariance of z; None where ||z||^2 is what penalties and weights go by.

        That is so of N(0, I) and of the cube. Of any other law they are found once, from
        ``DRAWN`` latents or 8 for each entry; one that knows them says them.
        """
        if not hasattr(self, "_moments"):
            rng = torch.Generator().manual_seed(derive_seed(0, "moments"))
            z = self.sample(max(DRAWN, 8 * self.size), rng)
            self._moments = Moments.of(z.flatten(1))
        return self._moments

    def describe(self) -> dict[str, Any]:
        """JSON form of the law, read back by :func:`latent_from_description`."""
        return {"law": self.name, "shape": list(self.shape)}

    def _shape(self, count: int) -> tuple[int, ...]:
        check_count("count", count, least=0)
        return (count, *self.shape)

    def _sum(self, entries: Tensor) -> Tensor:
        return entries.flatten(-len(self.shape)).sum(-1)


class GaussianLatent(Latent):
    """z ~ N(0, I)."""

    name = "gaussian"

    def sample(self, count: int, rng: torch.Generator | int) -> Tensor:
        """Draw ``count`` latents."""
        return standard_normal(self._shape(count), as_generator(rng))

    def penalty(self, z: Tensor) -> Tensor:
        """||z||^2 / 2."""
        return self._sum(z.square()) / 2

    def _log_normaliser(self) -> float:
        return self.size / 2 * math.log(2 * math.pi)

    def moments(self) -> None:
        """None: z is standard."""


class UniformLatent(Latent):
    """z uniform on [-1, 1]^k."""

    name = "uniform"

    def sample(self, count: int, rng: torch.Generator | int) -> Tensor:
        """Draw ``count`` latents."""
        return uniform(self._shape(count), as_generator(rng)) * 2 - 1

    def penalty(self, z: Tensor) -> Tensor:
        """0 inside the cube, infinite outside."""
        outside = self._sum((z.abs() > 1).to(z.dtype)) > 0
        return torch.where(outside, torch.inf, torch.zeros_like(outside, dtype=z.dtype))

    def _log_normaliser(self) -> float:
        return self.size * math.log(2)

    def moments(self) -> None:
        """None: z is bounded as it is."""


class TruncatedLatent(Latent):
    """psi times N(0, 1) cut off at -2 and 2, entry by entry: the truncation trick of BigGAN.

    A. Brock, J. Donahue, K. Simonyan, "Large scale GAN training for high fidelity natural image
    synthesis", ICLR 2019, arXiv 1809.11096, section 3.1.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of one latent.
    truncation : float
        psi, above 0 and at most 1.

    Raises
    ------
    ValueError
        If psi is out of range.
    """

    name = "truncated"

    def __init__(self, shape: int | Sequence[int], truncation: float = 1.0) -> None:
        super().__init__(shape)
        check_number("truncation", truncation)
        if not 0 < truncation <= 1:
            raise ValueError(f"truncation must be above 0 and at most 1, got {truncation}")
        self.truncation = float(truncation)

    def sample(self, count: int, rng: torch.Generator | int) -> Tensor:
        """Draw ``count`` latents."""
        inside = math.erf(CUT / math.sqrt(2))
        share = (uniform(self._shape(count), as_generator(rng)).double() * 2 - 1) * inside
        z = math.sqrt(2) * torch.erfinv(share) * self.truncation
        return z.float()

    def penalty(self, z: Tensor) -> Tensor:
        """||z / psi||^2 / 2 inside, infinite outside."""
        z = z / self.truncation
        outside = self._sum((z.abs() > CUT).to(z.dtype)) > 0
        return torch.where(outside, torch.inf, self._sum(z.square()) / 2)

    def _log_normaliser(self) -> float:
        width = math.sqrt(2 * math.pi) * math.erf(CUT / math.sqrt(2))
        return self.size * math.log(self.truncation * width)

    def moments(self) -> Moments:
        """Mean 0 and variance psi^2 (1 - 2 c f(c) / (2 F(c) - 1)), c the cut, of each entry."""
        density = math.exp(-(CUT**2) / 2) / math.sqrt(2 * math.pi)
        variance = 1 - 2 * CUT * density / math.erf(CUT / math.sqrt(2))
        scale = self.truncation * math.sqrt(variance)
        mean = torch.zeros(self.size, dtype=torch.float64)
        return Moments(mean, scale * torch.eye(self.size, dtype=torch.float64))

    def describe(self) -> dict[str, Any]:
        """JSON form, with psi."""
        return {**super().describe(), "truncation": self.truncation}


def latent_from_description(description: dict[str, Any]) -> Latent:
    """Make the law that :meth:`Latent.describe` wrote.

    Raises
    ------
    ValueError
        If the law is unknown.
    """
    law = description.get("law")
    if law == TruncatedLatent.name:
        return TruncatedLatent(description["shape"], description["truncation"])
    laws: dict[str, type[Latent]] = {law.name: law for law in (GaussianLatent, UniformLatent)}
    if law not in laws:
        known = ", ".join([*laws, TruncatedLatent.name])
        raise ValueError(f"unknown latent law {law!r}; known laws: {known}")
    return laws[law](description["shape"])
