"""The studio in a headless Chromium, as a visitor uses it."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

server = pytest.importorskip("ganprior.studio.server", reason="Gradio is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
PATIENCE = 240_000  # milliseconds


@pytest.fixture(scope="module")
def browser():
    """Browser and address; only addresses of this machine are resolved."""
    with server.serving("127.0.0.1", None) as page, playwright.sync_playwright() as driver:
        # Chromium's sandbox is not for the superuser, nor inside most containers.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium, page.local_url
        chromium.close()


def visit(browser):
    """Open the page, with Lasso alone chosen, and give it with the addresses it asked for."""
    chromium, address = browser
    page = chromium.new_page(viewport={"width": 1300, "height": 1300})
    page.set_default_timeout(PATIENCE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.get_by_label("auto", exact=True).uncheck()
    page.get_by_label("csgm", exact=True).uncheck()
    page.locator("canvas").first.wait_for()
    return page, asked


def start(page):
    page.get_by_role("button", name="Reconstruct", exact=True).click()


def has_command(page, words: str, where: str = "command") -> None:
    """Wait until the command line that is shown has some words."""
    box = page.locator(f"#{where} textarea")
    playwright.expect(box).to_have_value(re.compile(re.escape(words)), timeout=PATIENCE)


def picture(page, where: str) -> str:
    return str(page.locator(f"#{where} img").first.get_attribute("src"))


def result(page, words: str) -> str:
    """Address of the result's picture, once the command is the one that is waited for."""
    has_command(page, words)
    return picture(page, "result")


def saved(page, folder: Path) -> dict[str, np.ndarray]:
    """Pictures of the file that the button saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Save picture").click()
    download.value.save_as(folder / "saved.zip")
    with zipfile.ZipFile(folder / "saved.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".png")]
        return {name: np.asarray(Image.open(archive.open(name))) for name in names}


def test_a_visitor_measures_then_draws_a_hole(browser, tmp_path):
    page, asked = visit(browser)
    start(page)
    measured = result(page, "ganprior reconstruct picture.png --measure gaussian:m=50")
    page.get_by_label("a hole that I draw").check()
    box = page.locator("canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 60, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=10)
    page.mouse.up()
    start(page)
    filled = result(page, "ganprior inpaint picture.png --mask mask.png")
    assert filled != measured
    files = saved(page, tmp_path)
    hidden = files["mask.png"] > 0
    assert 10 < hidden.sum() < 200
    # A stroke across the middle: wider than it is high.
    rows, columns = hidden.any(1), hidden.any(0)
    assert rows.sum() < columns.sum()
    assert rows[12:16].any()
    assert files["results/lasso-dct.png"].shape == files["picture.png"].shape == (28, 28)
    assert [
        url for url in asked if not url.startswith(("http://127.0.0.1", "blob:", "data:"))
    ] == []


def test_a_bad_picture_is_one_line_on_the_page(browser, tmp_path):
    page, _ = visit(browser)
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    page.locator("input[type=file]").first.set_input_files(bad)
    message = page.get_by_text("bad.png cannot be read as an image")
    message.wait_for()
    assert "\n" not in message.inner_text()
    assert str(tmp_path) not in page.content()


def test_two_visitors_at_once_see_their_own(browser):
    first, second = visit(browser)[0], visit(browser)[0]
    second.get_by_label("number input for Measurements m").fill("200")
    second.keyboard.press("Tab")
    start(first)
    start(second)
    own, others = result(first, "gaussian:m=50"), result(second, "gaussian:m=200")
    assert own != others
    has_command(first, "gaussian:m=50")


def test_a_walk_moves_the_picture(browser):
    page, _ = visit(browser)
    page.get_by_role("tab", name="Walk between latents").click()
    has_command(page, "--seed 0", "walk-command")
    before = picture(page, "there")
    page.get_by_label("number input for Seed of the two latents").fill("7")
    page.keyboard.press("Tab")
    has_command(page, "--seed 7", "walk-command")
    assert picture(page, "there") != before
