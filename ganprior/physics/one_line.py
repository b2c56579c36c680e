"""Physics as one line: what they measure, of images of which size, with how much noise."""

from __future__ import annotations

from typing import Any


class OneLine:
    """Shows a physics in one line; comes before deepinv's class, which takes several."""

    # Attributes that are shown where there are any.
    shown: tuple[str, ...] = ("m", "img_size")

    def __repr__(self) -> str:
        """Class, the attributes that matter, and the noise."""
        found = {name: getattr(self, name, None) for name in self.shown}
        parts = [f"{name}={value!r}" for name, value in found.items() if value is not None]
        return f"{type(self).__name__}({', '.join([*parts, _noise(self)])})"


def _noise(physics: Any) -> str:
    model = physics.noise_model
    sigma = getattr(model, "sigma", None)
    if type(model).__name__ == "ZeroNoise":
        return "noise_std=0"
    if type(model).__name__ != "GaussianNoise" or sigma is None:
        return f"noise_model={type(model).__name__}"
    levels = sorted(set(sigma.flatten().tolist()))
    return "noise_std=" + " to ".join(f"{level:g}" for level in levels[:: max(1, len(levels) - 1)])
