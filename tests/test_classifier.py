"""The small classifier: it learns, is the same from the same seed, and comes back from its file."""

import json

import pytest
import torch

from ganprior.datasets import Images
from ganprior.evaluation import classifier as module
from ganprior.evaluation import features
from ganprior.evaluation.classifier import (
    CLASSIFIERS,
    load_classifier,
    save_classifier,
    shipped_classifier,
    train_classifier,
)
from tests.cases import rng


def bars(count: int = 60, seed: int = 0) -> Images:
    """Bright upper halves (0), lower halves (1) and left halves (2), in noise."""
    labels = torch.arange(count) % 3
    pixels = torch.rand(count, 1, 8, 8, generator=rng(seed)) * 0.4
    pixels[labels == 0, :, :4] += 0.5
    pixels[labels == 1, :, 4:] += 0.5
    pixels[labels == 2, :, :, :4] += 0.5
    names = tuple(f"{i}" for i in range(count))
    return Images((pixels * 255).byte(), names, f"bars {seed}", labels)


@pytest.fixture(scope="module")
def trained():
    return train_classifier(bars(), filters=4, steps=25)


def test_it_learns(trained):
    assert trained.accuracy(bars(seed=1)) == 1
    # Labels that are wrong by one are not met.
    wrong = bars(seed=1)
    assert train_classifier(bars(), filters=4, steps=1).accuracy(wrong) < 1
    assert trained.features(bars().floats()).shape == (60, 128)
    assert trained.card["training_images"] == 60


def test_the_seed_decides(trained):
    again = train_classifier(bars(), filters=4, steps=25)
    other = train_classifier(bars(), filters=4, steps=25, seed=1)
    x = bars().floats()
    assert torch.equal(again.features(x), trained.features(x))
    assert not torch.allclose(other.features(x), trained.features(x))


def test_it_comes_back_from_its_file(trained, tmp_path):
    save_classifier(trained, tmp_path / "c.safetensors")
    loaded = load_classifier(tmp_path / "c")
    x = bars(seed=2).floats()
    assert loaded.card == trained.card
    assert torch.allclose(loaded.features(x), trained.features(x), rtol=0.02, atol=0.02)
    (tmp_path / "c.safetensors").write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"c is no classifier of ganprior.*train-classifier"):
        load_classifier(tmp_path / "c")


def test_what_it_cannot_learn_from_is_refused(trained):
    images = bars()
    for changes, message in (
        ({"labels": None}, "no labels"),
        ({"labels": torch.zeros(60, dtype=torch.long)}, "got 0 to 0"),
        ({"pixels": images.pixels[..., :4]}, "square images, got 8 x 4"),
    ):
        bad = Images(**{**vars(images), **changes})
        with pytest.raises(ValueError, match=message):
            train_classifier(bad)
    with pytest.raises(ValueError, match="no labels"):
        trained.accuracy(Images(images.pixels, images.names, ""))


def test_features_are_the_shipped_ones_else_trained_else_none(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CLASSIFIERS", tmp_path)
    save_classifier(trained, tmp_path / "bars")
    images = bars()
    shipped = features.choose_features(images.sha256, images.shape, None)
    assert "shipped as bars" in shipped.description
    assert shipped.classifier.accuracy(images) == 1
    # Shipped for images of another size: of no use.
    assert shipped_classifier(images.sha256, (1, 16, 16)) is None
    monkeypatch.setattr(features, "train_classifier", lambda images, progress: trained)
    assert "on the spot" in features.choose_features("other", images.shape, images).description
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    unlabelled = Images(images.pixels, images.names, images.sha256)
    assert features.choose_features(None, images.shape, unlabelled) is None


def test_inceptions_weights_are_taken_only_if_they_are_the_right_ones(tmp_path, monkeypatch):
    import torchmetrics.image.fid

    seen = []

    def network(name, layers, weights):
        assert (name, layers) == ("inception-v3-compat", ["2048"])

        def extract(images):
            seen.append(images)
            return torch.zeros(len(images), 2048)

        return extract

    monkeypatch.setattr(torchmetrics.image.fid, "NoTrainInceptionV3", network)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    weights = tmp_path / "checkpoints" / features._INCEPTION
    weights.write_bytes(b"other weights")
    assert features.inception_features() is None
    monkeypatch.setattr(features, "sha256", lambda path: "6726825d" + 56 * "0")
    found = features.inception_features()
    assert "Inception" in found.description
    assert found.extractor(torch.full((2, 1, 4, 4), 0.5)).shape == (2, 2048)
    assert seen[0].shape == (2, 3, 4, 4)
    assert seen[0].unique().tolist() == [128]
    assert seen[0].dtype == torch.uint8


def test_the_shipped_classifiers_are_good_and_small():
    names = {"mnist": 0.985, "fashion-mnist": 0.89}
    assert {path.stem for path in CLASSIFIERS.glob("*.safetensors")} == set(names)
    for name, least in names.items():
        assert (CLASSIFIERS / f"{name}.safetensors").stat().st_size < 500_000
        card = json.loads((CLASSIFIERS / f"{name}.json").read_text())
        assert card["test_accuracy"] > least
        assert card["licence"] != "unknown"
        assert shipped_classifier(card["data_sha256"], (1, 28, 28)) == CLASSIFIERS / f"{name}.json"


def test_the_shipped_classifier_reads_real_images():
    from ganprior.datasets import demo_images

    images = demo_images()
    # Ten images, one of each class; a tenth of all test images are misread.
    assert load_classifier(CLASSIFIERS / "fashion-mnist").accuracy(images) >= 0.8
