"""Kraken websocket captures (``<seconds>: <JSON>`` per line, several pairs) as one stream per pair.

The exchange sends a CRC32 over the digits of its ten best levels with every update; it is checked from the very texts,
because a number forgets its trailing zeros. A wrong checksum is a gap: the book waits for the next snapshot.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from workbench.errors import ImportFailedError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.frames.importers.files import Imported, Progress, Request, damaged, lines_of
from workbench.frames.importers.grid import (
    INT32_MAX,
    common_step,
    decimals_of,
    tick_units,
    unit_decimal,
    units_of,
)
from workbench.frames.importers.rows import BATCH_ROWS, Rows

CHECKED_LEVELS: Final = 10
Texts = dict[int, tuple[str, str]]


def read(request: Request) -> Imported:
    """Read one pair of a capture; with several pairs ``symbol`` chooses.

    Raises
    ------
    ImportFailedError
        Several pairs and none chosen, or a line that does not read.
    """
    messages = list(_messages(request))
    pair = _pair(request, messages)
    ours = [(ns, message) for ns, message in messages if message[-1] == pair]
    price_texts = [level[0] for _, message in ours for level in _all_levels(message)]
    size_texts = [level[1] for _, message in ours for level in _all_levels(message)]
    decimals = decimals_of(set(price_texts))
    size_decimals = decimals_of(set(size_texts))
    units = np.array([units_of(t, decimals) for t in set(price_texts)], np.int64)
    tick = units_of(str(request.tick_size), decimals) if request.tick_size else tick_units(common_step(units))
    lot = request.lot_size or unit_decimal(1, size_decimals)
    instrument = Instrument(pair, unit_decimal(tick, decimals), lot, features={"depth": True, "mbo": False})
    stream = _Stream(ours, instrument)
    return Imported(instrument, stream.batches(), stream.facts)


def _messages(request: Request) -> Iterator[tuple[int, list[Any]]]:
    progress = Progress(request.paths, request.progress)
    for path in request.paths:
        for number, line in lines_of(path, progress.advance):
            stamp, _, text = line.partition(b": ")
            if line.startswith(b"wss://") or not line.strip():
                continue
            try:
                message = json.loads(text)
                ns = units_of(stamp.decode(), 9)
            except (ValueError, RecursionError) as error:
                raise damaged(
                    path, f"{line[:60]!r} does not read ({error})", "'<seconds>: <JSON>'", line=number
                ) from error
            if isinstance(message, list):
                _check(path, number, message)
                yield ns, message
    progress.close()


def _check(path: Path, number: int, message: list[Any]) -> None:
    fits = len(message) >= 4 and isinstance(message[-1], str) and isinstance(message[-2], str)
    if fits and not message[-2].startswith("book"):
        return
    if not fits or not all(isinstance(part, dict) for part in message[1:-2]):
        raise damaged(path, f"{str(message)[:60]!r}", "[channel, {…}, name, pair]", line=number)


def _pair(request: Request, messages: list[tuple[int, list[Any]]]) -> str:
    pairs = sorted({message[-1] for _, message in messages})
    if request.symbol is not None and request.symbol in pairs:
        return request.symbol
    if len(pairs) == 1 and request.symbol is None:
        return str(pairs[0])
    raise ImportFailedError(
        f"pairs {', '.join(pairs) or 'none'} in {', '.join(p.name for p in request.paths)}",
        expected="one pair" if request.symbol is None else f"one of them, not {request.symbol!r}",
        action="Choose one with symbol=",
        symbols=tuple(pairs),
    )


def _all_levels(message: list[Any]) -> Iterator[list[str]]:
    if message[-2].startswith("trade"):
        yield from message[1]
        return
    for part in message[1:-2]:
        for key in ("as", "bs", "a", "b"):
            yield from part.get(key, ())


def checksum(bids: Texts, asks: Texts) -> int:
    """CRC32 of the digits of the ten best asks, then bids.

    Parameters
    ----------
    bids, asks : dict
        Ticks → the exchange's texts of price and size.
    """
    best = [asks[p] for p in sorted(asks)[:CHECKED_LEVELS]]
    best += [bids[p] for p in sorted(bids, reverse=True)[:CHECKED_LEVELS]]
    return zlib.crc32("".join(_digits(price) + _digits(size) for price, size in best).encode())


def _digits(text: str) -> str:
    return text.replace(".", "").lstrip("0")


class _Stream:
    """Book of one pair, checked after every update."""

    def __init__(self, messages: list[tuple[int, list[Any]]], instrument: Instrument):
        self.messages = messages
        self.instrument = instrument
        self.rows = Rows()
        self.texts: dict[int, Texts] = {1: {}, -1: {}}
        self.depth = 0
        self.live = False
        self.counts: Counter[str] = Counter()
        self.facts: dict[str, object] = {"symbol": instrument.symbol}

    def batches(self) -> Iterator[EventBatch]:
        for ns, message in self.messages:
            ts = self.rows.stamp(ns)
            if message[-2].startswith("trade"):
                self._trades(ts, message[1])
            elif message[-2].startswith("book"):
                self.depth = int(message[-2].partition("-")[2] or 10)
                self._book(ts, message)
            if len(self.rows) >= BATCH_ROWS:
                yield self.rows.take()
        yield self.rows.take()
        self.facts.update(counts=dict(self.counts), stamps_out_of_order=self.rows.stepped_back)

    def _trades(self, ts: int, trades: list[list[str]]) -> None:
        for price, size, time, side, *_ in trades:
            aggressor = 1 if side == "b" else -1
            ticks, lots = self.instrument.ticks(price), self.instrument.lots(size)
            self.rows.trade(ts, units_of(time, 9), aggressor, ticks, lots)
            self.counts["trades"] += 1

    def _book(self, ts: int, message: list[Any]) -> None:
        parts = message[1:-2]
        if "as" in parts[0] or "bs" in parts[0]:
            self._snapshot(ts, parts[0])
            return
        expected = None
        levels: dict[tuple[int, int], tuple[int, int]] = {}
        for part in parts:
            for side, key in ((1, "b"), (-1, "a")):
                for level in part.get(key, ()):
                    self._update(side, level, levels)
            expected = part.get("c", expected)
        if not self.live:
            self.counts["updates_without_snapshot"] += 1
            return
        for (side, price), (size, source) in levels.items():
            self.rows.depth(ts, source, side, price, size)
        self._trim(ts)
        if expected is not None:
            self._compare(ts, int(expected))

    def _snapshot(self, ts: int, part: dict[str, list[list[str]]]) -> None:
        self.counts["snapshot"] += 1
        self.texts = {1: {}, -1: {}}
        source = 0
        sides: dict[int, dict[int, int]] = {1: {}, -1: {}}
        for side, key in ((1, "bs"), (-1, "as")):
            for price, size, time, *_ in part.get(key, ()):
                ticks, lots = self.instrument.ticks(price), self.instrument.lots(size)
                self.texts[side][ticks] = (price, size)
                if self._in_range(ticks):
                    sides[side][ticks] = lots
                source = max(source, units_of(time, 9))
        self.live = True
        self.rows.snapshot(ts, source, sides)

    def _update(self, side: int, level: list[str], levels: dict[tuple[int, int], tuple[int, int]]) -> None:
        price, size, time = level[:3]
        self.counts["level_updates"] += 1
        self.counts["republished"] += int(len(level) > 3)
        ticks, lots = self.instrument.ticks(price), self.instrument.lots(size)
        levels.pop((side, ticks), None)
        if self._in_range(ticks):
            levels[side, ticks] = (lots, units_of(time, 9))
        if lots:
            self.texts[side][ticks] = (price, size)
        else:
            self.texts[side].pop(ticks, None)

    def _in_range(self, ticks: int) -> bool:
        """Orders thousands of times off the market exist; the price column ends at 2^31 ticks."""
        self.counts["levels_out_of_range"] += int(ticks > INT32_MAX)
        return ticks <= INT32_MAX

    def _trim(self, ts: int) -> None:
        """Levels beyond the subscribed depth are forgotten; the exchange sends no removal for them."""
        for side, texts in self.texts.items():
            while len(texts) > self.depth:
                worst = min(texts) if side > 0 else max(texts)
                del texts[worst]
                if worst <= INT32_MAX:
                    self.rows.depth(ts, 0, side, worst, 0)

    def _compare(self, ts: int, expected: int) -> None:
        if checksum(self.texts[1], self.texts[-1]) == expected:
            self.counts["checksum_ok"] += 1
            return
        self.counts["checksum_wrong"] += 1
        self.live = False
        self.rows.mark(ts, 0, EventKind.GAP)
        self.rows.mark(ts, 0, EventKind.CLEAR)
