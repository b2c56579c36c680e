"""Low-rank completion: each channel is a matrix, of which some entries are known.

    min over X of  tau ||X||_* + 1/2 ||X||_F^2    where P(X) = P(M)

M is the image and P keeps its known pixels. For tau large enough the minimum is the completion of
least nuclear norm. J.-F. Cai, E. J. Candes, Z. Shen, "A singular value thresholding algorithm for
matrix completion", SIAM J. Optimization 20(4), 2010, arXiv 0810.3286: problem (2.8), iteration
(2.7), settings of section 5.1.

The iteration is gradient ascent on the dual, whose gradient P(M - X) is Lipschitz with constant 1.
The paper's step 1.2 / (fraction known) is safe for entries known at random; where whole rows are
missing it diverges from 2 on. Here the step is 1, with the momentum of Nesterov and its restart
(B. O'Donoghue and E. Candes 2015, arXiv 1204.3982, the gradient scheme) in place of the longer
step: the same minimum, for images in a quarter to a sixth of the iterations.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ganprior.baselines.inpainting import Inpainter
from ganprior.baselines.momentum import restarted_momentum
from ganprior.baselines.outcome import Outcome
from ganprior.numbers import check_count, check_number
from ganprior.progress import tell
from ganprior.registry import Number, register
from ganprior.solution import squared_norm

# The paper takes tau = 5 n for n x n matrices whose entries have a variance of 1 or more. Times
# their root mean square, so that the completion scales with the image.
TAU = 5


@register(
    "solver",
    "low-rank",
    "singular value thresholding of each channel",
    Number(
        "tau",
        "threshold, 5 sqrt(H W) times the root mean square of the known pixels by default",
        example=100,
        above=0,
    ),
    needs="mask",
)
class LowRank(Inpainter):
    """Low-rank completion of each channel by singular value thresholding; physics: a mask.

    A row or column of which no pixel is known becomes zero: its completion of least nuclear norm.

    Parameters
    ----------
    tau : float, optional
        Threshold of the singular values, positive. When absent 5 sqrt(H W) times the root mean
        square of the known pixels.
    tolerance : float
        A channel has converged when the norm of its error at the known pixels is at most this
        fraction of their own. In the image returned they are exact.
    max_steps : int
        Steps after which a channel stops in any case.

    Raises
    ------
    ValueError
        If ``tau`` or ``tolerance`` is not positive or ``max_steps`` is below 1.

    Examples
    --------
    >>> import torch
    >>> from ganprior import LowRank, demo_images, inpainting
    >>> mask = (torch.rand(1, 28, 28, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    >>> physics = inpainting(mask, (1, 28, 28))
    >>> y = physics(demo_images().head(1).floats())
    >>> x = LowRank()(y, physics)
    >>> bool((x[mask[None] == 1] == y[mask[None] == 1]).all())
    True
    """

    def __init__(
        self, tau: float | None = None, *, tolerance: float = 1e-3, max_steps: int = 1000
    ) -> None:
        super().__init__()
        if tau is not None:
            check_number("tau", tau, above=0, remedy="leave it out for 5 sqrt(H W) rms(y)")
        check_number("tolerance", tolerance, above=0)
        check_count("max_steps", max_steps)
        self.tau = tau
        self.tolerance = tolerance
        self.max_steps = max_steps

    def fill(self, known: Tensor, mask: Tensor) -> Outcome:
        """Complete every channel; see :class:`~ganprior.baselines.inpainting.Inpainter`.

        The objective and the steps of a signal are the sum and the maximum over its channels.
        """
        entries = mask.flatten(0, 1)
        matrices, unit = _in_unit(known.flatten(0, 1))
        tau = self._thresholds(matrices, entries) if self.tau is None else self.tau / unit
        found = complete(matrices, entries, tau, self.tolerance, self.max_steps)
        channels = known.shape[:2]
        objective = found.objective * unit.flatten().square()
        return Outcome(
            x=torch.where(mask, known, (found.X * unit).reshape(known.shape)),
            objective=objective.reshape(channels).sum(1),
            converged=found.converged.reshape(channels).all(1),
            steps=found.steps.reshape(channels).amax(1),
        )

    def _thresholds(self, matrices: Tensor, entries: Tensor) -> Tensor:
        energy, count = squared_norm(matrices), entries.flatten(1).sum(1).clamp(min=1)
        tau = TAU * (energy / count * matrices[0].numel()).sqrt()
        return torch.where(tau > 0, tau, 1)[:, None, None]


def _in_unit(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Matrices (N, H, W) over a unit of their own, (N, 1, 1), and the unit.

    It is the power of two next to the largest entry, so that nothing is rounded, and squares of
    entries such as 1e20 or 1e-42 are numbers.
    """
    largest = matrices.abs().amax((-2, -1), keepdim=True)
    unit = torch.ldexp(torch.ones_like(largest), torch.frexp(largest).exponent - 1)
    unit = torch.where(largest > 0, unit, 1)
    return matrices / unit, unit


@dataclass(frozen=True)
class Completion:
    """Completed matrices X, (N, H, W); objective, whether each converged, and its steps, (N,)."""

    X: Tensor
    objective: Tensor
    converged: Tensor
    steps: Tensor


@dataclass(frozen=True)
class _State:
    """P(M), P, tau and Y^{k-1} of the paper, Y^{k-2} before momentum, and Nesterov's t."""

    known: Tensor
    entries: Tensor
    tau: Tensor
    Y: Tensor
    Y_before: Tensor
    t: Tensor

    def select(self, rows: Tensor) -> _State:
        return _State(*(getattr(self, field.name)[rows] for field in fields(self)))


def shrink(Y: Tensor, tau: Tensor) -> tuple[Tensor, Tensor]:
    """D_tau of the paper, (2.2), the proximal map of tau ||X||_*: soft-threshold singular values.

    Parameters
    ----------
    Y : Tensor
        Matrices, (N, H, W).
    tau : Tensor
        Threshold of each, (N, 1, 1).

    Returns
    -------
    X : Tensor
        (N, H, W).
    singular_values : Tensor
        Those of X, (N, min(H, W)).
    """
    U, singular_values, Vh = torch.linalg.svd(Y, full_matrices=False)
    kept = (singular_values - tau[..., 0]).clamp(min=0)
    return (U * kept[:, None, :]) @ Vh, kept


def complete(
    known: Tensor, entries: Tensor, tau: Tensor, tolerance: float, max_steps: int
) -> Completion:
    """Singular value thresholding of every matrix.

    Parameters
    ----------
    known : Tensor
        P(M): matrices with zeros at the unknown entries, (N, H, W).
    entries : Tensor
        P: True where an entry is known, bool, (N, H, W).
    tau : Tensor
        Threshold of each matrix, positive, (N, 1, 1).
    tolerance, max_steps
        As for :class:`LowRank`.
    """
    rows = torch.arange(len(known), device=known.device)
    out = Completion(torch.zeros_like(known), 0 * tau[:, 0, 0], rows < 0, torch.zeros_like(rows))
    now = _first(known, entries, tau)
    for step in range(1, max_steps + 1):
        tell(step, max_steps)
        # (2.7), first line
        finite = now.Y.isfinite().all((1, 2), keepdim=True)
        X, singular_values = shrink(torch.where(finite, now.Y, 0), now.tau)
        X = torch.where(finite, X, torch.nan)
        error = torch.where(now.entries, now.known - X, 0)
        converged = squared_norm(error) <= tolerance**2 * squared_norm(now.known)
        ended = converged | ~squared_norm(X).isfinite() | (step == max_steps)
        if ended.any():
            at = rows[ended]
            objective = now.tau[:, 0, 0] * singular_values.sum(1) + squared_norm(X) / 2
            out.X[at], out.objective[at] = X[ended], objective[ended]
            out.converged[at], out.steps[at] = converged[ended], step
            now, rows, error = now.select(~ended), rows[~ended], error[~ended]
        if len(rows) == 0:
            break
        now = _ascend(now, error)
    return out


def _first(known: Tensor, entries: Tensor, tau: Tensor) -> _State:
    # Section 5.1, "kicking": X stays zero for the first k_0 steps, so that they are known. A
    # matrix of zeros is solved by X = 0.
    largest = torch.linalg.matrix_norm(known, 2)[:, None, None]
    Y = torch.where(largest > 0, (tau / largest).ceil(), 0) * known
    return _State(known, entries, tau, Y, Y, torch.ones_like(tau))


def _ascend(now: _State, error: Tensor) -> _State:
    # (2.7), second line, with step 1
    Y = now.Y + error
    downhill = (error * (Y - now.Y_before)).sum((1, 2), keepdim=True) < 0
    momentum, t = restarted_momentum(now.t, downhill)
    return _State(now.known, now.entries, now.tau, Y + momentum * (Y - now.Y_before), Y, t)
