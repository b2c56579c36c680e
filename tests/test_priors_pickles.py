"""Pickles: refused unless trusted, read where nothing of them runs, and safetensors afterwards."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import subprocess
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from ganprior import Prior
from ganprior.priors import unpickle
from ganprior.priors.pickles import read_pickle
from tests.cli_cases import refuse, succeed
from tests.stylegan2_network import OfNVlabs
from tests.test_priors_dcgan import example


class Hostile:
    """Runs a command where it is unpickled as usual."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


class Unknown:
    def __init__(self) -> None:
        self.word = "no tensor"


def by_torch(what, path):
    torch.save(what, path)


def by_torch_as_of_old(what, path):
    torch.save(what, path, _use_new_zipfile_serialization=False)


def plainly(what, path):
    with open(path, "wb") as file:
        pickle.dump(what, file)


def in_this_process(command, **_):
    """What the process would do: it imports torch, which takes seconds."""
    assert command[1] == "-I"
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status = unpickle.main(*command[3:])
    return subprocess.CompletedProcess(command, status, "", said.getvalue())


WRITERS = [by_torch, by_torch_as_of_old, plainly]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GANPRIOR_TRUST_PICKLE", raising=False)
    own = types.SimpleNamespace(**{**vars(subprocess), "run": in_this_process})
    monkeypatch.setattr("ganprior.priors.pickles.subprocess", own)
    return tmp_path


def test_a_process_of_its_own_reads_it(tmp_path):
    plainly({"weight": torch.ones(2), "extra": Hostile(tmp_path / "it-ran")}, tmp_path / "net.pkl")
    found = read_pickle(tmp_path / "net.pkl", trust_pickle=True)
    assert found["weight"].tolist() == [1.0, 1.0]
    assert [path.name for path in tmp_path.iterdir()] == ["net.pkl"]


@pytest.mark.parametrize("write", WRITERS)
class TestReading:
    def test_gives_state_dicts_and_whole_modules_by_the_names_that_torch_has(self, folder, write):
        network = OfNVlabs(c_dim=3)
        write({"G_ema": network, "steps": 7, "other": {"G": network.state_dict()}}, "net.pkl")
        wanted = network.state_dict()
        for key in ("G_ema", "other.G"):
            found = read_pickle("net.pkl", key, trust_pickle=True)
            assert found.keys() == wanted.keys()
            assert all(torch.equal(found[name], tensor) for name, tensor in wanted.items())
        with pytest.raises(ValueError, match="no entry 'G'; its entries are G_ema, other, steps"):
            read_pickle("net.pkl", "G", trust_pickle=True)

    def test_runs_nothing_of_a_hostile_one(self, folder, write):
        mark = folder / "it-ran"
        write({"weight": torch.ones(2), "extra": Hostile(mark)}, "net.pt")
        found = read_pickle("net.pt", trust_pickle=True)
        assert {name: tensor.tolist() for name, tensor in found.items()} == {"weight": [1.0, 1.0]}
        write(Hostile(mark), "net.pt")
        with pytest.raises(ValueError, match=r"net\.pt .*no tensors, but posix\.mkdir") as caught:
            read_pickle("net.pt", trust_pickle=True)
        assert "\n" not in str(caught.value)
        assert not mark.exists()
        # The mark would be there if it had been unpickled as usual.
        torch.load("net.pt", weights_only=False) if write is not plainly else pickle.loads(
            Path("net.pt").read_bytes()
        )
        assert mark.exists()

    def test_says_in_one_line_what_it_cannot(self, folder, write):
        write(Unknown(), "net.pt")
        with pytest.raises(ValueError, match=r"no tensors, but tests.*\.Unknown") as caught:
            read_pickle("net.pt", trust_pickle=True)
        assert "\n" not in str(caught.value)
        Path("net.pt").write_bytes(Path("net.pt").read_bytes()[:-9])
        with pytest.raises(ValueError, match="cannot be read as a pickle of weights") as caught:
            read_pickle("net.pt", trust_pickle=True)
        assert "\n" not in str(caught.value)


def test_arrays_and_parameters_are_tensors(folder):
    plainly({"a": np.arange(3.0), "b": nn.Parameter(torch.ones(2)), "c": np.array({})}, "net.pkl")
    found = read_pickle("net.pkl", trust_pickle=True)
    assert {name: tensor.tolist() for name, tensor in found.items()} == {
        "a": [0.0, 1.0, 2.0],
        "b": [1.0, 1.0],
    }


def test_is_refused_until_it_is_trusted(folder, monkeypatch):
    by_torch({"w": torch.ones(2)}, "net.pt")
    for load in (read_pickle, Prior.load):
        with pytest.raises(ValueError, match=r"net\.pt is a pickle.*give --trust-pickle"):
            load("net.pt")
    monkeypatch.setenv("GANPRIOR_TRUST_PICKLE", "1")
    assert list(read_pickle("net.pt")) == ["w"]
    with pytest.raises(ValueError, match=r"there is no file none\.pt"):
        read_pickle("none.pt")


class TestPrior:
    def test_of_a_dcgan_needs_no_more_than_its_weights(self, folder):
        network = example()
        by_torch({"netG_state_dict": network.state_dict()}, "weights.tar")
        prior = Prior.load("weights.tar", trust_pickle=True)
        z = prior.latent.sample(2, 1)
        with torch.no_grad():
            torch.testing.assert_close(prior.render(z), network(z) / 2 + 0.5)
        prior.save("faces")
        again = Prior.load("faces")
        assert torch.equal(again.render(z), prior.render(z))
        assert again.card["adapter"] == "dcgan"

    def test_of_other_weights_says_what_to_do(self, folder):
        by_torch(nn.Linear(2, 3).state_dict(), "net.pth")
        with pytest.raises(ValueError, match=r"cannot be told from them .*'ganprior convert'"):
            Prior.load("net.pth", trust_pickle=True)


class TestCommandLine:
    def test_converts(self, folder):
        network = example()
        by_torch({"G": network.state_dict(), "D": nn.Linear(2, 1).state_dict()}, "weights.pt")
        convert = ("convert", "weights.pt", "--out", "faces")
        assert "--trust-pickle" in refuse(*convert)
        assert not Path("faces.safetensors").exists()
        told = succeed(*convert, "--trust-pickle", "--key", "G").stdout
        assert "the prior of a DCGAN, 3 x 16 x 16" in told
        succeed("sample", "--prior", "faces", "--count", "2", "--out", "a.png")
        succeed("convert", "weights.pt", "--out", "rest", "--trust-pickle", "--key", "D")
        assert load_file("rest.safetensors").keys() == {"weight", "bias"}

    def test_prior_may_be_a_pickle(self, folder):
        by_torch(example().state_dict(), "net.pth")
        sample = ("sample", "--prior", "net.pth", "--count", "2", "--out", "a.png")
        assert "--trust-pickle" in refuse(*sample)
        succeed(*sample, "--trust-pickle")
        assert Path("a.png").exists()
