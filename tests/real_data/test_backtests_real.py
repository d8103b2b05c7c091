"""Backtests on real recordings: snapshots are the books of their moments, and reports add up."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import workbench as wb
from tests.support.truth import Case
from workbench.book.levels import LevelBook
from workbench.lab.report_tables import ReportTables
from workbench.lab.snapshots import snapshots_of

SECOND = 1_000_000_000


def _book(batch: wb.EventBatch, until: int) -> list[list[int]]:
    book = LevelBook()
    book.apply(batch[: int(np.searchsorted(batch.ts, until, "right"))])
    return [column.tolist() for side in (1, -1) for column in book.levels(side)]


@pytest.mark.parametrize("name", ["usdm", "amzn"])
def test_snapshots_of_a_real_day_are_its_books(name: str, request: pytest.FixtureRequest) -> None:
    """Five times over the day, every level of both sides."""
    case: Case = request.getfixturevalue(name)
    thinned = snapshots_of(case.events, SECOND)
    assert len(thinned) < len(case.events)
    times = np.unique(thinned.ts)
    for time in times[np.linspace(0, len(times) - 1, 5).astype(int)].tolist():
        assert _book(thinned, time) == _book(case.events, time)


def test_a_report_of_a_real_session_adds_up(usdm: Case) -> None:
    """Gross ticks of closed trades and of what is open, at the last mid, are the profit before fees."""
    result = wb.backtest(wb.strategies.quote_touch, usdm.recording, params=[10, 100])
    told = ReportTables(result)
    assert told.trades.height > 100
    fills, last = result.fills, result.equity.drop_nulls().row(-1, named=True)
    signed = (pl.col("side") * pl.col("size")).alias("signed")
    opened = fills.select(signed.sum()).item()
    cash = -fills.select((signed * pl.col("price")).sum()).item()
    assert last["position"] == pytest.approx(opened)
    assert last["cash"] == pytest.approx(cash)
    assert told.regimes.filter(pl.col("by") == "hour")["events"].sum() == told.trades.height
    same = told.fills.drop_nulls(["half_spread", "adverse", "markout_1s"])
    assert same["markout_1s"].to_list() == pytest.approx((-same["half_spread"] - same["adverse"]).to_list())
