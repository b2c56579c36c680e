"""What the engine makes of a generator and of a physics before it starts."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from ganprior.physics import facts
from ganprior.solvers.csgm import CSGMObjective
from ganprior.solvers.engine import Problem
from ganprior.solvers.engine.folding import folded_copy
from ganprior.solvers.engine.forward import Forward
from tests.cases import Fourier, Mask, Phaseless, gaussian, rng, tiny_dcgan

SHAPE = (1, 8, 8)


class TestFolding:
    def test_folded_dcgan_gives_the_same_images_without_batch_norm(self):
        prior = tiny_dcgan()
        like = torch.empty(1, dtype=torch.float64)
        z = torch.randn(4, 6, generator=rng(3), dtype=torch.float64)
        folded = folded_copy(prior.generator, like)
        expected = copy.deepcopy(prior.generator).double()(z)
        torch.testing.assert_close(folded(z), expected, rtol=1e-12, atol=1e-12)
        kinds = {type(module) for module in folded.modules()}
        assert nn.BatchNorm2d not in kinds
        assert nn.Linear in kinds

    def test_convolutions_and_linear_layers_fold(self):
        network = nn.Sequential(
            nn.Linear(4, 36),
            nn.BatchNorm1d(36),
            nn.Unflatten(1, (4, 3, 3)),
            nn.Conv2d(4, 6, 3, padding=1, groups=2),
            nn.BatchNorm2d(6),
            nn.ConvTranspose2d(6, 4, 2, stride=2, groups=2),
            nn.BatchNorm2d(4),
        ).double()
        network(torch.randn(50, 4, generator=rng(), dtype=torch.float64))
        network.eval()
        z = torch.randn(5, 4, generator=rng(1), dtype=torch.float64)
        folded = folded_copy(network, z)
        torch.testing.assert_close(folded(z), network(z), rtol=1e-12, atol=1e-12)
        # The grouped transposed convolution keeps its batch norm; the other two are gone.
        assert sum(isinstance(m, nn.BatchNorm2d) for m in folded.modules()) == 1

    def test_a_module_with_a_forward_of_its_own_is_left_alone(self):
        class Reversed(nn.Sequential):
            def forward(self, z):
                for layer in reversed(self):
                    z = layer(z)
                return z

        network = Reversed(nn.BatchNorm1d(4), nn.Linear(4, 4)).eval()
        z = torch.randn(3, 4, generator=rng())
        folded = folded_copy(network, z)
        torch.testing.assert_close(folded(z), network(z))

    def test_the_users_module_is_untouched(self):
        prior = tiny_dcgan()
        prior.generator.train()
        before = copy.deepcopy(prior.generator.state_dict())
        physics = gaussian(30, SHAPE)
        problem = Problem(prior, CSGMObjective(0.1), torch.zeros(3, 30), physics)
        problem.value_and_gradient(torch.randn(2, 3, 6, generator=rng(3)))
        assert prior.generator.training
        assert all(p.requires_grad and p.grad is None for p in prior.generator.parameters())
        for name, tensor in prior.generator.state_dict().items():
            assert torch.equal(tensor, before[name])


class TestForward:
    def check(self, physics, count, *, can_select=True):
        forward = Forward(physics, facts(physics, SHAPE, count=count))
        x = torch.rand(3, count, *SHAPE, generator=rng(5))
        expected = torch.stack([physics.A(images) for images in x])
        torch.testing.assert_close(forward.A(x), expected)
        assert forward.can_select == can_select
        if can_select:
            kept = torch.tensor([count - 1, 0])
            part = forward.select(kept).A(x[:, kept])
            torch.testing.assert_close(part, expected[:, kept])
        return forward

    def test_dense(self):
        self.check(gaussian(10, SHAPE), 4)

    def test_dense_with_as_many_rows_as_signals(self):
        self.check(gaussian(4, SHAPE), 4)

    def test_one_mask(self):
        self.check(Mask((torch.rand(1, 1, 8, 8, generator=rng()) > 0.5).float()), 4)

    def test_a_mask_per_image(self):
        self.check(Mask((torch.rand(4, 1, 8, 8, generator=rng()) > 0.5).float()), 4)

    def test_nonlinear(self):
        self.check(Phaseless(gaussian(10, SHAPE)), 3)

    def test_complex(self):
        self.check(Fourier(), 3)

    def test_per_image_tensors_out_of_reach_keep_all_signals(self):
        class Hidden:
            def __init__(self):
                self.masks = [torch.rand(1, 8, 8, generator=rng(i)) for i in range(4)]

            def A(self, x):
                return x * torch.stack(self.masks)

        forward = self.check(Hidden(), 4, can_select=False)
        with pytest.raises(RuntimeError):
            forward.select(torch.tensor([0]))

    def test_a_call_that_overwrites_the_mask_leaves_the_users_physics_alone(self):
        class Forgetful(Mask):
            def A(self, x, mask=None):
                result = super().A(x, mask)
                self.mask = torch.ones(1, 1, 8, 8)
                return result

        physics = Forgetful(torch.zeros(1, 1, 8, 8))
        Forward(physics, facts(physics, SHAPE, count=2)).A(torch.ones(2, 2, *SHAPE))
        assert not physics.mask.any()
