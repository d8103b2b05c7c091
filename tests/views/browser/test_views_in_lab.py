"""The three views on a running market, in a real JupyterLab and a real Chromium."""

from __future__ import annotations

import pytest

from tests.support.eventually import eventually

pytestmark = pytest.mark.browser

MARKET = """\
from tests.support.market_cell import running_market
from workbench.views.heatmap import Heatmap
from workbench.views.ladder import Ladder
from workbench.views.profile import Profile
s = running_market(30)"""
# idle when all cells run, busy for a while when it runs again
BUSY = """\
import time
end = time.time() + (10 if "end" in globals() else 0)
while time.time() < end:
    pass"""
VIEWS = (".ow-heatmap", ".ow-ladder", ".ow-profile")
HOSTILE = "<img src=x onerror=window.harmed=1>"


def drawn(selector: str) -> str:
    return f"Number(document.querySelector('{selector}')?.dataset.drawn ?? 0)"


def standing(page) -> None:
    """Wait until every view has drawn something that the kernel sent."""
    for selector in VIEWS:
        page.until(f"{drawn(selector)} > 0", 90)


def pictures_change(page, seconds: float = 20.0) -> None:
    """Wait until the pixels of the heatmap are other ones."""
    before = page.colours(".ow-heatmap canvas")
    assert before["colours"] > 40, "an empty picture has few colours"
    eventually(
        lambda: page.colours(".ow-heatmap canvas")["hash"] != before["hash"], seconds, what="new pixels"
    )


def test_the_views_draw_move_survive_a_busy_kernel_and_a_reload(open_notebook):
    """Pictures are not empty and change; a cell that sleeps or computes does not stop them; a reload brings them back."""
    cells = [
        MARKET,
        "Heatmap(s)",
        "Ladder(s)",
        "Profile(s)",
        BUSY,
    ]
    page = open_notebook("live", cells)
    page.run_all()
    standing(page)
    pictures_change(page)
    assert page.colours(".ow-profile canvas")["colours"] > 8
    ladder = page.page.inner_text(".ow-ladder tbody")
    assert page.page.inner_text(".ow-ladder caption").startswith("Price ladder of")
    eventually(lambda: page.page.inner_text(".ow-ladder tbody") != ladder, 30, what="a change in the ladder")

    status = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status"
    page.until(f"{status} === 'idle'", 90)
    page.run_cell(4)
    page.until(f"{status} === 'busy'")
    at = page.page.evaluate(drawn(".ow-heatmap"))
    page.until(f"{status} === 'busy' && {drawn('.ow-heatmap')} > {at + 20}", 30)

    page.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => true)")
    page.page.reload()
    standing(page)
    pictures_change(page, 40)
    assert page.complaints == []


def test_zooming_and_panning_ask_for_another_resolution_and_come_back(open_notebook):
    """The wheel zooms out to longer columns; a drag into the past stops following; F follows again."""
    page = open_notebook("hands", [MARKET, "Heatmap(s)"])
    page.run_all()
    page.until(f"{drawn('.ow-heatmap')} > 3", 90)
    columns = int(page.page.get_attribute(".ow-heatmap", "data-columns"))
    box = page.page.query_selector(".ow-heatmap canvas").bounding_box()
    x, y = box["x"] + 300, box["y"] + 150
    page.page.mouse.move(x, y)
    for _ in range(8):
        page.page.mouse.wheel(0, 120)
    page.until(f"Number(document.querySelector('.ow-heatmap').dataset.columns) < {columns * 0.7}", 30)
    page.page.mouse.down()
    page.page.mouse.move(x + 80, y + 60, steps=4)
    page.page.mouse.up()
    assert page.page.is_visible(".ow-follow")
    page.page.focus(".ow-heatmap canvas")
    page.page.keyboard.press("f")
    assert not page.page.is_visible(".ow-follow")
    pictures_change(page)
    assert page.complaints == []


def test_hostile_names_are_text(open_notebook):
    """A name that is markup is written letter by letter and runs nothing."""
    cells = [
        MARKET.replace("running_market(30)", f"running_market(10, symbol={HOSTILE!r})"),
        "Heatmap(s)",
        "Ladder(s)",
        "Profile(s)",
    ]
    page = open_notebook("hostile", cells)
    page.run_all()
    standing(page)
    assert page.page.inner_text(".ow-heatmap .ow-title") == HOSTILE
    assert page.page.evaluate("window.harmed") is None
    assert page.page.evaluate("document.querySelectorAll('.ow-root img').length") == 0
    assert page.complaints == []
