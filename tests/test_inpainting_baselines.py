"""What every inpainting baseline must do, and the two that look up or interpolate."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from ganprior import inpainting
from ganprior.baselines import Biharmonic, LassoDCT, NearestPatch, TotalVariation
from ganprior.solution import Status
from tests.cases_baselines import FourierPhysics, MaskPhysics, gaussian, images
from tests.cases_inpainting import SHAPE, hole, inpainters, masks, training_set

NAMES = list(inpainters())


@pytest.mark.parametrize("mask", [hole(), masks(3)], ids=["shared", "one per image"])
@pytest.mark.parametrize("name", NAMES)
def test_known_pixels_stay_and_the_others_come_closer(name, mask):
    x, physics = images(3, SHAPE), MaskPhysics(mask)
    y = physics.A(x)
    before = y.clone()
    solution = inpainters()[name].solve(y, physics)
    known = (mask == 1).expand_as(x)
    assert solution.status == (Status.CONVERGED,) * 3
    assert solution.measurement_error.tolist() == [0, 0, 0]
    assert torch.equal(solution.x[known], x[known])
    assert (solution.x - x).square().sum() < 0.5 * (y - x).square().sum()
    assert torch.equal(y, before)
    assert solution.steps.dtype == torch.int64


@pytest.mark.parametrize("name", NAMES)
def test_batch_equals_one_by_one(name):
    mask, x = masks(3), images(3, SHAPE) * torch.tensor([0.2, 1.0, 0.6])[:, None, None, None]
    y, method = mask * x, inpainters()[name]
    together = method.solve(y, MaskPhysics(mask))
    for i in range(3):
        alone = method.solve(y[i : i + 1], MaskPhysics(mask[i : i + 1]))
        torch.testing.assert_close(together.x[i : i + 1], alone.x, rtol=0, atol=1e-10)
        torch.testing.assert_close(together.objective[i : i + 1], alone.objective)
        assert together.steps[i] == alone.steps[0]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("name", NAMES)
def test_a_signal_that_is_not_finite_disturbs_no_other(name, bad):
    mask, x, method = masks(3), images(3, SHAPE), inpainters()[name]
    y = mask * x
    clean = method.solve(y, MaskPhysics(mask))
    y[1, 0, 0, 0] = bad
    solution = method.solve(y, MaskPhysics(mask))
    assert solution.status == (Status.CONVERGED, Status.NONFINITE, Status.CONVERGED)
    assert (solution.x[1] == 0).all()
    assert solution.objective[1].isnan()
    torch.testing.assert_close(solution.x[::2], clean.x[::2], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_grey_pictures_in_three_channels_stay_grey(name):
    shape = (3, *SHAPE[1:])
    x = images(2, SHAPE).expand(-1, 3, -1, -1)
    physics = MaskPhysics(hole())
    method = NearestPatch(training_set().expand(-1, 3, -1, -1))
    colour = (method if name == "nearest-patch" else inpainters(shape)[name])(hole() * x, physics)
    grey = inpainters()[name](hole() * x[:, :1], physics)
    # Total variation stops by its gap, which the coupled channels reach elsewhere.
    torch.testing.assert_close(colour[:, 1:], colour[:, :2], rtol=0, atol=1e-9)
    assert (colour - grey).abs().max() < (0.05 if name == "tv" else 1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", NAMES)
def test_dtype_follows_y_under_inference_mode(name, dtype):
    physics = inpainting(hole()[0, 0].float(), SHAPE)
    method = inpainters()[name]
    with torch.inference_mode():
        y = physics.A(images(2, SHAPE, dtype=dtype))
        solution = method.solve(y, physics)
    assert solution.x.dtype == solution.objective.dtype == dtype
    torch.testing.assert_close(method(y.clone(), physics), solution.x.clone())


@pytest.mark.parametrize("name", NAMES)
def test_a_mask_that_hides_nothing_gives_the_image_back(name):
    x = images(2, SHAPE)
    assert torch.equal(inpainters()[name](x, MaskPhysics(torch.ones(1).double())), x)


class Clipped(nn.Module):
    """Keeps every pixel between 0 and 1: a mask of ones to whom measures images of ones alone."""

    def A(self, x):
        return x.clamp(0, 1)


GREYS = torch.linspace(0.5, 1, 80).double().reshape(SHAPE)
NOT_MASKS = {
    "DensePhysics": (gaussian(30, SHAPE), torch.zeros(2, 30).double()),
    "MaskPhysics": (MaskPhysics(masks(2) * GREYS), torch.zeros(2, *SHAPE).double()),
    "FourierPhysics": (FourierPhysics([0, 1]), torch.zeros(2, 1, 2, 10, dtype=torch.complex128)),
    "Clipped": (Clipped(), torch.zeros(2, *SHAPE).double()),
}


# Total variation takes any linear physics; the others know masks alone.
OF_MASKS_ALONE = [name for name in NAMES if name != "tv"]


@pytest.mark.parametrize("kind", NOT_MASKS)
@pytest.mark.parametrize("name", OF_MASKS_ALONE)
def test_a_physics_that_is_no_mask_is_refused_in_one_line(name, kind):
    physics, y = NOT_MASKS[kind]
    with pytest.raises(ValueError, match=rf"physics {kind} is not a mask") as caught:
        inpainters()[name](y, physics)
    assert "\n" not in str(caught.value)


def test_total_variation_answers_any_linear_physics():
    physics, _ = NOT_MASKS["DensePhysics"]
    x = images(2, SHAPE)
    error = (TotalVariation(weight=1e-3)(physics.A(x), physics) - x).square().mean()
    assert error < 0.5 * x.var()
    with pytest.raises(ValueError, match="Clipped has no A_adjoint") as caught:
        TotalVariation()(*reversed(NOT_MASKS["Clipped"]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_mask_that_hides_a_whole_image_is_refused(name):
    mask = masks(3)
    mask[1] = 0
    with pytest.raises(ValueError, match="hides every pixel of image 1; keep at least one"):
        inpainters()[name](mask * images(3, SHAPE), MaskPhysics(mask))


@pytest.mark.parametrize("name", NAMES)
def test_measurements_that_are_no_tensor_are_refused(name):
    with pytest.raises(ValueError, match="y must be one tensor, got list"):
        inpainters()[name]([torch.zeros(1)], MaskPhysics(hole()))


class TestNearestPatch:
    def test_finds_what_a_loop_over_the_training_set_finds(self, monkeypatch):
        monkeypatch.setattr("ganprior.baselines.nearest_patch.CHUNK", 5)
        x, mask, training = images(6, SHAPE), masks(6), training_set()
        distance = torch.stack([(mask * (x - t)).square().flatten(1).sum(1) for t in training], 1)
        method = NearestPatch(training)
        assert torch.equal(method.nearest(mask * x, mask == 1), distance.argmin(1))
        solution = method.solve(mask * x, MaskPhysics(mask))
        torch.testing.assert_close(solution.objective, distance.amin(1))
        assert len(set(distance.argmin(1).tolist())) > 1

    def test_an_image_of_the_training_set_is_found_again(self):
        training = training_set()
        assert torch.equal(NearestPatch(training)(hole() * training, MaskPhysics(hole())), training)

    def test_blend_gets_the_image_found_the_known_pixels_and_the_mask(self):
        x, training = images(2, SHAPE), training_set()
        seen: dict[str, torch.Tensor] = {}

        def blend(found, known, mask):
            seen.update(found=found, known=known, mask=mask)
            return found / 2

        solved = NearestPatch(training, blend)(hole() * x, MaskPhysics(hole()))
        index = NearestPatch(training).nearest(hole() * x, (hole() == 1).expand_as(x))
        assert torch.equal(seen["found"], training[index])
        assert torch.equal(seen["known"], hole() * x)
        assert torch.equal(seen["mask"], hole().expand_as(x))
        assert torch.equal(solved, training[index] / 2)

    def test_training_images_are_not_part_of_the_state(self):
        assert NearestPatch(training_set()).state_dict() == {}

    def test_training_images_of_another_size_are_refused(self):
        method = NearestPatch(training_set((1, 8, 8)))
        with pytest.raises(ValueError, match=r"size \(1, 8, 10\) and the training set of size"):
            method(hole() * images(1, SHAPE), MaskPhysics(hole()))

    @pytest.mark.parametrize(
        "bad", [torch.zeros(0, 1, 8, 8), torch.zeros(8, 8), torch.ones(1).int()]
    )
    def test_no_images_are_refused(self, bad):
        with pytest.raises(ValueError, match="give at least one floating-point image"):
            NearestPatch(bad)


class TestBiharmonic:
    def test_is_what_scikit_image_gives(self):
        from skimage.restoration import inpaint_biharmonic

        x, mask = images(2, (3, *SHAPE[1:])), masks(2)
        found = Biharmonic()(mask * x, MaskPhysics(mask))
        for i in range(2):
            picture = (mask * x)[i].permute(1, 2, 0).numpy()
            peer = inpaint_biharmonic(picture, mask[i, 0].numpy() == 0, channel_axis=-1)
            np.testing.assert_allclose(found[i].permute(1, 2, 0).numpy(), peer, atol=1e-12)

    def test_a_plane_is_continued(self):
        plane = torch.linspace(0.2, 0.8, 10, dtype=torch.float64).expand(1, 1, 8, 10)
        found = Biharmonic()(hole() * plane, MaskPhysics(hole()))
        torch.testing.assert_close(found, plane, rtol=0, atol=1e-10)


def test_total_variation_and_lasso_share_a_physics():
    """A mask is a linear physics too: what refuses others points to methods that do not."""
    x, physics = images(1, (1, 8, 8)), gaussian(60, (1, 8, 8))
    y = physics.A(x)
    for method in (TotalVariation(0.01), LassoDCT(0.01)):
        assert (method(y, physics) - x).square().mean() < 0.2 * x.square().mean()
