"""How far a run's images are from real ones, as its objective sees it."""

from __future__ import annotations

import torch

from ganprior.training.trainer import Trainer


@torch.no_grad()
def estimate_distance(trainer: Trainer) -> float | None:
    """Estimate by the objective of the divergence that it minimises, over the next batch.

    It is the Wasserstein distance that a critic sees, or a variational bound of an f-divergence.
    The run is left as it is, random state, data position and batch-norm statistics included.

    Returns
    -------
    float or None
        None in a step without adversary.
    """
    if trainer.objective is None or trainer.in_vae_steps:
        return None
    state, count = trainer.rng.get_state(), trainer.batches.count
    buffers = [buffer for network in trainer.networks.values() for buffer in network.buffers()]
    before = [buffer.clone() for buffer in buffers]
    real, labels = trainer.batches.take(trainer.device)
    fake = trainer.losses.images(trainer.latents(), labels)
    distance = trainer.losses.distance(real, fake, labels, trainer.step)
    for buffer, value in zip(buffers, before, strict=True):
        buffer.copy_(value)
    trainer.rng.set_state(state)
    trainer.batches.count = count
    return float(distance)
