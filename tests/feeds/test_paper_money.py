"""Bounds on all instruments together: looked at when all are at one time, so that pieces of time change nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.feeds.paper_floor import PaperFloor
from workbench.protocol import messages
from workbench.trading import journal
from workbench.trading.paper_terms import PaperTerms

SECOND = 1_000_000_000
SYMBOLS = ("ES", "NQ")
INSTRUMENTS = {symbol: Instrument(symbol, Decimal("0.25"), multiplier=Decimal(50)) for symbol in SYMBOLS}


def levels(first: int, *told: tuple[int, int, int]) -> EventBatch:
    """Side, price and size, one millisecond apart, and that the book is whole."""
    kinds = [EventKind.DEPTH] * len(told) + [EventKind.SNAPSHOT_END]
    sides, prices, sizes = zip(*told, (0, 0, 0), strict=True)
    ts = [first + n * 1_000_000 for n in range(len(kinds))]
    return EventBatch.of(0, ts=ts, kind=kinds, side=list(sides), price=list(prices), size=list(sizes))


def lost(pieces: list[int], **bounds: Decimal) -> tuple[list[bytes], list[str]]:
    """Journals and switches after both instruments lost 3 · 2 · 12.5 from bid 99 to 96, at different times."""
    opened = PaperFloor(PaperTerms(**bounds), INSTRUMENTS.__getitem__, lambda _: None)
    for symbol in SYMBOLS:
        opened.take(symbol, levels(SECOND, (1, 99, 10), (-1, 100, 10)))
    opened.advance(dict.fromkeys(SYMBOLS, 2 * SECOND))
    for symbol in SYMBOLS:
        buy = messages.PlaceOrder(
            symbol=symbol, side="BUY", order_type="MARKET", quantity=2.0, client_order_id=symbol
        )
        opened.ask(symbol, buy, 2 * SECOND)
    opened.advance(dict.fromkeys(SYMBOLS, 2 * SECOND))
    for n, symbol in enumerate(SYMBOLS):
        opened.take(symbol, levels(2 * SECOND + (n + 1) * 250_000_000, (1, 99, 0), (1, 96, 10), (-1, 97, 10)))
    for until in pieces:
        opened.advance(dict.fromkeys(SYMBOLS, until))
    desks = [opened.papers[symbol].desk for symbol in SYMBOLS]
    return [journal.encode(desk.journal) for desk in desks], [desk.ledger.reason for desk in desks]


def test_both_are_reduced_when_both_have_lost_too_much() -> None:
    """One alone has not; at the next tenth of a second after the second fall every instrument lets exits through only."""
    # bought at 100, the mid is 96.5: 3.5 ticks, 2 lots, 12.5 each, twice
    journals, reasons = lost([3 * SECOND], daily_loss=Decimal(150))
    assert reasons == ["ACCOUNT_DAILY_LOSS_LIMIT: 175.00 lost from 100000.00 in all; at most 150"] * 2
    assert all(b'"ts":2600000000,"state":"REDUCING"' in lines for lines in journals)
    assert lost([3 * SECOND], daily_loss=Decimal(176))[1] == ["", ""]


def test_pieces_of_time_change_nothing() -> None:
    """The same journals, also for the drawdown, which counts from the peak."""
    cut = [2 * SECOND + 1, 2_299_999_999, 2_300_000_000, 2_555_000_000, 2_600_000_001, 3 * SECOND]
    for bounds in ({"daily_loss": Decimal(150)}, {"drawdown": Decimal(150)}):
        whole, pieces = lost([3 * SECOND], **bounds), lost(cut, **bounds)
        assert whole == pieces and whole[1][0].startswith("ACCOUNT_")


def test_bounds_are_above_nothing() -> None:
    """A bound of 0 would forbid everything, and says so."""
    with pytest.raises(WorkbenchError, match=r"drawdown=Decimal.*above 0"):
        PaperTerms(drawdown=Decimal(0))
