"""The stages that make starts: at random, or out of the bank."""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganprior.priors import Latent
from ganprior.solvers.engine.bank import bank_of
from ganprior.solvers.engine.blocks import in_blocks, with_block_products
from ganprior.solvers.engine.candidates import Candidates, lowest, pick
from ganprior.solvers.engine.effort import Stage, check_at_least
from ganprior.solvers.engine.problem import Problem
from ganprior.streams import Streams

# Latents beside the starts that further rounds may set out from.
SPARE = 36

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Random(Stage):
    """Starts from the law of the latents, each signal's from its own stream.

    Attributes
    ----------
    number : int
        Starts of each signal; latents that are there already, the caller's, compete for the places.
    tried : int
        Latents drawn for each start; those of the lowest objective are kept.

    Raises
    ------
    ValueError
        If a number is below 1.
    """

    number: int
    tried: int = 1

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ValueError(f"restarts must be at least 1, got {self.number}")
        check_at_least(1, self, "tried")

    def run(self, problem: Problem, candidates: Candidates) -> Candidates:
        """Draw latents and keep the best."""
        logger.info("starts of %d images", problem.count)
        law, drawn = problem.prior.latent, self.number * self.tried
        z = draw_starts(law, problem.count, drawn + SPARE, candidates.streams, problem.like)
        rivals = torch.cat([z[:drawn], candidates.z])
        candidates = replace(candidates, spare=z[drawn:])
        if len(rivals) == self.number:
            return candidates.moved(rivals)
        chosen = lowest(problem.value(rivals), self.number)
        return candidates.moved(pick(rivals, chosen))

    @property
    def starts(self) -> int:
        """Their number."""
        return self.number

    def with_starts(self, starts: int) -> Random:
        """Return so many."""
        return replace(self, number=starts)


@dataclass(frozen=True)
class FromBank(Stage):
    """Starts from a bank of the generator's images: the nearest ones, and regressed latents.

    The nearest entries, the latent that the prior's encoder makes of A^+ y where both are there,
    and latents of the caller's compete by the objective for the places of ``nearest``. Regressed
    latents (:mod:`ganprior.solvers.engine.measured`) are starts whatever their objective: it is
    seldom below that of the nearest entry, but the descent from there ends lower.

    Attributes
    ----------
    entries : int
        Of the bank.
    nearest : int
        Starts out of the entries whose measurements are nearest to the signal's.
    regress : tuple of int
        A start for each number: regressed on so many of the nearest entries for each entry of the
        latent.
    unaided : int
        Starts out of the nearest entries where there can be no regression, because the physics
        measures every signal in a way of its own and cannot be cut down to one; 0 for as many as
        there are with it.
    tried : int
        Entries tried for each start that is one of the nearest; those of the lowest objective are
        kept.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    entries: int
    nearest: int
    regress: tuple[int, ...] = ()
    unaided: int = 0
    tried: int = 1

    def __post_init__(self) -> None:
        check_at_least(1, self, "entries", "tried")
        check_at_least(0, self, "nearest", "unaided")
        if self.starts < 1:
            raise ValueError(f"restarts must be at least 1, got {self.starts}")

    def prepare(self, problem: Problem) -> float:
        """Compute the bank, or find it in the cache."""
        return bank_of(problem, self.entries).seconds

    def on(self, problem: Problem) -> tuple[Stage, ...]:
        """Without regression where there can be none."""
        return (self._possible(problem),)

    def _possible(self, problem: Problem) -> FromBank:
        if not self.regress or problem.alike or problem.can_leave:
            return self
        return replace(self, regress=(), nearest=self.unaided or self.starts)

    def run(self, problem: Problem, candidates: Candidates) -> Candidates:
        """Rank the bank against the signals, and choose."""
        logger.info("starts of %d images", problem.count)
        own = self._possible(problem)
        sizes = tuple(number * problem.prior.latent.size for number in own.regress)
        measured = bank_of(problem, self.entries).measured(problem, sizes)
        encoded = _encoded(problem)
        rivals = [candidates.z] if encoded is None else [candidates.z, encoded]
        # At least one place is left for latents of the caller or the encoder, where there are any.
        places = max(own.nearest, 1 if len(torch.cat(rivals)) else 0)
        ranked = measured.best(places * self.tried + SPARE)
        tried = min(places * self.tried, len(ranked))
        z = torch.cat([ranked[:tried], *rivals])
        chosen = z[:0] if places == 0 else pick(z, lowest(problem.value(z), places))
        # The last ones over again where a small bank has no others.
        spare = ranked[tried:] if len(ranked) > tried else ranked
        starts = torch.cat([chosen, measured.regressed])
        return replace(candidates, spare=spare).moved(starts)

    @property
    def starts(self) -> int:
        """Nearest and regressed ones together."""
        return self.nearest + len(self.regress)

    def with_starts(self, starts: int) -> FromBank:
        """Return so many, the regressed ones first."""
        regress = self.regress[:starts]
        return replace(self, nearest=starts - len(regress), regress=regress, unaided=0)

    def with_bank(self, entries: int) -> FromBank:
        """Return starts out of so many."""
        return replace(self, entries=entries)


def draw_starts(
    latent: Latent, count: int, restarts: int, streams: Streams, like: Tensor
) -> Tensor:
    """Latents (restarts, count, k) from the prior's law, each signal from its own stream.

    Parameters
    ----------
    latent : Latent
        Law of z.
    count : int
        Number of signals.
    restarts : int
        Latents per signal.
    streams : Streams
        Random streams of the signals.
    like : Tensor
        Gives device and dtype.
    """
    signals = []
    for position in range(count):
        rng = streams.generator("starts", position)
        # One at a time: the numbers of a restart then do not depend on how many there are.
        signals.append(torch.cat([latent.sample(1, rng) for _ in range(restarts)]))
    return torch.stack(signals, 1).flatten(2).to(like)


def _encoded(problem: Problem) -> Tensor | None:
    """The encoder's latents (1, B, k) of A^+ y; None without an encoder or A_dagger."""
    encoder = problem.prior.encoder
    back = None if encoder is None else problem.back_projections()
    if encoder is None or back is None or back.shape[1:] != problem.like.shape[1:]:
        return None
    network = with_block_products(copy.deepcopy(encoder).eval().to(problem.like))
    with torch.no_grad():
        z = in_blocks(network, problem.prior.from_unit(back.clamp(0, 1).to(problem.like)))
    return z.reshape(1, problem.count, -1)
