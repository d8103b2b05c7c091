"""The CVD panel: what can be changed on it, its days, its still pictures, what it refuses."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from PIL import Image

from tests.support.panel_page import PanelPage
from tests.support.trades import prints
from tests.support.view_events import HOSTILE, START_NS, opening, shown
from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.views.cvd import Cvd

DAY_NS = 86400 * 10**9


def values(view, name="all") -> list[float]:
    page = PanelPage()
    page.take(view._make_model().pull([], True, view._session.clock.now_ns))
    return list(page.field(name, "last").values())


def test_reset_now_begins_at_zero_with_what_comes_next():
    """Buys 4 and 2, sells 5; after the reset a buy of 7 makes 7, not 8."""
    market = shown()
    view = Cvd(market, reset="none")
    assert values(view) == [4, 6, 1]
    market.clock.now_ns += 10**9
    view.reset_now()
    market.apply(
        EventBatch.trusted(
            prints([100], [7], ts=[market.clock.now_ns]).columns, market.captured.next_sequence
        )
    )
    assert values(view) == [4, 6, 1, 7]
    view._act({"do": "forget"})
    assert values(view) == [4, 6, 1, 8]
    view.close()


def test_a_page_resets_where_it_clicks_and_changes_the_mode():
    """The page is told what stands now; the live model follows with a new picture."""
    market = shown()
    view = Cvd(market, reset="none")
    model, page = view._model, PanelPage()
    page.take(model.pull([], True, market.clock.now_ns))
    told = view._act({"do": "reset", "ms": START_NS / 1e6 + 500})
    assert told["resets"] == [START_NS / 1e6 + 500]
    page.take(model.pull([], False, market.clock.now_ns))
    assert list(page.field("all", "last").values()) == [4, 2, -3]
    assert [mark["kind"] for mark in page.marks] == ["reset"]
    assert view._act({"do": "mode", "mode": "delta"})["mode"] == "delta"
    page.take(model.pull([], False, market.clock.now_ns))
    assert [series["kind"] for series in page.content["series"]] == ["line", "bars"]
    with pytest.raises(WorkbenchError, match="knows no act"):
        view._act({"do": "mode", "mode": "boom"})
    view.close()


def test_buyers_and_sellers_apart_add_up_to_the_delta():
    """Bought 6, sold −5."""
    view = Cvd(shown(), reset="none", mode="split")
    assert values(view, "all bought")[-1] == 6
    assert values(view, "all sold")[-1] == -5
    view.close()


def test_the_delta_of_a_bar_is_bought_minus_sold():
    """Buys 4, 2 and sells 5 within a second: 6 − 5."""
    view = Cvd(shown(), mode="delta", bar="1s", reset="none")
    page = PanelPage()
    page.take(view._make_model().pull([], True, 0))
    assert list(page.field("all", "buy").values()) == [6]
    assert list(page.field("all", "sell").values()) == [5]
    assert page.content["column_ms"] == 1000, "columns are whole bars"
    view.close()


@pytest.mark.parametrize(("zone", "hour"), [(None, 0), ("America/New_York", 5), ("Asia/Tokyo", 15)])
def test_a_session_begins_at_midnight_of_the_zone(zone, hour):
    """14 November 2023: midnight in New York is 05:00 UTC, in Tokyo 15:00."""
    market = shown()
    market.captured.clear()
    midnight = int(datetime(2023, 11, 15, hour, tzinfo=UTC).timestamp()) * 10**9
    market.apply(prints([100, 100, 100], [3, 4, 5], ts=[midnight - 10**9, midnight, midnight + 10**9]))
    view = Cvd(market, zone=zone)
    assert values(view) == [3, 4, 9]
    view.close()


@pytest.mark.parametrize("mode", ["cvd", "delta", "split"])
def test_still_pictures_show_the_market(mode):
    """A PNG with colours; a Plotly figure that is the same for the same state, its delta that of the trades."""
    market = shown()
    view = Cvd(market, sizes=[(0, None), (3, None)], mode=mode, reset="none", height=200)
    picture = Image.open(io.BytesIO(view.picture()))
    assert picture.size == (1100, 200)
    assert len(picture.convert("RGB").getcolors(1 << 24)) > 10
    chart = view.figure()
    assert chart.to_json() == view.figure().to_json()
    if mode == "cvd":
        assert chart.data[1].y[-1] == 1
    view.close()


def test_without_data_there_is_a_picture_too():
    """Before the first trade."""
    market = shown()
    market.captured.clear()
    market.apply(opening())
    view = Cvd(market)
    assert view.picture().startswith(b"\x89PNG")
    assert not view.figure().data
    assert repr(view) == "Cvd('ES')"
    view.close()


def test_hostile_names_are_text_in_figures():
    """Angle brackets are written out."""
    view = Cvd(shown(HOSTILE))
    assert "<" not in view.figure().layout.title.text
    view.close()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"mode": "x"}, "mode 'x'"),
        ({"scale": "x"}, "scale 'x'"),
        ({"bar": "1ms"}, "at least '10ms'"),
        ({"reset": "daily"}, "'session', 'none'"),
        ({"zone": "Mars/Base"}, "IANA"),
        ({"sizes": [(3, 1)]}, "0 ≤ lower < upper"),
        ({"divergence": -1}, "number of bars"),
    ],
)
def test_misuse_is_refused_with_what_is_expected(wrong, said):
    """Each argument says what it takes."""
    with pytest.raises(WorkbenchError, match=said):
        Cvd(shown(), **wrong)
