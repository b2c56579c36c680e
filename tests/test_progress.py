"""Progress: a bar on a terminal, lines elsewhere, and nothing for who asks for nothing."""

import io
import logging
import sys
import time
from contextlib import redirect_stderr

import pytest

from ganprior import CSGM, Gaussian
from ganprior import progress as module
from ganprior.cli.progress import progress_bar
from ganprior.progress import progress, tell, with_progress
from ganprior.training import train
from tests.cases import tiny_dcgan
from tests.cases_solvers import CASES
from tests.cases_training import tiny_trainer


class Terminal(io.StringIO):
    """A stderr that someone watches."""

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Lines come every hundredth of a second."""
    monkeypatch.setattr(module, "INTERVAL", 0.01)


def wait_for(words: str, stream: io.StringIO) -> None:
    """Wait until the words are there; without them the test ends after a minute."""
    for _ in range(6000):
        if words in stream.getvalue():
            return
        time.sleep(0.01)
    raise AssertionError(f"{words!r} is not in {stream.getvalue()!r}")


def last_of(terminal: Terminal) -> str:
    """What the terminal shows now."""
    return terminal.getvalue().rsplit("\r", 1)[1]


def test_a_terminal_shows_stage_and_steps():
    with redirect_stderr(Terminal()) as terminal, progress("csgm") as told:
        told.tell(3, 10, "loss 0.5")
        with told.stage("polish"):
            assert last_of(terminal).startswith("csgm: polish")
        shown = last_of(terminal)
    assert shown.startswith("csgm: ")
    for words in ("3/10", "loss 0.5"):
        assert words in shown
    assert "polish" not in shown


def test_a_log_has_lines_even_while_no_step_is_done():
    with redirect_stderr(io.StringIO()) as log:
        with progress("csgm") as told:
            wait_for("csgm, 0 s\n", log)
            told.show("descent")
            told.tell(40, 100, "loss 0.5")
            wait_for("csgm: descent, step 40 of 100, loss 0.5, ", log)
        written = log.getvalue()
        time.sleep(0.05)
    assert "\r" not in written
    assert log.getvalue() == written


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()])
def test_invisible_is_invisible(stream):
    with redirect_stderr(stream), progress("csgm", visible=False) as told:
        told.tell(1, 2)
        with told.stage("polish"):
            time.sleep(0.05)
    assert stream.getvalue() == ""


def test_no_bar_is_left_after_an_error():
    with redirect_stderr(Terminal()) as terminal, pytest.raises(RuntimeError), progress("csgm"):
        raise RuntimeError
    assert last_of(terminal) == ""


def test_the_command_line_shows_what_the_package_logs():
    package = logging.getLogger("ganprior")
    before = package.level, list(package.handlers)
    with redirect_stderr(Terminal()) as terminal, progress_bar("csgm"):
        logging.getLogger("ganprior.solvers.engine.bank").info("bank of %d", 7)
        assert last_of(terminal).startswith("csgm: bank of 7")
    assert (package.level, package.handlers) == before


def test_training_says_what_it_does_beside_steps(caplog, tmp_path):
    trainer = tiny_trainer(size=8, steps=4, checkpoint_every=2, sheet_every=3)
    with caplog.at_level(logging.INFO, "ganprior"):
        train(trainer, tmp_path, progress=False)
    assert [record.getMessage() for record in caplog.records] == [
        "checkpoint of step 2",
        "samples of step 3",
        "checkpoint of step 4",
        "checkpoint of step 4",
        "the prior and its samples",
    ]


def test_training_shows_its_losses(tmp_path):
    with redirect_stderr(Terminal()) as terminal:
        train(tiny_trainer(size=8, steps=4), tmp_path)
    for words in ("training", "4/4", "loss D ", "loss G "):
        assert words in last_of(terminal)


# What they do is one pass, a closed form or a network.
AT_ONCE = ("lmmse", "gaussian-mixture", "gaussian-mixture, mask", "context-encoder")


@pytest.mark.parametrize("name", CASES)
def test_every_method_that_iterates_tells_its_steps(name):
    solver, y, physics = CASES[name].problem()
    told: list[tuple[int, int]] = []
    solver.solve(y, physics, progress=lambda done, most: told.append((done, most)))
    assert bool(told) == (name not in AT_ONCE)
    assert all(0 <= done <= most for done, most in told)


class Outer:
    """A method that calls another's."""

    @with_progress
    def solve(self, *, progress=False):
        tell(1, 4)
        Inner().solve()
        tell(3, 4)


class Inner:
    """The other."""

    @with_progress
    def solve(self, *, progress=False):
        logging.getLogger("ganprior.inner").info("descent")
        tell(5, 9)


def test_a_bar_is_shown_when_asked_for_and_no_other_time():
    physics = Gaussian(30, (1, 8, 8))
    solver, y = CSGM(tiny_dcgan(), effort="reference", steps=3), physics(CASES["csgm"].images())
    with redirect_stderr(Terminal()) as silence:
        solver.solve(y, physics)
    assert silence.getvalue() == ""
    with redirect_stderr(Terminal()) as terminal:
        solver.solve(y, physics, progress=True)
    assert "CSGM: descent of 3 images from 10 starts each" in terminal.getvalue()
    # And nobody hears of what comes after.
    with redirect_stderr(Terminal()) as silence:
        solver.solve(y, physics)
    assert silence.getvalue() == ""


def test_a_method_within_another_is_a_stage_of_it():
    told: list[tuple[int, int]] = []
    Outer().solve(progress=lambda *steps: told.append(steps))
    assert told == [(1, 4), (5, 9), (3, 4)]
    with redirect_stderr(Terminal()) as terminal:
        Outer().solve(progress=True)
    assert terminal.getvalue().count("Outer: Inner") >= 1
    assert "Outer: descent" in terminal.getvalue()


def test_a_notebook_has_a_bar_though_its_stderr_is_no_terminal(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", logging)
    with redirect_stderr(io.StringIO()) as page, progress("csgm") as told:
        told.tell(3, 10)
        told.show("polish")
    assert "3/10" in page.getvalue()
