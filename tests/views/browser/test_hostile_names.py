"""Instrument names that are markup, in every view on one page of a real JupyterLab."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

MARKET = """\
import workbench as wb
from tests.views.test_all_views import market_of
from workbench.views.workspace import VIEWS
names = ["<img src=x onerror=window.harmed=1>", "</script><script>window.harmed=1</script>", "x" * 10_000]
desks = [wb.Workspace(market_of(name), views=list(VIEWS)) for name in names]"""


def test_no_name_runs_a_script_or_breaks_the_page(open_notebook):
    """All views draw; nothing in the page is made of a name; no view is wider than its notebook."""
    page = open_notebook("hostile", [MARKET, "from IPython.display import display\ndisplay(*desks)"])
    page.run_all()
    page.until("document.querySelectorAll('.ow-strip').length >= 30", 100)
    page.until("document.querySelectorAll('.ow-facts dt').length >= 6", 60)
    assert page.page.evaluate("window.harmed") is None
    assert page.page.evaluate("document.querySelectorAll('.ow-root img, .ow-root script').length") == 0
    assert page.page.evaluate(
        "[...document.querySelectorAll('.ow-workspace')].every(e => e.scrollWidth <= e.clientWidth + 8)"
    )
    assert not page.complaints
