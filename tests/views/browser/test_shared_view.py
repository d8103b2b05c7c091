"""One view shown twice on a page: both draw, each looks where it wants, and one that goes leaves the other alone."""

from __future__ import annotations

import pytest

from tests.support.eventually import eventually

pytestmark = pytest.mark.browser

MARKET = """\
from tests.support.market_cell import running_market
from workbench.views.heatmap import Heatmap
from IPython.display import display
s = running_market(240)
h = Heatmap(s, height=300)"""


def data(page, name: str) -> list[str | None]:
    """Value of a data attribute of every heatmap on the page."""
    return page.page.evaluate(
        f"[...document.querySelectorAll('.ow-heatmap')].map(view => view.dataset.{name} ?? null)"
    )


def look_back(page, index: int) -> None:
    """Drag a heatmap into the past and zoom in there."""
    box = page.page.locator(".ow-heatmap canvas").nth(index).bounding_box()
    x, y = box["x"] + 300, box["y"] + 120
    page.page.mouse.move(x, y)
    for _ in range(9):
        page.page.mouse.wheel(0, 120)
    page.page.mouse.down()
    page.page.mouse.move(x + 300, y, steps=5)
    page.page.mouse.up()
    for _ in range(14):
        page.page.mouse.wheel(0, -120)


def test_a_view_on_the_page_twice_serves_both(open_notebook):
    """Both draw the same messages and get tiles of the past; when one is taken away, the other goes on."""
    page = open_notebook("shared", [MARKET, "display(h)", "display(h)"])
    page.run_all()
    eventually(
        lambda: all(int(n or 0) > 3 for n in data(page, "drawn")) and len(data(page, "drawn")) == 2,
        120,
        what="both",
    )
    eventually(lambda: all(float(ms or 0) > 0 for ms in data(page, "columnMs")), 30, what="a scale")
    look_back(page, 0)
    eventually(
        lambda: all(int(n or 0) > 0 for n in data(page, "tiles")),
        60,
        what="tiles in both, as they are linked",
    )
    ids = {tile.split(":")[0] for tile in data(page, "tile")}
    assert len(ids) == 2, "each has the answers to its own looks"
    page.page.evaluate(
        "() => { const n = window.jupyterapp.shell.currentWidget.content; n.activeCellIndex = 1;"
        " n.deselectAll(); window.jupyterapp.commands.execute('notebook:clear-cell-output'); }"
    )
    eventually(lambda: len(data(page, "drawn")) == 1, 30, what="one view less")
    before = int(data(page, "drawn")[0])
    eventually(lambda: int(data(page, "drawn")[0]) > before + 40, 60, what="messages to the one that stayed")
    assert page.complaints == []
