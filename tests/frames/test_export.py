"""Exports: other programs read the same events."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.support.recordings import INSTRUMENT, reference
from workbench.errors import RecordingError, TooLargeError
from workbench.events import EventBatch, EventKind
from workbench.frames import export as exporting
from workbench.frames.export import HFT_EVENT, export, hft_events, to_pandas
from workbench.frames.recording import Recording, write_recording

EVENTS = reference(500)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return write_recording(tmp_path / "in", INSTRUMENT, [EVENTS], source={})


@pytest.mark.parametrize("kind", ["events", "trades", "depth"])
def test_parquet_and_arrow_keep_every_bit(recording: Recording, tmp_path: Path, kind: str) -> None:
    """Parquet and Arrow exports read back as the frame they were made from."""
    expected = getattr(recording, kind)().collect()
    assert pl.read_parquet(export(recording, tmp_path / "x.parquet", "parquet", kind=kind)).equals(expected)
    assert pl.read_ipc(export(recording, tmp_path / "x.arrow", "arrow", kind=kind)).equals(expected)


def test_csv_keeps_nanoseconds_and_prices(recording: Recording, tmp_path: Path) -> None:
    """CSV holds times to the ns in UTC and prices that read back as the same doubles."""
    path = export(recording, tmp_path / "trades.csv", "csv", kind="trades")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    trades = recording.trades().collect()
    assert len(rows) == trades.height
    assert [float(row["price"]) for row in rows] == trades["price"].to_list()
    assert rows[0]["ts"] == "2023-11-14T22:13:20.007000000Z"


def test_hftbacktest_rows(recording: Recording, tmp_path: Path) -> None:
    """Its 64-byte rows: snapshot, depth and trades with the flags that its documentation lists."""
    path = export(recording, tmp_path / "x.npz", "hftbacktest")
    with np.load(path) as file:
        rows = file["data"]
    assert rows.dtype == HFT_EVENT
    assert HFT_EVENT.itemsize == 64
    both = 1 << 31 | 1 << 30
    assert rows["ev"][0] == 3 | both  # DEPTH_CLEAR_EVENT
    assert rows["ev"][1] == 4 | both | 1 << 29  # DEPTH_SNAPSHOT_EVENT | BUY_EVENT
    sells = rows[rows["ev"] == (2 | both | 1 << 28)]  # TRADE_EVENT | SELL_EVENT
    assert len(sells) == int(((EVENTS.kind == EventKind.TRADE) & (EVENTS.side == -1)).sum())
    assert sells["px"][0] == 100.0
    assert np.array_equal(rows["local_ts"], EVENTS.ts[EVENTS.kind != EventKind.SNAPSHOT_END])
    assert (rows["exch_ts"] <= rows["local_ts"]).all()
    assert (np.diff(rows["exch_ts"]) >= 0).all()


def test_hftbacktest_clocks_are_made_to_agree(tmp_path: Path) -> None:
    """A venue clock ahead of ours, or running back, never puts an event before it happened."""
    rows = EventBatch.of(
        0, ts=[100, 200, 300], ts_source=[150, 90, 0], kind=EventKind.TRADE, side=1, price=1, size=1
    )
    found = hft_events(write_recording(tmp_path / "x", INSTRUMENT, [rows], source={}))
    assert found["exch_ts"].tolist() == [100, 100, 300]


def test_pandas(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pandas frame has the same columns; what would not fit memory is refused unless asked for."""
    frame = to_pandas(recording)
    assert list(frame.columns) == recording.trades().collect_schema().names()
    assert str(frame["ts"].dtype) == "datetime64[ns, UTC]"
    monkeypatch.setattr(
        exporting, "check_size", lambda *a, **k: (_ for _ in ()).throw(TooLargeError("would need"))
    )
    with pytest.raises(TooLargeError, match="would need"):
        to_pandas(recording)


def test_refusals(recording: Recording, tmp_path: Path) -> None:
    """Unknown formats and kinds are named with what there is; nothing is overwritten."""
    with pytest.raises(RecordingError, match="one of parquet, csv"):
        export(recording, tmp_path / "x", "xlsx")
    with pytest.raises(RecordingError, match="events, trades or depth"):
        export(recording, tmp_path / "x", "csv", kind="bars")
    export(recording, tmp_path / "x")
    with pytest.raises(RecordingError, match="never overwrite"):
        export(recording, tmp_path / "x")
