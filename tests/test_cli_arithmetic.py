"""``ganprior arithmetic``: expressions, groups of images and of labels, and the figure."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganprior import Prior
from ganprior.cli.arithmetic import parse_expression
from ganprior.datasets import Images
from ganprior.evaluation.arithmetic import groups_of_images, groups_of_labels
from ganprior.priors.arithmetic import combine, join_label, joined_prior, neighbours
from tests.cases import rng, tiny_dcgan
from tests.cases_conditional import conditional_mlp
from tests.cli_cases import refuse, save_prior, succeed

SIDE = 8


@pytest.mark.parametrize(
    ("text", "signs", "labels"),
    [
        ("8", [1], [8]),
        ("8-3+1", [1, -1, 1], [8, 3, 1]),
        (" - 12 +  0 ", [-1, 1], [12, 0]),
        ("+2 - 2", [1, -1], [2, 2]),
    ],
)
def test_expressions(text, signs, labels):
    assert parse_expression(text) == (signs, labels)


@pytest.mark.parametrize("text", ["", "8 3", "8 - ", "a + 1", "8 * 2", "1.5"])
def test_bad_expressions(text):
    with pytest.raises(ValueError, match="labels with"):
        parse_expression(text)


def test_a_sum_of_means():
    a, b = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[10.0, 20.0]])
    assert combine([a, b], [1, -1]).tolist() == [-8, -17]
    assert torch.equal(combine([a, b, b], [1, -1, 1]), combine([a], [1]))
    with pytest.raises(ValueError, match="2 groups and 1 signs"):
        combine([a, b], [1])
    around = neighbours(a[0], 2000, rng())
    assert (around - a[0]).abs().max() <= 0.25
    assert torch.allclose(around.mean(0), a[0], atol=0.02)
    assert torch.allclose(around.std(0), torch.tensor(0.5 / 12**0.5), atol=0.01)


def test_joined_codes_are_the_conditional_prior():
    prior = conditional_mlp()
    z = torch.randn(4, 4, generator=rng())
    joined = joined_prior(prior)
    for label in range(3):
        expected = prior.render(z, torch.full((4,), label))
        assert torch.equal(joined.render(join_label(z, label, 3)), expected)
    with pytest.raises(ValueError, match="only a conditional prior"):
        joined_prior(tiny_dcgan())
    _, groups = groups_of_labels(prior, [2, 0, 2], 5)
    assert [group[:, 4:].argmax(1).unique().tolist() for group in groups] == [[2], [0], [2]]
    assert not torch.equal(groups[0], groups[2])
    with pytest.raises(ValueError, match=r"0 \.\.\. 2, got 3"):
        groups_of_labels(prior, [0, 3], 5)


def labelled(prior: Prior, labels: list[int]) -> tuple[Images, torch.Tensor]:
    """Images of the prior's own latents, with labels."""
    z = torch.randn(len(labels), *prior.latent.shape, generator=rng(5))
    names = tuple(map(str, range(len(labels))))
    return Images(prior.render(z), names, "sha", torch.tensor(labels)), z


class Half(torch.nn.Module):
    """An encoder that anyone can check."""

    def forward(self, x):
        return x.flatten(1)[:, :6] / 2


def test_latents_of_images_are_the_encoders_else_those_of_a_fit():
    prior = tiny_dcgan()
    images, z = labelled(prior, [1, 0, 1, 0, 1])
    one, zero, same = groups_of_images(prior, images, [1, 0, 1], 2)
    assert torch.equal(one, same)
    # The first two of each label.
    assert torch.allclose(prior.render(one), prior.render(z[[0, 2]]), atol=1e-3)
    assert torch.allclose(prior.render(zero), prior.render(z[[1, 3]]), atol=1e-3)
    prior.encoder = Half()
    [encoded] = groups_of_images(prior, images, [0], 1)
    assert torch.allclose(encoded, (2 * images.pixels[1:2] - 1).flatten(1)[:, :6] / 2)
    with pytest.raises(ValueError, match="label 1 has 3 images where 4 are asked for"):
        groups_of_images(prior, images, [1, 0], 4)
    with pytest.raises(ValueError, match=r"label 7 has 0 images.*the labels are 0, 1"):
        groups_of_images(prior, images, [7], 1)
    with pytest.raises(ValueError, match="have none"):
        groups_of_images(prior, Images(images.pixels, images.names, ""), [0], 1)


def rows(path: Path, columns: int, side: int) -> np.ndarray:
    """Images of a sheet in 0 ... 1, (rows, columns, H, W)."""
    zoom, gap = 64 // side, 2
    with Image.open(path) as image:
        sheet = np.asarray(image) / 255
    step = side * zoom + gap
    # The names of the rows stand to the right.
    assert sheet.shape[1] > columns * step + gap
    assert (sheet[:, columns * step + gap :] == 0).any()
    return np.stack(
        [
            [sheet[gap + r * step :, gap + c * step :][: step - gap : zoom, : step - gap : zoom]
             for c in range(columns)]
            for r in range(sheet.shape[0] // step)
        ]
    )  # fmt: skip


def test_the_figure_of_a_conditional_prior(tmp_path, monkeypatch):
    prior = conditional_mlp()
    monkeypatch.setattr(Prior, "load", lambda name: prior)
    out = tmp_path / "sum.png"
    args = ("arithmetic", "2 - 0 + 1", "--prior", "any", "--count", 4, "--out", out)
    result = succeed(*args)
    assert str(out) in result.stdout
    shown = rows(out, 5, 6)
    assert shown.shape[:2] == (4, 5)
    joined, groups = groups_of_labels(prior, [2, 0, 1], 4)
    total = groups[0].mean(0) - groups[1].mean(0) + groups[2].mean(0)
    assert np.allclose(shown[3, 4], joined.render(total[None])[0, 0], atol=0.005)
    assert np.allclose(shown[1, :4], joined.render(groups[1])[:, 0], atol=0.005)
    assert np.allclose(shown[1, 4], joined.render(groups[1].mean(0)[None])[0, 0], atol=0.005)
    assert "0 ... 2, got 5" in refuse("arithmetic", "5", "--prior", "any", "--out", out)


def test_the_figure_of_labelled_images(tmp_path):
    prior = save_prior(tmp_path, SIDE)
    loaded = Prior.load(prior)
    images, _ = labelled(loaded, [0, 1, 2])
    data = tmp_path / "data.npz"
    np.savez(data, images=images.pixels.numpy(), labels=images.labels.numpy())
    out = tmp_path / "sum.png"
    args = ("arithmetic", "--prior", prior, "--count", 1, "--out", out)
    succeed(*args, "2 - 1", "--data", data)
    shown = rows(out, 2, SIDE)
    assert np.allclose(shown[:2, 0], images.pixels[[2, 1], 0], atol=0.01)
    assert "give labelled images with --data" in refuse(*args, "2 - 1")
    assert "label 9 has 0 images" in refuse(*args, "9", "--data", data)
    assert "labels with + or -" in refuse(*args, "two")
