"""``ganprior studio``: pictures, solvers and latents in a browser."""

from __future__ import annotations

import importlib.util
import threading

import click

from ganprior.cli.options import device_option

PORT = 7860


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(1, 2**16 - 1),
    default=PORT,
    show_default=True,
    help="Port to listen on.",
)
@device_option
def studio(host: str, port: int, device: str) -> None:
    """Try priors and solvers in a browser.

    Choose or bring a picture, measure it or draw a hole in it, and see what several solvers make of
    the rest, with their errors and the command line that gives the same; and walk between latents.

    Needs Gradio: pip install "ganprior[studio]". Nothing is fetched and nothing is told to anyone.
    The page is for this machine alone; with --host 0.0.0.0 for all who reach it, without a password
    and unencrypted.
    """
    if importlib.util.find_spec("gradio") is None:
        raise ValueError(
            "the studio needs Gradio; install it: pip install 'ganprior[studio]', or '.[studio]' "
            "in a checkout"
        )

    from ganprior.cli.devices import pick_device
    from ganprior.studio.server import serving

    with serving(host, port, str(pick_device(device))) as page:
        click.echo(f"the studio is at {page.local_url}; Ctrl-C ends it")
        threading.Event().wait()
