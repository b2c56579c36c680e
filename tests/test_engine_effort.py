"""An effort reads as a tuple of stages, and has one place where its numbers are replaced."""

import copy
import pickle
from dataclasses import replace

import pytest
import torch

from ganprior import CSGM, Gaussian, SemanticInpainting
from ganprior.physics import inpainting, masks
from ganprior.solvers import (
    BALANCED,
    FAST,
    FAST_L1,
    REFERENCE,
    Adam,
    Descend,
    Effort,
    FromBank,
    Polish,
    Random,
)
from ganprior.solvers.engine.effort import Stage
from tests.cases import tiny_dcgan

STAGES = (FromBank(50, nearest=2), Descend(Adam(0.1), 5), Polish(2))


def banks(stages) -> list[int]:
    """Entries of all banks, those of inner stages too."""
    inner = [getattr(stage, name) for stage in stages for name in stage.holds]
    own = [stage.entries for stage in stages if isinstance(stage, FromBank)]
    return own + [entries for part in inner for entries in banks(part)]


def test_it_reads_as_a_tuple_of_stages():
    effort = Effort(*STAGES)
    assert (tuple(effort), len(effort), effort[0], effort[1:]) == (
        STAGES,
        3,
        STAGES[0],
        STAGES[1:],
    )
    assert STAGES[2] in effort
    assert Effort(stages=STAGES) == Effort(*effort) == Effort(*STAGES[:1], stages=STAGES[1:])
    assert effort != Effort(*STAGES[:2])
    assert len({effort, Effort(*STAGES), FAST}) == 2
    assert repr(effort).startswith("Effort(stages=(FromBank(entries=50")
    with pytest.raises(AttributeError):
        effort.stages = ()  # type: ignore[misc]


@pytest.mark.parametrize("effort", [REFERENCE, BALANCED, FAST, FAST_L1, Effort()])
def test_it_pickles_and_copies(effort):
    assert pickle.loads(pickle.dumps(effort)) == effort
    assert copy.deepcopy(effort) == copy.copy(effort) == replace(effort) == effort


@pytest.mark.parametrize("effort", [BALANCED, FAST, FAST_L1])
def test_a_smaller_bank_is_that_of_every_stage_and_changes_nothing_else(effort):
    smaller = replace(effort, bank=300)
    assert set(banks(effort)) == {20_000}
    assert banks(smaller) == [300] * len(banks(effort))
    assert smaller == effort.change(FromBank, entries=300)


def test_numbers_are_replaced_in_one_place():
    # mypy looks at fields alone.
    found = replace(FAST, restarts=3, steps=7, bank=200)  # type: ignore[call-arg]
    assert found == FAST.replace(bank=200, steps=7, restarts=3)
    assert found == Effort(*FAST, restarts=3, steps=7, bank=200)
    assert (found.restarts, found.most_steps, banks(found)) == (3, 7, [200])
    assert REFERENCE.replace(learning_rate=0.01)[1] == Descend(Adam(0.01), 1000)
    assert REFERENCE.replace(stages=STAGES, steps=9) == Effort(
        STAGES[0], Descend(Adam(0.1), 9), STAGES[2]
    )


@pytest.mark.parametrize("name", ["restarts", "steps", "learning_rate", "bank"])
@pytest.mark.parametrize("number", [0, -1, float("nan"), "5", True])
def test_numbers_that_are_none_are_refused_by_name(name, number):
    with pytest.raises(ValueError, match=rf"^{name} must be [^\n]*$"):
        replace(FAST, **{name: number})


@pytest.mark.parametrize("stages", ["fast", (3,), (Random,), (STAGES,)])
def test_what_is_no_stage_is_refused(stages):
    with pytest.raises(ValueError, match=r"an effort must be made of stages, got"):
        Effort(*stages)
    if not isinstance(stages, str):
        with pytest.raises(ValueError, match=r"an effort must be made of stages, got"):
            CSGM(tiny_dcgan(), effort=stages)


@pytest.mark.parametrize("effort", [5, None, STAGES[0], {"steps": 3}, object()])
def test_a_solver_says_what_an_effort_is(effort):
    with pytest.raises(ValueError, match=r"^effort must be a tuple of stages or one of reference"):
        CSGM(tiny_dcgan(), effort=effort)


@pytest.mark.parametrize("kind", [tuple, list, lambda stages: Effort(*stages)])
def test_solvers_take_stages_as_they_are(kind):
    prior, hole = tiny_dcgan(), inpainting(masks.center((1, 8, 8), 0.25), (1, 8, 8))
    rng = torch.Generator().manual_seed(4)
    z = prior.latent.sample(2, rng)
    x = prior(z)
    for solver, physics in (
        (CSGM(prior, 0.01, effort=kind(STAGES)), Gaussian(12, (1, 8, 8), 5)),
        (SemanticInpainting(prior, effort=kind(STAGES), restarts=1), hole),
    ):
        assert isinstance(solver.effort, Effort)
        assert torch.isfinite(solver(physics.A(x), physics)).all()


def test_a_stage_of_ones_own_has_no_number_to_replace():
    class Still(Stage):
        pass

    stage = Still()
    assert tuple(Effort(stage, restarts=2, steps=3, learning_rate=0.1, bank=4)) == (stage,)
