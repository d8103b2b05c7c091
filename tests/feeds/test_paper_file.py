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
