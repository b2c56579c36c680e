"""Beside deepinv: our solvers in its test loop, our physics in its reconstructors."""

import deepinv
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from ganprior import CSGM, FAST, Gaussian, LassoDCT, StructuredRows
from tests.cases import rng, tiny_dcgan
from tests.cases_solvers import CASES

SHAPE = (1, 8, 8)
QUICK = FAST.replace(restarts=2, steps=15)


def physics_with_noise(sigma: float = 0.01) -> Gaussian:
    return Gaussian(40, SHAPE, rng(3), noise_model=deepinv.physics.GaussianNoise(sigma, rng=rng()))


def signals(count: int = 4) -> Tensor:
    prior = tiny_dcgan()
    return prior.sample(count, rng(5))


def models() -> dict[str, torch.nn.Module]:
    return {"csgm": CSGM(tiny_dcgan(), 0.01, effort=QUICK), "lasso": LassoDCT(0.01)}


@pytest.mark.parametrize("name", CASES)
def test_every_method_drops_into_deepinv_test(name):
    """Each registered name has a case; the images are those of our own call."""
    case = CASES[name]
    model, y, physics = case.problem()
    x = case.images()
    batches = DataLoader(TensorDataset(x, y), batch_size=len(y))
    metrics = [deepinv.metric.MSE()]
    found = deepinv.test(model, batches, physics, metrics=metrics, verbose=False)
    assert found["MSE"] == pytest.approx(float((model(y, physics) - x).square().mean()), rel=1e-3)


@pytest.mark.parametrize("name", models())
def test_a_solver_drops_into_deepinv_test(name):
    """The numbers of deepinv's loop are those of our own call (deepinv does not clip)."""
    physics, x, model = physics_with_noise(), signals(), models()[name]
    y = physics(x)
    batches = DataLoader(TensorDataset(x, y), batch_size=3)
    found = deepinv.test(model, batches, physics, verbose=False)
    x_hat = torch.cat([model(part, physics) for _, part in batches])
    psnr = -10 * (x_hat - x).square().flatten(1).mean(1).log10()
    assert found["PSNR"] == pytest.approx(float(psnr.mean()), rel=1e-4)
    assert found["PSNR"] > found["PSNR no learning"]


@pytest.mark.parametrize("name", models())
def test_a_solver_drops_into_deepinv_test_that_measures_itself(name):
    physics, x = physics_with_noise(), signals(2)
    images: DataLoader[Tensor] = DataLoader(x, batch_size=2)  # type: ignore[arg-type]
    metrics = [deepinv.metric.PSNR(), deepinv.metric.MSE()]
    found = deepinv.test(
        models()[name], images, physics, online_measurements=True, metrics=metrics, verbose=False
    )
    assert found["MSE"] < found["MSE no learning"]


def test_csgm_under_inference_mode():
    physics, model = physics_with_noise(), models()["csgm"]
    with torch.inference_mode():
        y = physics(signals(2))
        inside = model(y, physics)
    torch.testing.assert_close(inside.clone(), model(y.clone(), physics))


@pytest.mark.parametrize("make", [Gaussian, StructuredRows])
def test_our_physics_in_a_deepinv_reconstructor(make):
    """Proximal gradients with a Tikhonov prior reach ridge regression by the dense matrix."""
    physics = make(30, SHAPE, rng(1)).double()
    y = physics.A(signals(2).double())
    matrix = physics.A(torch.eye(64, dtype=torch.float64).reshape(64, *SHAPE)).T
    ridge = torch.linalg.solve(matrix.T @ matrix + 5 * torch.eye(64), (y @ matrix).T).T
    model = deepinv.optim.PGD(
        data_fidelity=deepinv.optim.L2(), prior=deepinv.optim.Tikhonov(), lambda_reg=5.0,
        stepsize=1 / float(torch.linalg.matrix_norm(matrix, 2)) ** 2, max_iter=60,
        early_stop=False,
    )  # fmt: skip
    found = model(y, physics)
    torch.testing.assert_close(found.flatten(1), ridge, rtol=0, atol=1e-8)


def test_a_plain_deepinv_physics_in_our_solver():
    physics = deepinv.physics.CompressedSensing(
        m=40, img_size=SHAPE, rng=rng(), noise_model=deepinv.physics.GaussianNoise(0.01, rng=rng())
    )
    x = signals(2)
    solution = CSGM(tiny_dcgan(), 0.0, effort=QUICK).solve(physics(x), physics)
    assert (solution.x - x).square().mean() < (physics.A_dagger(physics(x)) - x).square().mean()
