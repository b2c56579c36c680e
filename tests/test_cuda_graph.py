"""What is recorded on a GPU does what it did before: replayed steps against plain ones."""

from __future__ import annotations

import pytest
import torch

from ganprior import BALANCED, CSGM, FAST, REFERENCE, Prior
from ganprior.cuda_graph import Recording
from ganprior.physics import Gaussian
from ganprior.solvers.csgm import CSGMObjective
from ganprior.solvers.engine import Problem
from ganprior.training import Trainer
from tests.cases import rng
from tests.cases_training import tiny_images, tiny_recipe


def test_on_a_cpu_every_call_runs_the_function():
    calls = []

    def double(x):
        calls.append(len(x))
        return (2 * x,)

    recording = Recording()
    for size in (1, 2, 2, 2, 2):
        (y,) = recording.call(double, torch.ones(size))
        assert y.tolist() == [2.0] * size
    assert calls == [1, 2, 2, 2, 2]


@pytest.mark.cuda
def test_a_recording_is_replayed_for_new_inputs_and_made_anew_for_new_shapes():
    calls = []

    def plus_one(x, nothing):
        calls.append(len(x))
        assert nothing is None
        return (x + 1,)

    recording = Recording()
    inputs = [torch.full((3,), float(i), device="cuda") for i in range(6)]
    kept = [recording.call(plus_one, x, None)[0] for x in inputs]
    assert [y.tolist() for y in kept] == [[i + 1.0] * 3 for i in range(6)]
    assert len(calls) == 2  # once as it is, once to record it
    (other,) = recording.call(plus_one, torch.zeros(2, device="cuda"), None)
    assert other.tolist() == [1.0, 1.0]
    assert calls[-1] == 2


@pytest.mark.cuda
def test_a_function_that_draws_or_waits_is_never_recorded():
    draws = rng(0)

    def noisy(x):
        return (x + torch.randn(x.shape, generator=draws).to(x),)

    recording, zero = Recording(rng=draws), torch.zeros(1, device="cuda")
    values = [recording.call(noisy, zero)[0].item() for _ in range(6)]
    assert len(set(values)) == 6

    def times_its_sum(x):
        return (x * float(x.sum().item()),)

    recording = Recording()
    for i in range(4):
        x = torch.full((2,), float(i), device="cuda")
        assert recording.call(times_its_sum, x)[0].tolist() == [2.0 * i * i] * 2


@pytest.mark.cuda
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"objective": "wgan", "optimizer": "rmsprop", "learning_rate": 5e-5},
        {"objective": "hinge", "spectral_norm": True},
        {"objective": "wgan-gp"},
        {"objective": "vae-gan", "vae_steps": 3},
        {"decay_from": 2},
        {"label_flip": 0.2, "input_noise": 0.1, "input_noise_steps": 50},
    ],
    ids=lambda changes: "-".join(changes) or "plain",
)
def test_recorded_training_steps_are_those_that_are_not(changes, monkeypatch):
    recipe = tiny_recipe(steps=10, precision="float32", **changes)

    def trained():
        trainer = Trainer(recipe, tiny_images(), torch.device("cuda"))
        with torch.backends.cudnn.flags(deterministic=True, allow_tf32=False):
            losses = [float(trainer.train_step().generator_loss) for _ in range(10)]
        return losses, trainer

    losses, trainer = trained()
    with monkeypatch.context() as patch:
        patch.setattr(Recording, "call", lambda self, function, *inputs: function(*inputs))
        plain_losses, plain = trained()
    torch.testing.assert_close(
        torch.tensor(losses), torch.tensor(plain_losses), rtol=1e-3, atol=1e-4
    )
    for name, tensor in plain.average.state_dict().items():
        own = trainer.average.state_dict()[name]
        torch.testing.assert_close(own, tensor, rtol=1e-3, atol=1e-4, msg=name)


@pytest.mark.cuda
def test_a_resumed_run_on_a_gpu_is_the_uninterrupted_one(tmp_path):
    recipe = tiny_recipe(steps=12, precision="float32", decay_from=4)

    def fresh():
        return Trainer(recipe, tiny_images(), torch.device("cuda"))

    with torch.backends.cudnn.flags(deterministic=True, allow_tf32=False):
        whole, first, second = fresh(), fresh(), fresh()
        for _ in range(12):
            whole.train_step()
        for _ in range(6):
            first.train_step()
        first.save(tmp_path / "checkpoint.safetensors")
        second.restore(tmp_path / "checkpoint.safetensors")
        for _ in range(6):
            second.train_step()
    for name, tensor in whole.generator.state_dict().items():
        own = second.generator.state_dict()[name]
        torch.testing.assert_close(own, tensor, rtol=1e-3, atol=1e-5, msg=name)


@pytest.mark.cuda
def test_value_and_gradient_replayed_are_those_of_the_cpu():
    prior = Prior.load("fashion-mnist-dcgan")
    physics = Gaussian(50, prior.image_shape, rng(0))
    z = prior.latent.sample(12, rng(1))
    y = physics.A(prior.render(z[:4]))
    on_cpu = Problem(prior, CSGMObjective(0.1), y, physics)
    there = Problem(prior.to("cuda"), CSGMObjective(0.1), y.cuda(), physics.to("cuda"))
    with torch.backends.cudnn.flags(allow_tf32=False):
        for shift in (0.0, 0.1, 0.2, 0.3):
            latents = z.view(3, 4, -1) + shift
            for ours, theirs in zip(
                there.value_and_gradient(latents.cuda()),
                on_cpu.value_and_gradient(latents),
                strict=True,
            ):
                torch.testing.assert_close(ours.cpu(), theirs, rtol=1e-3, atol=1e-3)


@pytest.mark.cuda
@pytest.mark.parametrize("effort", [REFERENCE.replace(restarts=3, steps=60), BALANCED, FAST])
def test_csgm_on_a_gpu_finds_what_it_finds_on_the_cpu(effort):
    prior = Prior.load("mnist")
    physics = Gaussian(100, prior.image_shape, rng(0))
    x = prior.render(prior.latent.sample(16, rng(1)))
    y = physics.A(x)
    on_cpu = CSGM(prior, 0.0, effort=effort).solve(y, physics)
    there = CSGM(prior.to("cuda"), 0.0, effort=effort).solve(y.cuda(), physics.to("cuda"))
    assert there.x.is_cuda

    def error(found):
        return (found.x.cpu() - x).square().mean((1, 2, 3))

    # Paths part where a float32 sum is taken in another order; what is found is as good.
    assert error(there).median() <= 2 * error(on_cpu).median() + 1e-6
