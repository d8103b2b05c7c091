"""Time bars against a plain loop."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import chunks
from tests.support.trades import COARSE, FINE, Trades, plain_prints, prints, real, trade_streams
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, Instrument
from workbench.flow.bars import Bars, bars, interval_ns


@given(
    batch=trade_streams(),
    cuts=st.lists(st.integers(0, 90), max_size=5),
    interval=st.sampled_from(["100ms", "1s", "7s", "1m"]),
    instrument=st.sampled_from([COARSE, FINE]),
)
def test_bars_are_those_of_a_plain_loop(
    batch: EventBatch, cuts: list[int], interval: str, instrument: Instrument
) -> None:
    """Every field of every bar, in any chunking, from the trades of its interval in order."""
    streaming = Bars(instrument, interval)
    for part in chunks(batch, cuts):
        streaming.apply(part)
    frame = bars(Trades(batch, instrument), interval)
    assert frame.equals(streaming.frame)
    groups = itertools.groupby(plain_prints(batch), key=lambda t: t[0] // interval_ns(interval))
    expected = [(bucket * interval_ns(interval), list(trades)) for bucket, trades in groups]
    assert len(streaming) == len(expected)
    for row, (_, trades) in zip(frame.iter_rows(named=True), expected, strict=True):
        prices = [float(real(price, instrument)) for _, price, _, _ in trades]
        lots = {
            name: sum(t[2] for t in trades if t[3] == side)
            for name, side in (("buy", 1), ("sell", -1), ("unknown", 0))
        }
        assert (row["open"], row["close"], row["high"], row["low"]) == (
            prices[0],
            prices[-1],
            max(prices),
            min(prices),
        )
        assert {name: row[name] for name in lots} == {
            name: float(instrument.size(v)) for name, v in lots.items()
        }
        assert (row["trades"], row["volume"]) == (len(trades), float(instrument.size(sum(lots.values()))))
        mean = sum(real(price, instrument) * size for _, price, size, _ in trades) / sum(t[2] for t in trades)
        assert row["vwap"] == pytest.approx(float(mean), rel=1e-14, abs=1e-12)
    assert frame["ts"].to_physical().to_list() == [start for start, _ in expected]


def test_an_interval_without_trades_has_no_row() -> None:
    """Trades at 0.5 s and 2.5 s make the bars 0 s and 2 s."""
    batch = prints([100, 101], [1, 1], ts=[500_000_000, 2_500_000_000])
    assert bars(Trades(batch, COARSE), "1s")["ts"].to_physical().to_list() == [0, 2_000_000_000]


@pytest.mark.parametrize("interval", ["", "1", "s", "0s", "1 year", "-1s", "1.5s"])
def test_a_wrong_interval_is_refused(interval: str) -> None:
    """The error says how an interval is written."""
    with pytest.raises(WorkbenchError, match="like '100ms'"):
        interval_ns(interval)


def test_units_of_intervals() -> None:
    """Milliseconds to days, in nanoseconds."""
    names = ["5ns", "2us", "100ms", "1s", "1m", "1h", "1d"]
    assert [interval_ns(name) for name in names] == [
        5,
        2000,
        10**8,
        10**9,
        6 * 10**10,
        36 * 10**11,
        864 * 10**11,
    ]
