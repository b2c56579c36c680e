"""The verbs of the Hugging Face hub, against local folders and a hub that is made up."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import pytest
import torch

from ganprior import Prior
from tests.cases import tiny_dcgan
from tests.test_priors_code import MODULE


@pytest.fixture
def prior():
    return tiny_dcgan()


class TestFolder:
    def test_goes_there_and_back(self, prior, tmp_path):
        prior.save_pretrained(tmp_path / "mine")
        again = Prior.from_pretrained(tmp_path / "mine")
        z = prior.latent.sample(2, 1)
        torch.testing.assert_close(again.render(z), prior.render(z), rtol=0, atol=1e-2)
        card = json.loads((tmp_path / "mine/prior.json").read_text())
        assert len(card["sha256"]) == 64
        # A copy under another name has weights of its own, and is not said to have these.
        again.save(tmp_path / "other")
        assert "sha256" not in json.loads((tmp_path / "other.json").read_text())

    def test_weights_that_are_not_the_cards_are_refused(self, prior, tmp_path):
        prior.save_pretrained(tmp_path)
        file = tmp_path / "prior.safetensors"
        file.write_bytes(file.read_bytes()[:-1] + b"\x01")
        with pytest.raises(ValueError, match=r"has sha256 .*, its card says .*fetch them again"):
            Prior.from_pretrained(tmp_path)
        prior.save(tmp_path / "prior")
        with pytest.raises(ValueError, match="does not say the sha256 of its weights"):
            Prior.from_pretrained(tmp_path)

    def test_what_is_no_prior_is_refused_in_one_line(self, tmp_path):
        with pytest.raises(ValueError, match=r"is no prior: it has no prior\.safetensors"):
            Prior.from_pretrained(tmp_path)
        with pytest.raises(ValueError, match="is named owner/name, got 'a/b/c'"):
            Prior.from_pretrained("a/b/c")

    def test_a_factory_is_asked_for(self, tmp_path, monkeypatch):
        (tmp_path / "colleague.py").write_text(MODULE)
        monkeypatch.chdir(tmp_path)
        made = Prior.load("colleague:make", trust_code=True)
        made.save_pretrained(tmp_path / "mine")
        sys.modules.pop("colleague")
        with pytest.raises(ValueError, match=r"which the factory colleague:make makes.*trust"):
            Prior.from_pretrained("mine")
        z = made.latent.sample(1, 1)
        assert torch.equal(Prior.from_pretrained("mine", trust_code=True).render(z), made.render(z))
        sys.modules.pop("colleague")


class TestHub:
    @pytest.fixture
    def hub(self, tmp_path, monkeypatch):
        """Stores repositories in a folder."""
        kept = tmp_path / "hub"

        def create_repo(name, private, exist_ok, token):
            (kept / name).mkdir(parents=True, exist_ok=exist_ok)

        def upload_folder(repo_id, folder_path, token):
            for file in Path(folder_path).iterdir():
                (kept / repo_id / file.name).write_bytes(file.read_bytes())
            return f"https://hub/{repo_id}/commit/1"

        def snapshot_download(name, revision, token, allow_patterns):
            if not (kept / name).is_dir():
                raise LookupError(f"404:\n{name} not found")
            return str(kept / name)

        own = types.SimpleNamespace(
            create_repo=create_repo,
            upload_folder=upload_folder,
            snapshot_download=snapshot_download,
        )
        monkeypatch.setitem(sys.modules, "huggingface_hub", own)
        return kept

    def test_push_and_fetch(self, hub, prior, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert prior.push_to_hub("me/mine") == "https://hub/me/mine/commit/1"
        assert {file.name for file in (hub / "me/mine").iterdir()} == {
            "prior.safetensors",
            "prior.json",
        }
        assert Prior.from_pretrained("me/mine").image_shape == prior.image_shape

    def test_what_is_not_there_is_one_line(self, hub, prior, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        with pytest.raises(ValueError, match=r"me/none cannot be had.*; HF_HUB_OFFLINE") as caught:
            Prior.from_pretrained("me/none")
        assert "\n" not in str(caught.value)

    def test_without_the_package_it_is_named(self, prior, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setitem(sys.modules, "huggingface_hub", None)
        for call in (lambda: Prior.from_pretrained("me/it"), lambda: prior.push_to_hub("me/it")):
            with pytest.raises(ValueError, match=r"pip install \"ganprior\[hub\]\""):
                call()


def test_the_package_itself_goes_without_a_network_where_it_is_told(tmp_path, monkeypatch):
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match="me/none cannot be had from the hub") as caught:
        Prior.from_pretrained("me/none")
    assert "\n" not in str(caught.value)
