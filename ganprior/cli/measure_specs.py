"""The ``--measure`` option: which physics a spec such as ``gaussian:m=100`` stands for."""

from __future__ import annotations

from typing import Any, Self

from ganprior.registry import Spec

Shape = tuple[int, int, int]


class MeasureSpec(Spec):
    """How images are measured, as asked for on the command line."""

    @classmethod
    def parse(cls, text: str, flag: str = "--measure") -> Self:
        """Read a spec; see :meth:`ganprior.registry.Spec.read`."""
        return cls.read("physics", text, flag)

    def build(self, image_shape: Shape, seed: int) -> Any:
        """Make the physics; see :func:`ganprior.make_physics`. Imports torch and deepinv."""
        from ganprior.physics.by_name import make

        with self.naming():
            return make(self, image_shape, seed)
