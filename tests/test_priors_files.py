"""Priors on disk: what is saved comes back, and what is damaged is named in one line."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ganprior import Prior
from ganprior.files import sha256
from ganprior.priors import (
    cards,
    find_prior,
    prior_aliases,
    prior_names,
    read_card,
    write_card,
)
from ganprior.priors.store import Stored, float16_change
from tests.cases import linear_prior, rng, tiny_dcgan


@pytest.fixture(scope="module")
def original() -> Prior:
    return tiny_dcgan()


@pytest.fixture
def saved(original, tmp_path) -> Path:
    """A saved prior of one's own to damage."""
    original.save(tmp_path / "tiny")
    return tmp_path / "tiny.safetensors"


def refused(path: Path | str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        Prior.load(path)
    assert "\n" not in str(caught.value)


def change_card(saved: Path, **changes: object) -> None:
    card = {**read_card(saved), **changes}
    write_card(saved, {key: value for key, value in card.items() if value is not None})


def test_a_saved_prior_comes_back(original, saved):
    # With the suffix, without it, and as text.
    for path in (saved, saved.with_suffix(""), str(saved)):
        prior = Prior.load(path)
        assert not prior.training
    assert prior.image_shape == original.image_shape
    assert prior.image_range == original.image_range
    assert prior.latent.describe() == original.latent.describe()
    assert prior.discriminator_output == original.discriminator_output
    assert prior.card["weights_sha256"] == sha256(saved)
    assert "weights_sha256" not in read_card(saved)

    images, expected = prior.sample(50, rng(3)), original.sample(50, rng(3))
    change = prior.card["float16_largest_pixel_change"]
    assert 0 < change < 5e-3
    # Other latents than those the change was measured on.
    assert (images - expected).abs().max() < 3 * change
    for name, tensor in prior.state_dict().items():
        assert tensor.dtype in (torch.float32, torch.int64)
        torch.testing.assert_close(tensor, original.state_dict()[name], rtol=1e-3, atol=1e-6)


def test_saving_again_changes_nothing(saved, tmp_path):
    Prior.load(saved).save(tmp_path / "again")
    assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()
    first = read_card(saved)
    assert first["float16_largest_pixel_change"] > 0
    assert read_card(tmp_path / "again") == first


def test_saving_leaves_the_prior_as_it_is(original, tmp_path):
    prior = tiny_dcgan().train()
    prior.save(tmp_path / "copy")
    assert all(part.training for part in prior.modules())
    for one, other in zip(prior.parameters(), original.parameters(), strict=True):
        assert torch.equal(one, other)


def test_float16_change_in_closed_form():
    prior = linear_prior(latent_size=1, shape=(1, 1, 1))
    # float16 keeps 11 bits: 1 + 2^-12 becomes 1.
    with torch.no_grad():
        prior.generator.weight.fill_(1 + 2**-12)
    largest = prior.latent.sample(64, rng(0)).abs().max().item()
    stored = Stored(prior.generator, prior.latent, (1, 1, 1), (0, 1), None, None, {})
    assert float16_change(stored) == pytest.approx(largest * 2**-12)


def test_a_name_with_a_dot_stays_whole(original, tmp_path):
    original.save(tmp_path / "decay-0.5")
    assert {path.name for path in tmp_path.iterdir()} == {
        "decay-0.5.safetensors",
        "decay-0.5.json",
    }
    assert Prior.load(tmp_path / "decay-0.5").image_shape == original.image_shape


def test_a_prior_without_discriminator(original, tmp_path):
    alone = Prior(original.generator, original.latent, original.image_shape, card=original.card)
    alone.save(tmp_path / "alone")
    assert Prior.load(tmp_path / "alone").discriminator is None


def test_only_a_known_architecture_is_saved(tmp_path):
    with pytest.raises(ValueError, match="neither an architecture of ganprior nor a factory"):
        linear_prior().save(tmp_path / "linear")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kept", [0, 7, 60, 0.5, 0.999])
def test_truncated_files(saved, kept):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(kept * len(whole)) if 0 < kept < 1 else int(kept)])
    refused(saved, r"tiny.safetensors \(\d+ bytes\) is not a whole safetensors file")


def test_corrupt_files(saved):
    whole = saved.read_bytes()
    saved.write_bytes(b"\xff" * 16 + whole[16:])
    refused(saved, "is not a whole safetensors file")
    tensors = load_file_bytes(whole, saved)
    tensors["generator.1.weight"].view(torch.int16).fill_(-1)
    save_file(tensors, saved)
    refused(saved, "NaN or infinite weights in generator.1.weight")


def load_file_bytes(content: bytes, path: Path) -> dict[str, torch.Tensor]:
    path.write_bytes(content)
    return load_file(path)


def test_pickles_are_refused_under_any_name(saved, original):
    state = original.state_dict()
    for name in ("model.pt", "model.pth", "renamed.safetensors"):
        file = saved.with_name(name)
        torch.save(state, file)
        shutil.copy(saved.with_suffix(".json"), file.with_suffix(".json"))
        named = not name.endswith(".safetensors")
        refused(file, "--trust-pickle" if named else r"Pickles .* are not loaded")


def test_a_missing_or_broken_card(saved):
    card = saved.with_suffix(".json")
    text = card.read_text()
    for content, message in (
        ("{", "tiny.json is not a prior's card"),
        ("[]", "holds no JSON object"),
        (text.replace("image_range", "range"), "incomplete or wrong: no 'image_range'"),
    ):
        card.write_text(content)
        refused(saved, message)
    card.write_bytes(b"\xff\xfe{}")
    refused(saved, "tiny.json is not a prior's card")
    card.unlink()
    refused(saved, r"no card .*tiny.json: a prior is NAME.safetensors with NAME.json beside it")


def test_a_card_of_another_architecture(saved):
    architecture = read_card(saved)["architecture"]
    for changes, message in (
        ({"architecture": {**architecture, "name": "stylegan"}}, "unknown architecture 'stylegan'"),
        ({"architecture": {**architecture, "filters": 16}}, "does not fit the architecture"),
        ({"architecture": {**architecture, "discriminator_filters": 2}}, "does not fit the arch"),
        ({"architecture": {**architecture, "filters": -1}}, "filters must be at least 1"),
        ({"architecture": {**architecture, "filter": 1}}, "entry of architecture 'filter'; did"),
        ({"architecture": {**architecture, "filters": "8"}}, "incomplete or wrong"),
        ({"architecture": {**architecture, "label": 3}}, "label 3 was given, but the prior is unc"),
        ({"architecture": {**architecture, "size": 30}}, "size must be"),
        ({"architecture": "dcgan"}, "incomplete or wrong"),
        ({"image_shape": [1, 28, 28]}, r"image_shape is \[1, 28, 28\], the generator gives \[1, 8"),
        ({"latent": {"law": "gaussian", "shape": [9]}}, "incomplete or wrong"),
        ({"latent": {"law": "cauchy", "shape": [6]}}, "unknown latent law 'cauchy'"),
        ({"latent": "gaussian"}, "incomplete or wrong"),
        ({"image_range": [1, -1]}, "image_range must be"),
        ({"image_range": [-1]}, r"image_range must be \(low, high\)"),
    ):
        original = saved.with_suffix(".json").read_text()
        change_card(saved, **changes)
        refused(saved, message)
        saved.with_suffix(".json").write_text(original)


def test_names_of_shipped_priors(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "WEIGHTS", tmp_path)
    monkeypatch.setattr(cards, "outside_priors", dict)
    assert prior_names() == ["tiny"]
    assert find_prior("tiny") == saved
    assert Prior.load("tiny").image_shape == (1, 8, 8)
    refused("tinny", r"no prior 'tinny'; did you mean 'tiny'\?.*a prior by name: tiny")
    refused(tmp_path, "no prior")
    monkeypatch.setattr(cards, "WEIGHTS", tmp_path / "nothing")
    refused("tiny", "none is installed")


def test_an_alias_names_the_default_prior(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "WEIGHTS", tmp_path)
    monkeypatch.setattr(cards, "outside_priors", dict)
    change_card(saved, alias="digits")
    for suffix in (".safetensors", ".json"):
        shutil.copy(saved.with_suffix(suffix), tmp_path / f"other{suffix}")
    write_card(tmp_path / "other", {})
    assert prior_aliases() == {"digits": "tiny"}
    assert find_prior("digits") == saved
    assert Prior.load("digits").image_shape == (1, 8, 8)
    refused("digit", r"no prior 'digit'; did you mean 'digits'\?.*a prior by name: other, tiny")
    # The name of a prior goes before the alias of another, and a damaged card is passed over.
    change_card(saved, alias="other")
    assert find_prior("other") == tmp_path / "other.safetensors"
    (tmp_path / "other.json").write_text("[")
    change_card(saved, alias="digits")
    assert find_prior("digits") == saved


def test_every_shipped_prior_loads_and_has_a_full_card():
    for name in prior_names():
        prior = Prior.load(name)
        assert prior.sample(2, rng()).shape == (2, *prior.image_shape)
        keys = {"data", "data_sha256", "licence", "recipe", "steps"}
        keys |= set() if prior.discriminator is None else {"discriminator_output"}
        assert keys <= set(prior.card)
        assert prior.card["licence"] != "unknown"
        assert prior.card["float16_largest_pixel_change"] < 0.01


def test_writing_a_card_is_atomic(saved, monkeypatch):
    before = read_card(saved)
    quality = {"representation_error": 0.01, "images": "100 test images", "how": "by hand"}
    write_card(saved, {**before, "quality": quality})
    assert json.loads(saved.with_suffix(".json").read_text())["quality"] == quality
    with pytest.raises(TypeError):
        write_card(saved, {"quality": object()})
    assert read_card(saved)["quality"] == quality
    with pytest.raises(ValueError, match="cannot write"):
        write_card(saved / "inside", {})
