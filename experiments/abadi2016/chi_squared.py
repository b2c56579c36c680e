"""Whether a ciphertext depends on its message: Pearson's chi-squared of every pair.

A value of the ciphertext is cut at its quartiles, so that with a bit of the message it gives a
table of 4 x 2 counts and a statistic of 3 degrees of freedom. All pairs are tested, hence a pair is
called dependent if p is below 1% / N^2 (Bonferroni). Cramer's V, sqrt(chi^2 / messages), says how
strong a dependence is, since with messages enough the weakest is found. Dependence on several bits
at once is not looked for.
"""

from __future__ import annotations

import torch
from torch import Tensor

LEVEL = 0.01
PARTS = 4


def compare(plain: Tensor, cipher: Tensor) -> tuple[Tensor, Tensor]:
    """Pearson's chi-squared of every value of a ciphertext and every bit of its message.

    Parameters
    ----------
    plain : Tensor
        Messages of -1 and 1, (1, N, B).
    cipher : Tensor
        (R, N, B).

    Returns
    -------
    dependent : Tensor
        Share of the N^2 pairs for which p is below ``LEVEL`` / N^2, (R,).
    strength : Tensor
        Cramer's V of the strongest pair, from 0 to 1, (R,).
    """
    from scipy.stats import chi2

    bits, count = plain.shape[1:]
    cuts = torch.arange(1, PARTS) / PARTS
    ones = (plain[0].T > 0).double()
    chi = torch.zeros(len(cipher), bits, bits, dtype=torch.float64)
    for own, values in zip(chi, cipher, strict=True):
        parts = torch.searchsorted(values.quantile(cuts, dim=1).T.contiguous(), values)
        for part in range(PARTS):
            inside = (parts == part).double()
            for bit in (ones, 1 - ones):
                expected = inside.sum(1, keepdim=True) * bit.sum(0) / count
                # A part that no value is in says nothing.
                own += ((inside @ bit - expected) ** 2 / expected).nan_to_num(0)
    limit = chi2.isf(LEVEL / bits**2, PARTS - 1)
    return (chi > limit).double().mean((1, 2)), (chi.amax((1, 2)) / count).sqrt()
