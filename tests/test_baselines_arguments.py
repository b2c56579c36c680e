"""The Lassos' default weights, and what they refuse."""

import csv
import math
from importlib import resources

import pytest
import torch
from torch import nn

from ganprior import baselines
from ganprior.baselines import LassoDCT, LassoPixel, LassoWavelet, TotalVariation
from ganprior.baselines.alphas import table_of
from tests.cases_baselines import DensePhysics, MaskPhysics, gaussian, images


def alpha_of(physics, y, noise_std=None):
    """Default weight of each signal of the cosine basis, by what a Lasso says it went by."""
    given = None if noise_std is None else float(noise_std)
    return LassoDCT(noise_std=given, max_steps=1).solve(y, physics).settings["alpha"]


LASSOS = [LassoDCT, LassoWavelet, LassoPixel]


class TestDefaultAlpha:
    @pytest.mark.parametrize("basis", ["dct", "wavelet", "pixel"])
    def test_positive_and_above_the_table_proportional_to_the_noise(self, basis):
        table = table_of(basis, 784)
        for m in (1, 10, 100, 784, 2000):
            assert all(table.at(m / 784, level) > 0 for level in (0.0, 0.01, 0.1, 1.0))
            ratio = table.at(m / 784, 1000.0) / table.at(m / 784, 100.0)
            assert ratio == pytest.approx(10)

    def test_interpolates_the_table(self):
        rows = csv.DictReader(resources.files(baselines).joinpath("alphas.csv").open())
        for row in rows:
            n, level = int(row["n"]), float(row["noise_level"])
            alpha = table_of(row["basis"], n).at(int(row["m"]) / n, level)
            assert alpha == pytest.approx(float(row["alpha"]))

    @pytest.mark.parametrize(("n", "tabulated"), [(300, 784), (2000, 784), (4096, 12288)])
    def test_the_nearest_tabulated_size_counts(self, n, tabulated):
        assert table_of("dct", n) is table_of("dct", tabulated)
        other = {784: 12288, 12288: 784}[tabulated]
        assert table_of("dct", n) is not table_of("dct", other)

    def test_each_signal_has_its_own_count_and_noise(self):
        masks = (
            torch.arange(3 * 64).reshape(3, 1, 8, 8) % torch.tensor([2, 3, 5])[:, None, None, None]
            == 0
        ).double()
        physics = MaskPhysics(masks)
        physics.noise_model = nn.Module()
        physics.noise_model.sigma = torch.tensor([0.5, 0.0, 0.01])
        together = alpha_of(physics, masks)
        for i in range(3):
            alone = alpha_of(MaskPhysics(masks[i : i + 1]), masks[:1], physics.noise_model.sigma[i])
            assert together[i].item() == pytest.approx(alone.item())

    def test_noise_comes_from_the_argument_else_from_the_physics(self):
        x = images(2, (1, 8, 8))
        stating = gaussian(30, (1, 8, 8))
        stating.noise_model = nn.Module()
        stating.noise_model.register_buffer("sigma", torch.tensor([0.125, 0.125]))
        y = stating.A(x)
        stated = LassoDCT()(y, stating)
        assert torch.equal(stated, LassoDCT(noise_std=0.125)(y, gaussian(30, (1, 8, 8))))
        assert not torch.equal(stated, LassoDCT(noise_std=0)(y, stating))

    def test_noise_of_another_batch_is_refused(self):
        physics = gaussian(30, (1, 8, 8))
        physics.noise_model = nn.Module()
        physics.noise_model.sigma = torch.ones(3)
        with pytest.raises(ValueError, match=r"sigma has 3 entries for 2 signals; give noise_std"):
            LassoDCT()(physics.A(images(2, (1, 8, 8))), physics)

    def test_scale_of_a_dense_matrix_does_not_matter(self):
        x = images(2, (1, 8, 8))
        physics = gaussian(30, (1, 8, 8))
        paper = DensePhysics(physics.matrix * math.sqrt(30), (1, 8, 8))  # N(0, 1) entries
        small = LassoDCT(noise_std=0.02)(physics.A(x), physics)
        large = LassoDCT(noise_std=0.02 * math.sqrt(30))(paper.A(x), paper)
        torch.testing.assert_close(small, large, rtol=0, atol=1e-8)


class TestRefusals:
    def refuse(self, match, y=None, physics=None, lasso=None):
        physics = gaussian(30, (1, 8, 8)) if physics is None else physics
        y = torch.zeros(2, 30).double() if y is None else y
        with pytest.raises(ValueError, match=match) as caught:
            (lasso or LassoDCT(alpha=0.1))(y, physics)
        assert "\n" not in str(caught.value)

    def test_lists_of_measurements(self):
        self.refuse("y must be one tensor, got list", y=[torch.zeros(2, 30)])

    def test_integers(self):
        self.refuse(
            "floating-point or complex numbers in single or double precision, got torch.int64",
            y=torch.zeros(2, 30, dtype=torch.int64),
        )

    def test_physics_without_adjoint(self):
        class Saturated(nn.Module):
            def A(self, x):
                return x.tanh()

        self.refuse("Saturated has no A_adjoint", physics=Saturated())

    def test_physics_that_is_not_linear(self):
        class Intensity(DensePhysics):
            def A(self, x):
                return super().A(x).square()

        matrix = gaussian(30, (1, 8, 8)).matrix
        self.refuse("Intensity is not linear", physics=Intensity(matrix, (1, 8, 8)))

    def test_adjoints_that_are_none(self):
        class Pseudoinverse(DensePhysics):
            def A_adjoint(self, y):
                return (y @ torch.linalg.pinv(self.matrix).T).reshape(-1, 1, 8, 8)

        matrix = gaussian(30, (1, 8, 8)).matrix
        own = Pseudoinverse(matrix, (1, 8, 8))
        self.refuse("A_adjoint of physics Pseudoinverse is not the adjoint of its A", physics=own)
        tv = TotalVariation(0.1)
        self.refuse("A_adjoint of physics Pseudoinverse", physics=own, lasso=tv)

    @pytest.mark.parametrize("constant", [1e-2, 1e-5, math.nan])
    def test_adjoints_that_add_a_constant(self, constant):
        """The product <p, A^T A p> hardly shows it, and a descent adds it up to any pixel."""

        class Shifted(DensePhysics):
            def A_adjoint(self, y):
                return super().A_adjoint(y) + constant

        own = Shifted(gaussian(30, (1, 8, 8)).matrix, (1, 8, 8))
        for lasso in (None, TotalVariation(0.1)):
            self.refuse("A_adjoint of physics Shifted is not", physics=own, lasso=lasso)

    def test_measurements_of_another_size(self):
        self.refuse(
            "y of shape .2, 31. and type torch.float64 does not fit", y=torch.zeros(2, 31).double()
        )

    def test_wavelets_of_odd_images(self):
        physics = gaussian(30, (1, 7, 8))
        self.refuse("even height and width", physics=physics, lasso=LassoWavelet(alpha=0.1))

    @pytest.mark.parametrize(
        ("arguments", "match"),
        [
            ({"alpha": 0}, "alpha must be a finite number above 0, got 0; leave it out for"),
            ({"alpha": math.nan}, "alpha must be a finite number above 0, got nan"),
            ({"noise_std": -1}, "noise_std must be a finite number of at least 0, got -1"),
            ({"tolerance": 0}, "tolerance must be a finite number above 0, got 0"),
            ({"max_steps": 0}, "max_steps must be a whole number of at least 1, got 0"),
        ],
    )
    @pytest.mark.parametrize("make", LASSOS)
    def test_settings(self, make, arguments, match):
        with pytest.raises(ValueError, match=match):
            make(**arguments)
