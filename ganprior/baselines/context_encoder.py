"""Context encoder: a network that has learned to fill holes, in one pass.

    x = y at the known pixels, F(mask ⊙ y, mask) elsewhere

D. Pathak, P. Krahenbuhl, J. Donahue, T. Darrell, A. A. Efros, "Context encoders: Feature learning
by inpainting", 2016, arXiv 1604.07379. The network F is
:class:`ganprior.priors.architectures.context_encoder.ContextEncoder`, its training
:mod:`ganprior.training.context_encoder`. It is the one learned method that R. A. Yeh et al. 2017
(arXiv 1607.07539) compare with; unlike theirs, it has to have seen masks of the kind.
"""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganprior.baselines.inpainting import Inpainter
from ganprior.baselines.outcome import Outcome
from ganprior.files import reason_of, sha256, write_atomically, write_tensors
from ganprior.priors import Prior
from ganprior.priors.architectures import ContextEncoder as Network
from ganprior.priors.network_files import fill, read_tensors
from ganprior.registry import Text, register

CONTEXT_ENCODERS = Path(__file__).parent / "context_encoders"


@register(
    "solver",
    "context-encoder",
    "a network that was trained to fill holes",
    Text(
        "network",
        "file of train-context-encoder, or the name of a shipped one; that of the prior's data "
        "when left out",
        example="FILE",
    ),
    needs="mask",
)
class ContextEncoder(Inpainter):
    """Fill the missing pixels by a trained network; physics: a mask.

    Parameters
    ----------
    network : ganprior.priors.architectures.ContextEncoder
        F, images in [-1, 1]. A copy of it is kept, in eval mode.
    card : dict, optional
        What is known about it: ``architecture``, ``recipe``, ``data`` with ``data_sha256`` and
        ``licence``. A loaded one's also says ``weights_sha256``.

    Examples
    --------
    >>> import torch
    >>> from ganprior import ContextEncoder, demo_images, inpainting
    >>> mask = torch.ones(1, 28, 28)
    >>> mask[:, 7:21, 7:21] = 0
    >>> physics = inpainting(mask, (1, 28, 28))
    >>> solver = ContextEncoder.load("fashion-mnist")
    >>> solver(physics(demo_images().head(1).floats()), physics).shape
    torch.Size([1, 1, 28, 28])
    """

    def __init__(self, network: Network, card: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.card = dict(card or {})

    @classmethod
    def from_options(cls, prior: Prior | None = None, network: str = "") -> ContextEncoder:
        """Load the network that ``network`` names, or the shipped one of the data of a prior."""
        if network:
            return cls.load(network)
        if prior is None:
            raise ValueError(
                "option 'network' is missing; give network=FILE, or a prior of such images"
            )
        return cls.shipped_for(prior.card.get("data_sha256"))

    @classmethod
    def load(cls, name: str | Path) -> ContextEncoder:
        """Load a context encoder; nothing is unpickled.

        Parameters
        ----------
        name : str or Path
            Name of a shipped one (:func:`context_encoder_names`), or the path of one that
            :meth:`save` wrote.

        Raises
        ------
        ValueError
            If there is none of that name, or a file is damaged or does not fit the other.
        """
        path = _find(name)
        try:
            card = json.loads(_with(path, ".json").read_text(encoding="utf-8"))
            with torch.device("meta"):
                network = _build(card["architecture"])
            fill(network, read_tensors(file := _with(path, ".safetensors")))
        except (
            OSError,
            ValueError,
            LookupError,
            TypeError,
            ArithmeticError,
            RuntimeError,
        ) as error:
            reason = reason_of(error)
            raise ValueError(
                f"{path} is no context encoder of ganprior: {reason}; train one with "
                "'ganprior train-context-encoder'"
            ) from error
        return cls(network, {**card, "weights_sha256": sha256(file)})

    @classmethod
    def shipped_for(cls, data_sha256: str | None) -> ContextEncoder:
        """Load the shipped context encoder that was trained on a data set.

        Parameters
        ----------
        data_sha256 : str or None
            SHA-256 of the training images, as the card of a prior has it.

        Raises
        ------
        ValueError
            If none was.
        """
        for name in context_encoder_names():
            card = json.loads((CONTEXT_ENCODERS / f"{name}.json").read_text(encoding="utf-8"))
            if card["data_sha256"] == data_sha256:
                return cls.load(name)
        raise ValueError(
            "no context encoder is shipped for the data of this prior; train one with 'ganprior "
            "train-context-encoder' and give its file, or take one of: "
            f"{', '.join(context_encoder_names()) or 'none is installed'}"
        )

    def save(self, path: str | Path) -> None:
        """Write ``path``.safetensors (float16) and the card ``path``.json.

        Raises
        ------
        ValueError
            If the files cannot be written.
        """
        tensors = {
            name: (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()
            for name, tensor in self.network.state_dict().items()
        }
        card = {"architecture": _describe(self.network), **self.card}
        card.pop("weights_sha256", None)
        text = json.dumps(card, indent=2) + "\n"

        def write(file: Path) -> None:
            file.write_text(text, encoding="utf-8")

        write_tensors(_with(Path(path), ".safetensors"), tensors)
        write_atomically(_with(Path(path), ".json"), write)

    def fill(self, known: Tensor, mask: Tensor) -> Outcome:
        """Run the network; see :class:`~ganprior.baselines.inpainting.Inpainter`.

        A pixel of which one channel is missing is hidden from the network whole. Nothing is
        minimised: the objective is zero, the misfit of the known pixels.

        Raises
        ------
        ValueError
            If the images have another shape than those that the network was trained on.
        """
        if tuple(known.shape[1:]) != self.network.image_shape:
            raise ValueError(
                f"y has images of size {tuple(known.shape[1:])} and this context encoder fills "
                f"those of size {self.network.image_shape}; resize, or train one of that size"
            )
        # A copy, so that what came in float64 is not rounded on its way.
        network = copy.deepcopy(self.network).eval().to(known)
        whole = mask.all(1, keepdim=True)
        x = (network(2 * known - 1, whole) + 1) / 2
        ones = torch.ones(len(x), dtype=torch.int64, device=x.device)
        return Outcome(torch.where(mask, known, x), 0 * known[:, 0, 0, 0], ones > 0, ones)


def context_encoder_names() -> list[str]:
    """Names of the shipped context encoders: those of the data that they were trained on."""
    return sorted(path.stem for path in CONTEXT_ENCODERS.glob("*.safetensors"))


def _describe(network: Network) -> dict[str, Any]:
    return {
        "name": "context-encoder",
        "image_shape": list(network.image_shape),
        "filters": network.filters,
        "bottleneck": network.bottleneck,
    }


def _build(described: dict[str, Any]) -> Network:
    channels, height, width = described["image_shape"]
    return Network((channels, height, width), described["filters"], described["bottleneck"])


def _find(name: str | Path) -> Path:
    if str(name) in context_encoder_names():
        return CONTEXT_ENCODERS / str(name)
    path = Path(name)
    if not path.name or not os.path.isfile(_with(path, ".safetensors")):
        raise ValueError(
            f"no context encoder {str(name)!r}; give a NAME.safetensors file or a shipped one: "
            f"{', '.join(context_encoder_names()) or 'none is installed'}"
        )
    return path


def _with(path: Path, suffix: str) -> Path:
    return path.with_name(path.name.removesuffix(".safetensors").removesuffix(".json") + suffix)
