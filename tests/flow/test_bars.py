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


# price in ticks, size in lots, aggressor
_TAPE = [
    (100, 3, 1),
    (101, 4, 1),
    (102, 2, -1),
    (102, 9, 1),
    (103, 1, -1),
    (104, 2, 0),
    (104, 6, -1),
    (99, 5, 1),
]


def _tape() -> Trades:
    price, size, side = zip(*_TAPE)
    return Trades(prints(list(price), list(size), list(side), ts=list(range(10, 18))), COARSE)


@pytest.mark.parametrize(
    ("bar", "ends"),
    [
        ("3 trades", [3, 6, 8]),
        ("3t", [3, 6, 8]),
        # volumes 3, 7 | 2, 11 | 1, 3, 9 | 5
        ("7 volume", [2, 4, 7, 8]),
        # 0.25 · (300, 404 | 204, 918 | 103, 208, 624 | 495), limit 150: 75, 176 | 51, 280.5 | 25.75, 77.75, 233.75 | 123.75
        ("150$", [2, 4, 7, 8]),
        # deltas 3, 7 | −2, 7 | −1, −1, −7 | 5
        ("7 delta", [2, 4, 7, 8]),
        # 100–102 | 103–104 | 99
        ("2 range", [4, 7, 8]),
    ],
)
def test_what_is_traded_ends_bars(bar: str, ends: list[int]) -> None:
    """Prints, volume, value, delta and range: a bar ends with the trade that reaches its limit."""
    frame = bars(_tape(), bar)
    assert frame["trades"].cum_sum().to_list() == ends
    assert frame["end"].to_physical().to_list() == [9 + end for end in ends]
    starts = [0, *ends[:-1]]
    assert frame["ts"].to_physical().to_list() == [10 + start for start in starts]
    for start, end, row in zip(starts, ends, frame.iter_rows(named=True)):
        running = list(itertools.accumulate(size * side for _, size, side in _TAPE[start:end]))
        assert (row["delta"], row["delta_low"], row["delta_high"]) == (
            running[-1],
            min(0, *running),
            max(0, *running),
        )


def _imbalance_bars(trades: list[tuple[int, int, int, int]], first: int, span: float) -> list[int]:
    """Numbers of trades of the bars, by the rule as it is written down; weights are sizes."""
    found, weight = [], 2 / (span + 1)
    expected, theta_mean, size_mean = float(first), 0.0, 0.0
    count = theta = total = 0
    for _, _, size, side in trades:
        count, theta, total = count + 1, theta + size * side, total + size
        if (
            count >= first
            if not found
            else abs(theta) >= max(expected * abs(theta_mean), expected**0.5 * size_mean)
        ):
            share = weight if found else 1.0
            expected = min(max(expected + share * (count - expected), first / 4), first * 4)
            theta_mean += share * (theta / count - theta_mean)
            size_mean += share * (total / count - size_mean)
            found.append(count)
            count = theta = total = 0
    return found + [count] * (count > 0)


@given(batch=trade_streams(200), first=st.integers(1, 12), span=st.sampled_from([1.0, 3.0, 20.0]))
def test_imbalance_ends_bars_as_the_rule_says(batch: EventBatch, first: int, span: float) -> None:
    """The first bar has the trades asked for, each further one ends where its imbalance exceeds what is expected."""
    found = bars(Trades(batch, COARSE), f"{first} volume imbalance", span=span)["trades"].to_list()
    assert found == _imbalance_bars(plain_prints(batch), first, span)


@given(
    batch=trade_streams(),
    cuts=st.lists(st.integers(0, 90), max_size=5),
    bar=st.sampled_from(
        ["3t", "9 volume", "5000$", "4 delta", "3 range", "4 trades imbalance", "4 dollars imbalance"]
    ),
)
def test_sampled_bars_do_not_depend_on_chunks_nor_on_the_future(
    batch: EventBatch, cuts: list[int], bar: str
) -> None:
    """Any chunking gives the same frame, and bars that have ended stay as they are whatever comes."""
    streaming = Bars(COARSE, bar)
    for part in chunks(batch, cuts):
        ended, before = streaming.ended, streaming.frame
        streaming.apply(part)
        assert streaming.frame[:ended].equals(before[:ended])
    assert streaming.frame.equals(bars(Trades(batch, COARSE), bar))


def test_a_balanced_market_does_not_end_a_bar_with_every_trade() -> None:
    """Buyer and seller in turns: the limit never falls below the imbalance of a fair coin."""
    batch = prints([100] * 400, [1] * 400, [1, -1] * 200, ts=range(400))
    frame = bars(Trades(batch, COARSE), "16 trades imbalance")
    assert frame["trades"].to_list() == [16, 384]


@pytest.mark.parametrize(
    "bar", ["0t", "1.5 trades", "-3v", "7 weeks", "3 range imbalance", "1e3t", "99999999999999999999v"]
)
def test_a_bar_that_says_nothing_is_refused(bar: str) -> None:
    """The error shows how bars are written."""
    with pytest.raises(WorkbenchError, match="500 trades"):
        bars(_tape(), bar)
