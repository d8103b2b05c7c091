"""The VWAP that is drawn: that of the formula, whatever the chunks, thinned without losing its end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.shown import Shown
from tests.support.view_events import START_NS, opening, shown, trades
from workbench.events import EventBatch, EventKind, Instrument
from workbench.flow.vwap import vwap
from workbench.views.heat_marks import HeatMarks
from workbench.views.vwap_line import BUCKET_NS, MOST_POINTS, ROWS_AT_ONCE, VwapLine


def market_of(count: int, step_ms: int = 40, seed: int = 3) -> Shown:
    chance = np.random.default_rng(seed)
    market = Shown(Instrument("ES", "0.25"))
    market.apply(
        EventBatch.of(
            0,
            ts=START_NS + np.arange(count) * step_ms * 1_000_000,
            kind=np.where(chance.random(count) < 0.8, int(EventKind.TRADE), int(EventKind.DEPTH)),
            side=chance.choice([1, -1], count),
            price=1000 + np.cumsum(chance.integers(-1, 2, count)),
            size=chance.integers(1, 20, count),
        )
    )
    return market


def finished(market: Shown, anchor_ns: int = 0, rows: int = 10**9) -> VwapLine:
    line = VwapLine(market.captured, anchor_ns)
    while not line.follow(rows):
        pass
    return line


def test_each_point_is_the_formulas_value_at_the_end_of_its_span() -> None:
    """Value and deviation, in ticks."""
    market = shown()
    line = finished(market)
    frame = vwap(Traded(market))
    points = line.points
    assert points.ms.tolist() == [(START_NS // BUCKET_NS + k) * 250 for k in (2, 3, 4)]
    np.testing.assert_allclose(points.ticks[:, 0] * 0.25, frame["vwap"], rtol=1e-15)
    np.testing.assert_allclose(points.ticks[:, 1] * 0.25, frame["sigma"], rtol=1e-15)


class Traded:
    """What the formula's batch face reads."""

    def __init__(self, market: Shown):
        self.instrument = market.captured.instrument
        self.trades = market.captured.trades_frame()


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 400), st.integers(1, 700))
def test_any_chunking_gives_the_same_bits(rows: int, first: int) -> None:
    """Followed in small steps, or all at once."""
    market = market_of(600)
    whole = finished(market).points
    stepped = VwapLine(market.captured)
    stepped.follow(first)
    while not stepped.follow(rows):
        pass
    assert stepped.points.ms.tolist() == whole.ms.tolist()
    assert stepped.points.ticks.tolist() == whole.ticks.tolist()


def test_a_long_line_is_thinned_and_ends_where_the_formula_does() -> None:
    """At most so many points however long the session; the last value is exact."""
    market = market_of(30_000, step_ms=200)
    points = finished(market, rows=5_000).points
    frame = vwap(Traded(market))
    assert MOST_POINTS / 2 - 1 <= len(points.ms) <= MOST_POINTS
    assert (np.diff(points.ms) > 0).all()
    assert points.ticks[-1, 0] * 0.25 == pytest.approx(frame["vwap"][-1], rel=1e-15)


def test_an_anchor_leaves_out_what_came_before_it() -> None:
    """Anchored VWAP begins with the first trade at or after its anchor."""
    market = shown()
    line = finished(market, START_NS + 600_000_000)
    assert line.points.ticks[:, 0].tolist() == [101.0, (2 * 101 + 5 * 100) / 7]


def test_a_seek_begins_the_line_again() -> None:
    """When the capture forgets everything, so does the line."""
    market = shown()
    line = finished(market)
    market.captured.clear()
    batch = opening(900, START_NS + 10**12)
    market.apply(batch)
    market.apply(trades(batch.next_sequence, (2_000_000, 90, 1, 1)))
    assert line.follow()
    assert line.points.ticks[:, 0].tolist() == [90.0]


def test_a_still_picture_holds_it_to_the_end_however_long_the_past() -> None:
    """A page takes in piece after piece; a still picture asks once and gets all of it."""
    market = market_of(2 * ROWS_AT_ONCE + 1000, step_ms=1)
    ends = []
    for whole in (True, False):
        marks = HeatMarks(market, market.captured)
        marks.anchor_vwap(0)
        sent = marks.reader(whole=whole)(True)
        assert sent is not None
        ends.append(sent["lines"][0]["ms"][-1])
    assert ends[0] == finished(market).points.ms[-1] > ends[1]
