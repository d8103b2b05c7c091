"""Databento's records: what each action does to orders, levels and prints."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from workbench.errors import ImportFailedError, MissingExtraError
from workbench.events import EventBatch, EventKind, Flag
from workbench.frames.importers import dbn
from workbench.frames.importers.dbn_orders import F_LAST, F_SNAPSHOT, OrderRecords
from workbench.frames.importers.files import Request
from workbench.frames.importers.rows import Rows

K = EventKind
DTYPE = [
    ("action", "S1"),
    ("side", "S1"),
    ("order_id", "u8"),
    ("flags", "u1"),
    ("ts_recv", "u8"),
    ("ts_event", "u8"),
]


def read(*records: tuple[str, str, int, int, int, int]) -> EventBatch:
    """Rows of records (action, side, order, price, size, flags), one ns apart, of one event time each ten."""
    piece = np.array(
        [(r[0], r[1], r[2], r[5], 1000 + i, 100 + i // 10) for i, r in enumerate(records)], dtype=DTYPE
    )
    rows = Rows()
    reader = OrderRecords(rows)
    reader.read(piece, [r[3] for r in records], [0] * len(records), [r[4] for r in records])
    reader.finish()
    return rows.take()


def rows(batch: EventBatch) -> list[tuple[int, ...]]:
    """Kind, side, price, size, order and flags of each event."""
    columns = (batch.kind, batch.side, batch.price, batch.size, batch.order_id, batch.flags)
    return list(zip(*(c.tolist() for c in columns)))


RESET = ("R", "N", 0, 0, 0, F_LAST)


def test_snapshot_is_framed(tmp_path: Path) -> None:
    """Snapshot records give CLEAR, orders and then levels marked as snapshot, SNAPSHOT_END at the first change."""
    batch = read(
        ("A", "B", 1, 100, 5, F_SNAPSHOT), ("A", "B", 2, 100, 6, F_SNAPSHOT), ("A", "A", 3, 101, 1, F_LAST)
    )
    assert rows(batch) == [
        (K.CLEAR, 0, 0, 0, 0, 0),
        (K.MBO_NEW, 1, 100, 5, 1, Flag.SNAPSHOT),
        (K.MBO_NEW, 1, 100, 6, 2, Flag.SNAPSHOT),
        (K.DEPTH, 1, 100, 11, 0, Flag.SNAPSHOT),
        (K.SNAPSHOT_END, 0, 0, 0, 0, 0),
        (K.MBO_NEW, -1, 101, 1, 3, 0),
        (K.DEPTH, -1, 101, 1, 0, 0),
    ]


def test_levels_wait_for_the_last_record_of_an_event() -> None:
    """Inside an event orders come as they are; levels come once, at its end, and only those that changed."""
    batch = read(
        RESET,
        ("A", "B", 1, 100, 5, 0),
        ("A", "B", 2, 99, 5, 0),
        ("C", "B", 2, 99, 5, 0),
        ("A", "B", 3, 100, 1, F_LAST),
    )
    assert [r[0] for r in rows(batch)] == [
        *(K.CLEAR, K.SNAPSHOT_END, K.MBO_NEW, K.MBO_NEW, K.MBO_CANCEL, K.MBO_NEW, K.DEPTH)
    ]
    assert rows(batch)[-1] == (K.DEPTH, 1, 100, 6, 0, 0)


def test_modify_carries_its_side_and_may_enter_an_order() -> None:
    """M sets price and size; of an unknown order it enters one."""
    batch = read(
        RESET, ("A", "A", 1, 101, 5, F_LAST), ("M", "A", 1, 102, 7, F_LAST), ("M", "B", 9, 99, 2, F_LAST)
    )
    assert rows(batch)[4:] == [
        (K.MBO_REPLACE, -1, 102, 7, 1, 0),
        (K.DEPTH, -1, 101, 0, 0, 0),
        (K.DEPTH, -1, 102, 7, 0, 0),
        (K.MBO_REPLACE, 1, 99, 2, 9, 0),
        (K.DEPTH, 1, 99, 2, 0, 0),
    ]


def test_print_names_its_only_passive_order() -> None:
    """T is the print; T and F change nothing, the C after them does and is marked as executed."""
    batch = read(
        RESET,
        ("A", "A", 1, 101, 5, F_LAST),
        ("T", "B", 77, 101, 5, 0),
        ("F", "A", 1, 101, 5, 0),
        ("C", "A", 1, 101, 5, F_LAST),
        ("T", "N", 0, 100, 1, F_LAST),
    )
    assert rows(batch)[4:] == [
        (K.TRADE, 1, 101, 5, 1, 0),
        (K.MBO_CANCEL, 0, 101, 0, 1, Flag.EXEC_END),
        (K.DEPTH, -1, 101, 0, 0, 0),
        (K.TRADE, 0, 100, 1, 0, 0),
    ]
    assert int(batch.aggressor_id[4]) == 77


def test_refill_shows_the_fill_before_it() -> None:
    """A native iceberg: shown 3, executed 13, shown 2 again; executed and revealed volume can be read off."""
    batch = read(
        RESET,
        ("A", "B", 1, 100, 3, F_LAST),
        ("T", "A", 0, 100, 13, 0),
        ("F", "B", 1, 100, 13, 0),
        ("M", "B", 1, 100, 2, F_LAST),
    )
    assert rows(batch)[5:] == [
        (K.MBO_REPLACE, 1, 100, 13, 1, Flag.EXEC_START),
        (K.MBO_REPLACE, 1, 100, 0, 1, Flag.EXEC_END),
        (K.MBO_REPLACE, 1, 100, 2, 1, 0),
        (K.DEPTH, 1, 100, 2, 0, 0),
    ]


def test_reset_and_unknown_cancel() -> None:
    """R empties a valid book; a cancel of an unknown order stays in the stream and changes no level."""
    batch = read(RESET, ("A", "B", 1, 100, 3, F_LAST), RESET, ("C", "B", 1, 100, 3, F_LAST))
    assert rows(batch)[-3:] == [
        (K.CLEAR, 0, 0, 0, 0, 0),
        (K.SNAPSHOT_END, 0, 0, 0, 0, 0),
        (K.MBO_CANCEL, 0, 0, 0, 1, 0),
    ]


@pytest.mark.parametrize("keep", [100, 20_000, -1])
def test_cut_files_are_refused(keep: int, shared_data: Path, tmp_path: Path) -> None:
    """A file cut anywhere is refused, also where the vendor's reader would stop without a word."""
    whole = (shared_data / "databento/esh4-glbx-mdp3-20231224.mbo.dbn.zst").read_bytes()
    path = tmp_path / "cut.dbn.zst"
    path.write_bytes(whole[:keep])
    with pytest.raises(ImportFailedError, match=r"cut\.dbn\.zst.*cut"):
        list(dbn.read(Request((path,))).batches)


def test_garbage_and_flipped_bytes_are_refused(shared_data: Path, tmp_path: Path) -> None:
    """Bytes that are no DBN, or fail their checksum, are refused."""
    whole = bytearray((shared_data / "databento/esh4-glbx-mdp3-20231224.mbo.dbn.zst").read_bytes())
    whole[30_000] ^= 0xFF
    for data in (b"garbage" * 100, bytes(whole)):
        path = tmp_path / "bad.dbn.zst"
        path.write_bytes(data)
        with pytest.raises(ImportFailedError, match="no readable DBN"):
            list(dbn.read(Request((path,))).batches)


def test_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the vendor's package the error prints the command that installs it."""
    path = tmp_path / "a.dbn"
    path.write_bytes(b"DBN")
    monkeypatch.setitem(sys.modules, "databento", None)
    with pytest.raises(MissingExtraError, match=r"orderflow-workbench\[formats\]"):
        dbn.read(Request((path,)))
