"""``compile = true``: the run is the same, only its kernels are others."""

import pytest
import torch
from safetensors.torch import load_file

from ganprior import Prior
from ganprior.training import train
from tests.cases_training import tiny_trainer


@pytest.mark.slow  # torch compiles C++ for each network, half a minute in all
@pytest.mark.parametrize("objective", ["vae-gan", "wgan-gp"])
def test_a_compiled_run_trains_and_ships_what_a_plain_one_does(objective, tmp_path):
    for name in ("plain", "compiled"):
        torch._dynamo.reset()
        trainer = tiny_trainer(objective, size=16, steps=4, compile=name == "compiled")
        assert train(trainer, tmp_path / name, progress=False)
    assert torch._dynamo.utils.counters["frames"]["ok"] > 0
    plain, compiled = (
        load_file(tmp_path / name / "prior.safetensors") for name in ("plain", "compiled")
    )
    assert plain.keys() == compiled.keys()
    for name, tensor in plain.items():
        # Both are rounded to float16 where they ship.
        torch.testing.assert_close(compiled[name], tensor, rtol=2e-3, atol=2e-4)
    z = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    one, other = (Prior.load(tmp_path / name / "prior") for name in ("plain", "compiled"))
    with torch.no_grad():
        torch.testing.assert_close(one(z), other(z), rtol=0, atol=2e-3)
    # Resumable either way: what is compiled is not in a checkpoint.
    longer = tiny_trainer(objective, size=16, steps=5, compile=True)
    assert train(longer, tmp_path / "compiled", resume=True, progress=False)
