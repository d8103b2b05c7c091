"""The paper account on disk: read as it lies there, also while somebody writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.feeds.paper_file import PaperFile, kept_records
from workbench.trading.journal import Switched
from workbench.trading.limits import TradingState


def test_what_is_kept_can_be_read_beside_its_writer(tmp_path: Path) -> None:
    """Every whole line, in order; a line that is cut is not there yet."""
    records = [Switched(ts, TradingState.HALTED, "why") for ts in (1, 2)]
    file = PaperFile("ES", "mine", tmp_path)
    file.write(records)
    assert kept_records("ES", "mine", tmp_path) == records
    with file.path.open("ab") as cut:
        cut.write(b"half a li")
    assert kept_records("ES", "mine", tmp_path) == records
    file.close()


def test_an_account_that_never_traded_is_named(tmp_path: Path) -> None:
    """With what would have kept it."""
    with pytest.raises(WorkbenchError, match="no journal of the paper account 'other'"):
        kept_records("ES", "other", tmp_path)


def test_what_was_put_aside_stays_when_it_happens_again(tmp_path: Path) -> None:
    """Each damaged file as it was, whole, beside the journal that goes on."""
    kept = []
    for _ in range(3):
        file = PaperFile("ES", "mine", tmp_path)
        file.write([Switched(ts, TradingState.HALTED, "why") for ts in (1, 2, 3)])
        file.close()
        data = bytearray(file.path.read_bytes())
        data[len(data) // 2] ^= 1
        file.path.write_bytes(data)
        kept.append(bytes(data))
    PaperFile("ES", "mine", tmp_path).close()
    assert sorted(p.read_bytes() for p in file.path.parent.glob("*.damaged")) == sorted(kept)
