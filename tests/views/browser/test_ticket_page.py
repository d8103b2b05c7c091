"""The trading panel in a real JupyterLab: one click one order, whatever kernel, page and hand do meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

INLINE = "import workbench as wb\ns = wb.simulate(seed=7, inline=True)\ns.advance('20s')"
ENGINE = "import os, time\nimport workbench as wb\ns = wb.simulate(seed=7)\ns.until(predicate=lambda s: s.book.valid and len(s.trades) > 20)"
OPEN = "document.querySelectorAll('.ow-blotter tr.ow-open').length"
ROWS = "document.querySelectorAll('.ow-blotter tbody tr').length"
BLOCK = "print('pid', os.getpid(), flush=True)\ntime.sleep(90)\nprint('woke', 'up')"
NOTE = "(document.querySelector('.ow-deal [role=alert]')?.innerText ?? '')"
BADGE = "(document.querySelector('.ow-badge')?.innerText ?? '')"
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status"
PRINTED = (
    "[...document.querySelectorAll('.jp-OutputArea-output pre')].map((node) => node.innerText).join('\\n')"
)


def standing(open_notebook: Any, name: str, cells: list[str]) -> Any:
    """A notebook whose first two cells ran: a market, and a panel that lets orders through."""
    page = open_notebook(name, cells)
    page.until(f"window.jupyterapp?.shell?.currentWidget?.sessionContext?.session && {KERNEL} === 'idle'")
    page.run_cell(0)
    page.run_cell(1)
    ready(page)
    return page


def ready(page: Any) -> None:
    page.until("/orders go through/.test(document.querySelector('.ow-why')?.innerText ?? '')", 180)


def shows(page: Any, script: str, seconds: float = 60.0) -> None:
    """Wait until the page shows it; what the panel shows else is told with the failure."""
    try:
        page.until(script, seconds)
    except AssertionError as missed:
        raise AssertionError(f"{missed}; the panel: {page.page.inner_text('.ow-deal-root')!r}") from None


def press(page: Any, text: str) -> None:
    page.page.click(f".ow-deal-root button:has-text('{text}')")


def place(page: Any, hand: Callable[[], Any]) -> None:
    """Let a hand place an order, again where a busy machine brought its click too late: then nothing was placed.

    Another note may stand where that was said; what is not there after 15 s never comes, for older clicks are refused.
    """
    for _ in range(10):
        hand()
        with contextlib.suppress(AssertionError):
            shows(page, f"{ROWS} > 0 || /too late/.test({NOTE})", 15)
        if page.page.evaluate(f"{ROWS} > 0"):
            return
    raise AssertionError("ten clicks placed nothing")


def test_a_double_click_is_one_working_order(open_notebook):
    """It rests at the best bid, is listed once, and goes away by its button."""
    page = standing(open_notebook, "ticket", [INLINE, "wb.Ticket(s)"])

    def hand() -> None:
        page.page.dblclick(".ow-deal button.ow-buy:has-text('at bid')")
        shows(page, f"/double click/.test({NOTE})", 30)

    place(page, hand)
    shows(page, f"{OPEN} === 1", 30)
    press(page, "×")
    shows(page, f"{OPEN} === 0", 30)
    assert page.page.evaluate(ROWS) == 1
    assert page.complaints == []


def test_what_was_set_and_what_works_is_there_after_a_reload(open_notebook):
    """Size, bracket and time in force stay; the order is listed once, and no click is sent again."""
    page = standing(
        open_notebook, "ticket-reload", [INLINE, "wb.Ticket(s)", "print('orders', len(s.orders))"]
    )
    press(page, "5")
    page.page.fill("input[aria-label='stop loss, ticks from the entry']", "8")
    page.page.select_option("select[aria-label='time in force']", "DAY")
    place(page, lambda: press(page, "buy at bid"))
    shows(page, f"{OPEN} === 1", 30)
    page.until(
        "document.querySelector(\"input[aria-label='stop loss, ticks from the entry']\").value === '8'"
    )
    page.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => true)")
    page.page.reload()
    ready(page)
    shows(page, f"{OPEN} === 1", 60)
    assert page.page.input_value("input[aria-label='size of the next order']") == "5"
    assert page.page.input_value("input[aria-label='stop loss, ticks from the entry']") == "8"
    assert page.page.input_value("select[aria-label='time in force']") == "DAY"
    page.run_cell(2)
    page.until(f"/orders 1/.test({PRINTED})", 60)
    assert page.complaints == []


def test_a_click_that_reaches_the_kernel_late_places_nothing(open_notebook):
    """A kernel that stood still for seconds finds a click of then: it is refused aloud; the way out is not."""
    cells = [
        f"{ENGINE}\nprint('pid', os.getpid())",
        "wb.Ticket(s)",
        "print('orders', len(s.orders))",
        "s.close()",
    ]
    page = standing(open_notebook, "ticket-late", cells)
    place(page, lambda: press(page, "buy at bid"))
    pid = int(page.until(f"({PRINTED}.match(/pid (\\d+)/) ?? [])[1]"))
    os.kill(pid, signal.SIGSTOP)
    try:
        press(page, "sell at ask")
        press(page, "cancel all")
        page.until("/no word from the kernel for [4-9]/.test(document.querySelector('.ow-strip').innerText)")
    finally:
        os.kill(pid, signal.SIGCONT)
    shows(page, f"{OPEN} === 0", 60)
    page.run_cell(2)
    page.until(f"/orders 1/.test({PRINTED})", 60)
    page.run_cell(3)
    page.until(f"{KERNEL} === 'idle'", 60)
    assert page.complaints == []


def test_panic_goes_through_while_a_cell_blocks(open_notebook):
    """Orders are taken back and the switch is off while the cell still runs; arming opens it again."""
    page = standing(open_notebook, "ticket-panic", [ENGINE, "wb.Ticket(s)", BLOCK, "s.close()"])
    place(page, lambda: press(page, "buy at bid"))
    page.run_cell(2)
    pid = int(page.until(f"({PRINTED}.match(/pid (\\d+)/) ?? [])[1]"))
    press(page, "panic")
    shows(page, f"/HALTED/.test({BADGE}) && {OPEN} === 0", 60)
    disabled = "document.querySelector('.ow-deal button.ow-buy').disabled"
    shows(page, disabled, 60)
    page.page.click(".ow-arm")
    shows(page, f"/ACTIVE/.test({BADGE}) && !{disabled}", 60)
    assert not page.page.evaluate(f"/woke up/.test({PRINTED})")
    os.kill(pid, signal.SIGINT)
    page.until(f"/KeyboardInterrupt/.test({PRINTED})", 60)
    page.run_cell(3)
    page.until(f"{KERNEL} === 'idle'", 60)
    assert page.complaints == []


def test_a_panel_is_drawn_and_panics_although_its_cell_was_followed_by_one_that_blocks(open_notebook):
    """All cells run at once: the kernel is never free between the panel's cell and the one that blocks."""
    held = f"o = s.orders.buy(1, limit=s.book.best_bid - 10)\ndisplay(wb.Ticket(s))\nprint(o)\n{BLOCK}"
    page = open_notebook("ticket-behind", [ENGINE, held, "s.close()"])
    page.until(f"window.jupyterapp?.shell?.currentWidget?.sessionContext?.session && {KERNEL} === 'idle'")
    page.run_cell(0)
    page.run_cell(1)
    pid = int(page.until(f"({PRINTED}.match(/pid (\\d+)/) ?? [])[1]", 120))
    ready(page)
    assert "'NEW'" in page.page.evaluate(PRINTED)
    shows(page, f"{OPEN} === 1", 60)
    press(page, "panic")
    shows(page, f"/HALTED/.test({BADGE}) && {OPEN} === 0", 60)
    assert not page.page.evaluate(f"/woke up/.test({PRINTED})")
    os.kill(pid, signal.SIGINT)
    page.until(f"/KeyboardInterrupt/.test({PRINTED})", 60)
    page.run_cell(2)
    page.until(f"{KERNEL} === 'idle'", 60)
    assert page.complaints == []
