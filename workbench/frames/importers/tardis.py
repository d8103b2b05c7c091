"""Tardis CSV files (incremental_book_L2, trades, quotes, book_snapshot_N; plain or gzipped) as one stream of events.

Receive time is ``local_timestamp``, the venue's own ``timestamp``, both µs. Several files of one symbol are merged.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from workbench.events import EventKind, Flag
from workbench.frames.importers.files import Imported, Request, damaged
from workbench.frames.importers.table import (
    Part,
    choose_symbol,
    depth_part,
    joined,
    of_symbol,
    read_csv,
    trades_part,
    units,
)

MICROSECOND: Final = 1_000
_LEVEL = re.compile(r"(asks|bids)\[(\d+)\]\.price")


def read(request: Request) -> Imported:
    """Read files of one symbol.

    Raises
    ------
    ImportFailedError
        Not one of the four forms, a value that does not read, or several symbols and none chosen.
    """
    frames = {path: read_csv(path) for path in request.paths}
    symbol = choose_symbol(request, frames)
    parts = [_part(path, of_symbol(frame, symbol)) for path, frame in frames.items()]
    return joined(request, symbol or "unnamed", parts)


def _part(path: Path, frame: pl.DataFrame) -> Part:
    have = set(frame.columns)
    if not {"timestamp", "local_timestamp"} <= have:
        raise damaged(
            path, f"columns {', '.join(frame.columns[:8])}", "timestamp and local_timestamp of Tardis"
        )
    _refuse_holes(path, frame)
    if {"is_snapshot", "side", "price", "amount"} <= have:
        return _incremental(path, frame)
    if {"side", "price", "amount"} <= have:
        sides = (
            frame["side"].replace_strict({"buy": 1, "sell": -1}, default=0, return_dtype=pl.Int8).to_numpy()
        )
        price, size = units(path, frame["price"]), units(path, frame["amount"])
        return trades_part(*_stamps(path, frame), sides, price, size)
    if {"ask_price", "bid_price"} <= have:
        names = {1: [("bid_price", "bid_amount")], -1: [("ask_price", "ask_amount")]}
        return _windows(path, frame, names)
    if {"asks[0].price", "bids[0].price"} <= have:
        return _windows(path, frame, _snapshot_names(frame))
    raise damaged(
        path,
        f"columns {', '.join(frame.columns[:8])}",
        "incremental_book_L2, trades, quotes or book_snapshot_N of Tardis",
    )


def _refuse_holes(path: Path, frame: pl.DataFrame) -> None:
    # Only levels may be empty (a thin book); a missing amount in a row of trades is a cut line.
    needed = [c for c in ("timestamp", "local_timestamp", "price", "amount") if c in frame.columns]
    holes = frame.select(pl.any_horizontal(pl.col(c).is_null() for c in needed).alias("hole"))["hole"]
    if holes.any():
        raise damaged(
            path, "a row without all its values", "every column filled", line=int(holes.arg_max() or 0) + 2
        )


def _stamps(path: Path, frame: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    found = []
    for name in ("local_timestamp", "timestamp"):
        values = frame[name].cast(pl.Int64, strict=False)
        if values.null_count():
            row = int(values.is_null().arg_max() or 0)
            raise damaged(path, f"{name} {frame[name][row]!r}", "µs since the epoch", line=row + 2)
        found.append(values.to_numpy() * MICROSECOND)
    return found[0], found[1]


def _incremental(path: Path, frame: pl.DataFrame) -> Part:
    sides = frame["side"].replace_strict({"bid": 1, "ask": -1}, default=0, return_dtype=pl.Int8)
    if (sides == 0).any():
        row = int((sides == 0).arg_max() or 0)
        raise damaged(path, f"side {frame['side'][row]!r}", "bid or ask", line=row + 2)
    snapshot = (frame["is_snapshot"].str.to_lowercase() == "true").to_numpy()
    price, size = units(path, frame["price"]), units(path, frame["amount"])
    return depth_part(*_stamps(path, frame), sides.to_numpy(), price, size, snapshot)


def _snapshot_names(frame: pl.DataFrame) -> dict[int, list[tuple[str, str]]]:
    names: dict[int, list[tuple[str, str]]] = {1: [], -1: []}
    for column in frame.columns:
        match = _LEVEL.fullmatch(column)
        if match:
            names[1 if match[1] == "bids" else -1].append((column, column.replace(".price", ".amount")))
    return names


def _windows(path: Path, frame: pl.DataFrame, names: dict[int, list[tuple[str, str]]]) -> Part:
    """Books of a few levels per row: the first whole, then what changes from row to row."""
    ts, source = _stamps(path, frame)
    table = {
        side: [
            (units(path, frame[p].fill_null("0")).tolist(), units(path, frame[a].fill_null("0")).tolist())
            for p, a in pairs
        ]
        for side, pairs in names.items()
    }
    rows: list[tuple[int, int, int, int, int]] = []
    before: dict[int, dict[int, int]] = {1: {}, -1: {}}
    for i in range(len(ts)):
        first = i == 0
        if first:
            rows.append((i, EventKind.CLEAR, 0, 0, 0))
        for side, levels in table.items():
            after = {p[i]: a[i] for p, a in levels if p[i] and a[i]}
            gone = [(i, EventKind.DEPTH, side, p, 0) for p in before[side] if p not in after]
            rows += gone
            rows += [(i, EventKind.DEPTH, side, p, a) for p, a in after.items() if before[side].get(p) != a]
            before[side] = after
        if first:
            rows.append((i, EventKind.SNAPSHOT_END, 0, 0, 0))
    at, kinds, sides, prices, sizes = np.array(rows, np.int64).reshape(-1, 5).T
    flags = np.where((at == 0) & (kinds == EventKind.DEPTH), int(Flag.SNAPSHOT), 0).astype(np.uint16)
    facts = {"books": len(ts), "level_updates": int(np.count_nonzero(kinds == EventKind.DEPTH))}
    return Part(
        ts[at], source[at], kinds.astype(np.uint8), sides.astype(np.int8), prices, sizes, flags, facts
    )
