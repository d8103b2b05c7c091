"""Orders by hand on a ladder: a real page, a real session, the bridge, and a stand-in that plays Bookmap."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from tests.support.eventually import eventually

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=window.harmed=1>"
ROW, LOWER = 20, 22


def cell(page: Any, column: str, index: int) -> Any:
    return page.page.query_selector_all(f".ow-ladder tbody .ow-col-{column}")[index]


def text(page: Any, column: str, index: int) -> str:
    return str(cell(page, column, index).inner_text())


def middle(page: Any, column: str, index: int) -> tuple[float, float]:
    box = cell(page, column, index).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def fresh(page: Any) -> None:
    """Wait for a word of the kernel: a ladder whose kernel is silent for a second takes no clicks."""
    drawn = int(page.page.get_attribute(".ow-ladder", "data-drawn"))
    page.until(f"Number(document.querySelector('.ow-ladder').dataset.drawn) > {drawn}")


def double_click(page: Any, row: int) -> None:
    """Place an order by a double click, again where a busy machine made both clicks ones that the ladder does not take."""
    for _ in range(10):
        fresh(page)
        cell(page, "buys", row).dblclick()
        with contextlib.suppress(AssertionError):
            eventually(lambda: text(page, "buys", row).startswith("1 ≈"), 15, what="a working order")
            return
    raise AssertionError(f"ten double clicks placed nothing: {page.page.inner_text('.ow-notes')!r}")


def said(page: Any) -> str:
    """What the last cell that printed has printed."""
    return str(
        page.page.evaluate(
            "[...document.querySelectorAll('.jp-OutputArea-output pre')].at(-1)?.innerText ?? ''"
        )
    ).strip()


def test_orders_are_placed_moved_and_taken_back_by_hand(open_notebook, tmp_path):
    """Closed locks refuse in words; a double click is one order; a drag moves it; a right-click takes it back."""
    cells = [
        f"from tests.support.order_cell import TradedMarket\nimport workbench as wb\nm = TradedMarket({str(tmp_path)!r})",
        "wb.Ladder(m.session, rows=25, row_ticks=1)",
        "m.open_locks()",
        "print([(o.side, o.limit, o.status) for o in m.session.orders])",
        "m.close()",
    ]
    page = open_notebook("orders", cells)
    page.until("window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
    page.run_cell(0)
    page.run_cell(1)
    page.until("Number(document.querySelector('.ow-ladder')?.dataset.drawn ?? 0) > 3", 240)
    assert "Allow orders from notebooks" in page.page.inner_text(".ow-reason")
    page.page.hover(".ow-ladder tbody")
    page.page.mouse.wheel(0, 1)  # no longer locked to the touch: rows keep their prices
    page.until("document.querySelector('.ow-controls button[aria-pressed=false]') !== null")
    page.until("Number(document.querySelector('.ow-ladder')?.dataset.drawn ?? 0) > 20")
    price, lower = text(page, "price", ROW), text(page, "price", LOWER)
    assert float(price) > float(lower)
    fresh(page)
    cell(page, "buys", ROW).click()
    assert page.page.inner_text(".ow-notes").startswith("nothing placed: tick")

    page.run_cell(2)
    page.until("document.querySelector('.ow-ladder .ow-reason').hidden")
    double_click(page, ROW)
    fresh(page)
    page.page.mouse.move(*middle(page, "buys", ROW))
    page.page.mouse.down()
    page.page.mouse.move(*middle(page, "buys", LOWER), steps=5)
    page.page.mouse.up()
    eventually(
        lambda: text(page, "buys", LOWER).startswith("1 ≈") and not text(page, "buys", ROW), what="a move"
    )
    fresh(page)
    cell(page, "buys", LOWER).click(button="right")
    eventually(lambda: not text(page, "buys", LOWER), what="a cancel")

    page.run_cell(3)
    eventually(lambda: said(page) == f"[('BUY', {float(lower)}, 'CANCELED')]", what="one order in all")
    page.run_cell(4)
    page.until("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'")
    page.until("/closed/.test(document.querySelector('.ow-ladder .ow-strip').innerText)")
    assert page.complaints == []


def test_a_ladder_that_cannot_trade_says_why_and_runs_no_name(open_notebook):
    """Names that are markup are written letter by letter; columns come and go; rows are grouped by hand."""
    cells = [
        "from tests.support.market_cell import running_market\nfrom workbench.views.ladder import Ladder",
        f"Ladder(running_market(10, symbol={HOSTILE!r}), rows=21)",
    ]
    page = open_notebook("hostile-ladder", cells)
    page.run_all()
    page.until("Number(document.querySelector('.ow-ladder')?.dataset.drawn ?? 0) > 3", 90)
    assert page.page.inner_text(".ow-head b") == HOSTILE
    assert page.page.inner_text(".ow-reason") == "orders off: nothing here takes orders"
    fresh(page)
    cell(page, "buys", 15).click()
    assert page.page.inner_text(".ow-notes") == "nothing placed: nothing here takes orders"

    page.page.click(".ow-controls button:has-text('columns')")
    page.page.click(".ow-menu label:has-text('P/L')")
    page.until("document.querySelectorAll('.ow-ladder thead th').length === 12")
    page.page.keyboard.press("Escape")
    page.page.select_option(".ow-controls select", "5")
    eventually(
        lambda: float(text(page, "price", 3)) - float(text(page, "price", 4)) == 1.25,
        what="rows of five ticks",
    )
    page.page.focus(".ow-ladder table")
    top = text(page, "price", 0)
    page.page.keyboard.press("PageUp")
    eventually(lambda: text(page, "price", 0) != top, what="another page")
    page.page.keyboard.press("c")
    page.until("document.querySelector('.ow-controls button[aria-pressed=true]') !== null")
    assert page.page.evaluate("window.harmed") is None
    assert page.page.evaluate("document.querySelectorAll('.ow-root img').length") == 0
    assert page.complaints == []
