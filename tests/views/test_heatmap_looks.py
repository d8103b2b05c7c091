"""Answers to looks of a page: tiles that equal the scenery's, whatever the page says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.view_events import START_NS, shown, trades
from workbench.views.heatmap_looks import HeatLooks, Look, nice_column_ns, scale_for
from workbench.views.raster import Scale, dequantise
from workbench.views.scenery import Scenery

START_MS = START_NS / 1e6
SAID = {
    "k": "look",
    "id": 7,
    "left_ms": START_MS,
    "right_ms": START_MS + 900,
    "low": 90,
    "high": 112,
    "width": 90,
    "height": 60,
}


def answers(market, **said):
    capture = market.capture()
    return list(HeatLooks(capture, Scenery(capture)).answers({**SAID, **said}))


def scale_of(content) -> Scale:
    column_ns = round(content["column_ms"] * 1e6)
    return Scale(
        column_ns,
        content["row_ticks"],
        content["low_tick"] // content["row_ticks"],
        round(content["origin_ms"] * 1e6) // column_ns,
        content["columns"],
        content["rows"],
        content["rule"],
    )


def wide(content, codes):
    """Codes of a tile: those of a coarse one come as bytes."""
    if content["stage"] != "half":
        return codes
    return np.where(codes > 0, content["code_low"] + (codes.astype(np.int64) - 1) * content["code_step"], 0)


def tolerance(content):
    """How far a size may be off, as a share of it."""
    return 2 ** ((content.get("code_step", 0) / 2 + 0.6) / 1024) - 1


@pytest.mark.parametrize("rule", ["max", "last", "mean"])
def test_tiles_are_the_scenerys_at_the_scale_they_name(rule):
    """First half as many columns, sizes to a byte's step, then all to 0.04 %; edges and trades as they are."""
    market = shown()
    messages = answers(market, rule=rule)
    assert [(content["stage"], content["id"]) for content, _ in messages] == [("half", 7), ("full", 7)]
    for content, (codes, edges, cells) in messages:
        scale = scale_of(content)
        tile = Scenery(market.capture()).tile(scale)
        np.testing.assert_allclose(dequantise(wide(content, codes)), tile.heat, rtol=tolerance(content))
        np.testing.assert_array_equal(edges[:, :2], tile.best)
        np.testing.assert_array_equal(edges[:, 2], tile.marks)
        np.testing.assert_array_equal(cells, Scenery(market.capture()).trades(scale))
        assert content["exact"] is True
    half, full = (content for content, _ in messages)
    assert half["column_ms"] >= 2 * full["column_ms"] and half["row_ticks"] == full["row_ticks"]


def test_the_whole_session_comes_last_and_only_when_it_was_asked_for():
    """The overview reaches from the first event to the last."""
    content, _ = answers(shown(), overview=True)[-1]
    assert content["stage"] == "overview"
    scale = scale_of(content)
    assert scale.start_ns(0) <= START_NS
    assert scale.start_ns(scale.columns) > START_NS + 900_000_000


def test_small_trades_are_left_out_where_the_page_says_so():
    """The filter is about single prints, in real units, not about their sums."""
    market = shown()
    market.apply(trades(market.captured.next_sequence, (910, 100, 2, -1), (915, 100, 2, -1)))
    *_, (_, (_, _, cells)) = answers(market, min_trade=3)
    assert sorted(cells[:, 2].tolist()) == [4, 5]


@pytest.mark.parametrize(
    "said",
    [
        {"left_ms": "x"},
        {"left_ms": math.nan},
        {"right_ms": math.inf},
        {"left_ms": START_MS + 900},
        {"low": 200},
        {"low": -1e300},
        {"width": 0},
        {"height": None},
        {"left_ms": START_MS + 10_000, "right_ms": START_MS + 20_000},
        {"left_ms": True},
    ],
)
def test_nonsense_and_empty_ranges_get_no_tile(said):
    """What makes no sense, or lies where nothing was recorded, is answered with nothing."""
    assert answers(shown(), **said) == []


def test_nothing_recorded_is_answered_with_nothing():
    """Before the first event there is no tile."""
    market = shown()
    market.captured.clear()
    assert answers(market) == []


@given(
    st.floats(0.001, 1e10),
    st.floats(0.1, 1e8),
    st.integers(50, 8000),
    st.integers(50, 4000),
    st.one_of(st.none(), st.integers(1, 10**6)),
)
def test_tiles_cover_what_is_looked_at_and_stay_small(span_ms, ticks, width, height, row_ticks):
    """Any zoom gets a tile of a bounded number of cells, no column finer than a pixel, that covers the view."""
    left = 1_700_000_000_000.0
    said = {**SAID, "left_ms": left, "right_ms": left + span_ms, "low": -ticks / 2, "high": ticks / 2}
    look = Look.of({**said, "width": width, "height": height, "row_ticks": row_ticks}, 1.0)
    if look is None:  # the span is below the resolution of a float of this size
        return
    scale = scale_for(look, 0, 2**62)
    assert scale is not None
    assert scale.columns <= 2600 and scale.rows <= 700
    assert scale.column_ns >= (look.right_ns - look.left_ns) / width
    assert scale.start_ns(0) <= look.left_ns
    assert scale.columns == 2600 or scale.start_ns(scale.columns) >= look.right_ns
    assert scale.low_tick <= look.low
    assert scale.rows == 700 or scale.high_tick >= look.high


def test_columns_are_round():
    """1, 2, 5 times a power of ten, never less than what is wanted, never below a millisecond."""
    assert [nice_column_ns(ms * 1e6) // 10**6 for ms in (0.2, 1, 1.1, 130, 500, 501, 7e6)] == [
        1,
        1,
        2,
        200,
        500,
        1000,
        10_000_000,
    ]
