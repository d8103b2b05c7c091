"""The workspace in a real JupyterLab and a real Chromium: its rows, its grips, one time axis."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

CELLS = [
    """\
import workbench as wb
from tests.support.market_cell import running_market
s = running_market(60)""",
    "desk = wb.Workspace(s, layout=[{'Heatmap': 9, 'Ladder': 5}, {'Cvd': 9, 'Tape': 5}], height=360)\ndesk",
    "heatmap = desk.by_name['Heatmap']\nheatmap.settings = {**heatmap.settings, 'book': 'off'}",
]
ROWS = "[...document.querySelectorAll('.ow-row')]"


def opened(open_notebook, name: str):
    """Notebook with a small workspace in which every view has drawn."""
    page = open_notebook(name, CELLS)
    page.until("window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
    page.run_cell(0)
    page.run_cell(1)
    for selector in (".ow-heatmap", ".ow-ladder", ".ow-cvd", ".ow-tape-view"):
        page.until(f"Number(document.querySelector('{selector}')?.dataset.drawn ?? 0) > 2", 90)
    return page


def height(selector: str) -> str:
    """Height in pixels of the first element that a selector finds."""
    return f"document.querySelector('{selector}').getBoundingClientRect().height"


def test_the_panel_under_the_heatmap_has_its_time_axis_with_and_without_columns_beside_it(open_notebook):
    """Plots are equally wide; when the heatmap's columns go, the panel follows; neither is ever narrower than its cell."""
    page = opened(open_notebook, "workspace-axis")
    plots = "[document.querySelector('.ow-heatmap').dataset.plotPx, document.querySelector('.ow-cvd').dataset.plotPx]"
    page.until(f"new Set({plots}).size === 1", 30)
    before = int(page.page.evaluate(plots)[0])
    page.run_cell(2)
    page.until(f"Number({plots}[0]) > {before}", 30)
    page.until(f"new Set({plots}).size === 1", 30)
    assert page.complaints == []


def test_views_fill_their_row_and_follow_the_grips(open_notebook):
    """Every view of a row is as high as the row; a grip under it and its keys change it; a double-click undoes that."""
    page = opened(open_notebook, "workspace-rows")
    feet = f"{ROWS}.map((row) => [...row.querySelectorAll('.ow-main')].map((e) => Math.round(row.getBoundingClientRect().bottom - e.getBoundingClientRect().bottom)))"
    page.until(f"{feet}.flat().every((rest) => rest >= 0 && rest < 6)", 30)
    before = page.page.evaluate(height(".ow-row"))
    rows = page.page.evaluate("document.querySelectorAll('.ow-ladder tbody tr').length")
    page.page.focus(".ow-sash")
    for _ in range(4):
        page.page.keyboard.press("ArrowUp")
    page.until(f"Math.abs({height('.ow-row')} - {before - 96}) < 3", 30)
    page.until(f"document.querySelectorAll('.ow-ladder tbody tr').length < {rows}", 30)
    page.until(f"{feet}.flat().every((rest) => rest >= 0 && rest < 6)", 30)
    page.page.dblclick(".ow-sash")
    page.until(f"Math.abs({height('.ow-row')} - {before}) < 3", 30)
    assert page.complaints == []


def test_a_line_that_says_what_is_wrong_moves_nothing(open_notebook):
    """A fault shown in a view leaves all rows as high as they were; a narrow workspace stacks its views."""
    page = opened(open_notebook, "workspace-strip")
    heights = f"{ROWS}.map((row) => row.getBoundingClientRect().height).join()"
    before = page.page.evaluate(heights)
    page.page.evaluate(
        "() => document.querySelector('.ow-cvd').dispatchEvent(new CustomEvent('ow-fault', {detail: new Error('lost')}))"
    )
    page.until("document.querySelector('.ow-cvd .ow-strip').innerText.includes('lost')", 30)
    assert page.page.evaluate(heights) == before
    page.page.evaluate("() => { document.querySelector('.ow-workspace').style.width = '400px'; }")
    page.until(
        "document.querySelector('.ow-ladder').getBoundingClientRect().top >= "
        "document.querySelector('.ow-heatmap').getBoundingClientRect().bottom",
        30,
    )
    page.until(
        "[...document.querySelectorAll('.ow-row .ow-root')].every((e) => e.clientWidth > 370 && e.clientWidth < 400)",
        30,
    )
    assert page.complaints == []
