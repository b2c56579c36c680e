"""Progress: a bar on a terminal, lines elsewhere, and nothing for who asks for nothing."""

import io
import logging
import time
from contextlib import redirect_stderr

import pytest

from ganprior import progress as module
from ganprior.cli.progress import progress_bar
from ganprior.progress import progress
from ganprior.training import train
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
