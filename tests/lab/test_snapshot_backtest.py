"""Backtests on snapshots: the book of a snapshot is the book of its moment, and what lies between is not seen."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.support.gapped import Gapped
from tests.support.sweeping import BuyEvery, quote_away
from workbench.book.levels import LevelBook
from workbench.errors import WorkbenchError
from workbench.lab.plain_strategy import PlainDesk
from workbench.lab.snapshots import snapshots_of
from workbench.session import Session

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def session() -> Session:
    """Thirty seconds of a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("30s")
    return s


def _book_of(batch: wb.EventBatch, until: int) -> list[list[int]]:
    book = LevelBook()
    book.apply(batch[: int(np.searchsorted(batch.ts, until, "right"))])
    return [column.tolist() for side in (1, -1) for column in book.levels(side)]


def test_a_snapshot_is_the_book_of_its_moment(session: Session) -> None:
    """After the rows of any round the thinned book equals that of all rows up to its time, level by level."""
    whole = wb.EventBatch.concatenate(
        wb.EventBatch.trusted(tuple(c[:9]), int(c[-1][0])) for c in session.capture().columns.chunks()
    )
    for every in (SECOND // 10, 3 * SECOND):
        thinned = snapshots_of(whole, every)
        assert len(thinned) < len(whole)
        first = int(whole.ts[0])
        assert ((thinned.ts - first) % every == 0).all()
        for time in np.unique(thinned.ts)[[0, 1, 5, -2, -1]].tolist():
            assert _book_of(thinned, time) == _book_of(whole, time)


def _written(rows: list[tuple[int, int, int, int, int]]) -> wb.EventBatch:
    ts, kind, side, price, size = zip(*rows)
    return wb.EventBatch.of(ts=[t * SECOND for t in ts], kind=kind, side=side, price=price, size=size)


OPENING = [(1, 6, 0, 0, 0), (1, 1, 1, 100, 9), (1, 1, -1, 101, 9), (1, 7, 0, 0, 0)]


def test_what_came_and_went_between_is_not_told() -> None:
    """A level that changes back within an interval has no row, and prints have none either."""
    between = [(2, 1, 1, 100, 4), (3, 2, -1, 100, 5), (4, 1, 1, 100, 9), (9, 1, 1, 99, 1)]
    thinned = snapshots_of(_written([*OPENING, *between]), 5 * SECOND)
    assert thinned.kind.tolist() == [6, 1, 1, 7, 1]
    assert thinned.ts.tolist() == [SECOND] * 4 + [11 * SECOND]


def test_a_book_that_was_lost_is_unknown_until_it_is_whole() -> None:
    """GAP and CLEAR begin anew; between them and the end of the venue's snapshot nothing is known."""
    rows = [(3, 9, 0, 0, -1), (6, 6, 0, 0, 0), (6, 1, 1, 90, 2), (9, 1, -1, 91, 2), (9, 7, 0, 0, 0)]
    thinned = snapshots_of(_written([*OPENING, *rows]), 2 * SECOND)
    told = list(zip((thinned.ts // SECOND).tolist(), thinned.kind.tolist(), thinned.price.tolist()))
    assert told[4:] == [(3, 6, 0), (7, 6, 0), (7, 1, 90), (9, 1, 91), (9, 7, 0)]
    assert len(snapshots_of(wb.EventBatch.empty(), SECOND)) == 0


class Resting:
    """Rests a bid at 99 from the first step on."""

    def on_timer(self, desk: PlainDesk) -> None:
        """Send it once."""
        if not desk.orders:
            desk.buy(1, 99)


class Market:
    """Anything with an instrument and batches."""

    def __init__(self, rows: list[tuple[int, int, int, int, int]]):
        self.instrument = wb.Instrument("TEST", tick_size="1", lot_size="1")
        self.batch = _written(rows)

    def batches(self) -> list[wb.EventBatch]:
        """All rows."""
        return [self.batch]


def test_a_touch_between_snapshots_fills_only_with_events() -> None:
    """The ask comes to 99 and leaves again between two snapshots: a fill for events, none for snapshots."""
    market = Market(
        [
            *OPENING,
            (2, 1, 1, 98, 1),
            (4, 1, 1, 100, 0),
            (4, 1, -1, 99, 5),
            (4, 1, -1, 101, 0),
            (5, 1, -1, 99, 0),
            (5, 1, -1, 101, 9),
            (20, 1, 1, 97, 1),
        ]
    )
    assert len(wb.backtest(Resting(), market, every="1s").fills) == 1
    assert len(wb.snapshot_backtest(Resting(), market, every="1s").fills) == 1
    assert len(wb.snapshot_backtest(Resting(), market, every="5s").fills) == 0


def test_a_recording_that_skips_numbers_has_snapshots_too() -> None:
    """On both sides of the hole the book is that of the events; between, no order meets a level."""
    found = wb.snapshot_backtest(BuyEvery(1), Gapped(), every="1s")
    events = wb.backtest(BuyEvery(1), Gapped(), every="1s", latency=0)
    assert sorted(set(found.fills["price"])) == [101.0, 111.0, 113.0]
    assert set(found.fills["price"]) == set(events.fills["price"])
    told = wb.snapshot_error(BuyEveryTenth, Gapped(), decide="500ms")
    assert told["fills"].to_list() == [3, 1, 1, 1]


def test_a_mistyped_setting_is_refused(session: Session) -> None:
    """With the nearest name, before anything runs."""
    with pytest.raises(WorkbenchError, match=r"unknown setting 'quee'.*Did you mean 'queue'"):
        wb.snapshot_backtest(BuyEvery(3), session, quee="touch")
    with pytest.raises(WorkbenchError, match=r"unknown setting 'fee'.*Did you mean 'fees'"):
        wb.snapshot_error(quote_away, session, fee=(0, 0))


def test_fine_snapshots_of_a_taker_are_the_truth(session: Session) -> None:
    """Who only takes, at once and one lot, sees the same prices as with events: snapshots lose queues and trades.

    And that a level was empty in between: then a lot that was taken is missing still, which may cost a tick.
    """
    found = wb.snapshot_error(BuyEveryTenth, session, every="100ms", decide="100ms", latency=0)
    assert found["version"].to_list() == ["events", "slow steps", "no latency", "snapshots"]
    assert found["fills"].n_unique() == 1
    *decided, thinned = found["profit"].to_list()
    assert decided == pytest.approx([decided[0]] * 3)
    tick = float(session.instrument.tick_size * session.instrument.multiplier)
    assert decided[0] - 2 * tick <= thinned <= decided[0]


class BuyEveryTenth(BuyEvery):
    """Buys at every tenth step."""

    def __init__(self) -> None:
        super().__init__(10)


def test_the_error_is_told_step_by_step(session: Session) -> None:
    """Errors add up to the difference between truth and snapshots; a maker has other fills."""
    found = wb.snapshot_error(quote_away, session, params=[0, 3])
    first, last = found["profit"][0], found["profit"][-1]
    assert found["error"].sum() == pytest.approx(last - first)
    assert found["fills"].n_unique() > 1
    with pytest.raises(WorkbenchError, match="class"):
        wb.snapshot_error(Resting(), session)
