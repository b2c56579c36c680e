"""Priors from anywhere: what their files may say, and what it costs to refuse them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ganprior import Prior
from ganprior.priors import cards, find_prior, places, prior_aliases, read_card, write_card
from ganprior.priors.architectures import Architecture
from tests.cases import tiny_dcgan
from tests.cli_cases import refuse, run, succeed


@pytest.fixture
def saved(tmp_path) -> Path:
    tiny_dcgan().save(tmp_path / "tiny")
    return tmp_path / "tiny.safetensors"


def refused(path: Path | str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        Prior.load(path)
    assert "\n" not in str(caught.value)


def change(path: Path, **entries) -> None:
    write_card(path, {**read_card(path), **entries})


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"latent_size": 2_000_000}, "is .* in the file and .*200000"),
        ({"filters": 10**6}, "in the architecture"),
        ({"discriminator_filters": 10**6}, "discriminator: .* in the architecture"),
        ({"filters": 10**18}, "incomplete or wrong"),
        ({"filters": 10**300}, "incomplete or wrong"),
        ({"filters": 8.5}, "filters is 8.5, and not of type int"),
        ({"filters": True}, "filters is True, and not of type int"),
        ({"filters": None}, "filters is None"),
        ({"size": 8 << 200}, "incomplete or wrong|does not fit"),
        ({"classes": 10**9}, "does not fit"),
        ({"classes": 3, "label": 1.5}, "label is 1.5"),
        ({"name": ["dcgan"]}, r"name is \['dcgan'\]"),
        ({"encoder": True}, None),  # the file has no encoder, and then there is none
    ],
)
def test_a_card_is_compared_with_the_tensors_before_anything_is_built(saved, entries, message):
    change(saved, architecture={**read_card(saved)["architecture"], **entries})
    if message is None:
        assert Prior.load(saved).encoder is None
    else:
        refused(saved, message)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads Linux's peak of memory")
@pytest.mark.parametrize(
    "entries",
    [
        {"latent_size": 2_000_000},
        {"discriminator_filters": 20_000},
        {"latent_size": 200_000_000, "filters": 1},
    ],
)
def test_refusing_a_large_card_takes_no_memory(saved, entries):
    """Two gigabytes for the first of them where the networks were built before."""
    shape = [entries.get("latent_size", 6)]
    architecture = {**read_card(saved)["architecture"], **entries}
    change(saved, architecture=architecture, latent={"law": "gaussian", "shape": shape})
    script = (
        "import sys, re; from ganprior import Prior\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1])\n"
        "Prior.load('mnist'); before = peak()\n"
        "try: Prior.load(sys.argv[1])\n"
        "except ValueError: print(peak() - before)"
    )
    root = Path(__file__).parents[1]
    words = [sys.executable, "-c", script, str(saved)]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50_000  # kilobytes


def test_a_latent_or_an_image_too_large_for_the_networks(saved):
    change(saved, latent={"law": "gaussian", "shape": [10**12]})
    refused(saved, "latent is over .*, the architecture takes 6")
    # Sixteen numbers a layer double an image as often as one likes.
    plain = Architecture(
        name="dcgan-plain",
        latent_size=1,
        channels=1,
        size=2**15,
        filters=1,
        discriminator_filters=1,
    )
    from ganprior.priors.architectures import build_networks

    with torch.device("meta"):
        generator = build_networks(plain).generator
    tensors = {f"generator.{k}": torch.ones(t.shape) for k, t in generator.state_dict().items()}
    assert sum(t.numel() for t in tensors.values()) < 1000
    save_file({k: t.to(torch.long) if "num_b" in k else t for k, t in tensors.items()}, saved)
    change(
        saved, architecture=plain.describe(), latent={"law": "gaussian", "shape": [1]},
        image_shape=[1, 2**15, 2**15],
    )  # fmt: skip
    refused(saved, "images of 1073741824 numbers; the most is 67108864")


@pytest.mark.parametrize("shape", [8, "1x8x8", None, [1, 8], [[1, 8, 8]], {"1": 8}, 1e300])
def test_a_card_whose_image_shape_is_none(saved, shape):
    change(saved, image_shape=shape)
    refused(saved, "image_shape is .*, the generator gives")


@pytest.mark.parametrize(
    "entries",
    [
        {"image_range": [float("nan"), 1]},
        {"image_range": ["a", "b"]},
        {"image_range": 3},
        {"latent": {"law": ["gaussian"], "shape": [6]}},
        {"latent": {"law": "gaussian", "shape": [1e400]}},
        {"discriminator_output": "logit"},
        {"discriminator_output": {}},
    ],
)
def test_other_entries_that_cannot_be(saved, entries):
    change(saved, **entries)
    refused(saved, "tiny|image_range|law")


def test_cards_and_recipes_nested_without_end(saved, tmp_path):
    saved.with_suffix(".json").write_text("[" * 100_000)
    refused(saved, "tiny.json is not a prior's card")
    saved.with_suffix(".json").write_text('{"a":' * 100_000)
    refused(saved, "tiny.json is not a prior's card")
    recipe = tmp_path / "deep.toml"
    for text in ("a = " + "[" * 100_000, "a = " + "{b=" * 100_000, "[" + "a." * 100_000 + "b]"):
        recipe.write_text(text)
        line = refuse("train", recipe, "--data", tmp_path, "--out", tmp_path / "run")
        assert "deep.toml" in line


@pytest.mark.parametrize(
    ("dtype", "message"),
    [
        (torch.float8_e4m3fn, "holds generator.* as float8_e4m3fn.*; store it as float16"),
        (torch.float8_e5m2, "as float8_e5m2"),
        (torch.int64, "is int64, not float32"),
        (torch.bool, "is bool, not float32"),
        (torch.complex64, "is complex64, not float32"),
    ],
)
def test_weights_of_another_type(saved, dtype, message):
    tensors = load_file(saved)
    name = "generator.1.weight"
    save_file({**tensors, name: tensors[name].to(dtype)}, saved)
    refused(saved, message)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_weights_of_any_usual_type(saved, dtype):
    before = Prior.load(saved).state_dict()
    tensors = load_file(saved)
    save_file({k: t.to(dtype) if t.is_floating_point() else t for k, t in tensors.items()}, saved)
    for name, tensor in Prior.load(saved).state_dict().items():
        assert tensor.dtype == before[name].dtype
        torch.testing.assert_close(tensor, before[name], rtol=2**-7, atol=0)


def test_a_folder_that_a_run_left_is_a_prior(saved, tmp_path):
    (tmp_path / "run").mkdir()
    for suffix in (".safetensors", ".json"):
        shutil.copy(saved.with_suffix(suffix), tmp_path / "run" / f"prior{suffix}")
    assert find_prior(tmp_path / "run") == tmp_path / "run" / "prior.safetensors"
    assert Prior.load(tmp_path / "run").image_shape == (1, 8, 8)
    succeed("sample", "--prior", tmp_path / "run", "--count", 1, "--out", tmp_path / "x.png")


@pytest.mark.parametrize("name", ["", ".", "..", "/", "x" * 300, "a/" * 3000, "nul\0", "~nobody/x"])
def test_names_that_are_none(name, tmp_path):
    refused(name, "no prior")
    assert "no prior" in refuse("sample", "--prior", name, "--out", tmp_path / "x.png")


class TestAFolderOfPriors:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        """``GANPRIOR_PRIORS`` with one good prior."""
        monkeypatch.setenv(places.VARIABLE, str(tmp_path / "priors"))
        self.add(tmp_path / "priors", "good", alias="fine")
        return tmp_path / "priors"

    def add(self, folder: Path, name: str, **entries) -> Path:
        (folder / name).mkdir(parents=True)
        tiny_dcgan().save(folder / name / name)
        path: Path = folder / name / f"{name}.safetensors"
        change(path, **entries)
        return path

    def test_one_bad_card_breaks_no_other_prior(self, folder):
        bad = self.add(folder, "bad")
        for text in ("{", "[" * 100_000, "[]", ""):
            bad.with_suffix(".json").write_text(text)
            with pytest.warns(UserWarning, match=r"bad\.json is not a prior's card.*PRIORS"):
                assert prior_aliases()["fine"] == "good"
            assert find_prior("good").is_relative_to(folder)
            with pytest.warns(UserWarning, match="bad"):
                assert find_prior("mnist").stem == "mnist-k20-vae"

    @pytest.mark.parametrize(
        "entries",
        [
            {"image_shape": 3}, {"latent": []}, {"quality": "good"}, {"architecture": 1},
            {"quality": {"representation_error": "small"}}, {"latent": {"shape": 5}},
        ],
    )  # fmt: skip
    def test_it_is_listed_as_damaged(self, folder, entries):
        self.add(folder, "bad", **entries)
        lines = succeed("priors").stdout.splitlines()
        [line] = [line for line in lines if line.startswith("bad ")]
        assert line.split(maxsplit=1)[1] == "its card is damaged"
        assert any(line.startswith("good ") and line.endswith("alias fine") for line in lines)
        assert any(line.startswith("mnist-k20-vae ") for line in lines)

    @pytest.mark.parametrize("alias", ["mnist", "mnist-k20-vae"])
    def test_none_takes_the_alias_or_name_of_a_shipped_one_as_its_alias(self, folder, alias):
        self.add(folder, "a", alias=alias)
        with pytest.warns(UserWarning, match=rf"a\.safetensors has the alias '{alias}', which"):
            assert "a" not in prior_aliases().values()
        assert cards.is_shipped(find_prior(alias))
        line = next(line for line in succeed("priors").stdout.splitlines() if line[:2] == "a ")
        assert "alias" not in line

    @pytest.mark.parametrize("name", ["mnist", "mnist-k20-vae"])
    def test_nor_as_its_name(self, folder, name):
        path = self.add(folder, name)
        with pytest.warns(UserWarning, match=rf"{name}\.safetensors is not known as '{name}'"):
            assert cards.is_shipped(find_prior(name))
        assert find_prior(path) == path

    def test_the_warning_is_a_line_on_stderr(self, folder):
        self.add(folder, "mnist")
        done = subprocess.run(
            [sys.executable, "-m", "ganprior.cli.main", "priors"], capture_output=True, text=True,
            cwd=Path(__file__).parents[1],
        )  # fmt: skip
        assert done.returncode == 0
        lines = set(done.stderr.splitlines())
        assert len(lines) == 1
        assert lines.pop().startswith("Warning: ")

    @pytest.mark.parametrize("value", ["~nobody-here/priors", "x" * 5000, "no/such/folder"])
    def test_a_folder_that_is_none_breaks_nothing(self, monkeypatch, value):
        monkeypatch.setenv(places.VARIABLE, value)
        assert cards.is_shipped(find_prior("mnist"))
        assert run("priors").exit_code == 0


def test_a_classifier_and_a_context_encoder_with_large_cards(tmp_path, saved):
    """The other networks that are read from files."""
    from ganprior.baselines import ContextEncoder
    from ganprior.baselines.context_encoder import CONTEXT_ENCODERS
    from ganprior.evaluation.classifier import CLASSIFIERS, load_classifier

    for source, key, load in (
        (next(CLASSIFIERS.glob("*.json")), "filters", load_classifier),
        (next(CONTEXT_ENCODERS.glob("*.json")), "bottleneck", ContextEncoder.load),
    ):
        path = tmp_path / "network.json"
        shutil.copy(source.with_suffix(".safetensors"), path.with_suffix(".safetensors"))
        card = json.loads(source.read_text())
        path.write_text(json.dumps(card))
        load(path)
        for value in (10**9, 10**300, 2.5, "3", None):
            card["architecture"][key] = value
            path.write_text(json.dumps(card))
            with pytest.raises(ValueError, match="of ganprior: "):
                load(path)
        path.write_text('{"architecture":' * 50_000)
        with pytest.raises(ValueError, match="of ganprior: "):
            load(path)
