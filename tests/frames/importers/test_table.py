"""Tables: spellings of times and sides, merging, grids and what is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from workbench.errors import ImportFailedError
from workbench.events import EventKind
from workbench.frames.importers import table, tardis
from workbench.frames.importers.files import Imported, Request

K = EventKind
HEADER = "exchange,symbol,timestamp,local_timestamp,"


def read(folder: Path, *texts: str, form: str = "csv", **request: object) -> Imported:
    """Import tables of these texts."""
    paths = []
    for number, text in enumerate(texts):
        paths.append(folder / f"t{number}.csv")
        paths[-1].write_text(text)
    reader = {"csv": table.read, "tardis": tardis.read}[form]
    return reader(Request(tuple(paths), **request))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "1700000000123456789",
        "1700000000123456.789",
        "1700000000123.456789",
        "1700000000.123456789",
        "2023-11-14T22:13:20.123456789Z",
        "2023-11-14T22:13:20.123456789",
        "2023-11-14T23:13:20.123456789+01:00",
    ],
)
def test_spellings_of_one_time(text: str, tmp_path: Path) -> None:
    """ns, µs, ms, s and ISO 8601 with any offset are the same ns."""
    found = read(tmp_path, f"time,price,size\n{text},1,1\n")
    assert next(iter(found.batches)).ts.tolist() == [1_700_000_000_123_456_789]


@pytest.mark.parametrize(
    ("header", "value", "side"),
    [
        ("side", "buy", 1),
        ("side", "SELL", -1),
        ("aggressor", "b", 1),
        ("aggressor", "-1", -1),
        ("is_buyer_maker", "true", -1),
        ("isBuyerMaker", "False", 1),
        ("aggressor", "", 0),
    ],
)
def test_spellings_of_the_aggressor(header: str, value: str, side: int, tmp_path: Path) -> None:
    """Words, letters, signs and the maker's flag all name the aggressor."""
    batch = next(iter(read(tmp_path, f"ts,px,qty,{header}\n1700000000,1,1,{value}\n").batches))
    assert (batch.kind.tolist(), batch.side.tolist()) == ([K.TRADE], [side])


def test_grid_is_exact(tmp_path: Path) -> None:
    """Tick and lot divide every value, in plain and in scientific spelling."""
    found = read(tmp_path, "ts,price,size\n1700000000,0.1,1e-8\n1700000001,0.3,2\n1700000002,61659.7,0.5\n")
    assert (found.instrument.tick_size, found.instrument.lot_size) == (Decimal("0.2"), Decimal("1E-8")) or (
        found.instrument.tick_size == Decimal("0.1")
    )
    batch = next(iter(found.batches))
    assert [found.instrument.price(p) for p in batch.price.tolist()] == [
        Decimal(t) for t in ("0.1", "0.3", "61659.7")
    ]
    assert batch.size.tolist() == [1, 200_000_000, 50_000_000]


def test_trades_and_levels_are_merged_by_time(tmp_path: Path) -> None:
    """Several files are one stream in the order of receive time."""
    levels = "ts,price,size,side\n1700000000,1,5,bid\n1700000002,2,5,ask\n"
    trades = "ts,price,size,aggressor\n1700000001,2,1,buy\n"
    batch = next(iter(read(tmp_path, levels, trades, symbol="X").batches))
    assert batch.kind.tolist() == [K.CLEAR, K.SNAPSHOT_END, K.DEPTH, K.TRADE, K.DEPTH]


def test_second_snapshot_follows_a_gap(tmp_path: Path) -> None:
    """A snapshot after updates means a lost connection: GAP and CLEAR stand before it."""
    text = HEADER + "is_snapshot,side,price,amount\n"
    for number, first in enumerate(("true", "false", "true", "true", "false")):
        text += f"x,Y,{number},{number + 5},{first},bid,{number + 1},1\n"
    batch = next(iter(read(tmp_path, text, form="tardis").batches))
    assert batch.kind.tolist() == [
        *(K.CLEAR, K.DEPTH, K.SNAPSHOT_END, K.DEPTH),
        *(K.GAP, K.CLEAR, K.DEPTH, K.DEPTH, K.SNAPSHOT_END, K.DEPTH),
    ]
    assert batch.flags.tolist() == [0, 1, 0, 0, 0, 0, 1, 1, 0, 0]


def test_several_symbols_need_a_choice(tmp_path: Path) -> None:
    """A table of several instruments is refused with their names, or read for the one chosen."""
    text = "symbol,ts,price,size\nA,1700000000,1,1\nB,1700000000,2,1\n"
    with pytest.raises(ImportFailedError, match=r"A, B.*symbol="):
        read(tmp_path, text)
    assert len(next(iter(read(tmp_path, text, symbol="B").batches))) == 1
    with pytest.raises(ImportFailedError, match="not 'C'"):
        read(tmp_path, text, symbol="C")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("time,price\n1,2\n", "a column 'size'"),
        ("time,price,size\n1700000000,x,1\n", "line 2: price 'x'"),
        ("time,price,size\n1700000000,nan,1\n", "price"),
        ("time,price,size\nyesterday,1,1\n", "time 'yesterday'"),
        ("time,price,size,side\n1700000000,1,1,up\n", "side 'up'"),
        ("time,price,size\n1700000000,1,1\n1700000000,1", "line 3: no size"),
        ("time,price,size\n1700000000,0.000000001,1\n", "no multiple"),
        ("time,price,size\n1700000000,1,1,1,1\n", "does not read as CSV"),
    ],
)
def test_damage_is_named(text: str, says: str, tmp_path: Path) -> None:
    """What does not read is refused with file, line and value."""
    with pytest.raises(ImportFailedError, match=says):
        read(tmp_path, text)


def test_foreign_tardis_columns(tmp_path: Path) -> None:
    """A table that is none of Tardis' four forms, or has a hole, is refused."""
    with pytest.raises(ImportFailedError, match="incremental_book_L2"):
        read(tmp_path, HEADER + "funding_rate\nx,Y,1,2,3\n", form="tardis")
    with pytest.raises(ImportFailedError, match="line 2: a row without"):
        read(tmp_path, HEADER + "id,side,price,amount\nx,Y,1,2,,buy,1.5\n", form="tardis")
