"""The engine's folded copy of a generator gives the generator's images, whatever it is made of."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from ganprior.priors.architectures import ARCHITECTURES, draw_from
from ganprior.priors.architectures.stochastic import Dropout, GaussianNoise
from ganprior.solvers.engine.folding import folded_copy
from tests.cases import rng
from tests.cases_architectures import COMMON, tiny_architecture, tiny_networks

DOUBLE = torch.empty(0, dtype=torch.float64)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def check(network: nn.Module, *shape: int) -> nn.Module:
    """Folded copy of a network after a look at its outputs; the network is left as it is."""
    network = copy.deepcopy(network).double().eval()
    z = torch.randn(3, *shape, generator=rng(5), dtype=torch.float64)
    before = copy.deepcopy(network.state_dict())
    expected = network(z)
    folded = folded_copy(network, DOUBLE)
    assert torch.equal(network(z), expected)
    assert expected.std() > 1e-3
    torch.testing.assert_close(folded(z), expected, rtol=1e-9, atol=1e-12)
    assert all(torch.equal(t, before[name]) for name, t in network.state_dict().items())
    return folded


def count(network: nn.Module, *types: type) -> int:
    return sum(isinstance(module, types) for module in network.modules())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture(name):
    architecture = tiny_architecture(name, generator_noise=0.1, generator_dropout=0.5)
    generator = tiny_networks(architecture).generator
    folded = check(generator, 5)
    assert count(folded, GaussianNoise, Dropout) == 0
    # What precedes a block of a ResNet is the block before it, which has no channels to scale.
    unfolded = {"resnet": 3}.get(name, 0)
    assert count(folded, *BATCH_NORMS) == unfolded
    single = folded_copy(generator, torch.empty(0))
    z = torch.randn(3, 5, generator=rng(1))
    torch.testing.assert_close(single(z), generator(z), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", COMMON)
def test_the_generator_of_one_class(name):
    generator = tiny_networks(tiny_architecture(name, classes=3)).generator
    folded = check(generator.given(1), 5)
    assert isinstance(folded[0], nn.Linear)
    if name.startswith("dcgan"):
        assert count(folded, *BATCH_NORMS) == 0


def test_dropout_at_test_time_stays():
    architecture = tiny_architecture(generator_dropout=0.5, dropout_at_test=True)
    generator = tiny_networks(architecture).generator
    draw_from(generator, rng(3))
    folded = folded_copy(generator, torch.empty(0))
    z = torch.randn(3, 5, generator=rng())
    # The copy draws what the original would have drawn.
    torch.testing.assert_close(folded(z), generator(z))
    assert not torch.allclose(folded(z), folded(z))


def lived(*layers: nn.Module) -> nn.Sequential:
    network = nn.Sequential(*layers)
    for module in network.modules():
        if isinstance(module, BATCH_NORMS) and module.track_running_stats:
            module.running_mean.normal_(0, 1, generator=rng(1))
            module.running_var.uniform_(0.5, 2, generator=rng(2))
            if module.affine:
                nn.init.normal_(module.weight, generator=rng(3))
    return network


def test_a_linear_layer_takes_the_norm_of_the_grid_it_makes():
    network = lived(nn.Linear(4, 18), nn.Unflatten(1, (2, 3, 3)), nn.BatchNorm2d(2), nn.ReLU())
    assert count(check(network, 4), *BATCH_NORMS) == 0
    # Channels of another order are not those of the linear layer's rows.
    network = lived(nn.Linear(4, 18), nn.Unflatten(1, (18, 1)), nn.Unflatten(2, (1, 1)))
    network.append(nn.BatchNorm2d(18))
    check(network, 4)


def test_norms_without_weights_or_statistics():
    for affine in (True, False):
        folded = check(lived(nn.Linear(4, 6, bias=False), nn.BatchNorm1d(6, affine=affine)), 4)
        assert count(folded, *BATCH_NORMS) == 0
        folded = check(lived(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3, affine=affine)), 2, 5, 5)
        assert count(folded, *BATCH_NORMS) == 0
    batch = lived(nn.Linear(4, 6), nn.BatchNorm1d(6, track_running_stats=False))
    assert count(check(batch, 4), *BATCH_NORMS) == 1
    # Over (B, N, F) the norm goes over N, which no linear layer makes.
    assert count(check(lived(nn.Linear(4, 6), nn.BatchNorm1d(3)), 3, 4), *BATCH_NORMS) == 1


def test_layers_keep_their_places_for_a_parent_that_counts_them():
    class Parent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = lived(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))

        def forward(self, z: Tensor) -> Tensor:
            return self.body[3](self.body[2](self.body[1](self.body[0](z))))

    assert count(check(Parent(), 4), *BATCH_NORMS) == 0


class Doubled(nn.Linear):
    """A layer that is more than its class."""

    def forward(self, z: Tensor) -> Tensor:
        return 2 * super().forward(z)


def test_what_is_not_recognised_stays():
    subclass = lived(Doubled(4, 6), nn.BatchNorm1d(6))
    assert count(check(subclass, 4), *BATCH_NORMS) == 1

    hooked = lived(nn.Linear(4, 6), nn.BatchNorm1d(6))
    hooked[0].register_forward_hook(lambda module, args, output: output + 1)
    assert count(check(hooked, 4), *BATCH_NORMS) == 1

    whole = lived(nn.Linear(4, 6), nn.BatchNorm1d(6))
    whole.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    check(whole, 4)

    replaced = lived(nn.Linear(4, 6), nn.BatchNorm1d(6))
    replaced[0].forward = lambda z: z.repeat(1, 2)[:, :6]
    check(replaced, 4)

    # The older spectral norm computes its weight in a hook.
    older = lived(nn.utils.spectral_norm(nn.Linear(4, 6)), nn.BatchNorm1d(6))
    with torch.no_grad():
        check(older, 4)


def test_parametrizations_of_torch_become_constants():
    network = lived(
        parametrizations.spectral_norm(nn.Linear(4, 6)),
        nn.BatchNorm1d(6),
        parametrizations.weight_norm(nn.Linear(6, 3)),
    )
    folded = check(network, 4)
    assert count(folded, *BATCH_NORMS, parametrize.ParametrizationList) == 0
    assert all(type(layer) in (nn.Linear, nn.Identity) for layer in folded.children())


def test_a_parametrization_of_ones_own_stays():
    class Half(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return weight / 2

    network = lived(nn.Linear(4, 6), nn.BatchNorm1d(6))
    parametrize.register_parametrization(network[0], "weight", Half())
    folded = check(network, 4)
    assert count(folded, parametrize.ParametrizationList) == 1
    assert count(folded, *BATCH_NORMS) == 1


def test_a_layer_in_two_places():
    layer = nn.Linear(4, 4)
    check(lived(layer, nn.BatchNorm1d(4), nn.ReLU(), layer), 4)
