"""Bybit order-book archives (zip or plain lines of ``orderbook.N`` messages) as one stream of events."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from workbench.errors import ImportFailedError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.frames.importers.files import Imported, Progress, Request, damaged, lines_of
from workbench.frames.importers.grid import common_step, decimals_of, tick_units, unit_decimal, units_of
from workbench.frames.importers.rows import BATCH_ROWS, Rows

MS: Final = 1_000_000


def read(request: Request) -> Imported:
    """Read an archive of one symbol; receive time is the message's ``ts``, the engine's ``cts`` the venue's own.

    Raises
    ------
    ImportFailedError
        A damaged archive or line, or several symbols and none chosen.
    """
    first = [message for _, _, message in _sample(request)]
    symbols = sorted({str(m["data"]["s"]) for m in first})
    symbol = request.symbol or symbols[0]
    if symbol not in symbols or (len(symbols) > 1 and request.symbol is None):
        raise ImportFailedError(
            f"symbols {', '.join(symbols)}",
            expected="one symbol" if request.symbol is None else f"one of them, not {request.symbol!r}",
            action="Choose one with symbol=",
            symbols=tuple(symbols),
        )
    levels = [level for m in first if m["data"]["s"] == symbol for level in _levels(m["data"])]
    price_decimals = decimals_of({price for _, price, _ in levels})
    size_decimals = decimals_of({size for _, _, size in levels})
    units = np.array([units_of(price, price_decimals) for _, price, _ in levels], np.int64)
    tick = unit_decimal(tick_units(common_step(units)), price_decimals)
    instrument = Instrument(
        symbol,
        request.tick_size or tick,
        request.lot_size or unit_decimal(1, size_decimals),
        features={"depth": True, "mbo": False},
    )
    stream = _Stream(request, instrument)
    return Imported(instrument, stream.batches(), stream.facts)


def _sample(request: Request) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    return _messages(request, Progress((), False))


def _messages(request: Request, progress: Progress) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    for path in request.paths:
        for number, line in _lines(path, progress):
            if not line.strip():
                continue
            try:
                message = json.loads(line)
                fits = message["type"] in ("snapshot", "delta") and isinstance(message["data"]["s"], str)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise damaged(
                    path,
                    f"{line[:60]!r} does not read ({error})",
                    "an orderbook message of Bybit",
                    line=number,
                ) from error
            if not fits:
                raise damaged(path, f"message type {message['type']!r}", "snapshot or delta", line=number)
            yield path, number, message


def _lines(path: Path, progress: Progress) -> Iterator[tuple[int, bytes]]:
    if not zipfile.is_zipfile(path):
        yield from lines_of(path, progress.advance)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as stream:
                    yield from enumerate(stream, 1)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise damaged(path, f"the zip archive is damaged ({error})", "an intact archive") from error
    progress.advance(path.stat().st_size)


def _levels(data: dict[str, Any]) -> Iterator[tuple[int, str, str]]:
    for side, key in ((1, "b"), (-1, "a")):
        for price, size in data.get(key, ()):
            yield side, price, size


class _Stream:
    """Snapshot and deltas; update ids chain by one, a hole is a gap until the next snapshot."""

    def __init__(self, request: Request, instrument: Instrument):
        self.request = request
        self.instrument = instrument
        self.rows = Rows()
        self.last: int | None = None
        self.counts: Counter[str] = Counter({"u_gaps": 0})
        self.facts: dict[str, object] = {"symbol": instrument.symbol}

    def batches(self) -> Iterator[EventBatch]:
        progress = Progress(self.request.paths, self.request.progress)
        try:
            for path, number, message in _messages(self.request, progress):
                if message["data"]["s"] == self.instrument.symbol:
                    try:
                        self._message(message)
                    except (KeyError, TypeError, ValueError) as error:
                        raise damaged(path, str(error), "levels on the grid", line=number) from error
                if len(self.rows) >= BATCH_ROWS:
                    yield self.rows.take()
            yield self.rows.take()
        finally:
            progress.close()
        self.facts.update(counts=dict(self.counts), stamps_out_of_order=self.rows.stepped_back)

    def _message(self, message: dict[str, Any]) -> None:
        data, kind = message["data"], message["type"]
        ts = self.rows.stamp(MS * int(message["ts"]))
        source = MS * int(message.get("cts", 0))
        self.counts[kind] += 1
        levels = [
            (side, self.instrument.ticks(price), self.instrument.lots(size))
            for side, price, size in _levels(data)
        ]
        self.counts["level_updates"] += len(levels)
        number = int(data["u"])
        if kind == "snapshot":
            sides: dict[int, dict[int, int]] = {1: {}, -1: {}}
            for side, price, size in levels:
                sides[side][price] = size
            self.rows.snapshot(ts, source, sides)
        elif self.last is None:
            return
        elif number != self.last + 1:
            self.counts["u_gaps"] += 1
            self.rows.mark(ts, source, EventKind.GAP)
            self.rows.mark(ts, source, EventKind.CLEAR)
            self.last = None
            return
        else:
            for side, price, size in levels:
                self.rows.depth(ts, source, side, price, size)
        self.last = number
