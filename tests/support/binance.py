"""Lines as a collector of Binance's feed writes them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Levels = Sequence[tuple[str, str]]
T0 = 1_700_000_000_000_000_000


def line(ts: int, message: dict[str, Any], *, spaces: bool = False) -> bytes:
    """Stamp and JSON."""
    text = json.dumps(message, separators=None if spaces else (",", ":"))
    return f"{T0 + ts} {text}\n".encode()


def depth(
    ts: int, first: int, last: int, previous: int | None, bids: Levels = (), asks: Levels = ()
) -> bytes:
    """One diff; with ``previous`` of futures, without of spot."""
    data: dict[str, Any] = {"e": "depthUpdate", "E": 1700000000001, "s": "BTCUSDT", "U": first, "u": last}
    if previous is not None:
        data |= {"T": 1700000000000, "pu": previous}
    data |= {"b": [list(x) for x in bids], "a": [list(x) for x in asks]}
    return line(ts, {"stream": "btcusdt@depth@0ms", "data": data})


def snapshot(ts: int, last: int, bids: Levels = (), asks: Levels = ()) -> bytes:
    """One REST snapshot."""
    return line(ts, {"lastUpdateId": last, "bids": [list(x) for x in bids], "asks": [list(x) for x in asks]})


def trade(ts: int, number: int, price: str, size: str, maker: bool = False, **more: Any) -> bytes:
    """One print; ``maker``: the buyer was resting."""
    data = {
        "e": "trade",
        "E": 1700000000002,
        "T": 1700000000001,
        "s": "BTCUSDT",
        "t": number,
        "p": price,
        "q": size,
        "X": "MARKET",
        "m": maker,
    }
    return line(ts, {"stream": "btcusdt@trade", "data": data | more})


def write(path: Path, *lines: bytes, packed: bool = False) -> Path:
    """A capture of these lines."""
    text = b"".join(lines)
    path.write_bytes(gzip.compress(text) if packed else text)
    return path
