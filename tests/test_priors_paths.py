"""Paths between latents against the formula, scipy's great circles and their own geometry."""

import numpy as np
import pytest
import torch
from scipy.spatial import geometric_slerp

from ganprior.priors import linear_path, spherical_path
from ganprior.priors.paths import grid_walk
from tests.cases import rng


def ends(shape=(7,), seed=0, dtype=torch.float64):
    return torch.randn(2, *shape, generator=rng(seed), dtype=dtype)


def test_linear_path_in_closed_form():
    start, end = ends((2, 3))
    path = linear_path(start, end, 5)
    assert path.shape == (5, 2, 3)
    torch.testing.assert_close(path[1], 0.75 * start + 0.25 * end)
    assert torch.equal(path[0], start)
    assert torch.equal(path[-1], end)


def test_spherical_path_is_scipys_great_circle():
    start, end = (z / z.norm() for z in ends())
    expected = geometric_slerp(start.numpy(), end.numpy(), np.linspace(0, 1, 9))
    path = spherical_path(start, end, 9)
    torch.testing.assert_close(path, torch.from_numpy(expected), rtol=0, atol=1e-12)
    # It scales with the ends.
    torch.testing.assert_close(spherical_path(3 * start, 3 * end, 9), 3 * path)


def test_spherical_path_of_two_norms_is_the_formula():
    start, end = ends((2, 3), seed=4)
    angle = torch.arccos((start * end).sum() / start.norm() / end.norm())
    t = 0.25
    expected = torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * end
    torch.testing.assert_close(spherical_path(start, end, 5)[1], expected / torch.sin(angle))


def test_the_arc_keeps_its_norm_where_the_chord_loses_it():
    start, end = ends((64,), dtype=torch.float32)
    end = end * start.norm() / end.norm()
    arc, chord = spherical_path(start, end, 9), linear_path(start, end, 9)
    torch.testing.assert_close(arc.norm(dim=1), start.norm().expand(9))
    assert chord.norm(dim=1).min() < 0.8 * start.norm()
    steps = arc.diff(dim=0).norm(dim=1)
    torch.testing.assert_close(steps, steps.mean().expand(8))
    torch.testing.assert_close(arc[[0, -1]], torch.stack([start, end]))


@pytest.mark.parametrize("factor", [1.0, 2.5, -1.0, 0.0])
def test_ends_without_an_arc_are_joined_by_a_line(factor):
    start, _ = ends(dtype=torch.float32)
    path = spherical_path(start, factor * start, 5)
    assert torch.equal(path, linear_path(start, factor * start, 5))
    assert path.isfinite().all()
    path = spherical_path(factor * start, start, 5)
    assert path.isfinite().all()


def test_a_tiny_angle_is_no_noise():
    start, other = ends()
    end = start + 1e-6 * other
    torch.testing.assert_close(
        spherical_path(start, end, 5), linear_path(start, end, 5), rtol=0, atol=1e-11
    )


def test_wrong_arguments():
    start, end = ends()
    with pytest.raises(ValueError, match=r"frames must be at least 2.* got 1"):
        linear_path(start, end, 1)
    with pytest.raises(ValueError, match=r"one shape, got \(7,\) and \(3,\)"):
        spherical_path(start, end[:3], 4)


def test_a_grid_has_its_corners_and_great_circles_as_rows():
    corners = torch.stack([*ends(), *ends(seed=1)])
    corners = corners / corners.flatten(1).norm(dim=1)[:, None]
    grid = grid_walk(corners, 4).reshape(4, 4, 7)
    torch.testing.assert_close(grid[[0, 0, -1, -1], [0, -1, 0, -1]], corners)
    torch.testing.assert_close(grid.norm(dim=2), torch.ones(4, 4, dtype=torch.float64))
    torch.testing.assert_close(grid[:, 0], spherical_path(corners[0], corners[2], 4))
    torch.testing.assert_close(grid[1], spherical_path(grid[1, 0], grid[1, -1], 4))
    with pytest.raises(ValueError, match="4 corners, got 3"):
        grid_walk(corners[:3], 4)
