"""The trades of a recording, read from disk behind the views: they grow as those of a session do."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from workbench.events import Array, EventKind
from workbench.frames.live import LiveColumns

if TYPE_CHECKING:
    from workbench.views.live import Captured, Columns

__all__ = ["FEW_ROWS", "TradesReading", "reading_of", "trade_chunks"]

FEW_ROWS: Final = 1_000_000
"""Events that are read at once when trades are first asked for: about a quarter of a second."""
PIECE_ROWS: Final = 1 << 17


class TradesReading:
    """One pass over all events that picks out the trades, on a thread of its own where they are many.

    Parameters
    ----------
    columns : Columns
        Every event; they do not grow.

    Attributes
    ----------
    trades : LiveColumns
        The trades found so far, zero-size marks included.
    row : int
        Events looked at so far.
    """

    def __init__(self, columns: Columns):
        self.trades = LiveColumns()
        self.row = 0
        self._columns = columns
        self._failure: Exception | None = None
        self._over = threading.Event()
        if len(columns) <= FEW_ROWS:
            while self.step():
                pass
        else:
            thread = threading.Thread(target=_read, args=(weakref.ref(self),), name="workbench-reading")
            thread.daemon = True
            thread.start()

    def step(self) -> bool:
        """Look at a piece more; whether there is more to do."""
        stop = min(self.row + PIECE_ROWS, len(self._columns))
        try:
            for piece in self._columns.chunks(self.row, stop):
                found = trades_among(piece)
                if len(found[0]):
                    self.trades.append_columns(found[:-1], found[-1])
        except Exception as error:  # noqa: BLE001 - whoever asks for the trades learns of it
            self._failure = error
        self.row = stop
        if self._failure is not None or stop == len(self._columns):
            self._over.set()
        return not self._over.is_set()

    @property
    def share(self) -> float:
        """Share of the events that were looked at, 0 to 1."""
        return self.row / len(self._columns) if len(self._columns) else 1.0

    @property
    def done(self) -> bool:
        """Whether every trade is there."""
        return self._over.is_set()

    def checked(self) -> LiveColumns:
        """Return the trades so far.

        Raises
        ------
        WorkbenchError
            What the events could not be read for.
        """
        if self._failure is not None:
            raise self._failure
        return self.trades

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until all is read, so long at most (None: as long as it takes); whether it is."""
        return self._over.wait(seconds)


def _read(reference: weakref.ref[TradesReading]) -> None:
    while (reading := reference()) is not None and reading.step():
        del reading


def trades_among(piece: tuple[Array, ...]) -> tuple[Array, ...]:
    """Rows of a piece of event columns that are trades."""
    mask = piece[2] == EventKind.TRADE
    return tuple(column[mask] for column in piece)


def reading_of(capture: Captured) -> TradesReading | None:
    """Return the reading of a capture whose trades are not all there yet; None where they are."""
    reading: Any = getattr(capture, "reading", None)
    return None if reading is None or reading.done else reading


def trade_chunks(
    capture: Captured, start_ns: int, stop_ns: int | None = None, most: int | None = None
) -> Iterator[tuple[Array, ...]]:
    """Trades of a span of time, from events where the reading has not come so far yet.

    Parameters
    ----------
    capture : Captured
    start_ns, stop_ns : int, ns
        First moment, and the one after the last; None: to the end.
    most : int, optional
        Where more events than these would have to be looked at, only the trades that are known already are given.
    """
    reading, trades = reading_of(capture), capture.trades
    if reading is not None:
        columns = capture.columns
        start, stop = span_of(columns, start_ns, stop_ns)
        if stop > reading.row and (most is None or stop - start <= most):
            for piece in columns.chunks(start, stop):
                yield trades_among(piece)
            return
    yield from trades.chunks(*span_of(trades, start_ns, stop_ns))


def trades_known(capture: Captured, start_ns: int, stop_ns: int, most: int) -> bool:
    """Whether :func:`trade_chunks` gives every trade of a span."""
    reading = reading_of(capture)
    if reading is None:
        return True
    start, stop = span_of(capture.columns, start_ns, stop_ns)
    return stop <= reading.row or stop - start <= most


def span_of(columns: Columns, start_ns: int, stop_ns: int | None) -> tuple[int, int]:
    """First row of a span of time, and the one after its last."""
    return columns.row_at(start_ns), len(columns) if stop_ns is None else columns.row_at(stop_ns)
