"""The studio by HTTP, without a browser: what it serves, what it refuses, two visitors at once."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganprior.studio.pictures import CLOTHES
from tests.cli_cases import refuse

gradio_client = pytest.importorskip("gradio_client", reason="Gradio is not installed")
server = pytest.importorskip("ganprior.studio.server", reason="Gradio is not installed")

PRIOR = "fashion-mnist-dcgan"
MEASURED, HOLE = "random measurements", "a hole that I draw"


@pytest.fixture(scope="module")
def address():
    with server.serving("127.0.0.1", None) as page:
        yield page.local_url.rstrip("/")


def status(url: str, data: bytes | None = None, **headers: str) -> int:
    request = urllib.request.Request(url, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def visitor(address: str) -> Any:
    return gradio_client.Client(address, verbose=False, analytics_enabled=False)


def ask(client, *, number=0, upload=None, how=MEASURED, m=40, solvers=("lasso-dct",)):
    file = None if upload is None else gradio_client.handle_file(str(upload))
    return client.predict(
        PRIOR, CLOTHES, number, file, how, None, m, 0.0, 0, list(solvers), api_name="/reconstruct"
    )


def test_the_page_asks_no_other_machine_for_anything(address):
    with urllib.request.urlopen(address, timeout=300) as answer:
        text = answer.read().decode()
    with urllib.request.urlopen(f"{address}/theme.css", timeout=300) as answer:
        theme = answer.read().decode()
    assert "googleapis" not in theme
    assert "@import" not in theme
    config = json.loads(text.partition("window.gradio_config = ")[2].partition(";</script>")[0])
    assert config["analytics_enabled"] is False


def test_two_visitors_at_once_get_their_own(address, tmp_path):
    clients = [visitor(address) for _ in range(2)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda i: ask(clients[i], number=i, m=40 + i), range(2)))
    for i, (_, table, command, saved) in enumerate(answers):
        assert f"gaussian:m={40 + i}" in command
        assert [row[0] for row in table["data"]] == ["lasso-dct"]
        assert Path(saved["value"]).stat().st_size > 1000
    first, second = (np.asarray(Image.open(answer[0])) for answer in answers)
    assert not np.array_equal(first, second)


def test_a_visitors_picture_is_used_and_a_bad_one_refused_in_one_line(address, tmp_path):
    client = visitor(address)
    Image.fromarray(np.full((40, 30), 200, np.uint8)).save(tmp_path / "gray.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "bad.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0")
    assert float(ask(client, upload=tmp_path / "gray.png")[1]["data"][0][1]) < 0.1
    for name, words in {"bad.png": "bad.png cannot be read", "bad.eps": "Invalid file"}.items():
        with pytest.raises(Exception, match=words) as refused:
            ask(client, upload=tmp_path / name)
        assert "\n" not in str(refused.value)
        assert "ganprior-studio-" not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"solvers": ()}, "no solver is chosen"),
        ({"how": HOLE}, "nothing is hidden"),
        ({"solvers": ("nearest-patch:images=/etc/passwd",)}, "nearest-patch"),
    ],
)
def test_what_cannot_be_answered_is_one_line(address, changes, words):
    with pytest.raises(Exception, match=words) as refused:
        ask(visitor(address), **changes)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file={root}/pyproject.toml",
        "/gradio_api/file=pyproject.toml",
        "/gradio_api/file={temporary}/../../etc/passwd",
        "/gradio_api/file={temporary}/..%2f..%2fetc/passwd",
        "/gradio_api/file=file:///etc/passwd",
        "/gradio_api/file=http://127.0.0.1:1/x",
        "/gradio_api/proxy=http://127.0.0.1:1/x",
        "/file=/etc/passwd",
        "/static/../../../../../../etc/passwd",
        "/static/..%2f..%2f..%2f..%2f..%2fetc/passwd",
        "/assets/..%2f..%2f..%2f..%2f..%2f..%2fetc/passwd",
    ],
)
def test_no_path_of_the_server_is_readable(address, path):
    path = path.format(root=Path(__file__).parents[1], temporary=os.environ["GRADIO_TEMP_DIR"])
    assert status(address + path) in (403, 404)


def test_no_file_of_the_server_is_taken_for_an_upload(address):
    data = [
        PRIOR, CLOTHES, 0, {"path": "/etc/hostname.png", "meta": {"_type": "gradio.FileData"}},
        MEASURED, None, 40, 0.0, 0, ["lasso-dct"],
    ]  # fmt: skip
    body = json.dumps({"data": data}).encode()
    call = f"{address}/gradio_api/call/reconstruct"
    request = urllib.request.Request(call, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=300) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{call}/{event}", timeout=300) as answer:
        text = answer.read().decode()
    assert "event: error" in text
    assert "event: complete" not in text


def test_uploads_are_limited_in_size(address):
    large = server.LARGEST_UPLOAD + 1
    assert status(f"{address}/gradio_api/upload", b"x", **{"Content-Length": str(large)}) == 413


def test_the_address_is_this_machines_and_a_taken_port_is_said(address):
    port = int(address.rpartition(":")[2])
    assert address.startswith("http://127.0.0.1:")
    assert "--port" in refuse("studio", "--port", port)
    outside = socket.gethostbyname(socket.gethostname())
    if not outside.startswith("127."):
        with pytest.raises(OSError):
            socket.create_connection((outside, port), timeout=5)


def test_the_command_says_where_it_is_and_ends_with_ctrl_c():
    command = [sys.executable, "-m", "ganprior", "studio", "--port", str(free_port())]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets what it runs behind its back ignore Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as it:
        try:
            assert it.stdout.readline().startswith("the studio is at http://127.0.0.1:")
            time.sleep(0.1)
            it.send_signal(signal.SIGINT)
            _, errors = it.communicate(timeout=300)
        finally:
            it.kill()
    assert it.returncode == 130
    assert errors.splitlines()[-1:] == ["Error: interrupted"]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
