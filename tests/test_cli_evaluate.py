"""``ganprior evaluate`` and ``train-classifier``: table, figure, card, and what is refused."""

import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganprior.cli.held_out import hold_out, split
from ganprior.datasets import load_images
from ganprior.evaluation.classifier import train_classifier
from ganprior.priors import cards, read_card, write_card
from tests.cases_training import tiny_images
from tests.cli_cases import refuse, run, save_prior, succeed

SIDE = 8


def save(path: Path, count: int = 30, *, size: int = SIDE, seed: int = 0) -> Path:
    images = tiny_images(count, size, seed=seed)
    # Bright above is 1, bright below is 0: something that can be learned.
    half = images.floats().reshape(count, 2, -1).mean(2)
    np.savez(path, images=images.pixels.numpy(), labels=(half[:, 0] > half[:, 1]).long().numpy())
    return path


@pytest.fixture(autouse=True)
def quick_classifier(monkeypatch):
    """One trained on the spot need not be good here."""
    quick = partial(train_classifier, steps=5, filters=2)
    monkeypatch.setattr("ganprior.evaluation.features.train_classifier", quick)


@pytest.fixture
def setup(tmp_path):
    """A prior that was trained on the first 24 of 30 images, and those images."""
    data = save(tmp_path / "data.npz")
    prior = Path(save_prior(tmp_path, SIDE))
    card = read_card(prior)
    facts = {"recipe": "images = 24\n", "data_sha256": load_images(data).sha256}
    write_card(prior, {**card, **facts, "quality": {"representation_error": 1.0}})
    return prior, data


def evaluate(prior, data, *options):
    return succeed("evaluate", prior, "--data", data, "--count", 6, "--fitted", 1, *options)


def test_the_table_the_figure_and_the_card(setup, tmp_path):
    prior, data = setup
    out = tmp_path / "new/folder"
    result = evaluate(prior, data, "--out", out)
    card = read_card(prior)
    quality = card["quality"]
    assert quality["compared_images"] == 6  # those that were not trained on
    assert "trained on the spot" in quality["features"]
    assert "training a classifier" in result.stderr
    assert quality["images"] == "1 held-out images (data.npz)"
    assert quality["images_sha256"] == load_images(data).sha256
    assert card["quality_before"] == {"representation_error": 1.0}
    for words, key in (
        ("Fréchet distance ", "frechet_distance"),
        ("recall ", "recall"),
        ("representation error ", "representation_error"),
        ("distance to training images ", "nearest_training_error"),
    ):
        [line] = [line for line in result.stdout.splitlines() if line.startswith(words)]
        assert line.split()[-1] == str(quality[key])
    assert quality["tuning_images"] == "the last 6 training images (data.npz)"
    assert list(quality["errors"]) == ["csgm"]
    [head] = [line for line in result.stdout.splitlines() if line.startswith("error, m =")]
    assert head.split()[3:] == list(quality["errors"]["csgm"]) == ["25"]  # of 64 pixels
    [row] = [line for line in result.stdout.splitlines() if line.startswith("  csgm")]
    assert row.split()[1:] == [str(quality["errors"]["csgm"]["25"])]
    with Image.open(out / "nearest.png") as sheet:
        # Six samples, and under them the six training images.
        assert sheet.height == 2 * (SIDE * 8 + 2) + 2


def test_a_classifier_may_be_given_and_train_classifier_makes_it(setup, tmp_path):
    prior, data = setup
    test = save(tmp_path / "other.npz", seed=1)
    file = tmp_path / "eyes.safetensors"
    result = succeed(
        *("train-classifier", "--data", data, "--out", file, "--steps", 20, "--filters", 2),
        *("--name", "shades", "--licence", "none"),
    )
    assert "classifier: " in result.stdout
    card = json.loads(file.with_suffix(".json").read_text())
    assert (card["data"], card["licence"]) == ("shades", "none")
    # The set has no test split, on whose images it could be tried.
    assert "test_accuracy" not in card
    evaluate(prior, test, "--classifier", file, "--out", tmp_path / "out")
    quality = read_card(prior)["quality"]
    assert quality["features"].endswith("of eyes.safetensors")
    # Nothing is known of these images' relation to the training.
    assert "nearest_training_error" not in quality


def test_train_classifier_is_tried_on_the_test_split(tmp_path):
    for part, count in (("train", 6), ("test", 4)):
        for i in range(count):
            folder = tmp_path / "set" / part / ("bright" if i % 2 else "dark")
            folder.mkdir(parents=True, exist_ok=True)
            shade = np.full((SIDE, SIDE), 200 if i % 2 else 20 + i, np.uint8)
            Image.fromarray(shade).save(folder / f"{i}.png")
    result = succeed(
        *("train-classifier", "--data", tmp_path / "set", "--out", tmp_path / "c.safetensors"),
        *("--steps", 20, "--filters", 2),
    )
    assert "of 4 test images right" in result.stdout
    card = json.loads((tmp_path / "c.json").read_text())
    assert (card["training_images"], card["test_images"]) == (6, 4)


def test_a_shipped_priors_card_is_written_only_when_asked(setup, tmp_path, monkeypatch):
    prior, data = setup
    weights = tmp_path / "weights"
    weights.mkdir()
    for file in (prior, prior.with_suffix(".json")):
        shutil.copy(file, weights / f"own{file.suffix}")
    monkeypatch.setattr(cards, "WEIGHTS", weights)
    monkeypatch.setattr(cards, "outside_priors", dict)
    monkeypatch.chdir(tmp_path)
    before = (weights / "own.json").read_bytes()
    for name in ("own", weights / "own.safetensors"):
        assert "card: " not in evaluate(name, data, "--fitted", 0).stdout
        assert (weights / "own.json").read_bytes() == before
    assert (tmp_path / "own-quality/nearest.png").is_file()
    assert "card: " in evaluate("own", data, "--fitted", 0, "--update-card").stdout
    assert "recall" in read_card(weights / "own")["quality"]
    unchanged = prior.with_suffix(".json").read_bytes()
    evaluate(prior, data, "--fitted", 0, "--keep-card")
    assert prior.with_suffix(".json").read_bytes() == unchanged


def test_what_cannot_be_evaluated_is_one_line_and_leaves_the_card(setup, tmp_path):
    prior, data = setup
    before = prior.with_suffix(".json").read_bytes()
    out = tmp_path / "out"
    large = save(tmp_path / "large.npz", size=12)
    (tmp_path / "file").write_text("")

    def refused(*args):
        return refuse("evaluate", *args, "--out", out)

    assert "no prior 'nothing'" in refused("nothing", "--data", data)
    assert "no file, folder or data set 'nowhere'" in refused(prior, "--data", "nowhere")
    assert "--resize" in refused(prior, "--data", large)
    assert "eyes is no classifier" in refused(prior, "--data", data, "--classifier", "eyes")
    line = refuse("evaluate", prior, "--data", data, "--out", tmp_path / "file/out")
    assert "is not a folder" in line
    card = read_card(prior)
    write_card(prior, {**card, "recipe": "images = 30\n"})
    assert "trained on all images" in refused(prior, "--data", data)
    write_card(prior, card)
    assert prior.with_suffix(".json").read_bytes() == before
    assert not out.exists()


def test_images_are_converted_and_unreadable_ones_skipped_when_asked(setup, tmp_path):
    prior, _ = setup
    folder = tmp_path / "folder"
    folder.mkdir()
    for i, image in enumerate(tiny_images(8, 12, 3).pixels):
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / f"{i}.png")
    (folder / "7.png").write_bytes(b"broken")
    flags = ["--resize", "--convert", "--out", tmp_path / "out"]
    assert "7.png" in refuse("evaluate", prior, "--data", folder, *flags)
    result = run(
        *("evaluate", prior, "--data", folder, "--count", 6, "--fitted", 0, *flags),
        "--skip-unreadable",
    )
    assert result.exit_code == 0, result.output
    assert "1 unreadable files" in result.stderr
    # No labels, no classifier.
    assert "no features for these images" in result.stderr
    assert "recall" not in read_card(prior)["quality"]


def class_folders(folder, size=SIDE):
    """Thirty pictures in two subfolders by class."""
    images = tiny_images(30, size, seed=3)
    for i, image in enumerate(images.pixels):
        path = folder / ("dark" if i % 2 else "bright") / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0].numpy()).save(path)
    return folder


def test_any_folder_is_held_out_in_part_and_its_subfolders_are_labels(setup, tmp_path):
    prior, _ = setup
    folder = class_folders(tmp_path / "set")
    result = evaluate(prior, folder, "--holdout", 12, "--out", tmp_path / "out")
    quality = read_card(prior)["quality"]
    assert quality["compared_images"] == 6  # by --count
    assert "trained on the spot" in quality["features"]
    assert "training a classifier" in result.stderr
    assert "nearest_training_error" in quality
    evaluate(prior, folder, "--holdout", 5, "--out", tmp_path / "out")
    assert read_card(prior)["quality"]["compared_images"] == 5
    # Without it nothing is known of the images, and there is nothing to train a classifier on.
    assert "no features" in evaluate(prior, folder, "--out", tmp_path / "out").stderr


def test_held_out_are_only_images_that_were_not_trained_on(setup, tmp_path):
    prior, data = setup
    request = [prior, "--data", data, "--fitted", 0, "--out", tmp_path / "out"]
    assert "at most 6 can be held out" in refuse("evaluate", *request, "--holdout", 7)
    evaluate(prior, data, "--holdout", 4, "--out", tmp_path / "out")
    assert read_card(prior)["quality"]["compared_images"] == 4
    # Those that its density was fitted to choose no prior either.
    images, card = load_images(data), read_card(prior)
    for fitted, left in ((4, images.names[28:]), (6, None)):
        dense = {**card, "density": {"first_image": 24, "images": fitted}}
        tuning = split(images, images, dense, None, 0, "data").tuning
        assert (None if tuning is None else tuning.names) == left
    splits = class_folders(tmp_path / "set/train").parent
    class_folders(splits / "val")
    (splits / "val/dark/1.png").unlink()
    request[2] = splits
    assert "has a test split" in refuse("evaluate", *request, "--holdout", 4)


def test_what_is_held_out_is_drawn_by_the_seed_and_apart_from_the_training_images(tmp_path):
    images = tiny_images(30, SIDE)
    for trained in (0, 20):
        first, again, other = (hold_out(images, 6, trained, seed) for seed in (1, 1, 2))
        assert first.held_out.names == again.held_out.names != other.held_out.names
        assert len(first.held_out) == 6
        assert first.training is not None
        assert len(first.training) == (trained or 24)
        assert not {*first.held_out.names} & {*images.names[:trained], *first.training.names}


def test_messages_name_the_options_of_the_command(setup, tmp_path):
    prior, _ = setup
    folder = class_folders(tmp_path / "set")
    Image.new("RGB", (SIDE, SIDE)).save(folder / "dark/99.png")
    for command in (
        ["evaluate", prior, "--data", folder, "--out", tmp_path / "out"],
        ["reconstruct", folder, "--prior", prior, "--measure", "identity", "--out", tmp_path / "o"],
    ):
        line = refuse(*command)
        assert "give --resize for one size, --convert for one number of channels" in line
        assert "channels=" not in line
    (folder / "dark/99.png").write_bytes(b"")
    line = refuse("evaluate", prior, "--data", folder, "--out", tmp_path / "out")
    assert line.endswith("replace them or give --skip-unreadable")
    line = refuse("measure", folder, "--measure", "identity", "--out", tmp_path / "y.npz")
    assert line.endswith("replace them or move them away")
    assert "skip_unreadable" not in line
