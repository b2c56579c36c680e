"""Priors that are code: factories, programs, and files that name a factory. None runs untrusted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from ganprior import GaussianLatent, Prior
from tests.cases import rng, tiny_dcgan
from tests.cli_cases import refuse, succeed

MODULE = """
import torch
from torch import nn

from ganprior import Prior


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))

    def forward(self, z):
        return self.body(z)


def make():
    return Prior.from_module(Net(), 5)


def bare():
    return Net()


def broken():
    raise KeyError("no\\nweights")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a module of a colleague's, in which the command runs."""
    (tmp_path / "colleague.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("colleague", None)


def saved(folder):
    prior = Prior.load("colleague:make", trust_code=True)
    for parameter in prior.parameters():
        nn.init.normal_(parameter, 0, 0.5, generator=rng(1))
    prior.save(folder / "mine")
    return prior


class TestFactory:
    def test_makes_a_prior_once_it_is_trusted(self, folder, monkeypatch):
        with pytest.raises(ValueError, match=r"colleague:make runs code .* --trust-code"):
            Prior.load("colleague:make")
        assert "colleague" not in sys.modules
        assert Prior.load("colleague:make", trust_code=True).image_shape == (1, 8, 8)
        monkeypatch.setenv("GANPRIOR_TRUST_CODE", "1")
        assert Prior.load("colleague:make").card["factory"] == "colleague:make"

    @pytest.mark.parametrize(
        ("name", "match"),
        [
            ("colleague:bare", r"must return a Prior, got Net; .*Prior\.from_module"),
            ("colleague:broken", "does not work: 'no"),
            ("colleague:missing", "does not work: .*missing"),
            ("no_such_module:make", "does not work: No module named"),
        ],
    )
    def test_what_makes_none_is_refused_in_one_line(self, folder, name, match):
        before = list(sys.path)
        with pytest.raises(ValueError, match=match) as caught:
            Prior.load(name, trust_code=True)
        assert "\n" not in str(caught.value)
        assert sys.path == before


class TestFile:
    def test_keeps_weights_as_they_are_and_says_what_it_needs(self, folder):
        prior = saved(folder)
        with pytest.raises(ValueError, match=r"mine\.safetensors, .* colleague:make makes"):
            Prior.load("mine")
        again = Prior.load("mine", trust_code=True)
        z = prior.latent.sample(3, 1)
        assert torch.equal(again.render(z), prior.render(z))
        assert len(again.card["weights_sha256"]) == 64
        card = json.loads((folder / "mine.json").read_text())
        assert card["factory"] == "colleague:make"
        assert card["latent"] == {"law": "gaussian", "shape": [5]}

    def test_a_prior_from_a_module_names_its_factory(self, folder):
        module = nn.Sequential(nn.Linear(5, 64), nn.Unflatten(1, (1, 8, 8)))
        prior = Prior.from_module(module, 5)
        with pytest.raises(ValueError, match=r"give factory='package\.module:function'"):
            prior.save(folder / "a")
        with pytest.raises(ValueError, match=r"factory must be 'package\.module:function'"):
            prior.save(folder / "a", factory="colleague.make")
        prior.save(folder / "a", factory="colleague:make")
        # The names of its weights are not those that the factory's have.
        with pytest.raises(ValueError, match=r"does not fit what colleague:make makes: generator"):
            Prior.load(folder / "a", trust_code=True)

    def test_tensors_of_no_network_are_refused(self, folder):
        saved(folder)
        tensors = load_file("mine.safetensors")
        save_file({**tensors, "encoder.weight": torch.ones(1)}, "mine.safetensors")
        with pytest.raises(ValueError, match="encoder: there is none"):
            Prior.load("mine", trust_code=True)

    def test_our_own_still_need_no_trust(self, folder):
        prior = Prior.load("mnist")
        prior.save(folder / "own")
        assert "factory" not in Prior.load("own").card


def exported(path):
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(
        tiny_dcgan().generator, (torch.zeros(2, 6),), dynamic_shapes=({0: batch},)
    )
    torch.export.save(program, path)


def scripted(path):
    torch.jit.trace(tiny_dcgan().generator, torch.zeros(2, 6)).save(str(path))


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@pytest.mark.parametrize(("write", "name"), [(exported, "net.pt2"), (scripted, "net.pt")])
class TestProgram:
    def test_is_a_prior_with_the_card_beside_it(self, folder, write, name):
        write(folder / name)
        with pytest.raises(ValueError, match=r"net\.pt2? runs code"):
            Prior.load(name)
        with pytest.raises(ValueError, match=r"needs net\.json beside it, with its latent"):
            Prior.load(name, trust_code=True)
        law = GaussianLatent(6).describe()
        Path("net.json").write_text(json.dumps({"latent": law, "image_range": [-1, 1]}))
        prior = Prior.load(name, trust_code=True)
        z = prior.latent.sample(3, 1)
        torch.testing.assert_close(prior.render(z), tiny_dcgan().render(z))
        assert len(prior.card["weights_sha256"]) == 64

    def test_a_damaged_one_is_refused_in_one_line(self, folder, write, name):
        write(folder / name)
        law = GaussianLatent(6).describe()
        Path("net.json").write_text(json.dumps({"latent": law, "image_range": [-1, 1]}))
        data = Path(name).read_bytes()
        Path(name).write_bytes(data.replace(b"PK\x03\x04", b"PK\x03\x05"))
        with pytest.raises(ValueError, match="no whole program") as caught:
            Prior.load(name, trust_code=True)
        assert "\n" not in str(caught.value)


def test_pickles_are_refused_as_before(folder):
    torch.save(tiny_dcgan().generator.state_dict(), "weights.pt")
    with pytest.raises(ValueError, match=r"is a pickle.*--trust-pickle"):
        Prior.load("weights.pt", trust_code=True)


def test_the_command_line_asks_for_trust(folder):
    command = ("sample", "--prior", "colleague:make", "--count", "2", "--out", "a.png")
    assert "--trust-code" in refuse(*command)
    assert not Path("a.png").exists()
    succeed(*command, "--trust-code")
    assert Path("a.png").exists()
    # The trust was that command's.
    assert "--trust-code" in refuse(*command)


def test_reconstruct_takes_a_factory(folder):
    saved(folder)
    np.savez("x.npz", images=np.full((1, 1, 8, 8), 0.5, np.float32))
    succeed(
        *("reconstruct", "x.npz", "--prior", "mine", "--measure", "gaussian:m=20", "--trust-code"),
        *("--solver", "csgm:effort=fast,setup=0,steps=5", "--out", "out"),
    )
    summary = json.loads(Path("out/summary.json").read_text())
    assert summary
