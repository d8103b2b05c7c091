"""Detectors under any chunking and with the future cut off."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

import numpy as np

from workbench.events import EventBatch, EventKind
from workbench.flow.detectors.detections import Detections, Detector, joined

K = EventKind


def rows(*events: tuple, first: int = 0, snapshot: bool = True) -> EventBatch:
    """Events from tuples (ts, kind, side, price, size, order_id, aggressor_id, flags), short ones filled with 0."""
    start = [(0, K.CLEAR), (0, K.SNAPSHOT_END)] if snapshot else []
    full = [tuple(event) + (0,) * (8 - len(event)) for event in [*start, *events]]
    names = ("ts", "kind", "side", "price", "size", "order_id", "aggressor_id", "flags")
    return EventBatch.of(first, **{name: list(column) for name, column in zip(names, zip(*full))})


def found(detector: Detector, batches: Iterable[EventBatch]) -> Detections:
    """All that a detector says of batches."""
    return joined([*(detector.update(batch) for batch in batches), detector.close()])


def assert_equal(a: Detections, b: Detections) -> None:
    """The same findings to the last bit."""
    for one, other in zip(a[:5], b[:5]):
        np.testing.assert_array_equal(one, other)
    assert a.evidence.keys() == b.evidence.keys()
    for name, values in a.evidence.items():
        np.testing.assert_array_equal(values, b.evidence[name])


def assert_chunks_and_cuts(make: Callable[[], Detector], batch: EventBatch, seed: int) -> int:
    """Any chunking finds the same, and a cut changes nothing before it; returns how much was found."""
    rng = np.random.default_rng(seed)
    whole = found(make(), [batch])
    cuts = [0, *np.sort(rng.integers(0, len(batch), 7)).tolist(), len(batch)]
    assert_equal(whole, found(make(), [batch[a:b] for a, b in itertools.pairwise(cuts)]))
    for cut in cuts[2:-1:2]:
        before = make().update(batch[:cut])  # what is known without closing
        kept = len(before.ts)
        assert kept == np.count_nonzero(whole.sequence < batch.first_sequence + cut)
        head = Detections(*(a[:kept] for a in whole[:5]), {n: v[:kept] for n, v in whole.evidence.items()})
        assert_equal(head, before)
    return len(whole.ts)


def simulated(seconds: int = 40, seed: int = 7, kinds: tuple[str, ...] = ()) -> EventBatch:
    """Events of a simulated market, with plants of some kinds in it."""
    import workbench as wb

    plants = wb.plants(*kinds, every="8s") if kinds else ()
    with wb.simulate(seed=seed, inline=True, plants=plants) as session:
        session.advance(f"{seconds}s")
        chunks = session.capture().columns.chunks()
        return EventBatch.concatenate(
            [EventBatch.trusted(tuple(np.array(c) for c in chunk[:9]), int(chunk[-1][0])) for chunk in chunks]
        )
