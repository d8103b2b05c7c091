"""Scripts: joined as anywidget wants them, tested by node, without network, markup or evaluation."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from workbench.views.esm import joined, source

FOLDER = Path(__file__).parents[2] / "workbench" / "views"
VIEWS = (
    "footprint.js",
    "explorer.js",
    "heatmap.js",
    "ladder.js",
    "profile.js",
    "cvd.js",
    "vwap.js",
    "depth_over_time.js",
    "tape.js",
    "health.js",
    "ticket.js",
    "workspace_bar.js",
    "workspace_grip.js",
)
SCRIPTS = sorted(path.name for path in FOLDER.glob("*.js"))


def node() -> str:
    found = shutil.which("node")
    if found is None and not os.environ.get("CI"):
        pytest.skip("node is not installed; CI has it")
    assert found is not None, "CI must have node"
    return found


@pytest.mark.parametrize("name", VIEWS)
def test_a_joined_view_is_one_valid_module(name, tmp_path):
    """No import is left, one default export stays, and node parses it: no name is declared twice."""
    text = joined(name)
    assert not re.search(r"^import ", text, re.MULTILINE)
    assert re.findall(r"^export .*", text, re.MULTILINE) == ["export default { render };"]
    path = tmp_path / "view.mjs"
    path.write_text(text)
    subprocess.run([node(), "--check", path], check=True)


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_use_neither_markup_nor_network_nor_evaluation(name):
    """Names of instruments are hostile: they reach the page only as text."""
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|fetch\(|XMLHttpRequest|https?://|import\("
    assert not re.search(forbidden, source(name))


def test_node_tests_pass():
    """The pure helpers keep their rules under node --test."""
    tests = sorted(str(path) for path in Path(__file__).parent.glob("*.test.mjs"))
    result = subprocess.run(
        [node(), "--test", *tests], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout[-4000:]
