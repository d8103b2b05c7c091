"""Money of a panel: net of fees, its drawdown and its day, by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from workbench.events import Instrument
from workbench.flow.days import TradingDay
from workbench.session.account_frames import FILLS, POSITIONS
from workbench.views.ticket_money import equity, money_facts, thinned

DAY_NS = 86_400_000_000_000
UTC_DAY = TradingDay.read("00:00 UTC")
ES = Instrument("ES", "0.25", multiplier="50")


def told(schema: dict, *rows: dict) -> pl.DataFrame:
    plain = {name: pl.Int64 if name == "ts" else kind for name, kind in schema.items()}
    whole = [dict.fromkeys(schema) | {"symbol": "ES"} | row for row in rows]
    return pl.DataFrame(whole, schema=plain).cast(schema)


def test_fees_are_taken_off_from_the_execution_on():
    """0, then 100 − 2, then 40 + 70 − 2 − 3; what was not told counts as nothing."""
    positions = told(
        POSITIONS,
        {"ts": 1},
        {"ts": 10, "realized": 0.0, "unrealized": 100.0},
        {"ts": 20, "realized": 40.0, "unrealized": 70.0},
    )
    fills = told(FILLS, {"ts": 20, "fee": 3.0}, {"ts": 10, "fee": 2.0})
    ts, gained = equity(positions, fills)
    assert ts.tolist() == [1, 10, 20]
    assert gained.tolist() == [0.0, 98.0, 105.0]


def test_drawdown_counts_from_the_highest_point_and_the_day_from_midnight():
    """Gains 0, 50 | midnight | 80, 20, 30: day 30 − 50, drawdown 80 − 30, worst 80 − 20; 12.5 money is a tick."""
    ts = np.array([0, 1, DAY_NS, DAY_NS + 1, DAY_NS + 2])
    gained = np.array([0.0, 50.0, 80.0, 20.0, 30.0])
    facts = money_facts(ts, gained, {"realized": 25.0, "unrealized": 7.0}, 2.0, ES, UTC_DAY)
    assert (facts["day"], facts["drawdown"], facts["worst"]) == (-20.0, 50.0, 60.0)
    assert (facts["gained"], facts["fees"], facts["realized_ticks"]) == (30.0, 2.0, 2.0)


def test_a_loss_from_the_start_is_a_drawdown():
    """The first peak is nothing gained."""
    facts = money_facts(
        np.array([5]), np.array([-10.0]), {"realized": None, "unrealized": -10.0}, 0.0, ES, UTC_DAY
    )
    assert (facts["drawdown"], facts["day"], facts["realized"]) == (10.0, -10.0, 0.0)


@pytest.mark.parametrize("count", [1, 2, 299, 300, 301, 5000])
def test_a_thinned_curve_keeps_ends_and_extremes(count):
    """Never more than about twice as many points as asked for; order, first, last, highest and lowest stay."""
    values = np.cumsum(np.sin(np.arange(count) * 0.7 + 0.1))
    points = thinned(np.arange(count) * 1_000_000, values, 300)
    assert len(points) <= 302
    times, kept = zip(*points)
    assert list(times) == sorted(times)
    assert (times[0], times[-1]) == (0.0, count - 1.0)
    assert (max(kept), min(kept)) == (round(values.max(), 4), round(values.min(), 4))


def test_a_curve_begins_where_money_moves():
    """The quiet before the first trade is not drawn; where nothing was traded it is nothing."""
    ts = np.arange(5) * 1_000_000
    assert thinned(ts, np.array([0.0, 0.0, 0.0, -5.0, 0.0])) == [[3.0, 0.0], [3.0, -5.0], [4.0, 0.0]]
    assert {value for _, value in thinned(ts, np.zeros(5))} == {0.0}
