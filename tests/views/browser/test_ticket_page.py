"""The trading panel in a real JupyterLab: a click is one order, a double click too, and cancel takes it back."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

MARKET = "import workbench as wb\ns = wb.simulate(seed=7, inline=True)"
WORKING = "document.querySelectorAll('.ow-deal ul:first-of-type li button').length"


def test_a_double_click_is_one_working_order(open_notebook):
    """It rests at the best bid, is listed once, and goes away by its button."""
    page = open_notebook("ticket", [f"{MARKET}\ns.advance('20s')", "wb.Ticket(s)"])
    page.run_all()
    page.until("/orders go through/.test(document.querySelector('.ow-why')?.innerText ?? '')", 120)
    page.page.dblclick(".ow-deal button.ow-buy:has-text('at bid')")
    page.until("/double click/.test(document.querySelector('.ow-deal [role=alert]').innerText)", 30)
    page.until(f"{WORKING} === 1", 30)
    page.page.click(".ow-deal ul:first-of-type li button")
    page.until(f"{WORKING} === 0", 30)
    assert page.complaints == []
