"""The two files of a LOBSTER day: found, read as integers, and refused where they do not agree."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from workbench.errors import ImportFailedError
from workbench.events import IntArray
from workbench.frames.importers.files import damaged, read_raw

ADD, PARTIAL, DELETE, EXECUTION, HIDDEN, CROSS, HALT = range(1, 8)

_NAME = re.compile(
    r"(?P<symbol>[^/_]+)_(?P<day>\d{4}-\d{2}-\d{2})_.*?(?P<what>message|orderbook)_(?P<levels>\d+)\.csv(\.gz)?$"
)


@dataclass(slots=True)
class Pair:
    """The two files of one day, and what their names say."""

    symbol: str
    day: dt.date
    levels: int
    message_name: str
    message: bytes
    orderbook_name: str
    orderbook: bytes
    path: Path


@dataclass(slots=True)
class Messages:
    """Columns of a message file; times in ns after midnight, prices in 1e-4 dollars."""

    ns: IntArray
    kind: IntArray
    order: IntArray
    size: IntArray
    price: IntArray
    direction: IntArray

    def __len__(self) -> int:
        return len(self.ns)


def open_pair(paths: tuple[Path, ...]) -> Pair:
    found: dict[str, tuple[re.Match[str], str, bytes, Path]] = {}
    for path in paths:
        for name, data in _members(path):
            match = _NAME.search(name)
            if match:
                if match["what"] in found:
                    raise ImportFailedError(
                        f"{name} beside {found[match['what']][1]}",
                        expected="one message and one orderbook file",
                        action="Import the days one by one",
                        file=str(path),
                    )
                found[match["what"]] = (match, name, data, path)
    for what in ("message", "orderbook"):
        if what not in found:
            raise ImportFailedError(
                f"no {what} file in {', '.join(p.name for p in paths)}",
                expected="SYMBOL_YYYY-MM-DD_…_message_N.csv and …_orderbook_N.csv, or a zip of both",
                file=str(paths[0]),
            )
    match, name, data, path = found["message"]
    other, book_name, book, _ = found["orderbook"]
    for field in ("symbol", "day", "levels"):
        if match[field] != other[field]:
            raise damaged(path, f"{name} beside {book_name}", f"two files of the same {field}")
    day = dt.date.fromisoformat(match["day"])
    return Pair(match["symbol"], day, int(match["levels"]), name, data, book_name, book, path)


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    if not zipfile.is_zipfile(path):
        yield path.name, b"".join(read_raw(path))
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if _NAME.search(name):
                    yield name, archive.read(name)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise damaged(path, f"the zip archive is damaged ({error})", "an intact archive") from error


def _place(pair: Pair, name: str) -> Path:
    """Where a table stands: beside the other one, or inside the archive."""
    return pair.path / name if zipfile.is_zipfile(pair.path) else pair.path.with_name(Path(name).name)


def _table(pair: Pair, data: bytes, name: str, columns: list[str]) -> pl.DataFrame:
    if not data.strip():
        raise damaged(_place(pair, name), "empty", "at least one message")
    if not data.endswith(b"\n"):
        last = data[data.rfind(b"\n") + 1 :]
        if last.count(b",") != data.partition(b"\n")[0].count(b","):
            raise damaged(
                _place(pair, name),
                f"cut in its last line {last[-40:]!r}",
                f"{len(columns)} columns",
                line=data.count(b"\n") + 1,
            )
    try:
        frame = pl.read_csv(io.BytesIO(data), has_header=False, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise damaged(
            _place(pair, name),
            f"does not read as CSV ({str(error).splitlines()[0]})",
            f"{len(columns)} columns",
        ) from error
    if name == pair.message_name and frame.width == len(columns) + 1:
        frame = frame.drop(frame.columns[-1])  # newer deliveries name the market maker in a seventh column
    if frame.width != len(columns):
        raise damaged(_place(pair, name), f"{frame.width} columns", f"{len(columns)} columns")
    frame.columns = columns
    return frame


def _integers(pair: Pair, name: str, frame: pl.DataFrame, column: str) -> IntArray:
    values = frame[column].str.strip_chars().cast(pl.Int64, strict=False)
    if values.null_count():
        row = int(values.is_null().arg_max() or 0)
        raise damaged(
            _place(pair, name),
            f"{column} {frame[column][row]!r} is no integer",
            "whole numbers",
            line=row + 1,
        )
    return values.to_numpy()


def read_messages(pair: Pair) -> Messages:
    columns = ["time", "type", "order", "size", "price", "direction"]
    frame = _table(pair, pair.message, pair.message_name, columns)
    rest = {c: _integers(pair, pair.message_name, frame, c) for c in columns[1:]}
    unknown = np.flatnonzero((rest["type"] < ADD) | (rest["type"] > HALT))
    if len(unknown):
        raise damaged(
            _place(pair, pair.message_name),
            f"message type {int(rest['type'][unknown[0]])}",
            "types 1 to 7",
            line=int(unknown[0]) + 1,
        )
    return Messages(_nanoseconds(pair, frame), *(rest[c] for c in columns[1:]))


def _nanoseconds(pair: Pair, frame: pl.DataFrame) -> IntArray:
    # The number of decimals varies: padded as text, because a float would lose the order of ns.
    parts = frame["time"].str.strip_chars().str.split_exact(".", 1).struct.unnest()
    whole = parts["field_0"].cast(pl.Int64, strict=False)
    decimals = (
        parts["field_1"].fill_null("0").str.slice(0, 9).str.pad_end(9, "0").cast(pl.Int64, strict=False)
    )
    ns = whole * 1_000_000_000 + decimals
    if ns.null_count():
        row = int(ns.is_null().arg_max() or 0)
        raise damaged(
            _place(pair, pair.message_name),
            f"time {frame['time'][row]!r}",
            "seconds after midnight",
            line=row + 1,
        )
    return ns.to_numpy()


def read_books(pair: Pair, messages: int) -> tuple[IntArray, IntArray]:
    """Prices and sizes, shape (n_messages, 2 · levels), ask and bid by turns."""
    columns = [f"{what}{n}" for n in range(2 * pair.levels) for what in ("price", "size")]
    frame = _table(pair, pair.orderbook, pair.orderbook_name, columns)
    if len(frame) != messages:
        raise damaged(
            _place(pair, pair.orderbook_name),
            f"{messages} messages but {len(frame)} rows of the book",
            "as many rows as messages",
            line=min(messages, len(frame)) + 1,
        )
    values = np.column_stack([_integers(pair, pair.orderbook_name, frame, c) for c in columns])
    return values[:, 0::2], values[:, 1::2]
