"""Joining frames changes how events are cut, and nothing else."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.synthetic import reference
from workbench.events import EventBatch, EventKind
from workbench.feeds.joining import joined
from workbench.protocol.notices import MarketData, StateChanged

STREAM = reference(500)
GAP = EventBatch.of(512, kind=EventKind.GAP, size=[10])


@given(cuts=st.lists(st.integers(0, 512), max_size=10), breaks=st.sets(st.integers(0, 11)))
def test_any_cutting_gives_the_same_events_in_the_same_order(cuts, breaks):
    """Joined where numbers follow each other; other notices keep their place between them."""
    edges = [0, *sorted(cuts), 512]
    notices: list[object] = []
    for i, (a, b) in enumerate(itertools.pairwise(edges)):
        notices += [StateChanged(str(i))] * (i in breaks)
        notices.append(MarketData("S", STREAM[a:b]))
    out = list(joined(notices))
    assert [n for n in out if isinstance(n, StateChanged)] == [
        n for n in notices if isinstance(n, StateChanged)
    ]
    assert EventBatch.concatenate(n.batch for n in out if isinstance(n, MarketData)) == STREAM
    assert sum(isinstance(n, MarketData) for n in out) <= len(breaks) + 1


def test_other_instruments_gaps_and_filtered_data_stay_apart():
    """A gap that skips numbers stays the last row of its batch."""
    after = MarketData("S", EventBatch.of(522, ts=[1]))
    filtered = MarketData("S", STREAM[:5], np.arange(0, 10, 2))
    notices = [MarketData("S", GAP), after, MarketData("T", STREAM[:5]), filtered, filtered]
    assert list(joined(notices)) == notices
