"""Functions of tensors on a GPU, recorded once as a CUDA graph and replayed.

A step of a small network is hundreds of kernels of a few microseconds, which a CPU cannot launch
as fast as a GPU runs them. A graph launches all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Function = Callable[..., tuple[Tensor, ...]]


class Recording:
    """Calls of one function of tensors, which is recorded after some with inputs of equal shapes.

    Calls on a CPU, and the first ones for any shapes, run the function as it is. So do all calls
    of a function that draws random numbers of ``rng``, which a recording would repeat, or that
    cannot be recorded since it waits for the GPU.

    Parameters
    ----------
    first : int
        Calls that are not recorded: libraries set themselves up in them.
    rng : torch.Generator, optional
        CPU generator that the function may draw from.
    """

    def __init__(self, first: int = 1, rng: torch.Generator | None = None) -> None:
        self._first = first
        self._rng = rng
        self._able = True
        self._shapes: list[object] = []
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: list[Tensor | None] = []
        self._outputs: tuple[Tensor, ...] = ()

    def call(self, function: Function, *inputs: Tensor | None) -> tuple[Tensor, ...]:
        """Value of a function that is the same in every call.

        Parameters
        ----------
        function : callable
            Of tensors or None, returns a tuple of tensors. It may write into tensors of its own,
            as an optimiser does, as long as they stay where they are in memory.
        inputs : Tensor or None
            What the function is called with.

        Returns
        -------
        tuple of Tensor
            Of a recording a copy, which the next call leaves alone.
        """
        if not self._able or not any(x is not None and x.is_cuda for x in inputs):
            return function(*inputs)
        shapes: list[object] = [
            None if x is None else (x.shape, x.stride(), x.dtype) for x in inputs
        ]
        if shapes != self._shapes:
            self._shapes, self._calls, self._graph = shapes, 0, None
        self._calls += 1
        if self._calls <= self._first:
            return self._unrecorded(function, inputs)
        if self._graph is None and not self._record(function, inputs):
            return function(*inputs)
        assert self._graph is not None
        for own, given in zip(self._inputs, inputs, strict=True):
            if own is not None and given is not None:
                own.copy_(given)
        self._graph.replay()
        return tuple(output.clone() for output in self._outputs)

    def _unrecorded(
        self, function: Function, inputs: Sequence[Tensor | None]
    ) -> tuple[Tensor, ...]:
        before = None if self._rng is None else self._rng.get_state()
        # A recording is made on a stream that is not the default one, and so must be what leads
        # up to it (torch's notes on CUDA graphs).
        current, side = torch.cuda.current_stream(), torch.cuda.Stream()
        side.wait_stream(current)
        with torch.cuda.stream(side):
            outputs = function(*inputs)
        current.wait_stream(side)
        for output in outputs:
            output.record_stream(current)
        if self._rng is not None and before is not None:
            self._able = torch.equal(before, self._rng.get_state())
        return outputs

    def _record(self, function: Function, inputs: Sequence[Tensor | None]) -> bool:
        """Record; False where that cannot be done."""
        self._inputs = [None if x is None else x.clone() for x in inputs]
        graph, side = torch.cuda.CUDAGraph(), torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        # torch.cuda.graph also gives all memory back to the driver first, which takes longer than
        # what follows.
        try:
            with torch.cuda.stream(side):
                graph.capture_begin()
                try:
                    self._outputs = function(*self._inputs)
                finally:
                    graph.capture_end()
        except RuntimeError:
            self._able = False
            return False
        torch.cuda.current_stream().wait_stream(side)
        self._graph = graph
        return True
