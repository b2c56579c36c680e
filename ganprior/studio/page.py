"""The page of the studio: what is on it, and which handler answers what."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ganprior.image_files import SUFFIXES
from ganprior.priors import prior_names
from ganprior.studio.handlers import HOLE, MEASURED, Handlers, drawn_layers, one_line, one_line_each
from ganprior.studio.pictures import sources
from ganprior.studio.question import COLUMNS, USUAL, solver_names

# Has a density, so that every solver runs with it.
FIRST_PRIOR = "fashion-mnist-k128-vae"
# Solvers run one at a time, whoever asks: they use all cores.
AT_ONCE = {"concurrency_limit": 1, "concurrency_id": "solvers"}
# Pixels of the canvas: the enlarged pictures fill it.
_CANVAS = (320, 320)


def build(device: str, folder: Path) -> gr.Blocks:
    """Make the page.

    Parameters
    ----------
    device : str
        Where solvers compute.
    folder : Path
        Where files lie that visitors take away.
    """
    handlers = Handlers(device, folder)
    # Files that a day has passed over are removed, once in an hour.
    with gr.Blocks(
        title="ganprior studio", analytics_enabled=False, delete_cache=(3600, 24 * 3600)
    ) as page:
        gr.Markdown(
            "# ganprior studio\nMeasure a picture or draw a hole in it, and see what solvers make "
            "of the rest."
        )
        with gr.Tab("Reconstruct"), gr.Row():
            with gr.Column(scale=1):
                picture = _picture()
            with gr.Column(scale=2):
                _reconstruct(page, handlers, picture, _how())
        with gr.Tab("Walk between latents"):
            _walk(page, handlers)
    return page


@dataclass(frozen=True)
class _Picture:
    """The controls that choose a picture."""

    prior: gr.Dropdown
    source: gr.Dropdown
    number: gr.Slider
    upload: gr.File
    editor: gr.ImageEditor

    @property
    def chosen(self) -> list[Any]:
        return [self.prior, self.source, self.number, self.upload]


@dataclass(frozen=True)
class _How:
    """The controls that say what is known of it, and by which solvers."""

    how: gr.Radio
    m: gr.Slider
    noise: gr.Slider
    seed: gr.Slider
    solvers: gr.CheckboxGroup
    numbers: gr.Row


def _picture() -> _Picture:
    pictures = sources()
    prior = _prior()
    source = gr.Dropdown(pictures, value=pictures[0], label="Picture")
    number = gr.Slider(0, 99, 0, step=1, label="Which of them")
    upload = gr.File(label="Or a picture of yours", file_types=list(SUFFIXES), height=150)
    editor = gr.ImageEditor(
        label="Draw what is hidden",
        format="png",
        sources=(),
        transforms=(),
        layers=False,
        brush=gr.Brush(default_size=24, colors=["#ff0000"], color_mode="fixed"),
        canvas_size=_CANVAS,
        height=440,
    )
    editor.preprocess = functools.partial(drawn_layers, editor)
    return _Picture(prior, source, number, upload, editor)


def _how() -> _How:
    how = gr.Radio([MEASURED, HOLE], value=MEASURED, label="What is known")
    with gr.Row() as numbers:
        m = gr.Slider(1, 784, 50, step=1, label="Measurements m")
        noise = gr.Slider(0, 0.5, 0.01, step=0.01, label="Noise (standard deviation)")
    seed = gr.Slider(0, 999, 0, step=1, label="Seed of A, noise and starts")
    solvers = gr.CheckboxGroup(solver_names(), value=list(USUAL), label="Solvers")
    return _How(how, m, noise, seed, solvers, numbers)


def _reconstruct(page: gr.Blocks, handlers: Handlers, picture: _Picture, how: _How) -> None:
    start = gr.Button("Reconstruct", variant="primary")
    figure = _image("Result", elem_id="result")
    table = gr.Dataframe(headers=list(COLUMNS), interactive=False, wrap=True)
    command = _command("The same on the command line, with the files saved below", "command")
    saved = gr.DownloadButton("Save picture, mask and results", interactive=False)
    changes = (picture.prior, picture.source, picture.number, picture.upload)
    for change in (*(control.change for control in changes), page.load):
        change(
            one_line(handlers.show),
            picture.chosen,
            picture.editor,
            api_name=False,
            trigger_mode="always_last",
        )
    picture.prior.change(one_line(handlers.fit), picture.prior, how.m, api_name=False)
    how.how.change(handlers.toggle, how.how, how.numbers, api_name=False)
    start.click(
        one_line_each(handlers.reconstruct),
        [*picture.chosen, how.how, picture.editor, how.m, how.noise, how.seed, how.solvers],
        [figure, table, command, saved],
        api_name="reconstruct",
        **AT_ONCE,
    )


def _walk(page: gr.Blocks, handlers: Handlers) -> None:
    prior = _prior()
    seed = gr.Slider(0, 999, 0, step=1, label="Seed of the two latents")
    where = gr.Slider(0, 1, 0.5, step=0.01, label="Where between them")
    gr.Markdown("The image there, and the whole way: straight above, along the sphere below.")
    with gr.Row():
        there = _image("There", elem_id="there")
        way = _image("The way", elem_id="way", scale=3)
    command = _command("The same on the command line", "walk-command")
    for change in (prior.change, seed.change, where.change, page.load):
        change(
            one_line(handlers.walk),
            [prior, seed, where],
            [there, way, command],
            api_name=False,
            trigger_mode="always_last",
        )


def _prior() -> gr.Dropdown:
    names = prior_names()
    first = FIRST_PRIOR if FIRST_PRIOR in names else names[0]
    return gr.Dropdown(names, value=first, label="Prior")


def _image(label: str, **options: Any) -> gr.Image:
    """A picture that is shown; Gradio offers to send it elsewhere, unless told otherwise."""
    buttons = ["download", "fullscreen"]
    return gr.Image(
        label=label,
        show_label=False,
        type="pil",
        format="png",
        interactive=False,
        buttons=buttons,
        **options,
    )


def _command(label: str, name: str) -> gr.Textbox:
    return gr.Textbox(label=label, elem_id=name, lines=2, buttons=["copy"], interactive=False)
