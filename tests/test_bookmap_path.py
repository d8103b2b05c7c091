"""The whole path: a Bookmap that is none, the installed script, its bridge, the engine, the session in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.support.bridged import PERMISSION, stand_in
from tests.support.eventually import eventually
from workbench.book.levels import LevelBook
from workbench.events import EventBatch, EventKind, Side
from workbench.feeds import discovery
from workbench.feeds.engines import stop_all
from workbench.feeds.simulator import Simulator
from workbench.session import Session
from workbench.testing import BookmapStandIn

MARKET = (EventKind.DEPTH, EventKind.TRADE, EventKind.MBO_NEW, EventKind.MBO_REPLACE, EventKind.MBO_CANCEL)
COMPARED = ("kind", "side", "price", "size", "order_id", "aggressor_id")
SECONDS = 5
PATIENCE_S = 60.0


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Folders of our own, and no engine left behind."""
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(tmp_path / "run"))
    yield
    stop_all()


@pytest.fixture
def both(tmp_path: Path, runtime: None) -> Iterator[tuple[BookmapStandIn, BookmapStandIn]]:
    """A dense and a sparse market, each in an add-on process of its own, as Bookmap does it."""
    with ExitStack() as stack:
        made = [
            stack.enter_context(
                stand_in(tmp_path / source.profile, source=source, trading=True, write_per_line=False)
            )
            for source in (dense(), sparse())
        ]
        for bm in made:
            bm.attach()
        yield made[0], made[1]


def dense() -> Simulator:
    return Simulator(seed=7)


def sparse() -> Simulator:
    return Simulator(seed=7, profile="btc-like")


def sent(source: Simulator) -> EventBatch:
    """What a provider sends after the add-on came."""
    handed = source.advance(source.start_ns + SECONDS * 10**9)
    rows = EventBatch.concatenate(batch for _, batch in handed)
    return rows[int(np.searchsorted(rows.ts, rows.ts[0], "right")) :]


def arrived(session: Session, symbol: str, count: int) -> list[np.ndarray]:
    """Columns of the newest ``count`` rows that tell of the market."""
    events = session[symbol].events
    market = events.filter(np.isin(events["kind"].to_numpy(), MARKET)).tail(count)
    return [market[name].to_numpy() for name in COMPARED]


def market_rows(session: Session, symbol: str) -> int:
    return int(np.isin(session[symbol].events["kind"].to_numpy(), MARKET).sum())


def check_stream(session: Session, source: Simulator) -> None:
    """Every event once and in order, and the book that they make."""
    expected = sent(source)
    symbol = source.instruments[0].symbol
    mask = np.isin(expected.kind, MARKET)
    count = int(mask.sum())
    for name, got in zip(COMPARED, arrived(session, symbol, count)):
        wanted = getattr(expected, name)[mask].astype(np.int64)
        if name in ("price", "size", "side"):  # what a cancel carries beside its order says nothing
            keep = expected.kind[mask] != EventKind.MBO_CANCEL
            got, wanted = got[keep], wanted[keep]
        np.testing.assert_array_equal(got.astype(np.int64), wanted, err_msg=f"{symbol} {name}")
    assert len(session[symbol].gaps) == 0


def check_book(session: Session, source: Simulator) -> None:
    """All levels of both sides."""
    book = LevelBook()
    for _, batch in source.advance(source.start_ns + SECONDS * 10**9):
        book.apply(batch)
    shown = session[source.instruments[0].symbol].capture.book
    assert shown.valid
    for side in (Side.BID, Side.ASK):
        for got, wanted in zip(shown.levels(side), book.levels(side)):
            np.testing.assert_array_equal(got, wanted)


def test_everything_arrives_in_order_and_makes_the_same_book(both: tuple[BookmapStandIn, ...]) -> None:
    """As fast as it can be sent, two instruments at once, into one session."""
    expected = {
        bm.alias: int(np.isin(sent(s).kind, MARKET).sum()) for bm, s in zip(both, (dense(), sparse()))
    }
    with wb.connect("bookmap") as session:
        eventually(lambda: set(session.symbols) == set(expected))
        eventually(lambda: all(session.capture(symbol).book.valid for symbol in expected), what="books")
        before = {symbol: market_rows(session, symbol) for symbol in expected}
        for bm in both:
            bm.play(until=f"{SECONDS}s")
        for symbol, count in expected.items():
            eventually(
                lambda: market_rows(session, symbol) - before[symbol] == count,  # noqa: B023
                PATIENCE_S,
                what=f"{count} events of {symbol}",
            )
        for source in (dense(), sparse()):
            check_stream(session, source)
        for source in (dense(), sparse()):
            check_book(session, source)


def test_an_order_goes_all_the_way_and_its_fill_comes_back(both: tuple[BookmapStandIn, ...]) -> None:
    """From a cell to Bookmap and back, with both locks open; nothing reaches the other instrument."""
    bm, other = both
    with wb.connect("bookmap") as session:
        bm.set(PERMISSION, True)
        eventually(lambda: session.capture(bm.alias).book.valid)
        eventually(lambda: armed(session, bm.alias), what="both locks open")
        order = session.orders.buy(2, symbol=bm.alias)
        eventually(lambda: order.status == "FILLED", what="the fill")
        assert bm.position.net == 2
        eventually(lambda: session.fills.height == 1)
        assert other.count(19) == 0
    eventually(lambda: not bm.deaf and bm.count(19) == 1)


def armed(session: Session, symbol: str) -> bool:
    """Open our lock; whether an order would go through now."""
    try:
        return session.arm(minutes=5, max_orders=3, max_size=5, symbol=symbol).ready
    except wb.WorkbenchError:
        return False  # the other lock is not open yet
