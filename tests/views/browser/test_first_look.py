"""The README's first command: JupyterLab opens on the first notebook, and the market moves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import eventually
from tests.support.jupyter import answers, free_port, own_jupyter

pytestmark = pytest.mark.browser

TOKEN = "token-of-the-first-look"
HEATMAP = "document.querySelector('.ow-heatmap')?.dataset.drawn ?? 0"


@pytest.fixture
def first_look(tmp_path: Path) -> Iterator[str]:
    """Address of the page that ``workbench lab`` would open."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    environment = own_jupyter(tmp_path) | {"WORKBENCH_RUNTIME_DIR": str(runtime)}
    port = free_port()
    command = [
        sys.executable, "-m", "workbench", "lab", "--no-browser", "--port", str(port), "--allow-root",
        f"--IdentityProvider.token={TOKEN}", "--LabApp.news_url=None",
    ]  # fmt: skip
    with (tmp_path / "lab.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: answers(address, TOKEN), 240, what="JupyterLab")
        yield f"{address}/lab/workspaces/first/tree/00_first_look.ipynb?token={TOKEN}"
    finally:
        process.terminate()
        process.wait(60)
        sys.stdout.write(
            (tmp_path / "lab.log").read_text(errors="replace")[-4000:]
        )  # shown when the test fails
    assert list(runtime.glob("*.json")) == [], "the feed ends with its JupyterLab"


def test_the_first_notebook_runs_by_itself_and_moves(first_look: str, browser: Any) -> None:
    """Nobody presses a key: the heatmap stands, is full of colours, and goes on drawing."""
    page = browser.new_page(viewport={"width": 1500, "height": 1200})
    page.goto(first_look)
    eventually(lambda: int(page.evaluate(HEATMAP)) > 0, 180, what="the first picture")
    before = int(page.evaluate(HEATMAP))
    eventually(lambda: int(page.evaluate(HEATMAP)) > before + 20, 60, what="a moving picture")
    page.close()
