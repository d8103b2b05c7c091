"""A short stream that has everything Bookmap's wire can say of a market."""

from __future__ import annotations

from decimal import Decimal

from workbench.events import SUBTICK_SHIFT, EventBatch, EventKind, Flag, Instrument, Side

INSTRUMENT = Instrument("ESZ6.CME@RITHMIC", Decimal("0.25"), full_name="E-mini S&P 500")
START_NS = 1_736_173_800_000_000_000
STEP_NS = 10_000_000

K, F = EventKind, Flag
OPENING = (
    # kind, side, price, size, order, aggressor, flags
    (K.CLEAR, 0, 0, 0, 0, 0, 0),
    (K.DEPTH, Side.BID, 400, 5, 0, 0, F.SNAPSHOT),
    (K.DEPTH, Side.ASK, 401, 7, 0, 0, F.SNAPSHOT),
    (K.MBO_NEW, Side.BID, 400, 5, 11, 0, F.SNAPSHOT),
    (K.MBO_NEW, Side.ASK, 401, 7, 12, 0, F.SNAPSHOT),
    (K.SNAPSHOT_END, 0, 0, 0, 0, 0, 0),
)
CHANGES = (
    (K.MBO_NEW, Side.BID, 399, 2, 13, 0, 0),
    (K.DEPTH, Side.BID, 399, 2, 0, 0, 0),
    (K.TRADE, Side.BUY, 401, 3, 12, 14, F.EXEC_START | F.EXEC_END),
    (K.MBO_REPLACE, 0, 401, 4, 12, 0, 0),
    (K.DEPTH, Side.ASK, 401, 4, 0, 0, 0),
    (K.TRADE, Side.SELL, 400, 1, 0, 0, F.OTC | 500 << SUBTICK_SHIFT),
    (K.MBO_CANCEL, 0, 399, 0, 13, 0, 0),
    (K.DEPTH, Side.BID, 399, 0, 0, 0, 0),
    (K.CLOCK, 0, 0, 0, 0, 0, 0),
    (K.DEPTH, Side.ASK, 402, 9, 0, 0, 0),
)
EXPECTED = (
    # what each change is to an add-on: handler, arguments after the alias
    ("mbo", "BID_NEW", "13", 399, 2),
    ("depth", True, 399, 2),
    ("trade", 401.0, 3, False, True, True, True, "14", "12"),
    ("mbo", "REPLACE", "12", 401, 4),
    ("depth", False, 401, 4),
    ("trade", 400.5, 1, True, False, False, False, "", ""),
    ("mbo", "CANCEL", "13", -1, -1),
    ("depth", True, 399, 0),
    ("depth", False, 402, 9),
)


def batches() -> list[EventBatch]:
    """The opening at the start time, then a change every 10 ms."""
    opening = _batch(0, OPENING, [START_NS] * len(OPENING))
    times = [START_NS + STEP_NS * (n + 1) for n in range(len(CHANGES))]
    return [opening, _batch(len(opening), CHANGES, times)]


def _batch(sequence: int, rows: tuple[tuple[int, ...], ...], ts: list[int]) -> EventBatch:
    names = ("kind", "side", "price", "size", "order_id", "aggressor_id", "flags")
    return EventBatch.of(sequence, ts=ts, **dict(zip(names, map(list, zip(*rows)))))
