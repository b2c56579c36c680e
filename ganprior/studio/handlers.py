"""What happens when something on the page is changed.

Every answer is a function of what stands on the page, so that visitors share nothing but priors,
which nothing changes.
"""

from __future__ import annotations

import functools
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from torch import Tensor

from ganprior.image_files import read_file
from ganprior.studio.pictures import drawn_mask, enlarged, test_picture, visitors_picture
from ganprior.studio.question import Answer, Question, answers, archive, load_prior, picture_of
from ganprior.studio.walk import walk, walk_command

MEASURED, HOLE = "random measurements", "a hole that I draw"


def drawn_layers(editor: gr.ImageEditor, payload: Any) -> list[bytes]:
    """Encoded layers of an editor; Gradio's own method would let Pillow guess their formats."""
    if payload is not None and payload.id is not None:
        payload = editor.blob_storage.get(payload.id)
    layers = [] if payload is None else payload.layers or []
    return [x if isinstance(x, bytes) else read_file(Path(x.path)) for x in layers]


def one_line(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Let a handler answer a wrong input with one line on the page."""

    @functools.wraps(handler)
    def wrapped(*values: Any) -> Any:
        try:
            return handler(*values)
        except ValueError as error:
            raise _told(error) from error

    return wrapped


def one_line_each(handler: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """As :func:`one_line`, of a handler that answers piece by piece."""

    @functools.wraps(handler)
    def wrapped(*values: Any) -> Iterator[Any]:
        try:
            yield from handler(*values)
        except ValueError as error:
            raise _told(error) from error

    return wrapped


def _told(error: ValueError) -> gr.Error:
    return gr.Error(" ".join(str(error).split()), duration=None, print_exception=False)


@dataclass(frozen=True)
class Handlers:
    """Handlers of the page; their arguments are the values that stand on it.

    Parameters
    ----------
    device : str
        Where solvers compute.
    folder : Path
        Where files lie that visitors take away.
    """

    device: str
    folder: Path

    def show(self, prior: str, source: str, number: float, upload: str | None) -> Any:
        """Put the chosen picture below the drawing."""
        pixels = self._pixels(prior, source, number, upload)
        return {"background": enlarged(pixels), "layers": [], "composite": None}

    def fit(self, prior: str) -> Any:
        """Let m be at most the number of pixels."""
        return gr.Slider(maximum=math.prod(load_prior(prior, self.device).image_shape))

    def toggle(self, how: str) -> Any:
        """Show the numbers of measurements where there are any."""
        return gr.Row(visible=how == MEASURED)

    def reconstruct(
        self,
        prior: str,
        source: str,
        number: float,
        upload: str | None,
        how: str,
        layers: Sequence[bytes],
        m: float,
        noise: float,
        seed: float,
        solvers: Sequence[str],
    ) -> Iterator[Any]:
        """Picture, table, command and file, after every solver."""
        if not solvers:
            raise ValueError("no solver is chosen: choose one or more")
        pixels = self._pixels(prior, source, number, upload)
        mask = drawn_mask(layers, pixels.shape[1:]) if how == HOLE else None
        question = Question(prior, pixels, mask, int(m), float(noise), int(seed))
        found: list[Answer] = []
        for answer in answers(question, solvers, self.device):
            found.append(answer)
            file = gr.DownloadButton(interactive=False)
            if len(found) == len(solvers):
                path = self._kept(archive(question, found))
                file = gr.DownloadButton(value=path, interactive=True)
            rows = [list(one.row) for one in found]
            yield picture_of(question, found), rows, question.command(solvers), file

    def walk(self, prior: str, seed: float, t: float) -> Any:
        """Image on the way, the whole way, and the command."""
        image, sheet = walk(load_prior(prior, self.device), int(seed), t)
        return enlarged(image), sheet, walk_command(prior, int(seed))

    def _pixels(self, prior: str, source: str, number: float, upload: str | None) -> Tensor:
        loaded = load_prior(prior, self.device)
        if upload is not None:
            return visitors_picture(Path(upload), upload, loaded)
        return test_picture(source, int(number), loaded)

    def _kept(self, data: bytes) -> str:
        """File of some bytes below a name that nobody guesses."""
        path = Path(tempfile.mkdtemp(dir=self.folder)) / "ganprior-studio.zip"
        path.write_bytes(data)
        return str(path)
