"""Generators that are built of their weights alone: DCGANs.

Layers are those of PyTorch's example, which most code copies: transposed convolutions of 4 x 4, the
first of stride 1 without padding and the others of stride 2 with padding 1, batch norm and ReLU
between them, and a hyperbolic tangent at the end.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from ganprior.priors.network_files import check_fit

# Name of the adapter, in cards.
DCGAN = "dcgan"


def dcgan_of(weights: Mapping[str, Tensor]) -> tuple[nn.Sequential, int]:
    """DCGAN generator of a state dict, whatever its layers are called, and k.

    Raises
    ------
    ValueError
        If the weights are none of a DCGAN.
    """
    layers = _by_layer(weights)
    network = _network(list(layers.values()))
    own = list(dict.fromkeys(name.rpartition(".")[0] for name in network.state_dict()))
    renamed = {
        f"{place}.{name}": tensor
        for place, tensors in zip(own, layers.values(), strict=True)
        for name, tensor in tensors.items()
    }
    check_fit(network, renamed)
    network.load_state_dict(renamed)
    return network.eval(), next(iter(layers.values()))["weight"].shape[0]


def _by_layer(weights: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    layers: dict[str, dict[str, Tensor]] = {}
    for key, tensor in weights.items():
        layer, _, name = key.rpartition(".")
        layers.setdefault(layer, {})[name] = tensor
    if any("weight" not in tensors for tensors in layers.values()):
        layers = {}
    return dict(sorted(layers.items(), key=lambda item: _places(item[0])))


def _places(name: str) -> list[tuple[int, str]]:
    """Key that puts layer 10 behind layer 9: safetensors are sorted by their letters."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in name.split(".")]


def _network(layers: list[dict[str, Tensor]]) -> nn.Sequential:
    """Layers of the sizes of the weights."""
    made: list[nn.Module] = []
    channels = 0
    for number, tensors in enumerate(layers):
        weight = tensors["weight"]
        convolution = weight.dim() == 4 and weight.shape[2:] == (4, 4)
        if convolution and (not made or weight.shape[0] == channels):
            if made:
                made.append(nn.ReLU())
            stride, padding = (2, 1) if made else (1, 0)
            inputs, channels = weight.shape[:2]
            bias = "bias" in tensors
            made.append(nn.ConvTranspose2d(inputs, channels, 4, stride, padding, bias=bias))
        elif made and weight.shape == (channels,) and "running_mean" in tensors:
            made.append(nn.BatchNorm2d(channels))
        else:
            raise ValueError(
                f"layer {number} has a weight {tuple(weight.shape)}, which no DCGAN has there; "
                "give the module itself to Prior.from_module"
            )
    if len(made) < 2 or channels not in (1, 3):
        raise ValueError(
            "these are no weights of a DCGAN: transposed convolutions of 4 x 4 to 1 or 3 channels"
        )
    return nn.Sequential(*made, nn.Tanh())
