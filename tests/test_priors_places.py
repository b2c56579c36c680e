"""Priors that the package does not hold: found in a checkout or where the environment says."""

import json
import shutil
from pathlib import Path

import pytest

from ganprior import Prior, checkout
from ganprior.files import sha256
from ganprior.priors import cards, find_prior, places, prior_aliases, prior_names
from tests.cases import tiny_dcgan
from tests.cli_cases import refuse, succeed

ROOT = Path(__file__).parents[1]
WHEEL = ROOT / "ganprior"
MEGABYTE = 2**20


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Folder of priors that holds one, ``faces-64``."""
    folder = tmp_path_factory.mktemp("priors")
    (folder / "faces-64").mkdir()
    tiny_dcgan().save(folder / "faces-64" / "faces-64")
    return folder


@pytest.fixture
def nowhere(monkeypatch, tmp_path) -> Path:
    """Working folder outside of any checkout, from a package installed outside of one."""
    monkeypatch.delenv(places.VARIABLE, raising=False)
    monkeypatch.setattr(checkout, "__file__", str(tmp_path / "site-packages" / "checkout.py"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_checkout(folder: Path, priors: Path) -> None:
    (folder / checkout.MARK).parent.mkdir(parents=True)
    (folder / checkout.MARK).write_text("")
    shutil.copytree(priors, folder / "data" / "priors")


def test_it_is_found_where_the_environment_says(nowhere, made, monkeypatch):
    monkeypatch.setenv(places.VARIABLE, str(made))
    path = made / "faces-64" / "faces-64.safetensors"
    assert find_prior("faces-64") == path
    assert "faces-64" in prior_names()
    assert Prior.load("faces-64").card["weights_sha256"] == sha256(path)
    assert any(line.startswith("faces-64 ") for line in succeed("priors").stdout.splitlines())


def test_it_is_found_in_the_checkout_around_the_package(nowhere, made, monkeypatch):
    make_checkout(nowhere / "clone", made)
    monkeypatch.setattr(checkout, "__file__", str(nowhere / "clone" / "ganprior" / "checkout.py"))
    assert find_prior("faces-64").is_relative_to(nowhere / "clone" / "data" / "priors")


def test_it_is_found_in_the_checkout_around_the_working_folder(nowhere, made, monkeypatch):
    make_checkout(nowhere / "clone", made)
    (nowhere / "clone" / "below").mkdir()
    monkeypatch.chdir(nowhere / "clone" / "below")
    assert find_prior("faces-64").is_relative_to(nowhere / "clone" / "data" / "priors")


def test_the_environment_goes_before_the_checkout_and_the_package_before_both(
    nowhere, made, monkeypatch
):
    make_checkout(nowhere / "clone", made)
    monkeypatch.chdir(nowhere / "clone")
    monkeypatch.setenv(places.VARIABLE, str(made))
    assert find_prior("faces-64") == made / "faces-64" / "faces-64.safetensors"
    shipped = shutil.copytree(made / "faces-64", nowhere / "weights")
    monkeypatch.setattr(cards, "WEIGHTS", shipped)
    assert find_prior("faces-64") == shipped / "faces-64.safetensors"
    assert prior_names() == ["faces-64"]


def test_only_folders_named_for_their_prior_count(nowhere, made, monkeypatch):
    for name in ("faces-64.safetensors", "other/faces-64.safetensors"):
        (nowhere / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(made / "faces-64" / "faces-64.safetensors", nowhere / "mine" / name)
    monkeypatch.setenv(places.VARIABLE, str(nowhere / "mine"))
    assert places.outside_priors() == {}


def test_an_alias_of_a_prior_outside_the_package(nowhere, made, monkeypatch):
    folder = shutil.copytree(made, nowhere / "mine")
    card = folder / "faces-64" / "faces-64.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "alias": "faces"}))
    monkeypatch.setenv(places.VARIABLE, str(folder))
    assert prior_aliases()["faces"] == "faces-64"
    assert find_prior("faces") == folder / "faces-64" / "faces-64.safetensors"


@pytest.mark.parametrize("name", places.RESEARCH_PRIORS)
def test_where_to_get_it_is_said_in_one_line(nowhere, name, monkeypatch):
    for folder in (None, nowhere / "missing", nowhere):
        if folder is not None:
            monkeypatch.setenv(places.VARIABLE, str(folder))
        line = refuse("sample", "--prior", name, "--out", nowhere / "x.png")
        assert f"prior {name!r} is not here" in line
        assert f"data/priors/{name} of a source checkout" in line
        assert f"{name}/{name}.safetensors in the environment variable GANPRIOR_PRIORS" in line
    assert name not in prior_names()


def test_a_near_name_is_suggested(nowhere):
    with pytest.raises(ValueError, match="did you mean 'faces-64'"):
        find_prior("face-64")


def test_a_card_of_a_prior_that_comes_with_ganprior_is_known(nowhere, made, monkeypatch):
    path = made / "faces-64" / "faces-64.safetensors"
    assert not cards.comes_with_ganprior(path)
    monkeypatch.setenv(places.VARIABLE, str(made))
    assert cards.comes_with_ganprior(path)
    assert cards.comes_with_ganprior(find_prior("fashion-mnist-dcgan"))


def test_the_wheel_holds_no_prior_for_research_only_and_little_weight():
    weights = list(WHEEL.rglob("*.safetensors"))
    assert len(weights) > 5
    assert sum(path.stat().st_size for path in weights) < 30 * MEGABYTE
    assert {path.stem for path in weights} & set(places.RESEARCH_PRIORS) == set()
    # The wheel is built of this folder alone: see [tool.hatch.build.targets.wheel].
    assert 'packages = ["ganprior"]' in (ROOT / "pyproject.toml").read_text("utf-8")
