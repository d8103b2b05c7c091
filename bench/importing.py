"""Importing a raw capture of Binance futures: from the gzipped text to columns, against hftbacktest's converter."""

from __future__ import annotations

import contextlib
import io
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness import BINANCE_BTC, Context, goal
from workbench.events import EventBatch, EventKind
from workbench.frames.importers import binance, import_recording
from workbench.frames.importers.files import FinerGridError, Request

TRADE_FLAG = 2
DEPTH_FLAG = 1


def ours(path: Path, *, check: bool = False) -> tuple[list[EventBatch], dict[str, Any]]:
    """All events as columns, and the facts of the file."""
    for found in binance.read(Request((path,), check=check), futures=True):
        try:
            return list(found.batches), found.facts
        except FinerGridError:
            continue
    raise AssertionError("no stream")


def theirs(path: Path) -> Any:
    """All events as hftbacktest's structured array."""
    from hftbacktest.data.utils import binancefutures

    with contextlib.redirect_stdout(io.StringIO()):
        return binancefutures.convert(str(path))


def assert_equal(batches: list[EventBatch], facts: dict[str, Any], peer: Any) -> None:
    """The same prints in the same order, and as many level updates as the file holds."""
    whole = EventBatch.concatenate(batches)
    kinds = peer["ev"] & 0xFF
    # The peer's rows are sorted twice, by each clock; a row stands for both where it can.
    local = (peer["ev"] & (1 << 30)) > 0
    trades = (kinds == TRADE_FLAG) & local
    mask = whole.kind == EventKind.TRADE
    assert int(trades.sum()) == int(mask.sum())
    assert np.array_equal(np.rint(peer["px"][trades] * 10).astype(np.int64), whole.price[mask])
    assert np.array_equal(np.rint(peer["qty"][trades] * 1000).astype(np.int64), whole.size[mask])
    assert int(((kinds == DEPTH_FLAG) & local).sum()) == facts["level_entries"]


def run(context: Context) -> dict[str, Any]:
    """Measure the converter, ours with and without the check of quotes, the whole import, and gunzip alone."""
    path = context.require(BINANCE_BTC)
    batches, facts = ours(path)
    rows = sum(map(len, batches))
    assert_equal(batches, facts, theirs(path))
    out = context.scratch / "imported"

    def whole() -> None:
        import_recording(path, "binance-futures", out, progress=False)
        shutil.rmtree(out)

    cases = {
        "hftbacktest binancefutures.convert": lambda: theirs(path),
        "capture to columns": lambda: ours(path),
        "capture to columns, quotes checked": lambda: ours(path, check=True),
        "import_recording: checked, verified, on disk": whole,
        "gunzip alone": lambda: zlib.decompress(path.read_bytes(), 31),
    }
    timings = context.measure(cases)
    peer = timings["hftbacktest binancefutures.convert"]
    table = []
    for name, timing in timings.items():
        best, median = (round(rate / 1e6, 2) for rate in timing.rate(rows))
        table.append(
            [name, best, median, round(peer.best / timing.best, 1), round(peer.median / timing.median, 1)]
        )
    return {
        "title": "Import",
        "text": f"A gzipped raw capture of BTCUSDT futures ({rows:,} events, 27.8 MB of text) into columns. Prints are "
        "equal one by one and level updates in number; the peer keeps neither the exchange's sequence nor its quotes. "
        "Reading text faster than gunzip unpacks it is not possible on one core.",
        "goals": [
            goal(
                "capture to columns against binancefutures.convert",
                measured=peer.best / timings["capture to columns"].best,
                floor=8.0,
            )
        ],
        "tables": [
            {
                "caption": "Events per CPU second",
                "columns": ["case", "M events/s best", "median", "× peer best", "× peer median"],
                "rows": table,
            }
        ],
    }
