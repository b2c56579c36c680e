"""Folders: which subfolders are splits, which are classes, and what is passed over."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganprior.datasets import load_images
from ganprior.datasets.class_folders import Found


def put(folder: Path, *names: str) -> None:
    """Put gray pictures under these paths."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4), 7, np.uint8)).save(path)


def labels(folder, split="train"):
    """Labels by class folder."""
    images = load_images(folder, split=split)
    assert images.labels is not None
    classes = (name.split("/")[0] for name in images.names)
    return dict(zip(classes, images.labels.tolist(), strict=True))


@pytest.mark.parametrize(
    ("train", "test"),
    [("train", "test"), ("training", "testing"), ("Train", "validation"), ("train", "val")],
)
def test_classes_are_numbered_over_all_splits(tmp_path, train, test):
    put(tmp_path, f"{train}/a/0.png", f"{train}/b/0.png", f"{train}/c/0.png")
    put(tmp_path, f"{test}/a/0.png", f"{test}/c/0.png", f"{test}/d/0.png")
    for folder in (tmp_path, tmp_path / train):
        assert labels(folder) == {"a": 0, "b": 1, "c": 2}
    assert labels(tmp_path, "test") == labels(tmp_path / test) == {"a": 0, "c": 2, "d": 3}


def test_a_split_named_by_a_relative_path_has_the_same_numbers(tmp_path, monkeypatch):
    put(tmp_path, "train/a/0.png", "train/b/0.png", "test/b/0.png")
    monkeypatch.chdir(tmp_path / "test")
    assert labels(".") == {"b": 1}


def test_the_test_split_goes_before_the_validation_split(tmp_path):
    put(tmp_path, "train/0.png", "val/0.png", "val/1.png", "test/0.png")
    assert len(load_images(tmp_path, split="test")) == 1
    os.rename(tmp_path / "test", tmp_path / "elsewhere")
    assert len(load_images(tmp_path, split="test")) == 2


def test_splits_and_classes_that_contradict_are_refused(tmp_path):
    put(tmp_path, "train/cat/0.png", "test/Cat/0.png")
    with pytest.raises(ValueError, match="may be one class or two"):
        load_images(tmp_path)
    put(tmp_path, "test/cat/0.png")
    # Now they differ within one split: they are two.
    assert labels(tmp_path, "test") == {"Cat": 0, "cat": 1}
    put(tmp_path, "training/cat/0.png")
    with pytest.raises(ValueError, match="both train and training for the train split"):
        load_images(tmp_path)


@pytest.mark.parametrize(
    "rubbish",
    [
        *("__MACOSX/a/._0.png", ".ipynb_checkpoints/0.png", "@eaDir/0.png", ".hidden/0.png"),
        *("$RECYCLE.BIN/0.png", "__pycache__/0.png", "annotations/0.xml", "0/notes/0.txt"),
        *("Thumbs.db/0.png", "Desktop.ini/0", "Network Trash Folder/0.png"),
    ],
)
def test_what_systems_leave_behind_is_no_class(tmp_path, rubbish):
    put(tmp_path, "a/0.png", "b/0.png")
    path = tmp_path / rubbish
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\0\5\26\7")
    assert labels(tmp_path) == {"a": 0, "b": 1}
    # An empty folder of a person's own is one without images yet.
    (tmp_path / "a0").mkdir()
    assert labels(tmp_path) == {"a": 0, "b": 2}


@pytest.mark.parametrize("nested", ["train/b/x/0.png", "train/b/x/y/0.png", "test/b/x/0.png"])
def test_a_class_whose_images_lie_deeper_does_not_vanish(tmp_path, nested):
    put(tmp_path, "train/a/0.png", "train/c/0.png", "test/a/0.png", nested)
    (tmp_path / "train" / "c" / "round").symlink_to(tmp_path / "train")
    with pytest.raises(ValueError, match=r"b would be a class, but .* such as .*0\.png; put"):
        load_images(tmp_path)


def test_every_name_of_a_picture_is_read_or_named(tmp_path):
    for name in ("0.jpg", "1.jfif", "2.JPE", "3.jpeg"):
        Image.new("L", (4, 4)).save(tmp_path / name, "JPEG")
    assert len(load_images(tmp_path)) == 4
    (tmp_path / "4.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "5.heic").write_bytes(b"not read")
    with pytest.raises(ValueError, match=r"2 of 6 .*4\.png: No such file.*5\.heic cannot"):
        load_images(tmp_path)
    assert load_images(tmp_path, skip_unreadable=True).skipped == 2


def test_a_pipe_in_a_folder_is_not_waited_for_and_a_device_never_read(tmp_path):
    os.mkfifo(tmp_path / "0.png")
    with pytest.raises(ValueError, match="holds no images"):
        load_images(tmp_path)
    with pytest.raises(ValueError, match="/dev/zero is a device"):
        load_images("/dev/zero")


def test_a_pipe_that_is_named_gives_its_picture(tmp_path):
    put(tmp_path, "0.png")
    data = (tmp_path / "0.png").read_bytes()
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        pool.submit((tmp_path / "pipe").write_bytes, data)
        assert load_images(tmp_path / "pipe").shape == (1, 4, 4)


def test_depths_may_be_mixed_where_channels_are_converted(tmp_path):
    put(tmp_path, "0.png", "2.png")
    deep = np.full((4, 4), 65535 * 7 // 255, np.uint16)
    Image.fromarray(deep).save(tmp_path / "1.png")
    Image.fromarray(np.full((4, 4), 7 / 255, np.float32)).save(tmp_path / "3.tif")
    with pytest.raises(ValueError, match=r"1\.png is 1x4x4 float32 .*channels="):
        load_images(tmp_path)
    images = load_images(tmp_path, channels=1)
    assert len(images) == 4
    assert np.allclose(images.floats(), 7 / 255, atol=1e-5)


def test_more_images_than_memory_holds_are_one_line(tmp_path, monkeypatch):
    Image.new("1", (9000, 9000)).save(tmp_path / "0.png")
    found = Found([tmp_path / "0.png"] * 10**6)
    monkeypatch.setattr("ganprior.datasets.folder.find_images", lambda *_: found)
    with pytest.raises(ValueError, match=r"1000000 images as large as .* need 75437 GiB"):
        load_images(tmp_path)
