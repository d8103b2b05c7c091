"""The VWAP panel: anchors by click and by day, its still pictures, what it refuses."""

from __future__ import annotations

import io
import math

import pytest
from PIL import Image

from tests.support.panel_page import PanelPage
from tests.support.shown import Shown
from tests.support.trades import prints
from tests.support.view_events import START_NS, shown
from workbench.errors import WorkbenchError
from workbench.events import Instrument
from workbench.views.vwap import MOST_ANCHORS, Vwap

DAY_NS = 86400 * 10**9


def pulled(view) -> PanelPage:
    page = PanelPage()
    page.take(view._make_model().pull([], True, view._session.clock.now_ns))
    return page


def test_the_oracle_of_the_definitions_is_on_the_page():
    """Prints 100, 101, 99, 102 of 10, 20, 5, 5: VWAP 100.625, σ 0.856957."""
    market = Shown(Instrument("X", 1))
    market.apply(prints([100, 101, 99, 102], [10, 20, 5, 5], ts=[START_NS + i for i in range(4)]))
    page = pulled(Vwap(market))
    assert list(page.field("VWAP", "value").values()) == [100.625]
    assert math.isclose(next(iter(page.field("VWAP", "sigma").values())), 0.856957, abs_tol=1e-6)


def test_a_click_adds_an_average_from_there_on():
    """Trades at 101, 101 and 100 ticks; from the third on the average is 100 ticks, 25.0."""
    market = shown()
    view = Vwap(market)
    model, page = view._model, PanelPage()
    page.take(model.pull([], True, market.clock.now_ns))
    told = view._act({"do": "anchor", "ms": START_NS / 1e6 + 700})
    assert told["anchors"] == [START_NS / 1e6 + 700]
    page.take(model.pull([], False, market.clock.now_ns))
    names = [series["name"] for series in page.content["series"]]
    assert len(names) == 3 and names[1].startswith("VWAP ")
    values = list(page.field(names[1], "value").values())
    assert math.isnan(values[0]) and math.isnan(values[1]) and values[2] == 25.0
    assert [mark["kind"] for mark in page.marks] == ["anchor"]
    view._act({"do": "forget"})
    assert view.anchors == ()
    view.close()


def test_a_day_has_an_average_of_its_own():
    """With ``session`` the average begins again at midnight UTC; two anchors stand side by side."""
    market = Shown(Instrument("X", 1))
    midnight = (START_NS // DAY_NS + 1) * DAY_NS
    market.apply(prints([100, 110, 120], [1, 1, 1], ts=[midnight - 10**9, midnight, midnight + 10**9]))
    view = Vwap(market, anchor=[None, "session"])
    page = pulled(view)
    assert list(page.field("VWAP", "value").values()) == [100, 105, 110]
    assert list(page.field("VWAP of the day", "value").values()) == [100, 110, 115]
    view.close()


def test_there_is_an_end_to_anchors():
    """A page that clicks for ever is refused with a reason, and nothing changes."""
    view = Vwap(shown())
    for i in range(MOST_ANCHORS - 1):
        view.anchor_at(START_NS + i)
    with pytest.raises(WorkbenchError, match="take some away"):
        view._act({"do": "anchor", "ms": START_NS / 1e6})
    assert len(view.anchors) == MOST_ANCHORS - 1
    view.forget_anchors()
    for ms in (1e300, -1.0):
        with pytest.raises(WorkbenchError, match="1970 to 2262"):
            view._act({"do": "anchor", "ms": ms})
    assert view.anchors == ()
    view.close()


def test_still_pictures_show_the_market():
    """A PNG; a Plotly figure with price, average and two bands on each side."""
    view = Vwap(shown(), bands=(1, 2), height=220)
    picture = Image.open(io.BytesIO(view.picture()))
    assert picture.size == (1100, 220)
    chart = view.figure()
    assert len(chart.data) == 6
    assert chart.to_json() == view.figure().to_json()
    view.close()


@pytest.mark.parametrize("wrong", [{"bands": [0]}, {"anchor": "noon"}, {"anchor": 1.5}, {"zone": "x"}])
def test_misuse_is_refused(wrong):
    """Bands are above 0; anchors are moments."""
    with pytest.raises(WorkbenchError):
        Vwap(shown(), **wrong)
