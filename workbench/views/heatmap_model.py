"""Core of the heatmap: which columns the page lacks, and the messages that carry them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from workbench.events import Array
from workbench.views import framing
from workbench.views.bubble_cells import cells
from workbench.views.heatmap_delta import Changes
from workbench.views.live import Captured, Columns, Message
from workbench.views.prints import VolumeAtPrice
from workbench.views.raster import RULES, Raster, Scale, cut_offs, quantise
from workbench.views.reading import trade_chunks
from workbench.views.scenery import Scenery

RECENT_COLUMNS: Final = 600
"""Columns that decide colours and row size: about what a page shows."""
SILENCE_NS: Final = 500_000_000
"""Columns close by the clock only this late, so that an event on its way still finds its column."""
CLOCK_TRUST_NS: Final = 60_000_000_000
MANY_ROWS: Final = 600_000
"""Events that the ring is drawn from at most when it is drawn again: about 60 ms. Tiles show what lies before."""
HASTY_ROWS: Final = 20_000
"""Events that a hasty first picture is drawn from: what a long recording's book index leads to in some milliseconds."""
RECONSIDER_COLUMNS: Final = 8
FRESH_SHARE: Final = 500  # the session's profile is told again when it has grown by a five-hundredth
CUT_OFF_DRIFT: Final = 0.2  # octaves; below it colours stay, so that the picture does not flicker


class HeatmapModel:
    """Raster of one capture, what was sent of it, and what comes next.

    Parameters
    ----------
    capture : Captured
    column_ns : int, ns
    row_ticks : int or None
        None: chosen from the data and reconsidered as it moves.
    rule : {"max", "last", "mean"}
    cut : (float, float), percent
    columns, rows : int
    extras : callable, optional
        What is drawn over the market: called with whether everything is wanted, returns it for ``layers`` or None.
    scenery : Scenery, optional
        Taken along with every pull, so that looks find it up to date.
    hasty : bool
        The first picture of a long past shows its very end, at once; the message after it has the rest.
    """

    def __init__(
        self,
        capture: Captured,
        column_ns: int,
        row_ticks: int | None = None,
        rule: str = "max",
        cut: tuple[float, float] = (10.0, 98.5),
        columns: int = 2048,
        rows: int = 640,
        extras: Callable[[bool], dict[str, Any] | None] | None = None,
        scenery: Scenery | None = None,
        hasty: bool = False,
    ):
        self._capture = capture
        self._extras = extras
        self._scenery = scenery
        self._hasty = hasty
        self._session_volume = SessionVolume(capture)
        self._changes = Changes()
        self._number = 0
        self._min_lots = 0.0
        self._auto = row_ticks is None
        self._cut = cut
        self._wanted = Scale(column_ns, row_ticks or 1, columns=columns, rows=rows, rule=rule)
        self._raster: Raster | None = None
        self._centre: float | None = None
        self._source: Columns | None = None
        self._row = 0
        self._exact_from = 0  # columns before it were drawn without what rested before them
        self._sent: int | None = None
        self._shown: tuple[object, ...] = ()
        self._considered = 0
        self._epoch = 0
        self._colours = (1.0, 2.0)
        self._visible_ticks = framing.LEAST_TICKS

    def pull(self, wants: Sequence[dict[str, Any]], full: bool, now_ns: int) -> Message | None:
        """Return what the page lacks; None while there is nothing to show."""
        asked = [want for want in wants if want.get("k") == "view"]
        if asked:
            self._obey(asked[-1])  # only the newest wish counts
        if self._scenery is not None:
            self._scenery.follow()
        self._follow(now_ns)
        raster = self._raster
        if raster is None or raster.last_column is None:
            return None
        whole = full or self._sent is None or raster.last_column - self._sent >= raster.scale.columns
        layers = self._extras(full) if self._extras is not None else None
        volume = self._session_volume.rows(raster.scale, whole)
        shown: tuple[object, ...] = (
            self._epoch,
            self._row,
            raster.last_column,
            len(self._capture.trades),
            self._min_lots,
        )
        rests = shown == self._shown and not (whole or asked)
        if rests and layers is None and volume is None:
            return None
        self._shown = shown
        message = self._message(raster, whole, layers, volume)
        if self._hasty:
            self._hasty = False
            self._raster = raster if len(self._capture.columns) <= MANY_ROWS else None
        return message

    # -- what the raster shows -----------------------------------------------------------------------------------
    def _obey(self, want: dict[str, Any]) -> None:
        column_ns, ticks, centre = want.get("column_ns"), want.get("row_ticks"), want.get("centre")
        if isinstance(column_ns, int | float) and 1e6 <= column_ns <= 1e13:
            self._wanted = replace(self._wanted, column_ns=int(column_ns))
        if isinstance(ticks, int | float) and 1 <= ticks < 2**31:
            self._wanted, self._auto = replace(self._wanted, row_ticks=int(ticks)), False
        elif ticks == "auto":
            self._auto = True
        if want.get("rule") in RULES:
            self._wanted = replace(self._wanted, rule=want["rule"])
        least = want.get("min_trade")
        if isinstance(least, int | float) and 0 <= least < 1e15:
            self._min_lots = least / float(self._capture.instrument.lot_size)
        self._session_volume.wanted = want.get("profile") == "session"
        self._centre = float(centre) if isinstance(centre, int | float) and abs(centre) < 2**31 else None
        self._raster = None

    def _follow(self, now_ns: int) -> None:
        columns = self._capture.columns
        length = len(columns)
        if columns is not self._source:  # the session forgot everything, after a seek
            self._source, self._raster = columns, None
        # from here on only these columns are read: the session may forget everything in the middle of it
        if self._raster is None:
            self._rebuild(columns, length)
        else:
            self._feed(self._raster, columns, length)
        raster = self._raster
        if raster is None:
            return
        if raster.last_ts < now_ns - SILENCE_NS < raster.last_ts + CLOCK_TRUST_NS:
            raster.advance(now_ns - SILENCE_NS)
        if raster.last_column is not None and raster.last_column >= self._considered + RECONSIDER_COLUMNS:
            self._reconsider(raster, columns, length)

    def _feed(self, raster: Raster, columns: Columns, length: int) -> None:
        for chunk in columns.chunks(self._row, length):
            raster.feed(chunk)
        self._row = length

    def _rebuild(self, columns: Columns, length: int) -> None:
        """Draw everything again at the wanted scale; about 0.1 µs per event, the lock not held."""
        first = next(iter(columns.chunks(0, min(1, length))), None)
        if first is None:
            return
        origin = int(first[0][0]) // self._wanted.column_ns
        if self._auto or self._centre is None:
            probe = self._drawn(
                replace(self._wanted, origin_column=origin, rows=1, row_ticks=1), columns, length
            )
            self._visible_ticks = self._span(probe)
            if self._auto:
                self._wanted = replace(self._wanted, row_ticks=framing.row_ticks(self._visible_ticks))
            middle = self._middle(probe) if self._centre is None else self._centre
        else:
            middle = self._centre
        self._raster = self._drawn(
            replace(self._wanted, origin_column=origin).centred(middle), columns, length
        )
        self._considered = self._raster.last_column or 0
        self._sent = None
        self._epoch += 1
        self._recolour(self._raster, certain=True)

    def _drawn(self, scale: Scale, columns: Columns, length: int) -> Raster:
        if self._scenery is not None and length > MANY_ROWS:
            raster, self._row = self._scenery.raster(scale, self._ring_start(scale, columns, length))
            return raster
        raster = Raster(scale)
        self._row = 0
        self._feed(raster, columns, length)
        return raster

    def _ring_start(self, scale: Scale, columns: Columns, length: int) -> int:
        """Where the ring begins, ns: a column's edge, and so late that drawing it again keeps no page waiting."""
        newest = int(next(iter(columns.chunks(length - 1, length)))[0][-1])
        begin = length - (HASTY_ROWS if self._hasty else MANY_ROWS)
        bound = int(next(iter(columns.chunks(begin, begin + 1)))[0][0])
        start = max(newest - scale.columns * scale.column_ns, bound)
        self._exact_from = -(-start // scale.column_ns) - scale.origin_column
        return (self._exact_from + scale.origin_column) * scale.column_ns

    def _first_column(self, raster: Raster) -> int:
        return max(raster.first_column or 0, min(self._exact_from, raster.last_column or 0))

    def _recent(self, raster: Raster) -> tuple[int, int]:
        last, first = raster.last_column or 0, self._first_column(raster)
        return max(first, last + 1 - RECENT_COLUMNS), last + 1

    def _span(self, raster: Raster) -> float:
        first, stop = self._recent(raster)
        mids = framing.mids(raster.best(first, stop))
        mids = mids[~np.isnan(mids)]
        if not len(mids):  # no book: what was traded says where the market is
            chunks = trade_chunks(self._capture, raster.scale.start_ns(first))
            mids = np.concatenate([np.empty(0), *(chunk[4].astype(np.float64) for chunk in chunks)])
        return framing.visible_ticks(mids, raster.reach(framing.REACH_LEVELS))

    def _middle(self, raster: Raster) -> float:
        known = framing.mids(raster.best(*self._recent(raster)))
        known = known[~np.isnan(known)]
        if len(known):
            return float(known[-1])
        sides = [best for best in (raster.best_bid, raster.best_ask) if best is not None]
        return float(sides[0]) if sides else self._last_trade()

    def _last_trade(self) -> float:
        length = len(self._capture.trades)
        last = next(iter(self._capture.trades.chunks(max(0, length - 1), length)), None)
        return float(last[4][-1]) if last is not None else 0.0

    def _reconsider(self, raster: Raster, columns: Columns, length: int) -> None:
        self._considered = raster.last_column or 0
        scale = raster.scale
        ideal = framing.row_ticks(self._span(raster)) if self._auto else scale.row_ticks
        middle = self._middle(raster)
        leaving = abs((middle - scale.low_tick) / (scale.high_tick - scale.low_tick) - 0.5) > 0.25
        if framing.worth_changing(scale.row_ticks, ideal) or (leaving and self._centre is None):
            self._rebuild(columns, length)
        else:
            self._recolour(raster, certain=False)

    def _recolour(self, raster: Raster, certain: bool) -> None:
        scale = raster.scale
        half = max(10, int(self._visible_ticks / scale.row_ticks / 2))
        row = int(np.clip((self._middle(raster) - scale.low_tick) / scale.row_ticks, half, scale.rows - half))
        low, high = cut_offs(raster.heat(*self._recent(raster))[:, row - half : row + half], *self._cut)
        drift = max(abs(np.log2(low / self._colours[0])), abs(np.log2(high / self._colours[1])))
        if certain or drift > CUT_OFF_DRIFT:
            self._colours = (low, high)

    # -- what is sent --------------------------------------------------------------------------------------------
    def _message(
        self, raster: Raster, full: bool, layers: dict[str, Any] | None, volume: Array | None
    ) -> Message:
        last, first = raster.last_column or 0, self._first_column(raster)
        start = first if full or self._sent is None else self._sent
        self._sent = last
        content = self._head(raster, full, layers) | {"first": start, "last": last}
        codes, content["sparse"] = self._changes.codes(quantise(raster.heat(start, last + 1)), full)
        now, content["sparse_now"] = self._changes.now(quantise(raster.now), full)
        self._number += 1
        content["n"] = self._number
        edges = np.column_stack([raster.best(start, last + 1), raster.marks(start, last + 1)]).astype(
            np.int32
        )
        arrays: list[Array] = [codes, edges, self._bubbles(raster.scale, start), now]
        if volume is not None:
            content["session"] = True
            arrays.append(volume)
        return content, arrays

    def _head(self, raster: Raster, full: bool, layers: dict[str, Any] | None) -> dict[str, Any]:
        content: dict[str, Any] = {"k": "snap" if full else "cols", "epoch": self._epoch}
        content |= {"valid": raster.valid, "cut": list(self._colours)}
        if full:
            content |= self._geometry(raster.scale)
        if layers is not None:
            content["layers"] = layers
        return content

    def _geometry(self, scale: Scale) -> dict[str, Any]:
        return {
            "columns": scale.columns,
            "rows": scale.rows,
            "column_ms": scale.column_ns / 1e6,
            "origin_ms": scale.start_ns(0) / 1e6,
            "row_ticks": scale.row_ticks,
            "low_tick": scale.low_tick,
            "auto": self._auto,
            "begin_ms": self._begin_ns() / 1e6,
            "visible_ticks": self._visible_ticks,
        }

    def _bubbles(self, scale: Scale, start: int) -> Array:
        chunks = trade_chunks(self._capture, scale.start_ns(start))
        # counted from the message's first column: float32 counts to 2^24 only, and columns may be a millisecond long
        return cells(chunks, replace(scale, origin_column=scale.origin_column + start), self._min_lots)

    def _begin_ns(self) -> int:
        first = next(iter(self._capture.columns.chunks(0, min(1, len(self._capture.columns)))), None)
        return int(first[0][0]) if first is not None else 0


class SessionVolume:
    """Volume at price since the session began, told now and then while a page wants it.

    Parameters
    ----------
    capture : Captured
    """

    def __init__(self, capture: Captured):
        self._capture = capture
        self._source: object = None
        self._volume = VolumeAtPrice()
        self._row = 0
        self._told = 0
        self.wanted = False

    def rows(self, scale: Scale, full: bool) -> Array | None:
        """Lots bought, sold and unknown per row of a scale, float32, shape (rows, 3); None if there is nothing new."""
        if not self.wanted:
            return None
        trades = self._capture.trades
        if trades is not self._source:
            self._source, self._volume, self._row, self._told = trades, VolumeAtPrice(), 0, 0
        stop = len(trades)
        for chunk in trades.chunks(self._row, stop):
            self._volume.add(chunk)
        self._row = stop
        if not full and stop - self._told <= self._told // FRESH_SHARE:
            return None
        self._told = stop
        lots = self._volume.between(scale.low_tick, scale.high_tick)
        rows: Array = lots.reshape(scale.rows, scale.row_ticks, 3).sum(axis=1).astype(np.float32)
        return rows
