"""Starts: the latents from which the optimisation of each signal sets out."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from ganprior.priors import Latent
from ganprior.solvers.engine.bank import Bank
from ganprior.solvers.engine.blocks import in_blocks, with_block_products
from ganprior.solvers.engine.effort import Effort
from ganprior.solvers.engine.measured import Measured
from ganprior.solvers.engine.problem import Problem
from ganprior.streams import Streams


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


def first_starts(
    problem: Problem,
    effort: Effort,
    streams: Streams,
    bank: Bank | None,
    warm: Tensor | None,
    skipped: int = 0,
    measured: Measured | None = None,
) -> Tensor:
    """Choose the starts (restarts, B, k) of an effort: the best candidates, then regressed latents.

    Candidates are the bank's best entries (random latents, where there is no bank), the encoder's
    latent (where the prior has an encoder and the physics an inverse), and the caller's own. Those
    of the lowest objective become starts. The latents that are regressed on neighbourhoods of the
    bank become starts whatever their objective: it is seldom below that of the nearest entry, but
    the descent from there ends lower. In a further round (``skipped`` above 0) there are no
    regressed latents, and the encoder's and the caller's are not tried again.

    Parameters
    ----------
    problem : Problem
        Ranks latents by its objective.
    effort : Effort
        How many are tried and how many kept.
    streams : Streams
        Random streams of the signals.
    bank : Bank, optional
        Where candidates come from in place of random draws.
    warm : Tensor, optional
        Latents (W, B, k) of the caller's that compete with the others.
    skipped : int
        Candidates to leave out, because a descent has set out from among them: neither they, nor
        the encoder's latent, nor those of ``warm`` are tried again.
    measured : Measured, optional
        The bank against the signals, where it is known already.
    """
    rivals = []
    if not skipped:
        encoded = _encoded(problem) if bank is not None else None
        rivals = [z for z in (warm, encoded) if z is not None]
    regressed = problem.like.new_zeros(0, problem.count, problem.prior.latent.size)
    if bank is not None:
        measured = measured or measured_for(problem, effort, bank)
        regressed = measured.regressed[: 0 if skipped else effort.restarts]
    # At least one place is left for latents of the caller or the encoder, where there are any.
    places = max(effort.restarts - len(regressed), 1 if rivals else 0)
    tried = places * effort.candidates
    if tried == 0:
        return regressed
    if bank is not None and measured is not None:
        candidates, values = _from_bank(problem, bank, measured, tried, skipped)
    else:
        law, drawn = problem.prior.latent, skipped + tried
        candidates = draw_starts(law, problem.count, drawn, streams, problem.like)[skipped:]
        if not rivals and tried == places:
            return candidates
        values = problem.value(candidates)
    for z in rivals:
        candidates, values = torch.cat([candidates, z]), torch.cat([values, problem.value(z)])
    return torch.cat([survivors(candidates, values, places)[0], regressed])


def measured_for(problem: Problem, effort: Effort, bank: Bank) -> Measured:
    """The bank against the signals, with the regressions that the effort asks for."""
    sizes = tuple(number * problem.prior.latent.size for number in effort.neighbours)
    return bank.measured(problem, sizes)


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


def _from_bank(
    problem: Problem, bank: Bank, measured: Measured, count: int, skipped: int
) -> tuple[Tensor, Tensor]:
    """The bank's best entries by measurement error after the first ones, and their objective."""
    # From the end: a small bank gives its last entries over again rather than none.
    numbers, z = (found[-count:] for found in measured.best(skipped + count))
    values = torch.empty(z.shape[:2], dtype=z.dtype, device=z.device)
    for row in range(len(z)):  # one row at a time: images are large, and there are many
        x = bank.images_of(numbers[row : row + 1], problem.like)
        values[row] = problem.objective_of(z[row : row + 1], x)[0]
    return z, values


def survivors(z: Tensor, value: Tensor, kept: int) -> tuple[Tensor, Tensor]:
    """Of each signal the ``kept`` rows of lowest value, best first, and their row numbers.

    Parameters
    ----------
    z : Tensor
        (R, B, ...).
    value : Tensor
        (R, B); what is not finite ranks last.
    kept : int
        Rows to keep.

    Returns
    -------
    rows : Tensor
        (kept, B, ...).
    numbers : Tensor
        Which rows they were, int64 (kept, B).
    """
    # torch.topk and argmin take NaN for the smallest number of all.
    finite = torch.where(value.isfinite(), value, torch.inf)
    numbers = finite.argsort(dim=0, stable=True)[:kept]
    return pick(z, numbers), numbers


def pick(rows: Tensor, numbers: Tensor) -> Tensor:
    """Row ``numbers[i, b]`` of signal b: (R, B, ...) to (len(numbers), B, ...)."""
    index = numbers.reshape(*numbers.shape, *[1] * (rows.dim() - 2))
    return rows.gather(0, index.expand(*numbers.shape, *rows.shape[2:]))
