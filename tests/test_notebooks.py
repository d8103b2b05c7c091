"""Notebooks as documents: executed, small, without widget state, and built the way readers expect."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAX_BYTES = 400_000  # pictures included
MAX_CODE_CELLS, MAX_LINES = 15, 12
ACTIVE_CONTENT = re.compile(r"<script|javascript:|\son\w+=|data-commandlinker", re.IGNORECASE)


def _load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def _code_cells(path: Path) -> list[dict[str, Any]]:
    return [c for c in _load(path)["cells"] if c["cell_type"] == "code" and "".join(c["source"]).strip()]


def _outputs(path: Path) -> list[dict[str, Any]]:
    return [o for c in _code_cells(path) for o in c["outputs"]]


def test_the_first_notebooks_are_there() -> None:
    """The numbered path that the README promises exists."""
    names = {p.stem for p in NOTEBOOKS}
    promised = {
        "00_first_look",
        "01_events_and_frames",
        "02_record_and_replay",
        "03_import_real_data",
        "04_heatmap",
        "05_ladder_and_tape",
        "06_profile_footprint_cvd",
        "07_imbalance_and_ofi",
        "08_icebergs_absorption_spoofing",
        "09_fade_cliff_gap",
        "10_live_bookmap",
        "11_is_this_signal_real",
        "12_paper_trading",
        "13_risk",
        "14_backtest",
        "15_fill_uncertainty",
        "16_sweep_and_scale",
    }
    assert promised <= names


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_code_cell_was_executed_in_order(path: Path) -> None:
    """A cell that never ran is not compared by nbval, so none may be unexecuted."""
    counts = [c["execution_count"] for c in _code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_is_small_and_holds_no_widget_state(path: Path) -> None:
    """Widget state would carry megabytes of JavaScript, and whatever stood in a field."""
    assert path.stat().st_size <= MAX_BYTES
    assert "widgets" not in _load(path)["metadata"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_outputs_are_inert_and_name_no_machine(path: Path) -> None:
    """No active content, no errors, no warnings, no absolute path of whoever executed it."""
    for output in _outputs(path):
        assert output["output_type"] != "error"
        assert output.get("name") != "stderr"
        data = output.get("data", {})
        assert "application/javascript" not in data
        assert not ACTIVE_CONTENT.search("".join(data.get("text/html", "")))
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/home/|/Users/|/root/|/work/|[A-Z]:\\\\", text)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_reads_like_a_lesson(path: Path) -> None:
    """A question as title, short cells, no helper functions, a way on, and a closing cell."""
    cells = _load(path)["cells"]
    title = "".join(cells[0]["source"]).splitlines()[0]
    assert title.startswith("# ") and title.endswith("?")
    code = ["".join(c["source"]) for c in _code_cells(path)]
    assert len(code) <= MAX_CODE_CELLS
    assert all(len(c.splitlines()) <= MAX_LINES for c in code)
    assert not any(re.search(r"^\s*(def|class) ", c, re.MULTILINE) for c in code)
    assert any("Try next" in "".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    assert ".close()" in code[-1]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_views_leave_a_picture_for_readers_without_a_kernel(path: Path) -> None:
    """Each output with a live view also holds its picture."""
    for output in _outputs(path):
        data = output.get("data", {})
        if "application/vnd.jupyter.widget-view+json" in data:
            assert "image/png" in data
