"""The heatmap's messages, its still pictures and what it promises to notebooks."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.support.shown import Shown
from tests.support.view_events import HOSTILE, START_NS, opening, shown, trades
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Instrument, Side
from workbench.views.heatmap import Heatmap
from workbench.views.heatmap_model import HeatmapModel
from workbench.views.raster import MARK_GAP, dequantise

COLUMN_NS = 100_000_000


def pulled(model: HeatmapModel, market, want=(), full=False):
    return model.pull(list(want), full, market.clock.now_ns)


def test_the_first_message_is_everything_and_the_next_only_what_is_new():
    """A snapshot of all columns, then the unfinished column again and those after it."""
    market = shown()
    model = HeatmapModel(market.capture(), COLUMN_NS)
    content, (codes, edges, cells, now) = pulled(model, market)
    assert (content["k"], content["first"], content["last"], content["row_ticks"]) == ("snap", 0, 9, 1)
    assert codes.shape == (10, 640)
    assert edges[-1].tolist() == [100, 101, 0]
    assert cells[:, 2].tolist() == [4, 2, 5]
    row = 101 - content["low_tick"]
    np.testing.assert_allclose(dequantise(now[:, row]), [0, 20], rtol=1e-3)
    market.apply(trades(market.captured.next_sequence, (1250, 101, 7, 1)))
    content, (codes, _, cells, _) = pulled(model, market)
    assert (content["k"], content["first"], content["last"]) == ("cols", 9, 12)
    assert cells[:, 2].tolist() == [5, 7], "trades of the unfinished column come again as a whole"


def test_trades_stand_in_their_column_however_long_the_session_is():
    """A day of columns of a millisecond is more than float32 counts: cells count from the message's first column."""
    market = shown()
    model = HeatmapModel(market.capture(), 1_000_000)
    pulled(model, market)
    day_ms = 86_400_000
    market.apply(trades(market.captured.next_sequence, (day_ms + 1, 101, 7, 1), (day_ms + 2, 101, 8, 1)))
    content, (_, _, cells, _) = pulled(model, market, full=True)
    assert content["last"] > 2**24
    assert [content["last"] - content["first"] - column for column in cells[-2:, 0]] == [1, 0]


def test_a_page_that_asks_for_everything_gets_everything():
    """After a reload the ring is sent again."""
    market = shown()
    model = HeatmapModel(market.capture(), COLUMN_NS)
    pulled(model, market)
    assert pulled(model, market, full=True)[0]["k"] == "snap"


def test_zooming_draws_the_past_at_another_resolution():
    """The newest wish counts; the answer is a snapshot of another epoch that covers the same events."""
    market = shown()
    model = HeatmapModel(market.capture(), COLUMN_NS)
    epoch = pulled(model, market)[0]["epoch"]
    wants = [
        {"k": "view", "column_ns": 5e8, "row_ticks": 9},
        {"k": "view", "column_ns": 5e8, "row_ticks": 5, "centre": 120},
    ]
    content, (codes, *_) = pulled(model, market, wants)
    assert (content["k"], content["epoch"], content["column_ms"], content["row_ticks"]) == (
        "snap",
        epoch + 1,
        500,
        5,
    )
    assert content["low_tick"] <= 120 <= content["low_tick"] + 640 * 5
    bid_row = 95 // 5 - content["low_tick"] // 5
    np.testing.assert_allclose(
        dequantise(codes[0, bid_row]), sum(10 + 100 - t for t in range(95, 100)), rtol=1e-3
    )


@pytest.mark.parametrize(
    "want", [{"column_ns": -1}, {"column_ns": "x", "row_ticks": 0}, {"centre": 1e300}, {"row_ticks": None}]
)
def test_nonsense_from_a_page_changes_nothing_but_costs_a_drawing(want):
    """Wishes out of range are dropped, never an error."""
    market = shown()
    model = HeatmapModel(market.capture(), COLUMN_NS)
    content, _ = pulled(model, market, [{"k": "view", **want}])
    assert (content["column_ms"], content["row_ticks"]) == (100, 1)


def test_a_seek_starts_the_picture_again():
    """When the capture forgets everything, so does the picture."""
    market = shown()
    model = HeatmapModel(market.capture(), COLUMN_NS)
    pulled(model, market)
    market.captured.clear()
    assert pulled(model, market) is None
    market.apply(opening(5000, START_NS - 10**12))
    content, _ = pulled(model, market)
    assert (content["k"], content["first"], content["last"] < 700) == ("snap", 0, True)


def test_lost_events_mask_their_columns_until_the_next_snapshot():
    """From the gap to the snapshot nothing is drawn as if it were known."""
    market = shown()
    after = market.captured.next_sequence
    market.apply(EventBatch.of(after, ts=START_NS + 1_000_000_000, kind=EventKind.GAP, size=-1))
    market.apply(opening(after + 1, START_NS + 1_500_000_000))
    content, (codes, edges, *_) = pulled(HeatmapModel(market.capture(), COLUMN_NS), market)
    assert edges[:, 2].tolist() == [0] * 10 + [MARK_GAP] * 5 + [0]
    assert not codes[12].any()
    assert content["valid"]
    view = Heatmap(market, column_ms=100)
    masks = view.figure().layout.shapes
    assert [(mask.x1 - mask.x0).total_seconds() for mask in masks] == [0.5], "the figure masks them too"
    view.close()


def test_the_window_follows_the_market():
    """When the mid leaves the middle half of the window, the picture is drawn again round it."""
    market = shown()
    model = HeatmapModel(market.capture(), COLUMN_NS, row_ticks=1)
    low = pulled(model, market)[0]["low_tick"]
    sequence = market.captured.next_sequence
    ts = START_NS + 2_000_000_000 + np.arange(0, 30) * 100_000_000
    price = np.concatenate([[400, 401], np.full(28, 400)])
    side = np.concatenate([[1, -1], np.ones(28)]).astype(np.int8)
    market.apply(
        EventBatch.of(sequence, ts=START_NS + 1_500_000_000, kind=[EventKind.CLEAR, EventKind.SNAPSHOT_END])
    )
    market.apply(
        EventBatch.of(
            sequence + 2, ts=ts, kind=EventKind.DEPTH, side=side, price=price, size=np.arange(1, 31)
        )
    )
    content, _ = pulled(model, market)
    assert content["k"] == "snap"
    assert content["low_tick"] == low + 300


def test_still_pictures_show_the_market():
    """The PNG has many colours, the Plotly figure the real sizes and prices of the book."""
    market = shown()
    view = Heatmap(market, column_ms=100)
    picture = Image.open(io.BytesIO(view.picture()))
    assert picture.size == (1100, 480)
    assert len(picture.convert("RGB").getcolors(1 << 24)) > 30
    chart = view.figure()
    heat = chart.data[0]
    row = int(np.argmin(np.abs(np.array(heat.y) - 25.25)))
    np.testing.assert_allclose(np.array(heat.z)[row], 20, rtol=1e-3)
    assert chart.to_json() == view.figure().to_json(), "the same state gives the same figure"
    view.close()


def test_a_view_without_data_is_a_picture_too():
    """Before the first event there is a picture that says so, and an empty figure."""
    market = shown()
    market.captured.clear()
    view = Heatmap(market)
    assert view.picture().startswith(b"\x89PNG")
    assert not view.figure().data
    view.close()


def test_notebooks_keep_a_picture_and_a_text_that_never_changes():
    """The bundle always has the same kinds of content; its text names the view and the instrument."""
    market = shown()
    view = Heatmap(market)
    bundle, metadata = view._repr_mimebundle_()
    assert metadata["image/png"] == {"alt": "Heatmap('ES')"}
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"}
    assert bundle["text/plain"] == repr(view) == "Heatmap('ES')"
    view.close()


def test_hostile_names_are_text_in_figures():
    """Plotly reads a little HTML in titles: angle brackets and ampersands are written out."""
    view = Heatmap(shown(HOSTILE))
    assert "<" not in view.figure().layout.title.text
    assert view.options["symbol"] == HOSTILE
    view.close()


def test_misuse_is_refused_with_what_is_expected():
    """Cut-offs the wrong way round, unknown colours and rules are named with the right ones."""
    market = shown()
    with pytest.raises(WorkbenchError, match="0 ≤ lower < upper"):
        Heatmap(market, cut=(99, 10))
    with pytest.raises(WorkbenchError, match="colour map 'jet'"):
        Heatmap(market, colours="jet")
    with pytest.raises(WorkbenchError, match="rule 'median'"):
        Heatmap(market, rule="median")


def test_trades_alone_make_a_picture_without_gaps():
    """A source without depth shows bubbles on an empty ground, not one long gap."""
    market = shown()
    market.captured.clear()
    market.apply(trades(0, (0, 50, 3, 1), (400, 51, 2, -1)))
    content, (_, edges, cells, _) = pulled(HeatmapModel(market.capture(), COLUMN_NS), market)
    assert not (edges[:, 2] & MARK_GAP).any()
    assert (cells[:, 1] + content["low_tick"]).tolist() == [50, 51]
    assert cells[0, 3] == Side.BUY


def test_without_a_book_trades_say_where_the_market_is():
    """Prints of a recording that holds nothing else spread over most of the picture's height, and stay in it."""
    market = Shown(Instrument("ES", "0.25"))
    market.apply(trades(0, *((50 * i, 10_000 + i, 1, 1) for i in range(400))))
    content, _ = pulled(HeatmapModel(market.capture(), COLUMN_NS), market)
    assert content["low_tick"] <= 10_000
    assert content["low_tick"] + content["rows"] * content["row_ticks"] > 10_400
    assert 400 < content["visible_ticks"] < 1000
