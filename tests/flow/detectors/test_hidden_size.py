"""Underflow and resistance: the rules by hand, then any chunking and any cut."""

from __future__ import annotations

import pytest

from tests.support.detectors import K, assert_chunks_and_cuts, found, rows, simulated
from workbench.errors import WorkbenchError
from workbench.events import Flag, Instrument
from workbench.flow.detectors.hidden_size import Resistance, Underflow

X = Instrument("X", "0.25")
MS = 1_000_000


def test_more_traded_than_displayed() -> None:
    """20 displayed, one aggressor prints 15 + 48 there: 43 more; known with the next row of another time."""
    seen = found(
        Underflow(X),
        [
            rows(
                (1, K.DEPTH, -1, 200, 20),
                (5, K.TRADE, 1, 200, 15, 0, 7),
                (5, K.TRADE, 1, 200, 48, 0, 7),
                (6, K.DEPTH, -1, 200, 0),
            )
        ],
    )
    assert (seen.ts.tolist(), seen.sequence.tolist(), seen.side.tolist()) == ([6], [5], [-1])
    assert seen.score.tolist() == [43.0]
    assert seen.evidence["shown_lots"].tolist() == [20]
    assert seen.evidence["started_ts"].tolist() == [5]


@pytest.mark.parametrize("flags", [int(Flag.OTC), int(Flag.HIDDEN), 500 << 6])
def test_prints_that_met_no_display(flags: int) -> None:
    """Off-book, hidden and sub-tick prints took nothing off the display."""
    batch = rows((1, K.DEPTH, -1, 200, 20), (5, K.TRADE, 1, 200, 63, 0, 7, flags), (6, K.CLOCK))
    assert len(found(Underflow(X), [batch]).ts) == 0


def test_open_prints_are_told_at_the_end() -> None:
    """With nothing behind them the prints are known when the stream closes."""
    batch = rows((1, K.DEPTH, -1, 200, 20), (5, K.TRADE, 1, 200, 21, 0, 7))
    seen = found(Underflow(X), [batch])
    assert (seen.ts.tolist(), seen.sequence.tolist(), seen.score.tolist()) == ([5], [3], [1.0])


def test_size_that_comes_back() -> None:
    """10 shown, 6 traded, 9 shown: 5 came back; then 4 traded of 9 and 9 shown again: 4 more, 9 in all."""
    batch = rows(
        (1, K.DEPTH, 1, 100, 10),
        (2 * MS, K.TRADE, -1, 100, 6),
        (3 * MS, K.DEPTH, 1, 100, 9),
        (4 * MS, K.TRADE, -1, 100, 4),
        (5 * MS, K.DEPTH, 1, 100, 9),
    )
    seen = found(Resistance(X), [batch])
    assert seen.evidence["again_lots"].tolist() == [5, 4]
    assert seen.score.tolist() == [5.0, 9.0]
    assert seen.side.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("trade_ts", "shown", "again"), [(2 * MS, 4, 0), (2 * MS, 30, 6), (-200 * MS, 9, 0), (2 * MS, 5, 0)]
)
def test_what_comes_back_is_bounded(trade_ts: int, shown: int, again: int) -> None:
    """Never more than was traded, never behind the delay, never below the least size of 2."""
    shift = 300 * MS
    batch = rows(
        (1, K.DEPTH, 1, 100, 10),
        (shift + trade_ts, K.TRADE, -1, 100, 6),
        (shift + 3 * MS, K.DEPTH, 1, 100, shown),
    )
    assert sum(found(Resistance(X), [batch]).evidence["again_lots"].tolist()) == again


@pytest.mark.parametrize("kind", [Underflow, Resistance])
def test_unknown_book(kind) -> None:  # type: ignore[no-untyped-def]
    """Behind a gap nothing is told until a CLEAR and a snapshot came."""
    batch = rows(
        (1, K.DEPTH, -1, 200, 20), (2, K.GAP, 0, 0, 1), (3, K.DEPTH, -1, 200, 20), (5, K.TRADE, 1, 200, 63, 0, 7),
        (6, K.DEPTH, -1, 200, 20),
    )  # fmt: skip
    assert len(found(kind(X), [batch]).ts) == 0


@pytest.mark.parametrize("kind", [Underflow, Resistance])
def test_any_chunking_and_no_look_ahead(kind) -> None:  # type: ignore[no-untyped-def]
    """Icebergs in a simulated market are seen the same in any pieces, and nothing before a cut changes."""
    market = simulated(kinds=("iceberg",))
    assert assert_chunks_and_cuts(lambda: kind(X), market, seed=2) > 0


def test_bad_parameters_are_refused() -> None:
    """Less than one lot makes no sense."""
    with pytest.raises(WorkbenchError, match="min_lots=0"):
        Underflow(X, min_lots=0)
