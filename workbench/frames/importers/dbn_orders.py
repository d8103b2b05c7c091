"""Databento's market-by-order records: orders as they come, levels when an event is complete.

T and F change nothing in the book; the C or M after them does. A book inside an event may be crossed, so levels are
published at the event's last record (F_LAST). When the exchange refills an order that it has just filled (a native
iceberg), the fill is made visible before the refill: the order is first reduced by what was executed (flag EXEC_END,
and before that raised to it, flag EXEC_START, when more was executed than displayed), then set to its new size.
"""

from __future__ import annotations

from typing import Final

from workbench.events import Array, EventKind, Flag
from workbench.frames.importers.rows import Rows

F_LAST: Final = 0x80
F_SNAPSHOT: Final = 0x20
SIDES: Final = {b"B": 1, b"A": -1, b"N": 0}


class OrderRecords:
    """State of one instrument's orders, and the rows that each record adds.

    Parameters
    ----------
    rows : Rows
        Gets the events.
    """

    def __init__(self, rows: Rows):
        self.rows = rows
        self.orders: dict[int, tuple[int, int, int]] = {}
        self.levels: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.published: dict[tuple[int, int], int] = {}
        self.touched: dict[tuple[int, int], None] = {}
        self.fills: dict[int, tuple[int, int]] = {}
        self.trade_row: int | None = None
        self.trade_fills = 0
        self.started = False
        self.complete = False
        self.in_snapshot = False
        self.snapshot_records = 0
        self.unknown: dict[str, int] = {"M": 0, "C": 0}
        self.ts = 0
        self.source = 0

    def read(self, piece: Array, ticks: list[int], subticks: list[int], lots: list[int]) -> None:
        """Add the records of one array; prices in ticks and thousandths, sizes in lots."""
        columns = (
            piece[name].tolist() for name in ("action", "side", "order_id", "flags", "ts_recv", "ts_event")
        )
        for action, side, order, flags, received, event, price, rest, size in zip(
            *columns, ticks, subticks, lots
        ):
            self._begin(action, flags, self.rows.stamp(received), event)
            if action == b"T":
                self.trade_row = self.rows.trade(
                    self.ts, event, SIDES[side], price, size, flags=rest, aggressor=order
                )
                self.trade_fills = 0
            elif action == b"F":
                self._fill(order, size, event)
            elif action == b"A":
                self._add(SIDES[side], price, size, order)
            elif action == b"C":
                self._cancel(size, order)
            elif action == b"M":
                self._modify(SIDES[side], price, size, order)
            if flags & F_LAST:
                self._publish()
        self.trade_row = None

    def finish(self) -> None:
        """End of the file: what is open is published."""
        if self.in_snapshot:
            self._end_snapshot()
        else:
            self._publish()

    def facts(self) -> dict[str, object]:
        """What the manifest says of the orders."""
        return {
            "snapshot_records": self.snapshot_records,
            "book_complete": self.complete,
            "open_orders_at_end": len(self.orders),
            "modify_of_unknown": self.unknown["M"],
            "cancel_of_unknown": self.unknown["C"],
        }

    def _begin(self, action: bytes, flags: int, ts: int, source: int) -> None:
        if self.in_snapshot and not flags & F_SNAPSHOT:
            self._end_snapshot()
        self.ts, self.source = ts, source
        if flags & F_SNAPSHOT:
            self.snapshot_records += 1
            if not self.in_snapshot:
                self._clear()
                self.in_snapshot = self.complete = True
        elif action == b"R":
            self._clear()
            self.rows.mark(ts, source, EventKind.SNAPSHOT_END)
            self.complete = True
        elif not self.started:
            self._clear()  # a file cut out of the day: the book is what follows
            self.rows.mark(ts, source, EventKind.SNAPSHOT_END)
        self.started = True

    def _clear(self) -> None:
        self.rows.mark(self.ts, self.source, EventKind.CLEAR)
        self.orders.clear()
        self.levels = {1: {}, -1: {}}
        self.published.clear()
        self.touched.clear()

    def _end_snapshot(self) -> None:
        self.in_snapshot = False
        self.rows.levels(self.ts, self.source, self.levels)
        self.rows.mark(self.ts, self.source, EventKind.SNAPSHOT_END)
        self.published = {(s, p): z for s, side in self.levels.items() for p, z in side.items()}
        self.touched.clear()

    def _publish(self) -> None:
        self.trade_row = None
        if self.in_snapshot:
            return
        for side, price in self.touched:
            size = self.levels[side].get(price, 0)
            if self.published.get((side, price), 0) != size:
                self.rows.depth(self.ts, self.source, side, price, size)
                self.published[side, price] = size
        self.touched.clear()

    def _level(self, side: int, price: int, change: int) -> None:
        if not side:
            return
        sizes = self.levels[side]
        size = sizes.get(price, 0) + change
        if size:
            sizes[price] = size
        else:
            sizes.pop(price, None)
        self.touched[side, price] = None

    def _row(self, kind: EventKind, side: int, price: int, size: int, order: int, flags: int = 0) -> None:
        self.rows.order(self.ts, self.source, kind, side, price, size, order, flags)

    def _fill(self, order: int, size: int, event: int) -> None:
        filled = self.fills.get(order, (event, 0))
        self.fills[order] = (event, size + (filled[1] if filled[0] == event else 0))
        self.trade_fills += 1
        if self.trade_row is not None:
            # One passive order: the print names it; several: none, their rows follow.
            row = self.rows.rows[self.trade_row]
            passive = order if self.trade_fills == 1 else 0
            self.rows.rows[self.trade_row] = (*row[:6], passive, *row[7:])

    def _filled(self, order: int) -> int:
        """Lots executed against the order in this event since it last changed."""
        event, size = self.fills.pop(order, (self.source, 0))
        return size if event == self.source else 0

    def _add(self, side: int, price: int, size: int, order: int) -> None:
        self.orders[order] = (side, price, size)
        self._level(side, price, size)
        flags = Flag.SNAPSHOT if self.in_snapshot else 0
        self._row(EventKind.MBO_NEW, side, price, size, order, flags)

    def _cancel(self, size: int, order: int) -> None:
        flags = Flag.EXEC_END if self._filled(order) else 0
        known = self.orders.get(order)
        if known is None:
            self.unknown["C"] += 1
            self._row(EventKind.MBO_CANCEL, 0, 0, 0, order, flags)
            return
        side, price, shown = known
        rest = shown - size
        self._level(side, price, -min(size, shown))
        if rest > 0:
            self.orders[order] = (side, price, rest)
            self._row(EventKind.MBO_REPLACE, side, price, rest, order, flags)
        else:
            del self.orders[order]
            self._row(EventKind.MBO_CANCEL, 0, price, 0, order, flags)

    def _modify(self, side: int, price: int, size: int, order: int) -> None:
        filled = self._filled(order)
        known = self.orders.get(order)
        flags = 0
        if known is None:
            self.unknown["M"] += 1
        else:
            _, before, shown = known
            self._level(side, before, -shown)
            if filled and before == price:
                flags = self._show_fill(side, price, shown, filled, size, order)
        self.orders[order] = (side, price, size)
        self._level(side, price, size)
        self._row(EventKind.MBO_REPLACE, side, price, size, order, flags)

    def _show_fill(self, side: int, price: int, shown: int, filled: int, size: int, order: int) -> int:
        rest = shown - filled
        if size <= rest:
            return Flag.EXEC_END
        if rest < 0:
            self._row(EventKind.MBO_REPLACE, side, price, filled, order, Flag.EXEC_START)
        self._row(EventKind.MBO_REPLACE, side, price, max(rest, 0), order, Flag.EXEC_END)
        return 0
