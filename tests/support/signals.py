"""Streams with a gap in them, and what a signal says of them in pieces."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np

from tests.support.detectors import K, simulated
from tests.support.touches import Recorded
from workbench.events import EventBatch, Instrument
from workbench.flow.signals.contract import Scores, Signal, joined

INSTRUMENT = Instrument("ES-SIM", "0.25")
KINDS = ("iceberg", "sweep", "absorption")


@cache
def with_a_gap() -> EventBatch:
    """Half a minute of a market with plants, a GAP, and another one from its snapshot on."""
    first, second = simulated(25, 9, KINDS), simulated(15, 8, KINDS)
    later = int(first.ts[-1]) + 1_000_000_000
    gap = EventBatch.of(ts=[later], kind=[K.GAP], side=[0], price=[0], size=[-1])
    shift = later + 1 - int(second.ts[0])
    columns = [np.concatenate(three) for three in zip(first.columns, gap.columns, second.columns)]
    columns[0][len(first) + 1 :] += shift
    columns[1][:] = 0
    return EventBatch.trusted(tuple(columns), 0)


def recorded() -> Recorded:
    """The same as something that looks like a recording."""
    return Recorded([with_a_gap()], INSTRUMENT)


def said(signal: Signal, batches: Iterable[EventBatch], *, close: bool = True) -> Scores:
    """All that a fresh twin says of batches."""
    twin = signal.fresh(INSTRUMENT)
    pieces = [twin.update(batch) for batch in batches]
    return joined([*pieces, twin.close()] if close else pieces)


def assert_same(a: Scores, b: Scores) -> None:
    """Rows and sides to the bit, scores to 1e-12."""
    for name in ("ts", "sequence", "side", "price"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    np.testing.assert_allclose(a.score, b.score, rtol=1e-12, atol=1e-12)
