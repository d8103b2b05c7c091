"""The vocabulary: instruments, sides, event kinds, and the one declaration of an event's columns.

Wire columns, Arrow and Polars schemas and the arguments of the numba kernels all derive from :data:`COLUMNS`.
A market event is one row of these columns and never a Python object on a hot path. Inside, prices are integer
ticks, sizes integer lots and times ns since the epoch in UTC; real units exist only at the edge, through
:class:`Instrument`.

Sequence numbers are implicit: row ``i`` of a batch has number ``first_sequence + i``. Lost numbers are never
silent: a ``GAP`` row takes the first lost number and its ``size`` says how many are lost, so that the next row
is ``sequence + size``; a gap of unknown length (``size == -1``, the venue lost something) takes one number itself.
A batch therefore ends at a gap that skips numbers, and rows inside a batch are always consecutive.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from workbench.errors import EventError
from workbench.instruments import (
    SUBTICK_SHIFT,
    SUBTICKS_PER_TICK,
    Array,
    FloatArray,
    Instrument,
    check_symbol,
)

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

IntArray = npt.NDArray[np.int64]

__all__ = [
    "COLUMNS",
    "COLUMN_NAMES",
    "FLAG_MASK",
    "ROW_BYTES",
    "SUBTICKS_PER_TICK",
    "SUBTICK_SHIFT",
    "TIME_COLUMNS",
    "Array",
    "Column",
    "EventBatch",
    "EventKind",
    "Flag",
    "FloatArray",
    "Instrument",
    "IntArray",
    "Side",
    "Status",
    "arrow_schema",
    "check_symbol",
    "polars_schema",
]


class Side(IntEnum):
    """Resting side, or the aggressor of a trade: +1 bid or buy, −1 ask or sell, 0 none."""

    BID = 1
    BUY = 1
    ASK = -1
    SELL = -1
    NONE = 0


class EventKind(IntEnum):
    """What one row says. Numbers are part of the wire and of recordings; they never change meaning."""

    DEPTH = 1  # new total size at a price level; 0 removes the level
    TRADE = 2  # one print
    MBO_NEW = 3  # an order enters
    MBO_REPLACE = 4  # an order changes price or size; side 0, as the venues send it
    MBO_CANCEL = 5  # an order leaves, pulled or filled; side 0
    CLEAR = 6  # both books are invalid from here; a snapshot follows; order_id 1: after a seek
    SNAPSHOT_END = 7  # the books are valid from here
    CLOCK = (
        8  # market time passed (Bookmap's 0.1 s interval); size = number of the interval, 0 if not counted
    )
    GAP = 9  # events are lost; size = how many, −1 unknown
    STATUS = 10  # the state of the source changed; size = a Status number


class Flag(IntFlag):
    """Bits 0–5 of ``flags``. Bits 6–15 hold a trade's sub-tick price, see :data:`SUBTICK_SHIFT`."""

    SNAPSHOT = 1  # part of a snapshot, not a change
    OTC = 2  # off-book print
    EXEC_START = 4  # first print of one aggressor's execution
    EXEC_END = 8  # last print of it
    HIDDEN = 16  # executed against liquidity that was not displayed
    IMPLIED = 32  # from a spread or strategy book


_GAP: Final = int(EventKind.GAP)  # looking the member up costs half a microsecond, per message (Python 3.11)
FLAG_MASK: Final = (1 << SUBTICK_SHIFT) - 1


class Status(IntEnum):
    """State of a source, carried by ``STATUS`` events in ``size``."""

    LIVE = 1
    STALE = 2
    PAUSED = 3
    ENDED = 4
    CLOCK_STEP = 5  # the wall clock of whoever stamps was set; the step in ns is in order_id


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an event: its name, its dtype everywhere, and its meaning."""

    name: str
    dtype: np.dtype[Any]
    meaning: str


COLUMNS: Final[tuple[Column, ...]] = tuple(
    Column(name, np.dtype(code).newbyteorder("<"), meaning)
    for name, code, meaning in (
        ("ts", "i8", "receive time, ns since the epoch, UTC, stamped by whoever read it from the venue"),
        ("ts_source", "i8", "the venue's own time, ns; 0 where it sends none"),
        ("kind", "u1", "EventKind"),
        ("side", "i1", "Side: +1 bid / buy aggressor, −1 ask / sell aggressor, 0 none"),
        ("price", "i4", "ticks; for trades the tick at or below, see SUBTICK_SHIFT"),
        (
            "size",
            "i8",
            "lots; DEPTH: new total at the level, 0 = level gone; GAP: lost events, −1 unknown; CLOCK: number of the interval",
        ),
        ("order_id", "i8", "venue order, 0 none; for trades the passive order"),
        ("aggressor_id", "i8", "trades with order identity, else 0"),
        ("flags", "u2", "Flag bits 0–5, sub-tick price of trades in bits 6–15"),
    )
)
COLUMN_NAMES: Final[tuple[str, ...]] = tuple(column.name for column in COLUMNS)
ROW_BYTES: Final[int] = sum(column.dtype.itemsize for column in COLUMNS)
TIME_COLUMNS: Final = ("ts", "ts_source")


def arrow_schema(*, with_sequence: bool = True) -> pa.Schema:
    """Arrow schema of events on disk: ``sequence`` first, times as ``timestamp[ns, UTC]``."""
    import pyarrow as pa

    def arrow_type(column: Column) -> pa.DataType:
        if column.name in TIME_COLUMNS:
            return pa.timestamp("ns", tz="UTC")
        return pa.from_numpy_dtype(column.dtype)

    fields = [pa.field("sequence", pa.int64(), nullable=False)] if with_sequence else []
    return pa.schema(fields + [pa.field(c.name, arrow_type(c), nullable=False) for c in COLUMNS])


def polars_schema(*, with_sequence: bool = True) -> dict[str, pl.DataType]:
    """Polars schema of event frames: ``sequence`` first, times as ``Datetime("ns", "UTC")``."""
    import polars as pl

    names = {"i8": pl.Int64(), "u1": pl.UInt8(), "i1": pl.Int8(), "i4": pl.Int32(), "u2": pl.UInt16()}
    schema: dict[str, pl.DataType] = {"sequence": pl.Int64()} if with_sequence else {}
    for column in COLUMNS:
        is_time = column.name in TIME_COLUMNS
        schema[column.name] = pl.Datetime("ns", "UTC") if is_time else names[column.dtype.str[1:]]
    return schema


class EventBatch:
    """Consecutive events of one instrument, as columns.

    Parameters
    ----------
    columns : Sequence of ndarray
        One array per entry of :data:`COLUMNS`, in that order, each of shape (n_events,). Not copied.
    first_sequence : int
        Sequence number of row 0.

    Raises
    ------
    EventError
        Wrong number of columns, dtype or length; a gap that skips numbers anywhere but at the end.

    Notes
    -----
    Arrays are shared, not copied: whoever changes them owns the consequences. ``len(batch)`` is the number of
    rows; slices (``batch[a:b]``) are views.
    """

    __slots__ = ("columns", "first_sequence")

    def __init__(self, columns: Sequence[Array], first_sequence: int = 0):
        self.columns = tuple(columns)
        self.first_sequence = int(first_sequence)
        _check_columns(self.columns)

    @classmethod
    def trusted(cls, columns: tuple[Array, ...], first_sequence: int) -> EventBatch:
        """Build without checks, for columns that come from another batch or a checked decoder."""
        batch = cls.__new__(cls)
        batch.columns = columns
        batch.first_sequence = first_sequence
        return batch

    @classmethod
    def empty(cls, first_sequence: int = 0) -> EventBatch:
        """Return a batch of no rows."""
        return cls.trusted(tuple(np.empty(0, c.dtype) for c in COLUMNS), first_sequence)

    @classmethod
    def of(cls, first_sequence: int = 0, **columns: Any) -> EventBatch:
        """Build from keyword columns (arrays, lists or scalars); missing columns are 0.

        >>> EventBatch.of(5, ts=[1, 2], kind=EventKind.TRADE, price=[10, 11], size=1)
        EventBatch(2 events, sequence 5–6)
        """
        unknown = set(columns) - set(COLUMN_NAMES)
        if unknown:
            raise EventError(f"unknown columns {sorted(unknown)}", expected=f"some of {list(COLUMN_NAMES)}")
        length = max((np.size(v) for v in columns.values() if np.ndim(v)), default=1)
        arrays = [
            np.ascontiguousarray(np.broadcast_to(np.asarray(columns.get(c.name, 0), c.dtype), length))
            for c in COLUMNS
        ]
        return cls(arrays, first_sequence)

    @classmethod
    def concatenate(cls, batches: Iterable[EventBatch]) -> EventBatch:
        """Join batches that follow each other; copies once."""
        parts = [b for b in batches if len(b)]
        if not parts:
            return cls.empty()
        if len(parts) == 1:
            return parts[0]
        for before, after in itertools.pairwise(parts):
            if before.first_sequence + len(before) != after.first_sequence:
                raise EventError(
                    f"batch at sequence {after.first_sequence} after {before.last_sequence}",
                    expected=f"sequence {before.first_sequence + len(before)}",
                    action="Keep batches on both sides of a gap apart",
                )
        arrays = tuple(np.concatenate(arrays) for arrays in zip(*(b.columns for b in parts)))
        return cls.trusted(arrays, parts[0].first_sequence)

    def __len__(self) -> int:
        return len(self.columns[0])

    def __getitem__(self, rows: slice) -> EventBatch:
        start, _, step = rows.indices(len(self))
        if step != 1:
            raise EventError(f"slice with step {step}", expected="consecutive rows (step 1)")
        return EventBatch.trusted(tuple(c[rows] for c in self.columns), self.first_sequence + start)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EventBatch):
            return NotImplemented
        return self.first_sequence == other.first_sequence and all(
            np.array_equal(a, b) for a, b in zip(self.columns, other.columns)
        )

    __hash__ = None  # type: ignore[assignment]  # arrays are mutable

    def __repr__(self) -> str:
        if not len(self):
            return "EventBatch(no events)"
        return f"EventBatch({len(self)} events, sequence {self.first_sequence}–{self.last_sequence})"

    @property
    def last_sequence(self) -> int:
        """Sequence number of the last row."""
        return self.first_sequence + len(self) - 1

    @property
    def next_sequence(self) -> int:
        """Sequence number that the following batch starts with; a gap at the end skips what it lost."""
        kind = self.columns[2]
        count = len(kind)
        if count and kind[-1] == _GAP and self.columns[5][-1] > 0:
            return self.first_sequence + count - 1 + int(self.columns[5][-1])
        return self.first_sequence + count

    @property
    def sequence(self) -> IntArray:
        """Sequence numbers, int64, shape (n_events,)."""
        return np.arange(self.first_sequence, self.first_sequence + len(self), dtype=np.int64)

    @property
    def ts(self) -> Array:
        """Receive times, int64 ns UTC, shape (n_events,)."""
        return self.columns[0]

    @property
    def ts_source(self) -> Array:
        """The venue's own times, int64 ns UTC, 0 where it sends none."""
        return self.columns[1]

    @property
    def kind(self) -> Array:
        """:class:`EventKind` numbers, uint8."""
        return self.columns[2]

    @property
    def side(self) -> Array:
        """:class:`Side` numbers, int8."""
        return self.columns[3]

    @property
    def price(self) -> Array:
        """Prices, int32 ticks."""
        return self.columns[4]

    @property
    def size(self) -> Array:
        """Sizes, int64 lots."""
        return self.columns[5]

    @property
    def order_id(self) -> Array:
        """Orders, int64, 0 none."""
        return self.columns[6]

    @property
    def aggressor_id(self) -> Array:
        """Aggressing orders of trades, int64, 0 none."""
        return self.columns[7]

    @property
    def flags(self) -> Array:
        """:class:`Flag` bits and the sub-tick price, uint16."""
        return self.columns[8]

    def where(self, mask: Array) -> tuple[IntArray, tuple[Array, ...]]:
        """Rows of a boolean mask: their sequence numbers and their columns."""
        return self.sequence[mask], tuple(c[mask] for c in self.columns)

    def to_arrow(self) -> pa.RecordBatch:
        """Arrow record batch of :func:`arrow_schema`, sharing memory with the columns."""
        import pyarrow as pa

        # Built from buffers: pa.array(ndarray) copies, and imports pandas on its first call (0.4 s CPU, measured).
        schema = arrow_schema()
        columns = (self.sequence, *(np.ascontiguousarray(c) for c in self.columns))
        arrays = [
            pa.Array.from_buffers(kind, len(self), [None, pa.py_buffer(values)])
            for kind, values in zip(schema.types, columns)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def to_polars(self) -> pl.DataFrame:
        """Polars frame of :func:`polars_schema`, sharing memory with the columns."""
        import polars as pl

        frame = pl.from_arrow(self.to_arrow())
        assert isinstance(frame, pl.DataFrame)
        return frame

    @classmethod
    def from_polars(cls, frame: pl.DataFrame) -> EventBatch:
        """Inverse of :meth:`to_polars`; rows must have consecutive ``sequence`` numbers."""
        sequence = frame["sequence"].to_numpy()
        if len(sequence) and not np.array_equal(
            sequence, np.arange(sequence[0], sequence[0] + len(sequence))
        ):
            raise EventError(
                "sequence numbers with holes", expected="consecutive rows", action="Split at the gaps"
            )
        physical = [frame[c.name].to_physical().to_numpy() for c in COLUMNS]
        arrays = [np.ascontiguousarray(a, dtype=c.dtype) for a, c in zip(physical, COLUMNS)]
        return cls(arrays, int(sequence[0]) if len(sequence) else 0)


def _check_columns(columns: tuple[Array, ...]) -> None:
    if len(columns) != len(COLUMNS):
        raise EventError(f"{len(columns)} columns", expected=f"{len(COLUMNS)}: {', '.join(COLUMN_NAMES)}")
    length = len(columns[0])
    for values, column in zip(columns, COLUMNS):
        if values.dtype != column.dtype or values.shape != (length,):
            raise EventError(
                f"column {column.name!r} of dtype {values.dtype} and shape {values.shape}",
                expected=f"dtype {column.dtype} and shape ({length},)",
            )
    kind, size = columns[2], columns[5]
    skipping = np.flatnonzero((kind == EventKind.GAP) & (size > 1))
    if len(skipping) and skipping[0] != length - 1:
        raise EventError(
            f"a gap of {int(size[skipping[0]])} events in row {int(skipping[0])} of {length}",
            expected="a gap that skips numbers only as the last row",
            action="Start a new batch after the gap",
        )
