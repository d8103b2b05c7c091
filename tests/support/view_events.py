"""A tiny market whose every number is known, for views."""

from __future__ import annotations

from tests.support.shown import Shown
from workbench.events import EventBatch, EventKind, Flag, Instrument, Side

START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
HOSTILE = "<img src=x onerror=alert(1)>&amp;"


def opening(first_sequence: int = 0, ts: int = START_NS, levels: int = 30) -> EventBatch:
    """Snapshot: bids 100, 99, … of 10, 11, … lots, asks 101, 102, … of 20, 21, … lots."""
    depth = range(levels)
    price = [0, *(100 - i for i in depth), *(101 + i for i in depth), 0]
    size = [0, *(10 + i for i in depth), *(20 + i for i in depth), 0]
    side = [0, *[Side.BID] * levels, *[Side.ASK] * levels, 0]
    kind = [EventKind.CLEAR, *[EventKind.DEPTH] * (2 * levels), EventKind.SNAPSHOT_END]
    return EventBatch.of(
        first_sequence, ts=ts, kind=kind, price=price, size=size, side=side, flags=Flag.SNAPSHOT
    )


def trades(first_sequence: int, *rows: tuple[int, int, int, int]) -> EventBatch:
    """Prints given as (ms after the start, price, size, aggressor)."""
    ts, price, size, side = zip(*rows)
    stamps = [START_NS + ms * 1_000_000 for ms in ts]
    return EventBatch.of(first_sequence, ts=stamps, kind=EventKind.TRADE, price=price, size=size, side=side)


def shown(symbol: str = "ES", tick: str = "0.25") -> Shown:
    """Session-like object with the opening book and three trades within a second."""
    market = Shown(Instrument(symbol, tick))
    batch = opening()
    market.apply(batch)
    market.apply(trades(batch.next_sequence, (300, 101, 4, 1), (600, 101, 2, 1), (900, 100, 5, -1)))
    return market
