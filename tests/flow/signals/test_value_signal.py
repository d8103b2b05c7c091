"""Signals of values that are there already: known from their time on, and never before."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.flow.batches import event_batches
from workbench.flow.signals.contract import Scores


@pytest.fixture(scope="module")
def market():
    """Half a minute of the simulator."""
    session = wb.simulate(seed=7, inline=True)
    session.advance("30s")
    return session


def test_each_row_has_the_newest_value_known_by_then(market) -> None:
    """Of three values, two at one time the later one; before the first and where one is null nothing is known."""
    ts = wb.touches(market).ts
    a, b, c = int(ts[50]), int(ts[90]), int(ts[140]) + 1
    values = pl.DataFrame({"ts": [a, b, b, c], "v": [2.0, 9.0, -3.0, None]})
    found = wb.signals.from_values(values, enter=2.5).over(market)
    expected = np.select([ts < a, ts < b, ts < c], [np.nan, 2.0, -3.0], np.nan)
    np.testing.assert_array_equal(found["score"].fill_null(np.nan).to_numpy(), expected)
    assert found["side"].to_list() == np.where(expected == -3.0, -1, 0).tolist()


def test_bars_are_known_at_their_end_and_windows_later(market) -> None:
    """A bar's delta is nobody's before it is over; ``delay`` is for times that are starts."""
    bars = wb.bars(market, "1s")
    ends = bars["end"].to_physical().to_numpy()
    signal = wb.signals.from_values(bars, "delta", enter=5.0)
    assert signal.at.tolist() == ends.tolist()
    later = wb.signals.from_values(bars, "delta", known="ts", delay="1s", enter=5.0)
    assert later.at.tolist() == (bars["ts"].to_physical() + 1_000_000_000).to_list()


@pytest.mark.parametrize("cut", [1, 7, 100])
def test_streaming_is_batch(market, cut: int) -> None:
    """In any pieces, to the bit."""
    signal = wb.signals.from_values(wb.imbalance(market), "imbalance", enter=0.4, leave=0.2)
    runner, pieces = signal.fresh(market.instrument), list[Scores]()
    for batch in event_batches(market):
        pieces += [runner.update(batch[i : i + cut]) for i in range(0, len(batch), cut)]
    pieces.append(runner.close())
    whole = signal.over(market)
    assert np.concatenate([p.side for p in pieces]).tolist() == whole["side"].to_list()
    np.testing.assert_array_equal(
        np.concatenate([p.score for p in pieces]), whole["score"].fill_null(np.nan).to_numpy()
    )


def test_any_indicator_is_studied_explored_and_traded(market) -> None:
    """The same object everywhere; other values are another signal."""
    signal = wb.signals.from_values(wb.ofi(market), "ofi", enter=20.0)
    assert wb.study(signal, market, "1s").events > 3
    explorer = wb.Explorer(market, signal, heatmap=False)
    explorer.choose(enter=30.0)
    assert explorer.signal.params.enter == 30.0 and explorer.study.events > 0
    assert "from_values(values, 'ofi', enter=30.0)" in explorer.code
    explorer.close()
    assert len(wb.backtest(signal, market).fills) > 0
    again = wb.signals.from_values(wb.ofi(market).with_columns(pl.col("ofi") * 2), "ofi", enter=20.0)
    assert signal == wb.signals.from_values(wb.ofi(market), "ofi", enter=20.0) != again


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: wb.signals.from_values(3), "values 3; expected a Polars frame"),
        (lambda: wb.signals.from_values(pl.DataFrame({"ts": [1], "a": [1], "b": [2]})), "column None"),
        (lambda: wb.signals.from_values(pl.DataFrame({"a": [1]}), "a"), "time 'ts' of a frame of a"),
        (lambda: wb.signals.from_values(pl.DataFrame({"ts": [2, 1], "a": [1, 2]})), "times that fall"),
        (lambda: wb.signals.from_values(pl.DataFrame({"ts": [2], "a": [1]}), enter=-1.0), "enter"),
    ],
)
def test_what_cannot_be_a_signal_is_refused(made, said: str) -> None:
    """With what was found."""
    with pytest.raises(WorkbenchError, match=said):
        made()
