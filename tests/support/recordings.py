"""Recordings for tests: made, crashed, damaged, and compared row by row with what went in."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tests.support.synthetic import START_NS, reference
from workbench.events import EventBatch, EventKind, Instrument
from workbench.frames.recorder import Recorder

INSTRUMENT = Instrument("SYN/1", "0.25")
SECOND_NS = 1_000_000_000


def pieces(batch: EventBatch, rows: int) -> list[EventBatch]:
    """Cut a batch into batches of ``rows``."""
    return [batch[k : k + rows] for k in range(0, len(batch), rows)]


def recorder(directory: Path, *, session: str = "s", symbol: str = INSTRUMENT.symbol) -> Recorder:
    """A recorder with a clock that stands at the synthetic market's start."""
    instrument = Instrument(symbol, "0.25")
    return Recorder(directory, instrument, source={"kind": "test"}, session=session, now_ns=START_NS)


def crashed(directory: Path, batches: Iterable[EventBatch]) -> Path:
    """Recording whose recorder died after flushing each batch: its files, and nobody who holds them."""
    live = recorder(directory / "live")
    for batch in batches:
        live.append(batch)
        live.flush(START_NS)
    target = directory / "crashed"
    shutil.copytree(live.path, target)
    live.close()
    return target


def assert_accounted(found: Iterable[EventBatch], expected: EventBatch) -> int:
    """Each returned row is the row that went in, each missing row is inside a GAP row; return the rows found.

    The reference holds no GAP rows, so every GAP row in ``found`` speaks of damage.
    """
    position, rows = expected.first_sequence, 0
    for batch in found:
        assert batch.first_sequence == position, "a hole without a GAP row"
        for kind, part in _runs(batch):
            if kind == EventKind.GAP:
                lost = int(part.size[0])
                position = expected.next_sequence if lost == -1 else position + lost
                continue
            start = part.first_sequence - expected.first_sequence
            assert part == expected[start : start + len(part)], "a wrong row"
            position += len(part)
            rows += len(part)
    assert position == expected.next_sequence, "missing rows at the end without a GAP row"
    return rows


def _runs(batch: EventBatch) -> Iterable[tuple[int, EventBatch]]:
    is_gap = batch.kind == EventKind.GAP
    cuts = np.flatnonzero(np.diff(is_gap.astype(np.int8))) + 1
    for start, stop in zip([0, *cuts.tolist()], [*cuts.tolist(), len(batch)]):
        yield int(batch.kind[start]), batch[start:stop]


__all__ = [
    "INSTRUMENT",
    "SECOND_NS",
    "START_NS",
    "assert_accounted",
    "crashed",
    "pieces",
    "recorder",
    "reference",
]
