"""Underflow and resistance: the rules by hand, then any chunking and any cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.support.books import DictBook
from tests.support.detectors import K, assert_chunks_and_cuts, found, rows, simulated
from tests.support.flows import Row, market, markets, rows_of, walked
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, Flag, Instrument
from workbench.flow.aggressor import aggressor_orders
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


class PlainResistance:
    """Definition: of what was traded at a level, that which its next sizes show beyond what was left."""

    def __init__(self, delay_ns: int, least: int):
        self.delay, self.least = delay_ns, least
        self.left: dict[tuple[int, int], int] = {}
        self.open: dict[tuple[int, int], dict] = {}
        self.known, self.told = False, []

    def row(self, row: Row, book: DictBook) -> None:
        if row.kind in (K.CLEAR, K.GAP):
            self.left, self.open = {}, {}
        elif row.kind == K.DEPTH:
            self.shown(row, (row.price, row.side), book.valid)
        elif row.displayed and book.valid:
            at = row.price, -row.side
            if at not in self.open or row.ts - self.open[at]["last"] > self.delay:
                self.open[at] = {"traded": 0, "again": 0, "times": 0, "since": row.ts}
            self.open[at]["traded"] += row.size
            self.open[at]["last"] = row.ts
            self.left[at] = self.left.get(at, 0) - row.size

    def shown(self, row: Row, at: tuple[int, int], valid: bool) -> None:
        more, self.left[at] = row.size - self.left.get(at, 0), row.size
        trades = self.open.get(at)
        if trades is None or row.ts - trades["last"] > self.delay:
            self.open.pop(at, None)
            return
        again = min(more, trades["traded"])
        if valid and again >= self.least:
            trades["traded"] -= again
            trades["again"] += again
            trades["times"] += 1
            totals = trades["again"], trades["times"], trades["since"]
            self.told.append((row.ts, row.sequence, row.price * 1000, row.side, row.size, again, *totals))

    def end(self, ts: int, sequence: int, book: DictBook) -> None:
        pass


def plain_underflow(batch: EventBatch) -> list[tuple]:
    """Definition: one order's prints at one price, together more than the level showed before the first."""
    levels: dict[tuple[int, int], int] = {}
    book, told, open_ = DictBook(), [], None
    orders = aggressor_orders(batch).tolist()

    def close(ts: int, sequence: int) -> None:
        if open_ and 0 < open_["shown"] < sum(open_["sizes"]):
            more = sum(open_["sizes"]) - open_["shown"]
            at = open_["price"] * 1000, open_["side"]
            told.append(
                (
                    ts,
                    sequence,
                    *at,
                    open_["shown"],
                    more + open_["shown"],
                    more,
                    len(open_["sizes"]),
                    open_["ts"],
                )
            )

    row = None
    for row, order in zip(rows_of(batch), orders):
        book.row(row.kind, row.side, row.price, row.size)
        if open_ and row.ts != open_["ts"]:
            close(row.ts, row.sequence)
            open_ = None
        if row.kind in (K.CLEAR, K.GAP):
            levels, open_ = {}, None
        elif row.kind == K.DEPTH:
            levels[row.price, row.side] = row.size
        elif row.displayed:
            if open_ is None or (order, row.price) != open_["name"]:
                close(row.ts, row.sequence)
                shown = levels.get((row.price, -row.side), 0) if book.valid else 0
                open_ = {"name": (order, row.price), "price": row.price, "side": -row.side, "ts": row.ts}
                open_ |= {"shown": shown, "sizes": []}
            open_["sizes"].append(row.size)
            open_["last"] = row.sequence
    if open_:
        close(open_["ts"], open_["last"])
    return told


def same_as_plain(batch: EventBatch) -> tuple[int, int]:
    """Compare both rules with their loops; how much there was."""
    fields = ("shown_lots", "traded_lots", "more_lots", "prints", "started_ts")
    seen = found(Underflow(X), [batch])
    told = list(zip(*(c.tolist() for c in seen[:4]), *(seen.evidence[name].tolist() for name in fields)))
    assert told == plain_underflow(batch)
    fields = ("shown_lots", "again_lots", "again_total_lots", "times", "started_ts")
    again = found(Resistance(X, delay_ns=30 * MS), [batch])
    back = list(zip(*(c.tolist() for c in again[:4]), *(again.evidence[name].tolist() for name in fields)))
    assert back == walked(PlainResistance(30 * MS, 2), batch).told
    return len(told), len(back)


@settings(max_examples=25)
@given(batch=markets())
def test_both_rules_are_those_of_plain_loops(batch: EventBatch) -> None:
    """With levels told before, after and not at all, and prints before a new book is complete."""
    same_as_plain(batch)


def test_there_is_hidden_size_to_compare() -> None:
    """The streams are not empty of what is looked for."""
    assert min(same_as_plain(market(1, 400))) > 10
