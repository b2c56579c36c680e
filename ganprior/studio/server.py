"""The server of the studio: nothing but the page, to this machine alone unless asked otherwise."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Bytes of a picture that somebody uploads, and of whatever else is sent.
LARGEST_UPLOAD = 20 * 2**20
# Visitors that wait for a solver.
MOST_WAITING = 20
# Ways of Gradio's to fetch from other machines.
_ELSEWHERE = ("/file=http", "/proxy=")


class Guard:
    """Refuse requests that are too large, or that lead to other machines.

    Parameters
    ----------
    app : callable
        What answers the others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        refused = None
        if any(word in scope["path"] for word in _ELSEWHERE):
            refused = PlainTextResponse("the studio fetches nothing\n", 403)
        elif not _is_short(headers.get(b"content-length", b"0")):
            refused = PlainTextResponse(f"more than {LARGEST_UPLOAD} bytes\n", 413)
        if refused is not None:
            await refused(scope, receive, send)
            return
        await self._app(scope, _counted(receive), send)


def _is_short(length: bytes) -> bool:
    return length.isdigit() and int(length) <= LARGEST_UPLOAD


def _counted(receive: Receive) -> Receive:
    """Break off a request that is longer than it said."""
    left = LARGEST_UPLOAD

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else {"type": "http.disconnect"}

    return counted


@contextmanager
def serving(host: str, port: int | None, device: str = "cpu") -> Iterator[Any]:
    """Serve the page while the block runs.

    Parameters
    ----------
    host : str
        Address to listen on.
    port : int or None
        Port; a free one for None.
    device : str
        Where solvers compute.

    Yields
    ------
    gradio Blocks
        The page, with its address in ``local_url``.

    Raises
    ------
    ValueError
        If the address cannot be used.
    """
    with tempfile.TemporaryDirectory(prefix="ganprior-studio-") as folder:
        # What visitors bring and take goes with the server; nothing is fetched or told.
        os.environ.update(
            GRADIO_TEMP_DIR=folder, GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1"
        )
        import gradio as gr

        from ganprior.studio.page import build

        page = build(device, Path(folder))
        page.queue(max_size=MOST_WAITING, api_open=False, default_concurrency_limit=4)
        fonts = ("system-ui", "sans-serif")
        try:
            page.launch(
                server_name=host,
                server_port=port,
                theme=gr.themes.Default(font=fonts, font_mono=("ui-monospace", "monospace")),
                max_file_size=LARGEST_UPLOAD,
                app_kwargs={"middleware": [Middleware(Guard)]},
                allowed_paths=[],
                footer_links=[],
                share=False,
                ssr_mode=False,
                enable_monitoring=False,
                prevent_thread_lock=True,
                quiet=True,
            )
        except OSError as error:
            raise ValueError(
                f"cannot listen on {host}, port {port or 'any'}: it is taken, or not this "
                "machine's; choose another --port or --host"
            ) from error
        try:
            yield page
        finally:
            page.close(verbose=False)
