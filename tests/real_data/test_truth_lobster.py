"""What the LOBSTER files hold, against the figures of a plain program."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.support.truth import Case
from workbench.events import SUBTICK_SHIFT, EventKind, Flag


@pytest.fixture(scope="session", params=["amzn", "msft"])
def lobster(request: pytest.FixtureRequest) -> Case:
    """Both sets."""
    case: Case = request.getfixturevalue(request.param)
    return case


def test_messages_by_type(lobster: Case) -> None:
    """Messages of every type are counted in the manifest as in the file."""
    source, truth = lobster.recording.manifest.source, lobster.truth
    assert source["counts"] == truth["types"]
    assert sum(source["counts"].values()) == truth["messages"]
    assert (source["levels"], source["dummy_levels"]) == (truth["levels"], truth["dummy_levels_total"])
    assert [m.rsplit("/", 1)[-1] for m in truth["members"]] == source["members"]
    assert str(lobster.recording.instrument.tick_size) == truth["tick"]


def test_directions(lobster: Case) -> None:
    """Adds lie on their side; executions have the opposite of the resting side as aggressor."""
    events = lobster.events
    found: Counter[str] = Counter()
    hidden = (events.flags & Flag.HIDDEN) > 0
    masks = {
        1: events.kind == EventKind.MBO_NEW,
        4: (events.kind == EventKind.TRADE) & ~hidden,
        5: (events.kind == EventKind.TRADE) & hidden,
    }
    for kind, mask in masks.items():
        for side in (1, -1):
            resting = side if kind == 1 else -side
            count = int((mask & (events.side == side)).sum())
            if count:
                found[f"{kind},{resting}"] = count
    assert dict(found) == {k: n for k, n in lobster.truth["types_by_direction"].items() if k[0] in "145"}


def test_prices_off_the_cent_are_kept(lobster: Case) -> None:
    """Only hidden executions print between two ticks, as many as in the file."""
    events = lobster.events
    off = (events.flags >> SUBTICK_SHIFT) > 0
    assert int(off.sum()) == lobster.truth["off_tick_prices"]["5"]
    assert not (off & ((events.flags & Flag.HIDDEN) == 0)).any()


def test_orders(lobster: Case) -> None:
    """Different orders, added shares, and orders still open at the end are the file's."""
    events, truth = lobster.events, lobster.truth["order_life"]
    added = events.kind == EventKind.MBO_NEW
    assert (int(added.sum()), int(events.size[added].sum())) == (truth["add"], truth["add_shares"])
    ids = events.order_id[events.order_id != 0]
    assert len(np.unique(ids)) == lobster.truth["distinct_order_ids"]
    gone = set(events.order_id[events.kind == EventKind.MBO_CANCEL].tolist())
    assert len(set(events.order_id[added].tolist()) - gone) == truth["orders_still_open_at_end"]


def test_runs_of_one_stamp_stay_in_order(lobster: Case) -> None:
    """Messages of one nanosecond keep the order of the file: stamps never step back and repeat as often."""
    events = lobster.events
    assert (np.diff(events.ts) >= 0).all()
    assert lobster.recording.manifest.source["stamps_out_of_order"] == 0
    assert np.array_equal(events.ts, events.ts_source)
