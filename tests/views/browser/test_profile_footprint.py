"""Profile and footprint in a real JupyterLab: controls, looking back, the bond with the heatmap, hostile names."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

MARKET = """\
from tests.support.market_cell import running_market
from workbench.views.heatmap import Heatmap
from workbench.views.profile import Profile
from workbench.views.footprint import Footprint
s = running_market({seconds}{more})"""
HOSTILE = "<img src=x onerror=window.harmed=1>"


def market(seconds: int, more: str = "") -> str:
    return MARKET.format(seconds=seconds, more=more)


def fact(selector: str, name: str) -> str:
    return f"Number(document.querySelector('{selector}')?.dataset.{name} ?? 0)"


def value(selector: str, index: int) -> str:
    return f"document.querySelectorAll('{selector} select')[{index}].value"


def test_footprint_draws_looks_back_and_obeys_its_controls(open_notebook):
    """Cells are drawn; panning into the past fetches bars that were not held; another bar and mode are obeyed."""
    page = open_notebook("footprint", [market(200), "Footprint(s, bar='1s')"])
    page.run_all()
    page.until(f"{fact('.ow-footprint', 'drawn')} > 2", 90)
    assert page.colours(".ow-footprint canvas")["colours"] > 30, "an empty picture has few colours"
    held = page.page.evaluate(fact(".ow-footprint", "bars"))
    page.page.focus(".ow-footprint canvas")
    page.page.keyboard.press("Home")
    page.until(f"{fact('.ow-footprint', 'bars')} > {held + 5}", 30)
    assert page.page.is_visible(".ow-footprint .ow-follow")
    page.page.click(".ow-footprint .ow-follow")
    assert not page.page.is_visible(".ow-footprint .ow-follow")

    page.page.select_option(".ow-footprint select >> nth=1", "15s")
    page.until(f"{fact('.ow-footprint', 'bars')} < 40 && {value('.ow-footprint', 1)} === '15s'", 30)
    page.page.focus(".ow-footprint canvas")
    page.page.keyboard.press("m")
    assert page.page.evaluate(value(".ow-footprint", 0)) == "delta"
    assert page.complaints == []


def test_profile_follows_the_heatmap_and_its_controls(open_notebook):
    """The visible range of a heatmap holds less than the session; method and rows are those that were chosen."""
    page = open_notebook("profile", [market(200), "Heatmap(s, height=240)", "Profile(s, nodes=True)"])
    page.run_all()
    page.until(f"{fact('.ow-heatmap', 'drawn')} > 2 && {fact('.ow-profile', 'drawn')} > 2", 90)
    assert page.colours(".ow-profile canvas")["colours"] > 12
    rows = page.page.evaluate(fact(".ow-profile", "rows"))
    page.page.select_option(".ow-profile select >> nth=0", "visible")
    page.until(f"{fact('.ow-profile', 'rows')} < {rows}", 60)
    page.page.select_option(".ow-profile select >> nth=0", "session")
    page.until(f"{fact('.ow-profile', 'rows')} >= {rows}", 60)
    page.page.select_option(".ow-profile select >> nth=3", "5")
    page.until(f"{fact('.ow-profile', 'rows')} < {rows} && {value('.ow-profile', 3)} === '5'", 60)
    page.page.select_option(".ow-profile select >> nth=1", "one_row")
    page.until(f"{value('.ow-profile', 1)} === 'one_row'", 30)
    assert page.complaints == []


def test_hostile_names_are_text(open_notebook):
    """A name that is markup is written letter by letter in the bars of controls, and runs nothing."""
    cells = [market(5, f", symbol={HOSTILE!r}"), "Footprint(s, bar='1s')", "Profile(s)"]
    page = open_notebook("hostile_footprint", cells)
    page.run_all()
    page.until(f"{fact('.ow-footprint', 'drawn')} > 0 && {fact('.ow-profile', 'drawn')} > 0", 90)
    for selector in (".ow-footprint", ".ow-profile"):
        assert page.page.inner_text(f"{selector} .ow-name") == HOSTILE
    assert page.page.evaluate("window.harmed") is None
    assert page.page.evaluate("document.querySelectorAll('.ow-root img').length") == 0
    assert page.complaints == []
