"""How Alice, Bob and Eve are trained: Abadi and Andersen (2016), sections 2.3 and 2.4.

Eve minimises her error L_E in bits, Alice and Bob together L_B / N + (N/2 - L_E)^2 / (N/2)^2, where
the square is of each message, as in the authors' code (the paper has that of the mean): half of the
bits wrong is all that a guess can be. One step of Alice and Bob, then two of Eve, each on new
messages; Adam.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from experiments.abadi2016.players import (
    Player,
    bits_wrong,
    drop_moments,
    random_bits,
    set_weights,
    weights_of,
    with_key,
)
from ganprior.streams import derive_seed

EVE_STEPS = 2


def generators(seeds: Sequence[int], who: str) -> list[torch.Generator]:
    """A generator of weights for each run."""
    return [torch.Generator().manual_seed(derive_seed(seed, who)) for seed in seeds]


def adam(players: Sequence[Player], rate: float) -> torch.optim.Adam:
    """Adam for some players."""
    return torch.optim.Adam([p for one in players for p in one.parameters()], rate, fused=True)


class Game:
    """Runs of a game of messages and keys of N bits.

    Parameters
    ----------
    bits : int
        N.
    seeds : sequence of int
        Of the weights of each run.
    batch : int
        Messages of each step.
    rate : float
        Of Adam, for all players.

    Attributes
    ----------
    secret : int
        Bits that Eve is after: N, unless a subclass says otherwise.
    """

    def __init__(self, bits: int, seeds: Sequence[int], batch: int, rate: float) -> None:
        self.bits, self.secret, self.batch, self.rate = bits, bits, batch, rate
        self.rng = torch.Generator().manual_seed(derive_seed(0, "messages", bits))
        self.alice = Player(2 * bits, bits, generators(seeds, "Alice"))
        self.bob = Player(2 * bits, bits, generators(seeds, "Bob"))
        self.eve = Player(bits, bits, generators(seeds, "Eve"))
        self.players = (self.alice, self.bob, self.eve)
        self._ours = adam([self.alice, self.bob], rate)
        self._hers = adam([self.eve], rate)

    def play(self) -> None:
        """One step of Alice and Bob, and two of Eve."""
        plain, key = self.draw(self.batch)
        cipher = self.alice(with_key(plain, key))
        bob = bits_wrong(self.bob(with_key(cipher, key)), plain)
        self.eve.requires_grad_(False)
        eve = bits_wrong(self.eve(cipher), plain)
        half = self.bits / 2
        loss = bob.mean(1) / self.bits + (((half - eve) / half) ** 2).mean(1)
        self._ours.zero_grad()
        loss.sum().backward()
        self._ours.step()
        self.eve.requires_grad_(True)
        self.attack(self.eve, self._hers)

    def attack(self, eve: Player, optimizer: torch.optim.Optimizer) -> None:
        """Two steps of an Eve; where there are several for each Alice, those follow each other."""
        plains, ciphers = self.intercept(EVE_STEPS * self.batch)
        batches = zip(plains.split(self.batch, 2), ciphers.split(self.batch, 2), strict=True)
        for plain, cipher in batches:
            cipher = cipher.repeat_interleave(len(eve.full) // len(cipher), 0)
            optimizer.zero_grad()
            bits_wrong(eve(cipher), plain).mean(1).sum().backward()
            optimizer.step()

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """New messages and keys, (1, N, count) each."""
        plain, key = random_bits(2 * self.bits, count, self.rng).chunk(2, 1)
        return plain, key

    @torch.no_grad()
    def intercept(self, count: int) -> tuple[Tensor, Tensor]:
        """What Eve is after in new messages (1, N, count), and what Alice sends (R, N, count)."""
        plain, key = self.draw(count)
        return plain, self.alice(with_key(plain, key))

    @torch.no_grad()
    def errors(self, count: int) -> tuple[Tensor, Tensor]:
        """Bits that Bob and Eve have wrong on new messages, means, (R,) each."""
        plain, key = self.draw(count)
        cipher = self.alice(with_key(plain, key))
        bob = bits_wrong(self.bob(with_key(cipher, key)), plain)
        return bob.mean(1), bits_wrong(self.eve(cipher), plain).mean(1)

    def train_eve(self, steps: int) -> None:
        """Let Eve alone learn on."""
        optimizer = adam([self.eve], self.rate)
        for _ in range(steps // EVE_STEPS):
            self.attack(self.eve, optimizer)

    def new_eves(
        self, runs: Sequence[int], count: int, steps: int, looks: int, measured: int
    ) -> Iterator[tuple[int, int, int, float]]:
        """Let new Eves learn to read the Alices of this game, who no longer change.

        Parameters
        ----------
        runs : sequence of int
            Names of the game's runs, which seed the Eves.
        count : int
            Eves for each run.
        steps, looks : int
            Steps of each Eve, and at how many equal distances she is measured.
        measured : int
            Messages of a look.

        Yields
        ------
        tuple
            Run, number of the Eve from 1 on, step, and bits that she has wrong.
        """
        names = [(run, number) for run in runs for number in range(1, count + 1)]
        rngs = [generators([run], f"Eve {number}")[0] for run, number in names]
        eves = Player(self.bits, self.secret, rngs)
        optimizer = adam([eves], self.rate)
        for look in range(1, looks + 1):
            for _ in range(steps // looks // EVE_STEPS):
                self.attack(eves, optimizer)
            plain, cipher = self.intercept(measured)
            with torch.no_grad():
                wrong = bits_wrong(eves(cipher.repeat_interleave(count, 0)), plain).mean(1)
            for (run, number), error in zip(names, wrong.tolist(), strict=True):
                yield run, number, look * (steps // looks), error

    def leave(self, leaving: Sequence[int]) -> list[list[Tensor]]:
        """Take runs out of the game, and return their weights."""
        known = [weights_of(self.players, run) for run in range(len(self.eve.full))]
        staying = [run for run in range(len(known)) if run not in leaving]
        if staying:
            self.restore([known[run] for run in staying])
            for optimizer in (self._ours, self._hers):
                drop_moments(optimizer, staying)
        return [known[run] for run in leaving]

    def restore(self, runs: Sequence[list[Tensor]]) -> None:
        """Let the game have these runs and no other."""
        set_weights(self.players, runs)
