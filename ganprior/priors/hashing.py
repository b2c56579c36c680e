"""Hash of what a prior computes, under which what is computed of it is kept."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from ganprior.priors.prior import Prior


def hash_of(prior: Prior) -> str:
    """SHA-256 of the weights, law and range of a prior, in hexadecimal digits."""
    digest = hashlib.sha256()
    for part in prior.generator.modules():
        if isinstance(part, torch.jit.ScriptModule):  # frozen ones have no tensors to be seen
            digest.update(part.save_to_buffer())
    for name, tensor in sorted(prior.generator.state_dict().items()):
        digest.update(name.encode())
        if isinstance(tensor, Tensor):
            # As bytes: NumPy lacks some of torch's types (bfloat16).
            stored = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
            digest.update(stored.numpy().tobytes())
    about = prior.latent.describe(), prior.image_range, str(prior.generator)
    digest.update(repr(about).encode())
    return digest.hexdigest()
