"""LOBSTER files: clocks, hidden and crossing prints, halts, dummies, and files that do not agree."""

from __future__ import annotations

import datetime as dt
import gzip
import zipfile
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from workbench.errors import ImportFailedError
from workbench.events import SUBTICK_SHIFT, EventBatch, EventKind, Flag, Status
from workbench.frames.importers import lobster
from workbench.frames.importers.files import Request

K = EventKind
BOOK = "1000100,10,1000000,20,9999999999,0,-9999999999,0\n"


def write(folder: Path, messages: str, books: str, day: str = "2012-06-21") -> tuple[Path, Path]:
    """Both files of a day, two levels."""
    message = folder / f"TEST_{day}_34200000_57600000_message_2.csv"
    book = folder / f"TEST_{day}_34200000_57600000_orderbook_2.csv"
    message.write_text(messages)
    book.write_text(books)
    return message, book


def events(*paths: Path, **request: object) -> EventBatch:
    """All events of the files."""
    return EventBatch.concatenate(list(lobster.read(Request(paths, **request)).batches))  # type: ignore[arg-type]


def test_first_row_is_the_snapshot_and_dummies_are_no_levels(tmp_path: Path) -> None:
    """The book of the first row enters as a snapshot, bids first, without the dummy prices."""
    batch = events(*write(tmp_path, "34200.1,1,7,20,1000000,1\n", BOOK))
    assert batch.kind.tolist() == [K.CLEAR, K.DEPTH, K.DEPTH, K.SNAPSHOT_END, K.MBO_NEW]
    assert batch.side.tolist() == [0, 1, -1, 0, 1]
    assert batch.price.tolist() == [0, 10000, 10001, 0, 10000]
    assert batch.size.tolist() == [0, 20, 10, 0, 20]


@pytest.mark.parametrize(
    ("text", "ns"),
    [("34200", 0), ("34200.1", 100_000_000), ("34200.017459617", 17_459_617), ("34200.10", 10**8)],
)
def test_times_are_padded_not_rounded(text: str, ns: int, tmp_path: Path) -> None:
    """Decimals of any number are exact ns of New York's clock, in UTC."""
    batch = events(*write(tmp_path, f"{text},1,7,20,1000000,1\n", BOOK))
    open_utc = int(dt.datetime(2012, 6, 21, 13, 30, tzinfo=dt.UTC).timestamp()) * 10**9
    assert int(batch.ts[0]) == open_utc + ns


@pytest.mark.parametrize(("day", "hour"), [("2012-06-21", 13), ("2012-12-21", 14), ("2012-03-12", 13)])
def test_daylight_saving(day: str, hour: int, tmp_path: Path) -> None:
    """9:30 in New York is 13:30 UTC in summer and 14:30 in winter."""
    batch = events(*write(tmp_path, "34200.0,1,7,20,1000000,1\n", BOOK, day))
    date = dt.date.fromisoformat(day)
    expected = dt.datetime(date.year, date.month, date.day, hour, 30, tzinfo=dt.UTC)
    assert int(batch.ts[0]) == int(expected.timestamp()) * 10**9


def test_executions_reduce_the_resting_order(tmp_path: Path) -> None:
    """Direction is the resting side: a sell is hit, a buyer was the aggressor; the order shrinks, then goes."""
    messages = "1,1,7,10,1000100,-1\n2,4,7,4,1000100,-1\n3,4,7,6,1000100,-1\n4,2,9,5,1000000,1\n"
    batch = events(*write(tmp_path, messages, BOOK + BOOK.replace(",10,", ",6,") * 2 + BOOK))
    at = np.flatnonzero(np.isin(batch.kind, (K.TRADE, K.MBO_REPLACE, K.MBO_CANCEL)))
    shown = [(int(batch.kind[i]), int(batch.side[i]), int(batch.size[i]), int(batch.order_id[i])) for i in at]
    assert shown == [
        (K.TRADE, 1, 4, 7),
        (K.MBO_REPLACE, 0, 6, 7),
        (K.TRADE, 1, 6, 7),
        (K.MBO_CANCEL, 0, 0, 7),
        (K.MBO_CANCEL, 0, 0, 9),
    ]


def test_hidden_cross_and_halt(tmp_path: Path) -> None:
    """Hidden prints keep their sub-cent price, crosses are off-book without aggressor, halts are states."""
    messages = "1,5,0,30,1000050,1\n2,6,-1,500,1000000,-1\n3,7,0,0,-1,-1\n4,7,0,0,0,-1\n5,7,0,0,1,-1\n"
    batch = events(*write(tmp_path, messages, BOOK * 5))[4:]
    assert batch.kind.tolist() == [K.TRADE, K.TRADE, K.STATUS, K.STATUS, K.STATUS]
    assert batch.side.tolist() == [-1, 0, 0, 0, 0]
    assert batch.price.tolist() == [10000, 10000, 0, 0, 0]
    assert int(batch.flags[0]) == Flag.HIDDEN | (500 << SUBTICK_SHIFT)
    assert int(batch.flags[1]) == Flag.OTC
    assert batch.size[2:].tolist() == [Status.PAUSED, Status.PAUSED, Status.LIVE]


def test_level_that_enters_and_leaves_the_window(tmp_path: Path) -> None:
    """Differences of consecutive rows become levels; one that leaves the window is removed."""
    moved = "1000100,10,1000050,5,1000200,7,1000000,20\n"
    back = "1000100,10,1000050,5,9999999999,0,-9999999999,0\n"
    batch = events(*write(tmp_path, "1,1,7,20,1000000,1\n" * 3, BOOK + moved + back), tick_size="0.005")
    rows = np.flatnonzero((batch.kind == K.DEPTH) & (batch.flags == 0))
    shown = [(int(batch.side[i]), int(batch.price[i]), int(batch.size[i])) for i in rows]
    assert shown == [(1, 20001, 5), (-1, 20004, 7), (1, 20000, 0), (-1, 20004, 0)]


@pytest.mark.parametrize(
    ("messages", "books", "says"),
    [
        ("1,1,7,20,1000000,1\n", BOOK * 2, "1 messages but 2 rows"),
        ("1,1,7,20,1000000,1\n1,1,7", BOOK * 2, "cut in its last line"),
        ("1,9,7,20,1000000,1\n", BOOK, "message type 9"),
        ("x,1,7,20,1000000,1\n", BOOK, "time 'x'"),
        ("1,1,7,2.5,1000000,1\n", BOOK, "size '2.5' is no integer"),
        ("1,1,7,20,1000000,1\n", "1,2\n", "2 columns"),
        ("", BOOK, "empty"),
    ],
)
def test_damage_is_named(messages: str, books: str, says: str, tmp_path: Path) -> None:
    """Files that are cut, garbled or do not agree are refused with the place."""
    with pytest.raises(ImportFailedError, match=says):
        events(*write(tmp_path, messages, books))


def test_half_of_a_pair_is_refused(tmp_path: Path) -> None:
    """One of the two files, or files of two days, are refused."""
    message, book = write(tmp_path, "1,1,7,20,1000000,1\n", BOOK)
    with pytest.raises(ImportFailedError, match="no orderbook file"):
        events(message)
    other, _ = write(tmp_path, "1,1,7,20,1000000,1\n", BOOK, "2012-06-22")
    with pytest.raises(ImportFailedError, match="same day"):
        events(other, book)


def test_zip_and_damaged_zip(tmp_path: Path) -> None:
    """An archive reads like its files; one with a flipped byte is refused."""
    pair = write(tmp_path, "1,1,7,20,1000000,1\n" * 500, BOOK * 500)
    path = tmp_path / "day.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in pair:
            archive.write(part, part.name)
    assert events(path) == events(*pair)
    data = bytearray(path.read_bytes())
    data[120] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ImportFailedError, match="damaged"):
        events(path)


def test_gzipped_pair_reads_as_the_plain_one(tmp_path: Path) -> None:
    """Each file may be gzipped by itself; the name before the suffix tells symbol and day."""
    plain = write(tmp_path, "34200.1,1,7,20,1000000,1\n", BOOK)
    packed = [path.with_name(path.name + ".gz") for path in plain]
    for path, target in zip(plain, packed):
        target.write_bytes(gzip.compress(path.read_bytes()))
    assert events(*packed).price.tolist() == events(*plain).price.tolist()


def test_seventh_column_of_newer_deliveries_is_left_aside(tmp_path: Path) -> None:
    """Some message files name the market maker, or null, behind the direction."""
    six = events(*write(tmp_path, "34200.1,1,7,20,1000000,1\n", BOOK))
    seven = events(*write(tmp_path, "34200.1,1,7,20,1000000,1,null\n", BOOK))
    assert seven.columns[4].tolist() == six.columns[4].tolist() and len(seven) == len(six)


@pytest.mark.parametrize("tick", ["0.05", "0.00001"])
def test_named_tick_must_hold_every_displayed_price(tick: str, tmp_path: Path) -> None:
    """A tick that would move a level to another price, or is finer than the file's unit, is refused."""
    paths = write(tmp_path, "34200.1,1,7,20,1000000,1\n", BOOK)
    with pytest.raises(ImportFailedError, match=tick):
        events(*paths, tick_size=Decimal(tick))
