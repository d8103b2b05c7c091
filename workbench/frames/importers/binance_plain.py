"""Plain parser of Binance raw captures: one JSON object per line, any key order and white space.

It reads the lines that the byte scanner hands over (snapshots above all), and every line in the tests, where it is the
scanner's oracle.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.errors import ImportFailedError
from workbench.events import IntArray
from workbench.frames.importers.binance_scan import MS
from workbench.frames.importers.binance_tables import (
    DEPTH,
    FOREIGN,
    OTHER,
    SNAPSHOT,
    TICKER,
    TRADE,
    Tables,
)
from workbench.frames.importers.files import FinerGridError, damaged
from workbench.frames.importers.grid import UNIT_DECIMALS, decimals_of, units_of

_INT64_MAX = 2**63 - 1
_STREAM_EVENTS = {"trade": "trade", "bookTicker": "bookTicker", "depth": "depthUpdate"}


class PlainParser:
    """Parse single lines into the tables of the scanner.

    Parameters
    ----------
    path : Path
        Named in errors.
    symbol : str
        Other symbols become lines of kind FOREIGN.
    size_decimals : int
        Unit of sizes, 10^-size_decimals.
    """

    def __init__(self, path: Path, symbol: str, size_decimals: int):
        self.path = path
        self.symbol = symbol
        self.size_decimals = size_decimals
        self.others: dict[str, int] = {}

    def parse(self, line: bytes, number: int, tables: Tables, counts: IntArray) -> None:
        """Append one line to the tables.

        Raises
        ------
        ImportFailedError
            The line is no capture of Binance, is cut, or names a key twice.
        FinerGridError
            A size has more decimals than the unit.
        """
        try:
            self._parse(line, tables, counts)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError) as error:
            shown = line[:60].decode("utf-8", "replace")
            what = f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else str(error)
            raise damaged(
                self.path,
                f"{shown!r} does not read ({what})",
                "'<local ns> <JSON>' as Binance sends it",
                line=number,
            ) from error

    def _parse(self, line: bytes, tables: Tables, counts: IntArray) -> None:
        if not line.strip():
            self._line(tables, counts, OTHER, 0)
            return
        stamp, message = read_message(line)
        data = message.get("data", message)
        event = event_of(message, data)
        rows: list[tuple[int, str, str]] = []
        ids = [-1, -1, -1]
        otc = 0
        kind = OTHER
        if event == "snapshot":
            kind = SNAPSHOT
            ids[1] = _integer(data["lastUpdateId"])
            rows = _levels(data["bids"], 1) + _levels(data["asks"], -1)
        elif event == "depthUpdate":
            kind = DEPTH
            ids = [_integer(data["U"]), _integer(data["u"]), _integer(data.get("pu", -1))]
            rows = _sided_levels(data)
        elif event == "trade":
            kind = TRADE
            ids[0] = _integer(data["t"])
            rows = [(-1 if _boolean(data["m"]) else 1, data["p"], data["q"])]
            otc = int(data.get("X", "MARKET") != "MARKET")
        elif event == "bookTicker":
            kind = TICKER
            ids[1] = _integer(data["u"])
        else:
            self.others[event] = self.others.get(event, 0) + 1
        if data.get("s", self.symbol) != self.symbol:
            kind, rows = FOREIGN, []
        self._rows(rows, tables, counts)
        if kind == TICKER:
            self._ticker(data, tables, counts)
        source = MS * _integer(data.get("T") or data.get("E") or 0)
        self._line(tables, counts, kind, stamp, source, (ids[0], ids[1], ids[2]), len(rows), otc)

    def _line(
        self,
        tables: Tables,
        counts: IntArray,
        kind: int,
        stamp: int,
        source: int = 0,
        ids: tuple[int, int, int] = (-1, -1, -1),
        rows: int = 0,
        otc: int = 0,
    ) -> None:
        row = int(counts[1])
        tables.lines[counts[0]] = (kind, stamp, source, *ids, row - rows, rows, otc)
        counts[0] += 1

    def _rows(self, rows: list[tuple[int, str, str]], tables: Tables, counts: IntArray) -> None:
        for side, price, size in rows:
            row = counts[1]
            tables.prices[row] = units_of(price, UNIT_DECIMALS)
            tables.sizes[row] = self._size(size)
            tables.sides[row] = side
            counts[1] += 1

    def _size(self, text: str) -> int:
        try:
            units = units_of(text, self.size_decimals)
        except ValueError:
            finer = decimals_of([text])
            if finer <= self.size_decimals:
                raise
            raise FinerGridError(size_decimals=finer) from None
        if not 0 <= units <= _INT64_MAX:
            raise ValueError(
                f"size {text} does not fit lots of 1e-{self.size_decimals}: pass a larger lot_size"
            )
        return units

    def _ticker(self, data: dict[str, Any], tables: Tables, counts: IntArray) -> None:
        bid, ask = units_of(data["b"], UNIT_DECIMALS), units_of(data["a"], UNIT_DECIMALS)
        tables.tickers[counts[2]] = (
            counts[0],
            _integer(data["u"]),
            bid,
            self._size(data["B"]),
            ask,
            self._size(data["A"]),
        )
        counts[2] += 1


def read_message(line: bytes) -> tuple[int, dict[str, Any]]:
    """Stamp and JSON object of one line; ValueError for anything else."""
    stamp, _, text = line.partition(b" ")
    if not stamp.isdigit() or len(stamp) != 19:
        raise ValueError("no local stamp of 19 digits before the JSON")
    message = json.loads(text, object_pairs_hook=_once)
    if not isinstance(message, dict) or not isinstance(message.get("data", message), dict):
        raise ValueError("the JSON is no object")
    return int(stamp), message


def event_of(message: dict[str, Any], data: dict[str, Any]) -> str:
    """What a message is: "snapshot", "depthUpdate", "trade", "bookTicker", or the name of something else."""
    stream = str(message.get("stream", ""))
    if not stream and "lastUpdateId" in data and "bids" in data:
        return "snapshot"
    name = stream.partition("@")[2]
    base = name.partition("@")[0]
    if stream and base not in _STREAM_EVENTS:
        return base or "unnamed"
    return str(data.get("e") or _STREAM_EVENTS.get(base, "unnamed"))


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands twice")
        found[key] = value
    return found


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is no integer")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def _levels(levels: list[list[str]], side: int) -> list[tuple[int, str, str]]:
    return [(side, price, size) for price, size in levels]


def _sided_levels(data: dict[str, Any]) -> list[tuple[int, str, str]]:
    # In the order of the keys, as the scanner reads them; both sides are apart, so the book is the same.
    return [row for key in data if key in "ab" for row in _levels(data[key], 1 if key == "b" else -1)]


def symbol_of(path: Path, lines: Iterable[tuple[int, bytes]]) -> str:
    """Symbol of the first message that names one.

    Raises
    ------
    ImportFailedError
        No line names a symbol.
    """
    for number, line in lines:
        if not line.strip():
            continue
        try:
            _stamp, message = read_message(line)
        except (ValueError, RecursionError) as error:
            raise damaged(
                path, f"{line[:60]!r} is no capture of Binance ({error})", "'<local ns> <JSON>'", line=number
            ) from error
        symbol = message.get("data", message).get("s")
        if isinstance(symbol, str):
            return symbol
    raise ImportFailedError(
        f"{path.name}: no message names a symbol", expected="depth or trade messages", file=str(path)
    )
