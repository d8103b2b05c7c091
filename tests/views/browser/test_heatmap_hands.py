"""Hands on the heatmap in a real JupyterLab: a rectangle that is brushed is a frame, one that is named stays named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.eventually import eventually

pytestmark = pytest.mark.browser

MARKET = """\
from tests.support.market_cell import running_market
from workbench.views.heatmap import Heatmap
s = running_market(30)
h = Heatmap(s)
h"""
# the frame against a loop over every event, told in one word
COMPARE = """\
import numpy as np
from fractions import Fraction
x, f = h.selection, h.selection.frame()
c = s.captured.columns.view()
price = c[4].astype(float) * 0.25
inside = (c[0] >= x.start_ns) & (c[0] < x.end_ns) & (c[2] != 8)
inside &= np.isin(c[2], [6, 7, 9, 10]) | ((price >= x.low) & (price <= x.high))
numbers = s.captured.columns.sequence()[inside]
import workbench as wb
same = f["sequence"].to_list() == numbers.tolist() and eval(x.code).equals(f)
print("verdict", same and len(f) > 50)"""
RECORDED = """\
import workbench as wb
from pathlib import Path
from tests.support.market_cell import Wanderer, START_NS
from workbench.events import Instrument
from workbench.frames.recording import write_recording
from workbench.views.heatmap import Heatmap
here = Path("labelled")
if not here.exists():
    write_recording(here, Instrument("WANDER", "0.25"), Wanderer().advance(START_NS + 60 * 10**9), source={})
r = wb.open_recording(here)
h = Heatmap(r)
h"""
CANVAS = ".ow-heatmap canvas"


def standing(page: Any) -> dict[str, float]:
    """Wait for the picture; where its canvas lies."""
    page.until("Number(document.querySelector('.ow-heatmap')?.dataset.columns ?? 0) > 100", 120)
    page.page.locator(".ow-heatmap").scroll_into_view_if_needed()
    return page.page.query_selector(CANVAS).bounding_box()


def drag(page: Any, box: dict[str, float], start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw with the mouse from one point of the canvas to another."""
    page.page.mouse.move(box["x"] + start[0], box["y"] + start[1])
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + end[0], box["y"] + end[1], steps=6)
    page.page.mouse.up()


def take(page: Any, key: str, tool: str) -> None:
    """Take a tool into the hand by its key."""
    page.page.focus(CANVAS)
    page.page.keyboard.press(key)
    page.until(f"document.querySelector('.ow-heatmap').dataset.tool === '{tool}'", 10)


def outputs(page: Any) -> str:
    return page.page.inner_text(".jp-Notebook")


def test_a_brushed_rectangle_is_a_frame_of_exactly_its_events(open_notebook) -> None:
    """Drawn with the mouse; the kernel's frame equals a mask over all events, and so does its line of code."""
    page = open_notebook("brush", [MARKET, COMPARE])
    page.run_all()
    box = standing(page)
    take(page, "b", "select")
    drag(page, box, (box["width"] * 0.55, 120), (box["width"] * 0.2, 360))
    page.until("document.querySelector('.ow-heatmap').dataset.selected?.startsWith('wb.events_in(s, ')", 60)
    assert "events · buy" in page.page.inner_text(".ow-selection .ow-facts")
    code = page.page.inner_text(".ow-selection .ow-code")
    assert code == page.page.get_attribute(".ow-heatmap", "data-selected")
    page.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status")
    page.run_cell(1)
    eventually(lambda: "verdict True" in outputs(page), 60, what="the same events")
    page.page.click(".ow-selection button[title='Select nothing']")
    page.until("document.querySelector('.ow-selection').hidden", 30)
    assert page.complaints == []


def test_a_region_that_is_named_stays_named(open_notebook, lab) -> None:
    """Drawn and named; after a reload of the page it is there, on disk it is too; a click on it takes it away again."""
    cells = [RECORDED, "print('on disk', wb.labels(wb.open_recording(here))['name'].to_list())"]
    page = open_notebook("label", cells)
    page.run_all()
    box = standing(page)
    take(page, "l", "label")
    drag(page, box, (box["width"] * 0.2, 100), (box["width"] * 0.5, 300))
    page.until("document.querySelector('.ow-label-form')?.hidden === false", 20)
    page.page.keyboard.type("<b>absorption</b>")
    page.page.keyboard.press("Enter")
    labels = "Number(document.querySelector('.ow-heatmap')?.dataset.labels ?? 0)"
    page.until(f"{labels} === 1", 60)
    page.run_cell(1)
    eventually(lambda: "on disk ['<b>absorption</b>']" in outputs(page), 60, what="the label on disk")

    page.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => true)")
    page.page.reload()
    box = standing(page)
    page.until(f"{labels} === 1", 60)
    take(page, "l", "label")
    page.page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + 200)
    page.until("document.querySelector('.ow-label-form')?.hidden === false", 20)
    assert page.page.input_value(".ow-label-form input") == "<b>absorption</b>"
    page.page.click(".ow-label-form button[title='Remove this label']")
    page.until(f"{labels} === 0", 60)
    assert page.page.evaluate("document.querySelectorAll('.ow-heatmap b').length") == 0
    assert page.complaints == []
