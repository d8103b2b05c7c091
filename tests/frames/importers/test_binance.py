"""Binance captures: the exchange's sequence rules, grids, clocks and damage."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.binance import T0, depth, snapshot, trade, write
from workbench.errors import ImportFailedError
from workbench.events import EventBatch, EventKind, Flag
from workbench.frames.importers import binance
from workbench.frames.importers.files import FinerGridError, Imported, Request

K = EventKind


def imported(*paths: Path, futures: bool = True, **request: object) -> tuple[Imported, EventBatch]:
    """Instrument, facts and all events of a capture."""
    for found in binance.read(Request(paths, **request), futures=futures):  # type: ignore[arg-type]
        try:
            return found, EventBatch.concatenate(list(found.batches))
        except FinerGridError:
            continue
    raise AssertionError("no stream")


def rows(batch: EventBatch) -> list[tuple[int, int, int, int]]:
    """Kind, side, price and size of each event."""
    columns = (batch.kind, batch.side, batch.price, batch.size)
    return list(zip(*(c.tolist() for c in columns)))


BASE = (
    snapshot(10, 100, [("10.0", "1.000")], [("10.5", "2.000")]),
    depth(20, 99, 101, 98, [("10.0", "3.000")]),
)


def test_futures_keep_the_diff_that_reaches_over_the_snapshot(tmp_path: Path) -> None:
    """Diffs before lastUpdateId are dropped, the one over it is applied with the snapshot, the next chains by pu."""
    path = write(
        tmp_path / "a",
        depth(1, 90, 95, 89, [("9.0", "5.000")]),
        depth(2, 96, 101, 95, [("10.0", "3.000")]),
        snapshot(10, 100, [("10.0", "1.000"), ("9.5", "1.000")], [("10.5", "2.000")]),
        depth(11, 110, 120, 101, [("9.5", "0.000")]),
    )
    found, batch = imported(path)
    assert rows(batch) == [
        (K.CLEAR, 0, 0, 0),
        (K.DEPTH, 1, 20, 3000),
        (K.DEPTH, 1, 19, 1000),
        (K.DEPTH, -1, 21, 2000),
        (K.SNAPSHOT_END, 0, 0, 0),
        (K.DEPTH, 1, 19, 0),
    ]
    assert found.facts["sync"]["stale_diffs_dropped"] == 1  # type: ignore[index]
    assert batch.ts.tolist() == [T0 + 10] * 5 + [T0 + 11]
    assert (batch.flags[1:4] == Flag.SNAPSHOT).all()


def test_spot_chains_by_one(tmp_path: Path) -> None:
    """Spot drops u = lastUpdateId, keeps U = lastUpdateId + 1, then every U follows the u before."""
    path = write(
        tmp_path / "a",
        snapshot(1, 100, [("10.00", "1.00000001")]),
        depth(2, 98, 100, None, [("10.00", "9.00000000")]),
        depth(3, 101, 101, None, [("9.00", "1.00000000")]),
        depth(4, 102, 105, None, [("9.00", "0.00000000")]),
    )
    found, batch = imported(path, futures=False)
    assert found.instrument.lot_size == Decimal("1E-8")
    assert rows(batch) == [
        (K.CLEAR, 0, 0, 0),
        (K.DEPTH, 1, 10, 100_000_001),
        (K.DEPTH, 1, 9, 100_000_000),
        (K.SNAPSHOT_END, 0, 0, 0),
        (K.DEPTH, 1, 9, 0),
    ]


def test_broken_chain_is_a_gap_until_the_next_snapshot(tmp_path: Path) -> None:
    """A diff that does not chain gives GAP and CLEAR; the book comes back with a snapshot that it reaches over."""
    path = write(
        tmp_path / "a",
        *BASE,
        depth(30, 150, 160, 149, [("9.0", "1.000")]),
        trade(31, 1, "10.0", "1.000"),
        snapshot(40, 155, [("8.0", "1.000")]),
        depth(50, 161, 170, 160, [("7.5", "2.000")]),
    )
    found, batch = imported(path)
    assert rows(batch)[4:] == [
        (K.GAP, 0, 0, -1),
        (K.CLEAR, 0, 0, 0),
        (K.TRADE, 1, 20, 1000),
        (K.CLEAR, 0, 0, 0),
        (K.DEPTH, 1, 18, 1000),
        (K.DEPTH, 1, 16, 1000),
        (K.SNAPSHOT_END, 0, 0, 0),
        (K.DEPTH, 1, 15, 2000),
    ]
    assert found.facts["sequence_gaps"] == 1
    assert len(found.facts["resyncs"]) == 1  # type: ignore[arg-type]


def test_snapshot_older_than_the_oldest_diff_is_not_used(tmp_path: Path) -> None:
    """A snapshot that no diff reaches over leaves the book invalid, and the end of the file says so."""
    path = write(
        tmp_path / "a", depth(1, 200, 210, 199, [("9.0", "1.000")]), snapshot(2, 100, [("9.0", "1.000")])
    )
    found, batch = imported(path)
    assert rows(batch) == [(K.GAP, 0, 0, -1)]
    assert found.facts["sync"]["live_t"] is None  # type: ignore[index]


def test_trades_before_the_book_are_kept(tmp_path: Path) -> None:
    """Trades count from the first line, the aggressor is the opposite of the maker, venue time in ns."""
    path = write(tmp_path / "a", trade(1, 7, "10.5", "0.500", maker=True), *BASE)
    _, batch = imported(path)
    assert rows(batch)[0] == (K.TRADE, -1, 21, 500)
    assert int(batch.ts_source[0]) == 1_700_000_000_001_000_000


def test_files_chain_in_time_and_overlap_once(tmp_path: Path) -> None:
    """Files are put in order; what two of them both hold enters once."""
    again = depth(21, 102, 103, 101, [("9.5", "1.000")]), trade(22, 5, "10.0", "1.000")
    first = write(tmp_path / "z", *BASE, *again, packed=True)
    second = write(tmp_path / "a", *again, depth(30, 104, 105, 103, [("9.5", "2.000")]))
    found, batch = imported(second, first)
    assert rows(batch)[4:] == [(K.DEPTH, 1, 19, 1000), (K.TRADE, 1, 20, 1000), (K.DEPTH, 1, 19, 2000)]
    assert found.facts["duplicate_diffs_dropped"] == 2


def test_no_ops_are_kept(tmp_path: Path) -> None:
    """Removal of an absent price and an update that changes nothing stay in the stream."""
    path = write(tmp_path / "a", *BASE, depth(30, 102, 103, 101, [("5.0", "0.000"), ("10.0", "3.000")]))
    _, batch = imported(path)
    assert rows(batch)[-2:] == [(K.DEPTH, 1, 10, 0), (K.DEPTH, 1, 20, 3000)]


def test_stamps_that_step_back_are_raised(tmp_path: Path) -> None:
    """Receive times never fall; the file's order stays, and the steps are counted."""
    path = write(tmp_path / "a", trade(50, 1, "10.0", "1.000"), trade(40, 2, "10.5", "1.000"))
    found, batch = imported(path)
    assert batch.ts.tolist() == [T0 + 50, T0 + 50]
    assert found.facts["stamps_out_of_order"] == 1


def test_tick_grows_finer_with_the_file(tmp_path: Path) -> None:
    """The tick divides every price of the file, also one that comes late."""
    coarse = [trade(n, n, "10.0", "1.0") for n in range(1, 20_000)]
    path = write(tmp_path / "a", *coarse, trade(20_000, 20_000, "10.25", "1.001"))
    found, batch = imported(path)
    assert (found.instrument.tick_size, found.instrument.lot_size) == (Decimal("0.25"), Decimal("0.001"))
    assert rows(batch)[-1] == (K.TRADE, 1, 41, 1001)


def test_named_grid_is_kept_or_refused(tmp_path: Path) -> None:
    """tick_size and lot_size hold for the whole file; a value off them is refused with the value."""
    path = write(tmp_path / "a", trade(1, 1, "10.5", "1.500"))
    found, batch = imported(path, tick_size=Decimal("0.1"), lot_size=Decimal("0.5"))
    assert rows(batch) == [(K.TRADE, 1, 105, 3)]
    assert found.instrument.tick_size == Decimal("0.1")
    with pytest.raises(ImportFailedError, match=r"10\.5 is no multiple of 1"):
        imported(path, tick_size=Decimal(1))
    with pytest.raises(ImportFailedError, match=r"1\.5 is no multiple of 1"):
        imported(path, lot_size=Decimal(1))


def test_special_prints(tmp_path: Path) -> None:
    """Insurance-fund prints are off-book; prints of no size are left out and counted."""
    path = write(
        tmp_path / "a",
        trade(1, 1, "10.0", "1.000", X="INSURANCE_FUND"),
        trade(2, 2, "0", "0", X="NA"),
        trade(3, 3, "10.5", "1.000"),
    )
    found, batch = imported(path)
    assert batch.flags.tolist() == [Flag.OTC, 0]
    assert found.facts["trades_without_size_dropped"] == 1


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (b'1700000000000000001 {"stream":"btcusdt@trade","data":{"e":"tra\n', "line 3"),
        (b"garbage\n", "no local stamp"),
        (b"\xff\xfe\x00\n", "line 3"),
        (
            b'1700000000000000001 {"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","t":1,"t":2}}\n',
            "twice",
        ),
        (trade(1, 1, "NaN", "1"), "no finite number"),
        (trade(1, 1, "1e400", "1"), "line 3"),
        (trade(1, 1, "1", "1").replace(b'"m":false', b'"m":0'), "neither true nor false"),
        (b"1700000000000000001 [1,2]\n", "no object"),
        (b"1700000000000000001 " + b"[" * 100_000 + b"\n", "line 3"),
    ],
)
def test_damaged_lines_name_file_and_line(damage: bytes, says: str, tmp_path: Path) -> None:
    """A line that does not read is refused with its file, its number and what is wrong."""
    path = write(tmp_path / "capture.txt", *BASE, damage)
    with pytest.raises(ImportFailedError, match=says) as caught:
        imported(path)
    assert "capture.txt" in str(caught.value)
    assert caught.value.fields["line"] == 3


def test_cut_gzip_is_refused(tmp_path: Path) -> None:
    """A compressed file without its end is refused, whatever could be read of it."""
    path = write(tmp_path / "a.gz", *BASE, packed=True)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ImportFailedError, match="cut"):
        imported(path)
    data = bytearray(write(tmp_path / "b.gz", *BASE, packed=True).read_bytes())
    data[-6] ^= 1
    (tmp_path / "b.gz").write_bytes(data)
    with pytest.raises(ImportFailedError, match="garbled"):
        imported(tmp_path / "b.gz")


def test_the_other_market_is_refused(tmp_path: Path) -> None:
    """Futures diffs given as spot, or spot diffs as futures, are refused by their chain."""
    futures = write(tmp_path / "f", *BASE)
    spot = write(tmp_path / "s", snapshot(1, 100), depth(2, 101, 102, None, [("1.0", "1.0")]))
    with pytest.raises(ImportFailedError, match="binance-futures"):
        imported(futures, futures=False)
    with pytest.raises(ImportFailedError, match="binance-spot"):
        imported(spot)


def test_symbol_that_is_not_there_and_several_symbols_are_refused(tmp_path: Path) -> None:
    """Nothing is left out silently: the symbol named must be in the files, and one of several must be named."""
    alone = write(tmp_path / "a", *BASE)
    with pytest.raises(ImportFailedError, match="no message of NOPE"):
        imported(alone, symbol="NOPE")
    text = alone.read_text()
    both = tmp_path / "b"
    symbol = imported(alone)[0].instrument.symbol
    both.write_text(text + text.splitlines()[-1].replace(symbol, "OTHER") + "\n")
    with pytest.raises(ImportFailedError, match="1 of other symbols"):
        imported(both)
    assert rows(imported(both, symbol=symbol)[1]) == rows(imported(alone)[1])
