"""``-q`` and ``-v`` of every command."""

import logging

import pytest

from ganprior.cli import comparison
from ganprior.cli.main import COMMANDS
from tests.cli_cases import TINY, refuse, save_images, save_prior, succeed


@pytest.fixture
def reconstruct(tmp_path, monkeypatch):
    """Run ``reconstruct`` with a prior whose bank is not known yet; give what it says."""
    monkeypatch.setenv("GANPRIOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("ganprior.solvers.engine.bank._in_memory", {})
    monkeypatch.setattr("ganprior.solvers.engine.curvature._in_memory", {})
    monkeypatch.setattr(comparison, "NOTED", 0.0)
    prior, images = save_prior(tmp_path), save_images(tmp_path / "images.npz")

    def run(*more):
        out = tmp_path / "-".join(["out", *more])
        return succeed(
            "reconstruct", images, "--prior", prior, "--measure", "gaussian:m=30",
            "--solver", TINY, *more, "--out", out,
        )  # fmt: skip

    return run


def test_remarks_are_made_unless_quiet(reconstruct):
    assert "starts for this prior took" in reconstruct().stderr
    done = reconstruct("-q")
    assert done.stderr == ""
    assert done.stdout.startswith("solver")


def test_verbose_says_what_is_computed(reconstruct):
    lines = reconstruct("-v").stderr.splitlines()
    stages = [line.split("s] ")[1] for line in lines if "s] " in line]
    begun = [
        TINY,
        "bank of starts: ",
        "mean curvature of the generator",
        "starts of 3 images",
        "descent of 3 images from 2 starts each",
    ]
    places = [next(i for i, s in enumerate(stages) if s.startswith(words)) for words in begun]
    assert places == sorted(places)
    assert logging.getLogger("ganprior").handlers == []
    assert logging.getLogger("ganprior").level == logging.NOTSET


def test_quiet_and_verbose_exclude_each_other():
    assert "-q and -v exclude each other" in refuse("priors", "-q", "-v")
    assert "-q and -v exclude each other" in refuse("priors", "--verbose", "--quiet")
    assert logging.getLogger("ganprior").handlers == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_both(command):
    text = succeed(command, "--help").stdout
    assert "-q, --quiet" in text
    assert "-v, --verbose" in text
