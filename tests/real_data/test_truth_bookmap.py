"""Real recordings, written as Bookmap's lines and translated back: the same events, the same books."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.bookmap_lines import line
from tests.support.truth import Case
from workbench.book.levels import LevelBook
from workbench.book.orders import OrderBook
from workbench.bridge.translation import Translator
from workbench.events import SUBTICK_SHIFT, EventBatch, EventKind, Flag

ALIAS = "real@DATA"
MOST_ROWS = 120_000
ROWS_PER_INTERVAL = 500
CHUNK_BYTES = 50_000
WRITABLE = [
    EventKind.DEPTH,
    EventKind.TRADE,
    EventKind.MBO_NEW,
    EventKind.MBO_REPLACE,
    EventKind.MBO_CANCEL,
]
SAID = int(Flag.OTC | Flag.EXEC_START | Flag.EXEC_END) | (1023 << SUBTICK_SHIFT)
"""Flags that Bookmap's lines can say."""


def writable(events: EventBatch, kinds: list[EventKind]) -> EventBatch:
    """The first events of these kinds."""
    mask = np.isin(events.kind, kinds)
    columns = tuple(column[mask][:MOST_ROWS] for column in events.columns)
    return EventBatch(columns, 0)


def written(events: EventBatch) -> Iterator[bytes]:
    """One line per event, and an interval now and then."""
    columns = (column.tolist() for column in events.columns[2:])
    for n, (kind, side, price, size, order_id, aggressor_id, flags) in enumerate(zip(*columns)):
        if n % ROWS_PER_INTERVAL == 0:
            yield line(12, ALIAS)
        if kind == EventKind.DEPTH:
            yield line(8, ALIAS, int(side > 0), price, size)
        elif kind == EventKind.TRADE:
            marks = [int(bool(flags & flag)) for flag in (Flag.OTC, Flag.EXEC_START, Flag.EXEC_END)]
            exact = price + (flags >> SUBTICK_SHIFT) / 1000
            ids = aggressor_id or "", order_id or ""
            yield line(5, ALIAS, exact, size, marks[0], int(side > 0), marks[1], marks[2], *ids)
        elif kind == EventKind.MBO_NEW:
            yield line(18, ALIAS, "BID_NEW" if side > 0 else "ASK_NEW", order_id, price, size)
        elif kind == EventKind.MBO_REPLACE:
            yield line(18, ALIAS, "REPLACE", order_id, price, size)
        else:
            yield line(18, ALIAS, "CANCEL", order_id, -1, -1)


def translated(stream: bytes) -> tuple[EventBatch, Translator]:
    """Everything that comes of a stream, read in chunks."""
    translator = Translator()
    out = translator.receive(line(2, ALIAS, "null", 0, 0.25, 1.0, 1.0, "{}"), 1, 1)
    for begin in range(0, len(stream), CHUNK_BYTES):
        out += translator.receive(stream[begin : begin + CHUNK_BYTES], begin, begin)
    return EventBatch.concatenate(piece[1] for piece in out if isinstance(piece, tuple)), translator


@pytest.mark.parametrize(
    ("name", "kinds"),
    [("usdm", WRITABLE), ("amzn", WRITABLE), ("esh4", WRITABLE[1:])],
    ids=["usdm", "amzn", "esh4"],
)
def test_a_real_recording_survives_the_way_through_bookmaps_lines(
    name: str, kinds: list[EventKind], request: pytest.FixtureRequest
) -> None:
    """Every depth, print and order, in order, and the books at the end; ES by its orders only."""
    case: Case = request.getfixturevalue(name)
    events = writable(case.events, kinds)
    stream, translator = translated(b"".join(written(events)))
    assert translator.bad_lines == 0
    _, columns = stream.where(np.isin(stream.kind, kinds))
    expected = as_bookmap_says_it(events)
    for number in range(2, 8):
        assert np.array_equal(columns[number], expected[number])
    is_trade = events.kind == EventKind.TRADE
    assert np.array_equal(columns[8][is_trade] & SAID, expected[8][is_trade] & SAID)
    assert translator.markets[ALIAS].derives_depth == (EventKind.DEPTH not in kinds)
    _same_books(EventBatch(expected, 0), stream, translator)


def as_bookmap_says_it(events: EventBatch) -> list[np.ndarray]:
    """Columns without the side of a change or what a cancelled order was; every print has an aggressor."""
    columns = [column.copy() for column in events.columns]
    is_cancel = events.kind == EventKind.MBO_CANCEL
    columns[3][is_cancel | (events.kind == EventKind.MBO_REPLACE)] = 0
    columns[3][(events.kind == EventKind.TRADE) & (events.side == 0)] = -1
    columns[4][is_cancel] = columns[5][is_cancel] = 0
    return columns


def _same_books(events: EventBatch, stream: EventBatch, translator: Translator) -> None:
    """What was written, what was read and what a late client is sent are the same books."""
    orders, levels, read_levels, read_orders = OrderBook(), LevelBook(), LevelBook(), OrderBook()
    orders.apply(events)
    levels.apply(events)
    read_levels.apply(stream)
    read_orders.apply(stream)
    market = translator.markets[ALIAS]
    state = market.book_state(orders=True)
    for side, sent in ((1, state.bids), (-1, state.asks)):
        expected = (orders if market.derives_depth else levels).levels(side)
        for found in (sent, read_levels.levels(side)):
            assert all(np.array_equal(a, b) for a, b in zip(found, expected))
    assert len(read_orders) == len(orders)
    assert (0 if state.orders is None else len(state.orders[0])) == len(orders)
