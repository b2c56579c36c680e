"""Solvers and baselines by name: ``ganprior.solver("csgm:restarts=5", prior)``."""

from __future__ import annotations

from ganprior.priors import Prior
from ganprior.registry import Spec
from ganprior.solution import Reconstructor
from ganprior.solvers.by_label import ByLabel

# Solvers that ask a generator for images, and so a conditional one for those of every label.
_SEARCHING = ("csgm", "map", "posterior", "semantic", "semantic-raw", "sparse-deviation")


def solver(
    spec: str,
    prior: Prior | None = None,
    noise_std: float | None = None,
) -> Reconstructor:
    """Make a solver or baseline by name, with its options.

    Parameters
    ----------
    spec : str
        ``name:key=value,key=value``, as ``--solver`` takes it; ``ganprior reconstruct --help``
        lists names and options.
    prior : Prior, optional
        The prior; baselines do without, but for those that are shipped for a prior's data. Of a
        conditional one every label is tried (:class:`~ganprior.solvers.by_label.ByLabel`).
    noise_std : float, optional
        Standard deviation of the noise on each entry of y, from which default weights follow;
        read from the physics when absent.

    Raises
    ------
    ValueError
        If there is no such name or option (the nearest one is suggested), a value cannot be, or
        the solver needs a prior and there is none.
    """
    parsed = Spec.read("solver", spec)
    with parsed.naming():
        return make(parsed, prior, noise_std)


def make(
    spec: Spec,
    prior: Prior | None,
    noise_std: float | None,
    *,
    uncertainty: bool = False,
) -> Reconstructor:
    """Make the solver of a spec that is read; arguments as for :func:`solver`.

    With ``uncertainty`` one that can computes the standard deviation of every pixel, too. Of a
    conditional prior the best label of each signal is searched.
    """

    def given(one: Prior | None) -> Reconstructor:
        made: Reconstructor = spec.make(prior=one, noise_std=noise_std, uncertainty=uncertainty)
        return made

    by_labels = prior is not None and prior.classes and spec.entry.name in _SEARCHING
    return ByLabel(prior, given) if prior is not None and by_labels else given(prior)
