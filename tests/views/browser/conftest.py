"""One real JupyterLab and one headless Chromium for all browser tests."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import eventually
from tests.support.jupyter import FLAGS, IDLE, RUN_CELL, answers, notebook_of, start_lab

TOKEN = "token-of-the-browser-tests"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")


@dataclass
class Lab:
    """A running JupyterLab with its folder."""

    address: str
    folder: Path

    def notebook(self, name: str, cells: list[str]) -> str:
        """Write a notebook of code cells; returns its address in Lab."""
        (self.folder / f"{name}.ipynb").write_text(json.dumps(notebook_of(cells)))
        return f"{self.address}/lab/workspaces/{name}/tree/{name}.ipynb?token={TOKEN}"


@dataclass
class Page:
    """A notebook open in a browser, with what its console complained of."""

    page: Any
    complaints: list[str] = field(default_factory=list)

    def until(self, script: str, seconds: float = 60.0) -> Any:
        """Value of a page expression once it is true."""
        return eventually(lambda: self.page.evaluate(script), seconds, what=script)

    def run_all(self) -> None:
        """Run every cell and wait until the kernel is idle or the first view stands."""
        self.until(IDLE)
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")

    def run_cell(self, index: int) -> None:
        """Run one cell by its number."""
        self.page.evaluate(RUN_CELL, index)

    def colours(self, selector: str) -> dict[str, float]:
        """Statistics of a canvas: number of colours, mean and a checksum of its pixels."""
        return self.page.evaluate(
            """selector => { const c = document.querySelector(selector);
            const d = new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer);
            let sum = 0, hash = 0; const seen = new Set();
            for (let i = 0; i < d.length; i += 3) { seen.add(d[i]); sum += d[i] & 255; hash = (hash * 31 + d[i]) | 0; }
            return {colours: seen.size, mean: sum / (d.length / 3), hash}; }""",
            selector,
        )


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("lab")
    folder = home / "notebooks"
    folder.mkdir()
    server, address = start_lab(home, folder, TOKEN)
    try:
        eventually(lambda: answers(address, TOKEN), 90, what="JupyterLab")
        yield Lab(address, folder)
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = os.environ.get("WORKBENCH_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None and not os.environ.get("CI"):
        pytest.skip(
            f"no browser: install Chromium or set WORKBENCH_CHROMIUM (looked for {', '.join(BROWSERS)})"
        )
    assert path is not None, "CI must have Chromium"
    with sync_playwright() as tools:
        chromium = tools.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_notebook(lab: Lab, browser: Any) -> Iterator[Callable[[str, list[str]], Page]]:
    context = browser.new_context(viewport={"width": 1500, "height": 1500})
    opened: list[Page] = []

    def open_page(name: str, cells: list[str]) -> Page:
        page = Page(context.new_page())
        page.page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.page.on("console", lambda line: _note(page, line))
        page.page.goto(lab.notebook(name, cells))
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        page.page.evaluate(
            "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.shutdown().then(() => true)"
        )
    context.close()


def _note(page: Page, line: Any) -> None:
    # Only what comes from the views' own code: Lab itself logs refused requests for optional services.
    if line.type == "error" and "ow-" in line.text:
        page.complaints.append(line.text)
