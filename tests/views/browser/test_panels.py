"""Line panels under a heatmap, in a real JupyterLab and a real Chromium: one time axis, one cursor."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

CELLS = [
    """\
from tests.support.market_cell import running_market
from workbench.views.cvd import Cvd
from workbench.views.depth_over_time import DepthOverTime
from workbench.views.heatmap import Heatmap
from workbench.views.vwap import Vwap
s = running_market(60)""",
    "Heatmap(s, height=260)",
    "Cvd(s, height=150, reset='none', divergence=0)",
    "Vwap(s, height=150)",
    "DepthOverTime(s, height=200)",
]
PANELS = (".ow-cvd", ".ow-vwap", ".ow-depth-over-time")


def standing(page) -> None:
    """Wait until the heatmap and every panel have drawn something that the kernel sent."""
    for selector in (".ow-heatmap", *PANELS):
        page.until(f"Number(document.querySelector('{selector}')?.dataset.drawn ?? 0) > 2", 90)


def span(selector: str) -> str:
    """Time range that a panel shows, as it says of itself."""
    return f"Number(document.querySelector('{selector}').dataset.spanMs)"


def following(selector: str) -> str:
    return f"document.querySelector('{selector}').dataset.follow"


def test_panels_share_time_and_cursor_with_the_heatmap(open_notebook):
    """Panels draw; a zoom of one reaches the others; a drag into the past stops all; F follows again everywhere."""
    page = open_notebook("panels", CELLS)
    page.run_all()
    standing(page)
    for selector in PANELS:
        page.until(f"{span(selector)} > 0", 30)
        assert page.colours(f"{selector} canvas")["colours"] > 8
    before = page.page.evaluate(span(".ow-vwap"))
    box = page.page.query_selector(".ow-cvd canvas").bounding_box()
    x, y = box["x"] + 200, box["y"] + 60
    page.page.mouse.move(x, y)
    for _ in range(6):
        page.page.mouse.wheel(0, 120)
    page.until(f"{span('.ow-vwap')} > {before * 2}", 30)
    page.until(f"Math.abs({span('.ow-cvd')} - {span('.ow-depth-over-time')}) < {before * 0.02}", 30)
    page.page.mouse.down()
    page.page.mouse.move(x + 90, y, steps=4)
    page.page.mouse.up()
    page.until(f"{following('.ow-vwap')} === 'false'", 30)
    page.page.focus(".ow-vwap canvas")
    page.page.keyboard.press("f")
    page.until(f"{following('.ow-cvd')} === 'true'", 30)
    assert page.complaints == []


def test_resets_and_anchors_by_hand_reach_the_kernel(open_notebook):
    """R on the CVD begins it again; A and a click on the VWAP add an average; what is told comes back to the page."""
    page = open_notebook("panel-acts", CELLS)
    page.run_all()
    standing(page)
    page.page.focus(".ow-cvd canvas")
    page.page.keyboard.press("r")
    page.until("document.querySelector('.ow-cvd').dataset.marks === '1'", 30)
    page.page.focus(".ow-vwap canvas")
    page.page.keyboard.press("a")
    assert page.page.get_attribute(".ow-vwap", "data-aiming") == "true"
    page.page.click(".ow-vwap canvas", position={"x": 500, "y": 60})
    page.until("document.querySelector('.ow-vwap').dataset.series === '3'", 30)
    page.page.keyboard.press("x")
    page.until("document.querySelector('.ow-vwap').dataset.series === '2'", 30)
    assert page.complaints == []
