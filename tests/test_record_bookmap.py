"""Recording a live Bookmap: the account with the market, and instruments that appear on the way."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import polars as pl
import pytest

import workbench as wb
from tests.support.eventually import eventually
from workbench.feeds.simulator import Simulator
from workbench.testing import BookmapStandIn

TRADING = importlib.resources.files("workbench").joinpath("bridge", "scripts", "workbench_bridge_trading.py")


@pytest.fixture
def bookmaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BookmapStandIn]]:
    """Two instruments in Bookmap, each with an add-on of its own, neither attached yet."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("WORKBENCH_STATE_DIR", str(tmp_path / "state"))
    with ExitStack() as stack:
        script = stack.enter_context(importlib.resources.as_file(TRADING))
        yield [
            stack.enter_context(
                BookmapStandIn(Simulator(seed=7, symbols=(name,)), script=script, trading=True)
            )
            for name in ("ONE", "TWO")
        ]


def test_an_instrument_that_appears_joins_the_recording_with_its_account(
    bookmaps: list[BookmapStandIn], tmp_path: Path
) -> None:
    """Both lie in one session, both are whole, and each has the orders of its own instrument."""
    first, second = bookmaps
    first.attach()
    first.play()
    with wb.connect("bookmap") as session:
        eventually(lambda: session.book.best_bid is not None)
        handle = session.record(tmp_path / "recordings")
        second.attach()
        second.play()
        eventually(lambda: handle.symbols == ("ONE", "TWO"))
        seen = len(session["TWO"].events)
        eventually(lambda: len(session["TWO"].events) > seen + 100)
        handle.stop()
    recordings = handle.recordings
    assert len({recording.path.parent for recording in recordings.values()}) == 1
    assert [recording.verify().verdict for recording in recordings.values()] == ["VALID", "VALID"]
    for symbol, recording in recordings.items():
        told = recording.table("orders").filter(pl.col("symbol").is_not_null()).collect()
        assert set(told["symbol"]) == {symbol}
        assert "TRADING" in set(told["kind"])
