"""Runs: what a step does, and that stopping, killing and resuming change nothing."""

import pytest
import torch
from safetensors.torch import load_file

from ganprior import Prior
from ganprior.training import Trainer, train
from ganprior.training.batches import Batches, training_pixels
from ganprior.training.checkpoint import load_checkpoint
from ganprior.training.loss_log import HEAD, LossLog
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


@pytest.mark.parametrize(
    ("objective", "changes"),
    [
        ("non-saturating", {"size": 16}),
        ("wgan-gp", {"size": 16}),
        ("non-saturating", {"precision": "bfloat16", "channels": 3}),
        ("wgan-gp", {"precision": "bfloat16", "sheet_every": 4}),
    ],
)
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


def test_losses_have_a_row_per_step(tmp_path):
    run(tmp_path / "run")
    lines = (tmp_path / "run/losses.csv").read_text().splitlines()
    assert lines[0] == "step,discriminator_loss,generator_loss"
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
def test_a_step_moves_both_players_and_leaves_them_trainable(objective):
    trainer = tiny_trainer(objective)
    players = (trainer.generator, trainer.discriminator)
    before = [[p.detach().clone() for p in player.parameters()] for player in players]
    losses = trainer.train_step()
    assert all(torch.isfinite(loss) and not loss.requires_grad for loss in losses)
    for player, old in zip(players, before, strict=True):
        pairs = zip(player.parameters(), old, strict=True)
        # Channels-last or not, the first layer is moved; biases before batch norm would not be.
        assert any(not torch.equal(p, o) for p, o in pairs)
        assert all(p.requires_grad for p in player.parameters())
    assert trainer.batches.count == trainer.recipe.critic_steps


def test_the_global_random_state_is_left_alone():
    trainer = tiny_trainer()
    before = torch.get_rng_state()
    trainer.train_step()
    assert torch.equal(torch.get_rng_state(), before)


def test_batches_take_every_image_once_per_epoch_and_resume_anywhere():
    pixels = torch.arange(20, dtype=torch.uint8).reshape(20, 1, 1, 1)
    cpu = torch.device("cpu")

    def numbers(batches: Batches, count: int) -> list[int]:
        taken = torch.cat([batches.take(cpu) for _ in range(count)])
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
    path.write_text(f"{HEAD}1,0.5,0.25\r\n2,nonsense\n3,1,2\n4,1,2\n5,1.2\n6,0.12")
    with LossLog(path, 3) as log:
        log.add(4, 7, 8)
    assert path.read_text() == f"{HEAD}1,0.5,0.25\n3,1,2\n4,7,8\n"
    path.unlink()
    with LossLog(path, 3):
        pass
    assert path.read_text() == HEAD


def test_a_diverging_run_keeps_its_last_good_checkpoint(tmp_path):
    trainer = tiny_trainer(checkpoint_every=1)
    take_step = trainer.train_step

    def diverge() -> tuple[torch.Tensor, torch.Tensor]:
        loss_d, loss_g = take_step()
        return loss_d, loss_g if trainer.step < 3 else loss_g * float("nan")

    trainer.train_step = diverge  # type: ignore[method-assign]
    with pytest.raises(ValueError, match=r"step 3: .*nan.*learning_rate"):
        train(trainer, tmp_path, progress=False)
    assert load_checkpoint(tmp_path / "checkpoint.safetensors")[1].step == 2
