"""Random draws: what they depend on, and that torch's default type is no part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from ganprior import GaussianLatent, Streams, StructuredRows, UniformLatent, cartesian_mask
from ganprior.baselines.linear_map import normal_image
from ganprior.physics import Gaussian, masks
from ganprior.priors.architectures import draw_from, initialise
from ganprior.priors.architectures.stochastic import add_drawing_layers
from ganprior.priors.arithmetic import neighbours
from ganprior.streams import as_generator
from ganprior.training.objectives.vae import sample_posterior
from ganprior.training.stabilisers import InputNoise
from tests.cases import rng, tiny_dcgan

SIZE = (1, 12, 12)
PRIOR = tiny_dcgan()


def initial_weights() -> Tensor:
    network = nn.Sequential(nn.Linear(5, 9), nn.BatchNorm1d(9), nn.Linear(9, 4))
    initialise(network, rng())
    initialise(he := nn.Sequential(nn.Linear(5, 9)), rng(), None)
    return torch.cat([p.flatten() for p in (*network.parameters(), *he.parameters())])


def dropped() -> Tensor:
    network = nn.Sequential(nn.Sequential(nn.ReLU(), nn.ReLU()))
    add_drawing_layers(network, 0.5, 0.5, dropout_at_test=True)
    draw_from(network, rng())
    return network(torch.ones(3, 20))


# Whatever draws, by name.
DRAWS: dict[str, Callable[[], Tensor]] = {
    "noise": lambda: Streams(0).normal("noise", 2, (6,)),
    "Gaussian": lambda: Gaussian(5, SIZE, rng()).matrix,
    "Gaussian in float64": lambda: Gaussian(5, SIZE, rng(), dtype=torch.float64).matrix,
    "structured, signs": lambda: StructuredRows(9, SIZE, rng()).diagonals,
    "structured, rows": lambda: StructuredRows(9, SIZE, rng()).rows,
    "mask random": lambda: masks.random(SIZE, 0.5, rng()),
    "mask pattern": lambda: masks.pattern(SIZE, 0.25, rng()),
    "mask holes": lambda: masks.holes(SIZE, 2, 0.2, rng()),
    "k-space": lambda: cartesian_mask(SIZE, 3, rng()),
    "Gaussian latents": lambda: GaussianLatent(6).sample(3, rng()),
    "uniform latents": lambda: UniformLatent(6).sample(3, rng()),
    "images": lambda: PRIOR.sample(2, rng()),
    "neighbours": lambda: neighbours(torch.zeros(4), 3, rng()),
    "probe": lambda: normal_image(torch.zeros(2, *SIZE)),
    "initial weights": initial_weights,
    "noise and dropout": dropped,
    "posterior": lambda: sample_posterior(torch.zeros(2, 3), torch.zeros(2, 3), rng()),
    "input noise": lambda: InputNoise(0.1, 10)(torch.zeros(2, *SIZE), 0, rng()),
}


@pytest.fixture
def default_float64() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize("name", DRAWS)
def test_the_default_type_changes_no_draw(name, request):
    expected = DRAWS[name]()
    request.getfixturevalue("default_float64")
    torch.testing.assert_close(DRAWS[name](), expected, rtol=1e-6, atol=1e-6, check_dtype=False)


@pytest.mark.parametrize("name", ["mask random", "mask pattern", "mask holes", "k-space"])
@pytest.mark.usefixtures("default_float64")
def test_masks_are_float32_as_documented(name):
    assert DRAWS[name]().dtype == torch.float32


class TestSeeds:
    @pytest.mark.parametrize(
        "draw",
        [
            lambda r: tiny_dcgan().sample(2, r),
            lambda r: GaussianLatent(6).sample(3, r),
            lambda r: UniformLatent(6).sample(3, r),
            lambda r: Gaussian(5, SIZE, r).matrix,
            lambda r: StructuredRows(9, SIZE, r).rows,
            lambda r: masks.random(SIZE, 0.5, r),
            lambda r: cartesian_mask(SIZE, 3, r),
            lambda r: neighbours(torch.zeros(4), 3, r),
        ],
    )
    def test_a_seed_stands_for_a_generator(self, draw):
        assert torch.equal(draw(7), draw(rng(7)))
        assert not torch.equal(draw(7), draw(8))

    @pytest.mark.parametrize("wrong", [-1, 2**63, 0.5, "0", None])
    def test_what_is_neither_is_refused(self, wrong):
        with pytest.raises(ValueError, match=r"torch.Generator or a seed of at least 0") as caught:
            as_generator(wrong)
        assert "\n" not in str(caught.value)
