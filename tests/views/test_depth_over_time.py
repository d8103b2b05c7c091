"""The depth panel: its panes, its still pictures, what it refuses."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.support.panel_page import PanelPage
from tests.support.view_events import START_NS, shown
from workbench.errors import WorkbenchError
from workbench.views.depth_over_time import DepthOverTime


def test_spread_depth_and_imbalance_stand_in_three_panes():
    """Bids 10, 11, …; asks 20, 21, …: the best two are 21 and 41, imbalance −20 / 62."""
    market = shown()
    view, page = DepthOverTime(market, levels=[1, 2]), PanelPage()
    page.take(view._make_model().pull([], True, market.clock.now_ns))
    newest = {
        series["name"]: list(page.field(series["name"], "last").values())[-1]
        for series in page.content["series"]
    }
    assert newest == {
        "spread": 1, "bid 2": 21, "bid 1": 10, "ask 2": 41, "ask 1": 20, "2 levels": pytest.approx(-20 / 62),
    }  # fmt: skip
    assert [pane["name"] for pane in page.content["panes"]] == ["spread, ticks", "resting size", "imbalance"]
    assert page.content["start_ms"] == START_NS / 1e6
    view.close()


def test_still_pictures_show_the_market():
    """A PNG with colours of both sides; a figure whose asks go down."""
    view = DepthOverTime(shown(), levels=[1, 10], height=260)
    picture = Image.open(io.BytesIO(view.picture()))
    assert picture.size == (1100, 260)
    chart = view.figure()
    assert chart.to_json() == view.figure().to_json()
    asks = next(trace for trace in chart.data if trace.name == "ask 1")
    assert asks.y[0] == -20
    view.close()


@pytest.mark.parametrize("levels", [0, [], [1, 2, 3, 4, 5, 6], [0, 3]])
def test_wrong_levels_are_refused(levels):
    """One to five numbers from 1 on."""
    with pytest.raises(WorkbenchError, match="one to five numbers"):
        DepthOverTime(shown(), levels=levels)
