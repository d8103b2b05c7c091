"""JSON face of market data: one message per event, prices and sizes in real units.

Both directions go through the columns: :func:`encode_rows` writes the messages of a batch, :class:`RowReader` collects
messages back into batches. Columns that a kind of event does not use are left out and come back as 0.

After any message the next number is ``sequence + 1``, after a ``GAP`` ``sequence + lost``. Where a subscription
leaves kinds of data out, each message also carries ``previous``, the last number covered before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec
import numpy as np

from workbench.errors import ProtocolError
from workbench.events import (
    COLUMNS,
    SUBTICK_SHIFT,
    SUBTICKS_PER_TICK,
    Array,
    EventBatch,
    EventKind,
    Flag,
    Instrument,
    Status,
)
from workbench.protocol.decoding import convert_to
from workbench.protocol.messages import Count, Int64, Message, Plain, Real

RowSide = Literal["BID", "ASK"]
Aggressor = Literal["BUY", "SELL"]
FlagName = Literal["SNAPSHOT", "OTC", "EXEC_START", "EXEC_END", "HIDDEN", "IMPLIED"]
Size = Real


class Row(Message):
    """What every message of one event carries. ``ts``: receive time; ``ts_source``: the venue's own, 0 unknown."""

    symbol: str
    sequence: Int64
    ts: Int64
    previous: Int64 | None = None
    ts_source: Int64 = 0
    order_id: Int64 = 0
    aggressor_id: Int64 = 0
    flags: list[FlagName] = msgspec.field(default_factory=list)


class Depth(Row, kw_only=True, tag="DEPTH"):
    """New total size at a price level; size 0 removes the level."""

    side: RowSide | None
    price: Real
    size: Size


class Trade(Row, kw_only=True, tag="TRADE"):
    """One print; ``aggressor`` is null where the venue does not tell."""

    price: Real
    size: Size
    aggressor: Aggressor | None


class Mbo(Row, kw_only=True, tag="MBO"):
    """One order enters, changes or leaves; ``side`` is known for new ones."""

    action: Literal["NEW", "REPLACE", "CANCEL"]
    side: RowSide | None = None
    price: Real = 0.0
    size: Size = 0


class Clear(Row, kw_only=True, tag="CLEAR"):
    """The books are invalid from here; rows flagged SNAPSHOT and SNAPSHOT_END follow."""


class SnapshotEnd(Row, kw_only=True, tag="SNAPSHOT_END"):
    """The books are valid from here."""


class Clock(Row, kw_only=True, tag="CLOCK"):
    """Market time passed. ``interval``: number of this tick where the source counts them (Bookmap: each 0.1 s)."""

    interval: Int64 = 0


class Gap(Row, kw_only=True, tag="GAP"):
    """``lost`` numbers from ``sequence`` on are lost; null: an unknown number of events, under one number."""

    lost: Count | None


class StatusRow(Row, kw_only=True, tag="STATUS"):
    """The state of the source changed."""

    status: Literal["LIVE", "STALE", "PAUSED", "ENDED", "CLOCK_STEP"] | Int64


_KIND_OF: Final[dict[type[Row], int]] = {
    Depth: EventKind.DEPTH,
    Trade: EventKind.TRADE,
    Clear: EventKind.CLEAR,
    SnapshotEnd: EventKind.SNAPSHOT_END,
    Clock: EventKind.CLOCK,
    Gap: EventKind.GAP,
    StatusRow: EventKind.STATUS,
}
_ROW_KINDS: Final[tuple[type[Row], ...]] = (*_KIND_OF, Mbo)
ROW_TYPES: Final[dict[str, type[Row]]] = {str(t.__struct_config__.tag): t for t in _ROW_KINDS}
_ACTIONS: Final = {EventKind.MBO_NEW: "NEW", EventKind.MBO_REPLACE: "REPLACE", EventKind.MBO_CANCEL: "CANCEL"}
_ACTION_KINDS: Final = {name: int(kind) for kind, name in _ACTIONS.items()}
_STATUS_NAMES: Final = {int(status): status.name for status in Status}
_FLAG_NAMES: Final = [[f.name for f in Flag if bits & f] for bits in range(1 << SUBTICK_SHIFT)]
_SIDES: Final = {1: "BID", -1: "ASK"}
_AGGRESSORS: Final = {1: "BUY", -1: "SELL"}
_SIDE_NUMBERS: Final = {"BID": 1, "BUY": 1, "ASK": -1, "SELL": -1, None: 0}
_ENCODER: Final = msgspec.json.Encoder()


# -- columns to messages -----------------------------------------------------------------------------------------


def encode_rows(
    batch: EventBatch, instrument: Instrument, mask: Array | None = None, previous: int | None = None
) -> list[str]:
    """JSON messages of a batch, one per row.

    Parameters
    ----------
    batch : EventBatch
    instrument : Instrument
        Gives the symbol, and the real units of prices and sizes.
    mask : array of bool, shape (n_events,), optional
        Rows to send; the messages then carry ``previous``.
    previous : int, optional
        Last number covered before the first row; default: the one before the batch.
    """
    filtered = mask is not None
    rows: Any = _plain_rows(batch, instrument, mask)
    before = batch.first_sequence - 1 if previous is None else previous
    texts = []
    for row in rows:
        message = _BUILDERS[row[2]](instrument.symbol, row, before if filtered else None)
        texts.append(_ENCODER.encode(message).decode())
        before = row[9]
    return texts


def _plain_rows(batch: EventBatch, instrument: Instrument, mask: Array | None) -> Any:
    """Tuples of Python values in the order of the columns, then the sequence number."""
    sequence, columns = batch.where(slice(None) if mask is None else mask)  # type: ignore[arg-type]
    lists = [values.tolist() for values in columns]
    lists[4] = instrument.prices(columns[4], columns[8]).tolist()
    lists[5] = _real_sizes(columns, instrument)
    return zip(*lists, sequence.tolist())


def _real_sizes(columns: tuple[Array, ...], instrument: Instrument) -> list[Any]:
    lots = columns[5].tolist()
    unscaled = np.isin(columns[2], (EventKind.GAP, EventKind.STATUS, EventKind.CLOCK)).tolist()
    if instrument.lot_size == instrument.lot_size.to_integral():  # whole numbers stay whole, and exact
        lot = int(instrument.lot_size)
        return [n if plain else n * lot for n, plain in zip(lots, unscaled)]
    real = instrument.sizes(columns[5]).tolist()
    return [n if plain else size for n, size, plain in zip(lots, real, unscaled)]


def _common(symbol: str, row: Any, previous: int | None) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "sequence": row[9],
        "ts": row[0],
        "previous": previous,
        "ts_source": row[1],
        "order_id": row[6],
        "aggressor_id": row[7],
        "flags": _FLAG_NAMES[row[8] & 63],
    }


def _build_depth(symbol: str, row: Any, previous: int | None) -> Row:
    return Depth(**_common(symbol, row, previous), side=_SIDES.get(row[3]), price=row[4], size=row[5])  # type: ignore[arg-type]


def _build_trade(symbol: str, row: Any, previous: int | None) -> Row:
    aggressor = _AGGRESSORS.get(row[3])
    return Trade(**_common(symbol, row, previous), price=row[4], size=row[5], aggressor=aggressor)  # type: ignore[arg-type]


def _build_mbo(symbol: str, row: Any, previous: int | None) -> Row:
    common = _common(symbol, row, previous)
    action: Any = _ACTIONS[row[2]]
    return Mbo(**common, action=action, side=_SIDES.get(row[3]), price=row[4], size=row[5])  # type: ignore[arg-type]


def _build_gap(symbol: str, row: Any, previous: int | None) -> Row:
    return Gap(**_common(symbol, row, previous), lost=None if row[5] < 0 else row[5])


def _build_status(symbol: str, row: Any, previous: int | None) -> Row:
    return StatusRow(**_common(symbol, row, previous), status=_STATUS_NAMES.get(row[5], row[5]))


def _build_clock(symbol: str, row: Any, previous: int | None) -> Row:
    return Clock(**_common(symbol, row, previous), interval=row[5])


def _build_bare(kind: type[Row]) -> Callable[[str, Any, int | None], Row]:
    return lambda symbol, row, previous: kind(**_common(symbol, row, previous))


_BUILDERS: Final[dict[int, Callable[[str, Any, int | None], Row]]] = {
    EventKind.DEPTH: _build_depth,
    EventKind.TRADE: _build_trade,
    EventKind.MBO_NEW: _build_mbo,
    EventKind.MBO_REPLACE: _build_mbo,
    EventKind.MBO_CANCEL: _build_mbo,
    EventKind.CLEAR: _build_bare(Clear),
    EventKind.SNAPSHOT_END: _build_bare(SnapshotEnd),
    EventKind.CLOCK: _build_clock,
    EventKind.GAP: _build_gap,
    EventKind.STATUS: _build_status,
}


# -- messages to columns -----------------------------------------------------------------------------------------


class RowReader:
    """Collects the JSON messages of one instrument into batches.

    Parameters
    ----------
    instrument : Instrument
        Its grid turns real units back into ticks and lots; off-grid values are refused.
    """

    def __init__(self, instrument: Instrument):
        self.instrument = instrument
        self._rows: list[tuple[int, ...]] = []
        self._sequences: list[int] = []
        self._first = 0
        self._next = 0
        self._ended = False

    def add(self, plain: Plain) -> Covered | None:
        """Take one parsed message.

        Returns
        -------
        Covered or None
            The rows collected so far, when this message does not follow them.

        Raises
        ------
        ProtocolError
            A field is missing, of the wrong type, or off the grid; the collected rows stay.
        """
        row = convert_to(plain, ROW_TYPES[plain["type"]])
        values = row_values(row, self.instrument)
        first = row.sequence if row.previous is None else row.previous + 1
        if first > row.sequence:
            raise ProtocolError(f"previous {row.previous} of sequence {row.sequence}", code="bad_value")
        done = self.take() if self._rows and (first != self._next or self._ended) else None
        if not self._rows:
            self._first = first
        self._rows.append(values)
        self._sequences.append(row.sequence)
        lost = values[5] if values[2] == EventKind.GAP else 1
        self._next = row.sequence + max(lost, 1)
        self._ended = lost > 1  # a batch ends at a gap that skips numbers
        return done

    def take(self) -> Covered | None:
        """Rows collected since the last time; None if there are none."""
        if not self._rows:
            return None
        columns = [np.array(v, dtype=c.dtype) for v, c in zip(zip(*self._rows), COLUMNS)]
        sequences = np.array(self._sequences, dtype=np.int64)
        batch = EventBatch.trusted(tuple(columns), self._sequences[0])
        contiguous = self._sequences[0] == self._first and np.array_equal(sequences, batch.sequence)
        covered = Covered(self._first, self._next, batch, None if contiguous else sequences)
        self._rows, self._sequences = [], []
        return covered


class Covered(msgspec.Struct, frozen=True):
    """Rows that cover the numbers ``[first, next)``; ``sequence`` given when they are not consecutive."""

    first: int
    next: int
    batch: EventBatch
    sequence: Any = None


def row_values(row: Row, instrument: Instrument) -> tuple[int, ...]:
    """Values of one message in the order of the columns."""
    kind = _ACTION_KINDS[row.action] if isinstance(row, Mbo) else _KIND_OF[type(row)]
    flags = sum(int(Flag[name]) for name in row.flags)
    side = price = size = 0
    if isinstance(row, Trade):
        price, rest = divmod(grid_steps(row.price, instrument, "price", SUBTICKS_PER_TICK), SUBTICKS_PER_TICK)
        flags |= rest << SUBTICK_SHIFT
        side, size = _SIDE_NUMBERS[row.aggressor], lots_of(row.size, instrument)
    elif isinstance(row, (Depth, Mbo)):
        price = grid_steps(row.price, instrument, "price")
        side, size = _SIDE_NUMBERS[row.side], lots_of(row.size, instrument)
    elif isinstance(row, Gap):
        size = -1 if row.lost is None else row.lost
    elif isinstance(row, Clock):
        size = row.interval
    elif isinstance(row, StatusRow):
        size = Status[row.status] if isinstance(row.status, str) else row.status
    if not -(2**31) <= price < 2**31:
        raise ProtocolError(
            f"price {price} ticks", expected="a price within 32 bits of ticks", code="out_of_range"
        )
    return (row.ts, row.ts_source, kind, side, price, size, row.order_id, row.aggressor_id, flags)


def lots_of(size: float, instrument: Instrument) -> int:
    """Lots of a real size from the wire."""
    if size < 0:
        raise ProtocolError(f"size < 0: {size} of {instrument.symbol}", code="bad_value", field="size")
    lots = grid_steps(size, instrument, "size")
    if lots >= 2**63:
        raise ProtocolError(f"out_of_range field=size: {size}", code="out_of_range", field="size")
    return lots


GRID_TOLERANCE: Final = 1e-4
"""Steps; a double holds a price of 10⁹ steps to 10⁻⁷ of a step, and real off-grid prices are a tenth off or more."""


def grid_steps(value: float, instrument: Instrument, what: str, parts: int = 1) -> int:
    """Steps of 1/``parts`` tick (or lots, for ``what="size"``) of a real value, refused when off the grid."""
    step = instrument.lot_size if what == "size" else instrument.tick_size
    numerator, denominator = step.as_integer_ratio()
    if isinstance(value, int):
        steps, rest = divmod(value * denominator * parts, numerator)
        if not rest:
            return steps
    exact = float(value) * denominator * parts / numerator
    nearest = round(exact)
    if abs(exact - nearest) > max(GRID_TOLERANCE, abs(exact) * 1e-15):
        unit = "lots" if what == "size" else "ticks"
        raise ProtocolError(
            f"{what} {value} of {instrument.symbol}: {what} must be integer {unit}",
            expected=f"a multiple of {step}",
            code="off_grid",
            field=what,
        )
    return nearest


def is_row(plain: Mapping[str, Any]) -> bool:
    """Whether a parsed message is one event of a stream."""
    return plain.get("type") in ROW_TYPES
