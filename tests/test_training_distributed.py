"""Several processes, each with its part of a batch: the steps of one process with all of it."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.multiprocessing.spawn import spawn

from ganprior import Prior
from ganprior.training import World, train
from ganprior.training.batches import Batches
from ganprior.training.distributed import join_world
from tests.cases_training import save_images, tiny_images, tiny_recipe, tiny_trainer
from tests.cli_cases import succeed

# Without batch norm: on a CPU each process has statistics of its own.
PLAIN: dict[str, Any] = {"architecture": "dcgan-unnormalised"}


def gradients(trainer) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{key}": parameter.grad.contiguous()
        for name in ("generator", "discriminator")
        for key, parameter in trainer.networks[name].named_parameters()
    }


def work(rank: int, port: int, folder: Path) -> None:
    """One of two processes, as torchrun starts them."""
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    with join_world(torch.device("cpu")) as world:
        assert world == World(rank, 2)
        for mixture in (1, 2):
            trainer = tiny_trainer("hinge", **PLAIN, world=world, mixture=mixture)
            trainer.train_step()
            save_file(gradients(trainer), folder / f"{mixture}-{rank}.safetensors")
        trainer = tiny_trainer("wgan-gp", vae_steps=1, steps=3, world=world, images=32)
        train(trainer, folder / "run", progress=False)
        # Only one is interrupted, and both leave.
        longer = tiny_trainer("wgan-gp", vae_steps=1, steps=9, world=world, images=32)
        stopped = not train(
            longer,
            folder / "run",
            resume=True,
            should_stop=lambda: rank == 1 and longer.step == 5,
            progress=False,
        )
        assert stopped
        assert longer.step == 5
        weights = {k: v.contiguous() for k, v in longer.generator.state_dict().items()}
        save_file(weights, folder / f"weights-{rank}.safetensors")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_two_processes_take_the_steps_of_one(tmp_path):
    spawn(work, (free_port(), tmp_path), nprocs=2)
    for mixture in (1, 2):
        alone = tiny_trainer("hinge", **PLAIN, mixture=mixture)
        alone.train_step()
        expected = gradients(alone)
        for rank in range(2):
            found = load_file(tmp_path / f"{mixture}-{rank}.safetensors")
            assert found.keys() == expected.keys()
            for name, gradient in expected.items():
                torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6)
    # The processes stay together, through VAE steps, checkpoints and a resume.
    one, other = (load_file(tmp_path / f"weights-{rank}.safetensors") for rank in range(2))
    for name, tensor in one.items():
        # Batch-norm statistics are each process's own.
        if "running" not in name:
            assert torch.equal(tensor, other[name]), name
    assert len((tmp_path / "run/losses.csv").read_text().splitlines()) == 6
    assert (tmp_path / "run/prior.safetensors").exists()


def torchrun(*args: object) -> "subprocess.CompletedProcess[str]":
    """Run the command line in two processes of one machine, as the help of ``train`` says."""
    launcher = Path(sys.executable).parent / "torchrun"
    options = ["--nproc-per-node", "2", "--master-port", str(free_port())]
    return subprocess.run(
        [str(launcher), *options, "-m", "ganprior", *map(str, args)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_torchrun_leaves_the_prior_of_one_process(tmp_path):
    recipe, data = tmp_path / "tiny.toml", tmp_path / "images.npz"
    # Hinge draws nothing of its own, and there is no batch norm: the same steps but for rounding.
    recipe.write_text(tiny_recipe("hinge", architecture="dcgan-unnormalised", steps=5).toml())
    save_images(data, tiny_images())
    args = ("train", recipe, "--data", data, "--device", "cpu", "--out")
    result = torchrun(*args, tmp_path / "two")
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"prior: {tmp_path / 'two/prior.safetensors'}\n"
    succeed(*args, tmp_path / "one")
    files = [{path.name for path in (tmp_path / run).iterdir()} for run in ("one", "two")]
    assert files[0] == files[1]
    z = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    one, two = (Prior.load(tmp_path / run / "prior") for run in ("one", "two"))
    with torch.no_grad():
        torch.testing.assert_close(two(z), one(z), rtol=0, atol=2e-3)
    assert len((tmp_path / "two/losses.csv").read_text().splitlines()) == 6


def test_a_batch_is_split_without_overlap():
    pixels = torch.arange(20, dtype=torch.uint8).reshape(20, 1, 1, 1)
    cpu = torch.device("cpu")
    whole = Batches(pixels, 6, seed=1).take(cpu).images.flatten().tolist()
    parts = [Batches(pixels, 6, seed=1, world=World(r, 3)).take(cpu).images for r in range(3)]
    assert sorted(torch.cat(parts).flatten().tolist()) == sorted(whole)


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(ValueError, match=r"batch_size is 8, which 3 processes.*batch_size=9"):
        tiny_trainer(world=World(0, 3))
