"""Runs: what a step does, and that stopping, killing and resuming change nothing."""

import copy
import math

import pytest
import torch
from safetensors.torch import load_file

from ganprior import Prior
from ganprior.training import Trainer, TrainingFailed, train
from ganprior.training.batches import Batches, training_pixels
from ganprior.training.checkpoint import load_checkpoint
from ganprior.training.distance import estimate_distance
from ganprior.training.loss_log import HEAD, LossLog
from ganprior.training.monitor_log import add_row
from ganprior.training.monitors import Snapshot
from ganprior.training.optimizers import rate_at
from ganprior.training.trainer import Step
from tests.cases_training import OBJECTIVES, tiny_images, tiny_recipe, tiny_trainer

each_objective = pytest.mark.parametrize("objective", OBJECTIVES)


def run(out, objective="non-saturating", *, resume=False, until=None, **changes) -> Trainer:
    trainer = tiny_trainer(objective, **changes)
    finished = train(
        trainer,
        out,
        resume=resume,
        should_stop=lambda: trainer.step == until,
        card={"data": "synthetic", "licence": "none"},
        progress=False,
    )
    assert finished == (until is None)
    return trainer


def tensors(path) -> dict[str, torch.Tensor]:
    state, _ = load_checkpoint(path)
    return {f"{part}/{name}": t for part, entries in state.items() for name, t in entries.items()}


def files(folder) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def assert_same(one, other) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


RESUMED: list[tuple[str, dict[str, object]]] = [
    ("non-saturating", {"size": 16}),
    ("wgan-gp", {"size": 16, "sheet_every": 4}),
    ("non-saturating", {"precision": "bfloat16", "channels": 3}),
    ("vae-gan", {"vae_steps": 5, "decay_from": 3}),
    ("hinge", {"classes": 3, "conditioning": "auxiliary", "spectral_norm": True}),
    ("minimax", {"label_flip": 0.3, "input_noise": 0.1, "generator_dropout": 0.2}),
]


@pytest.mark.parametrize(("objective", "changes"), RESUMED)
def test_interrupted_and_resumed_is_uninterrupted_bit_for_bit(objective, changes, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(whole, objective, **changes)
    # 4 lies between checkpoints, 6 on one; an epoch has 5 batches.
    run(parts, objective, until=4, **changes)
    assert not (parts / "prior.safetensors").exists()
    run(parts, objective, until=6, resume=True, **changes)
    run(parts, objective, resume=True, **changes)

    name = "checkpoint.safetensors"
    assert_same(tensors(whole / name), tensors(parts / name))
    assert load_checkpoint(whole / name)[1] == load_checkpoint(parts / name)[1]
    assert_same(load_file(whole / "prior.safetensors"), load_file(parts / "prior.safetensors"))
    for file in ("losses.csv", "prior.json", "recipe.toml", "samples.png"):
        assert (whole / file).read_bytes() == (parts / file).read_bytes(), file
    assert files(whole) == files(parts)
    assert ("samples/step-000008.png" in files(parts)) == ("sheet_every" in changes)


@each_objective
def test_every_objective_goes_on_exactly_from_a_checkpoint(objective, tmp_path):
    # Layers without batch norm: some objectives need it so, and the steps are cheap.
    def fresh() -> Trainer:
        return tiny_trainer(objective, architecture="mlp", vae_steps=1, optimizer="rmsprop")

    whole, parts = fresh(), fresh()
    for trainer in (whole, parts):
        for _ in range(2):
            trainer.train_step()
    parts.save(tmp_path / "checkpoint")
    resumed = fresh()
    resumed.restore(tmp_path / "checkpoint")
    for trainer in (whole, resumed):
        trainer.train_step()
        trainer.save(tmp_path / f"{trainer is whole}")
    assert_same(tensors(tmp_path / "True"), tensors(tmp_path / "False"))


def test_losses_have_a_row_per_step(tmp_path):
    run(tmp_path / "run")
    lines = (tmp_path / "run/losses.csv").read_text().splitlines()
    assert f"{lines[0]}\n" == HEAD
    assert [int(line.split(",")[0]) for line in lines[1:]] == list(range(1, 10))


def test_a_longer_run_goes_on_from_a_finished_one(tmp_path):
    run(tmp_path / "whole", steps=5)
    run(tmp_path / "parts", steps=2)
    run(tmp_path / "parts", steps=5, resume=True)
    name = "prior.safetensors"
    assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()
    assert Prior.load(tmp_path / "parts/prior").card["steps"] == 5


def test_stopped_before_the_first_step_there_is_something_to_resume(tmp_path):
    run(tmp_path / "parts", until=0, steps=2)
    run(tmp_path / "parts", resume=True, steps=2)
    run(tmp_path / "whole", steps=2)
    name = "checkpoint.safetensors"
    assert_same(tensors(tmp_path / "whole" / name), tensors(tmp_path / "parts" / name))


def test_the_average_is_an_exponential_moving_average():
    trainer = tiny_trainer(ema_decay=0.75)
    names = [name for name, _ in trainer.generator.named_parameters()]
    expected: dict[str, torch.Tensor] = {}
    for _ in range(4):
        trainer.train_step()
        now = {name: p.detach().double() for name, p in trainer.generator.named_parameters()}
        # It begins at the weights after the first step.
        expected = {
            name: 0.75 * expected[name] + 0.25 * now[name] if expected else now[name].clone()
            for name in names
        }
    for name, parameter in trainer.average.module.named_parameters():
        torch.testing.assert_close(parameter.double(), expected[name], rtol=1e-5, atol=1e-7)


@each_objective
def test_a_step_moves_all_players_and_leaves_them_trainable(objective):
    trainer = tiny_trainer(objective)
    expected = {"generator", "discriminator", "encoder"}
    expected -= {"discriminator"} if objective == "vae" else set()
    expected -= set() if objective.startswith("vae") else {"encoder"}
    assert trainer.networks.keys() == expected
    players = list(trainer.networks.values())
    before = [[p.detach().clone() for p in player.parameters()] for player in players]
    taken = trainer.train_step()
    values = [value for value in taken if value is not None]
    assert len(values) == (2 if objective == "vae" else 4)
    assert all(torch.isfinite(value) and not value.requires_grad for value in values)
    for player, old in zip(players, before, strict=True):
        pairs = zip(player.parameters(), old, strict=True)
        # Channels-last or not, the first layer is moved; biases before batch norm would not be.
        assert any(not torch.equal(p, o) for p, o in pairs)
        assert all(p.requires_grad for p in player.parameters())
    critic_batches = 0 if objective == "vae" else trainer.recipe.critic_steps
    assert trainer.batches.count == critic_batches + ("encoder" in expected)


def test_the_gradient_norms_are_those_of_all_parameters():
    trainer = tiny_trainer()
    taken = trainer.train_step()
    for name, norm in (
        ("generator", taken.generator_gradient),
        ("discriminator", taken.discriminator_gradient),
    ):
        gradients = [p.grad.flatten() for p in trainer.networks[name].parameters()]
        torch.testing.assert_close(norm, torch.cat(gradients).norm())


def test_the_rate_falls_linearly_to_zero_after_the_last_step():
    recipe = tiny_recipe(steps=10, decay_from=6, learning_rate=0.1)
    rates = [rate_at(recipe, step) for step in range(11)]
    assert rates == pytest.approx([0.1] * 7 + [0.075, 0.05, 0.025, 0])
    assert rate_at(tiny_recipe(learning_rate=0.1), 8) == 0.1
    trainer = tiny_trainer(steps=10, decay_from=6, learning_rate=0.1)
    trainer.step = 8
    trainer.train_step()
    assert {o.param_groups[0]["lr"] for o in trainer.optimizers.values()} == {0.05}


def test_weights_are_clipped_and_the_first_layout_is_an_option():
    trainer = tiny_trainer("wgan", optimizer="rmsprop", clip=0.01, channels_last=False)
    trainer.train_step()
    assert all(p.abs().max() <= 0.01 for p in trainer.discriminator.parameters())
    assert isinstance(trainer.optimizers["generator"], torch.optim.RMSprop)


def test_the_distance_is_the_objectives_and_leaves_the_run_as_it_is():
    trainer = tiny_trainer("wgan-gp", size=16, monitor_every=1)
    trainer.train_step()
    before = copy.deepcopy((trainer.generator.state_dict(), trainer.rng.get_state()))
    distance = estimate_distance(trainer)
    assert distance == estimate_distance(trainer)
    assert_same(before[0], trainer.generator.state_dict())
    assert torch.equal(before[1], trainer.rng.get_state())
    # The next batch and the next latents are those of the next step.
    real, _ = trainer.batches.take(trainer.device)
    with torch.no_grad():
        fake = trainer.generator(trainer.latents())
        critic = trainer.networks["discriminator"]
        expected = critic(real).mean() - critic(fake).mean()
    assert distance == pytest.approx(float(expected), rel=1e-4)
    assert estimate_distance(tiny_trainer("vae")) is None


def test_the_global_random_state_is_left_alone():
    trainer = tiny_trainer()
    before = torch.get_rng_state()
    trainer.train_step()
    assert torch.equal(torch.get_rng_state(), before)


def test_batches_take_every_image_once_per_epoch_and_resume_anywhere():
    pixels = torch.arange(20, dtype=torch.uint8).reshape(20, 1, 1, 1)
    cpu = torch.device("cpu")

    def numbers(batches: Batches, count: int) -> list[int]:
        taken = torch.cat([batches.take(cpu).images for _ in range(count)])
        return taken.add(1).mul(127.5).round().int().flatten().tolist()

    both = numbers(Batches(pixels, 6, seed=1), 6)
    for epoch in (both[:18], both[18:]):
        assert len(set(epoch)) == 18
    assert both[:18] != both[18:]
    later = Batches(pixels, 6, seed=1)
    later.count = 4
    assert numbers(later, 2) == both[24:]


def test_images_are_bytes_of_the_recipe():
    images = tiny_images()
    floats = type(images)(images.floats(), images.names, images.sha256)
    recipe = tiny_recipe(images=24)
    assert torch.equal(training_pixels(floats, recipe), images.pixels[:24])
    with pytest.raises(ValueError, match=r"\(3, 8, 8\), the data has \(1, 8, 8\).*--convert"):
        training_pixels(images, tiny_recipe(channels=3))
    with pytest.raises(ValueError, match="40 images are fewer than a batch of 64"):
        training_pixels(images, tiny_recipe(batch_size=64))


def test_a_torn_loss_log_is_mended(tmp_path):
    path = tmp_path / "losses.csv"
    path.write_text(f"{HEAD}1,,0.25,,4\r\n2,nonsense\n3,1,2,3,4\n4,1,2,3,4\n5,1.2\n6,0.12")
    with LossLog(path, 3) as log:
        log.add(4, 7, 8, 9, 10)
        log.add(5, None, 8, None, 10)
    assert path.read_text() == f"{HEAD}1,,0.25,,4\n3,1,2,3,4\n4,7,8,9,10\n5,,8,,10\n"
    path.unlink()
    with LossLog(path, 3):
        pass
    assert path.read_text() == HEAD


def test_a_diverging_run_keeps_its_last_good_checkpoint(tmp_path):
    trainer = tiny_trainer(checkpoint_every=1)
    take_step = trainer.train_step

    def diverge() -> Step:
        taken = take_step()
        return taken if trainer.step < 3 else taken._replace(generator_loss=torch.tensor(math.nan))

    trainer.train_step = diverge  # type: ignore[method-assign]
    with pytest.raises(TrainingFailed, match=r"step 3: generator loss not finite.*learning_rate"):
        train(trainer, tmp_path, progress=False)
    assert load_checkpoint(tmp_path / "checkpoint.safetensors")[1].step == 2


def test_stop_on_failure_ends_a_run_that_has_failed(tmp_path):
    warnings: list[str] = []
    trainer = tiny_trainer(checkpoint_every=2, steps=4)
    take_step = trainer.train_step
    lost = {"discriminator_loss": torch.tensor(0.0)}
    trainer.train_step = lambda: take_step()._replace(**lost)  # type: ignore[method-assign]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganprior.training.monitors.health._ZERO_STEPS", 3)
        train(trainer, tmp_path / "warned", warn=warnings.append, progress=False)
        [warning] = warnings
        assert "discriminator loss" in warning

        trainer = tiny_trainer(checkpoint_every=2, steps=4)
        take_step = trainer.train_step
        trainer.train_step = lambda: take_step()._replace(**lost)  # type: ignore[method-assign]
        with pytest.raises(TrainingFailed, match=r"step 3: .*last good checkpoint is .*stopped"):
            train(trainer, tmp_path / "stopped", stop_on_failure=True, progress=False)
    assert load_checkpoint(tmp_path / "stopped/checkpoint.safetensors")[1].step == 2


def test_monitors_make_rows_from_a_snapshot(tmp_path):
    seen: list[Snapshot] = []

    def monitor(run: Snapshot) -> dict[str, float]:
        seen.append(run)
        return {"brightness": float(run.prior.sample(4, run.rng).mean())}

    trainer = tiny_trainer(images=32, steps=4, monitor_every=2)
    train(trainer, tmp_path, monitors=[monitor], progress=False)
    assert [snapshot.step for snapshot in seen] == [2, 4]
    assert torch.equal(seen[0].real, tiny_images().floats()[32:])
    lines = (tmp_path / "monitors.csv").read_text().splitlines()
    assert lines[0] == "step,distance,brightness"
    assert [line.split(",")[0] for line in lines[1:]] == ["2", "4"]


def test_rows_of_monitors_are_joined_by_name(tmp_path):
    path = tmp_path / "monitors.csv"
    add_row(path, 5, {"a": 1.0})
    add_row(path, 10, {"b": 2.0, "a": 1.5})
    add_row(path, 15, {"a": 3.0})
    assert path.read_text() == "step,a,b\n5,1,\n10,1.5,2\n15,3,\n"
    # A resumed run takes step 10 again.
    add_row(path, 10, {"a": 7.0})
    assert path.read_text() == "step,a,b\n5,1,\n10,7,\n"
