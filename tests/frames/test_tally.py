"""What a rectangle adds up to, with the arithmetic in the comments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.shown import Shown
from tests.support.view_events import START_NS, opening, trades
from workbench.events import EventBatch, EventKind, Flag, Instrument, Side
from workbench.frames.recording import write_recording
from workbench.frames.tally import tally_in

MS = 1_000_000


def depth(sequence: int, ms: int, side: int, price: int, size: int, flags: int = 0) -> EventBatch:
    return EventBatch.of(
        sequence, ts=START_NS + ms * MS, kind=EventKind.DEPTH, side=side, price=price, size=size, flags=flags
    )


def batches() -> list[EventBatch]:
    """Opening (bid 100: 10 lots, ask 101: 20 lots), then changes and trades."""
    first = opening()
    at = first.next_sequence
    return [
        first,
        depth(at, 100, Side.BID, 100, 14),  # +4
        depth(at + 1, 200, Side.ASK, 101, 5),  # −15
        trades(at + 2, (250, 101, 6, 1), (260, 100, 2, -1), (270, 100, 1, 0)),
        depth(at + 5, 300, Side.BID, 100, 0),  # −14
        depth(at + 6, 400, Side.BID, 90, 99),  # outside
    ]


def test_changes_are_counted_against_the_size_before_the_rectangle(tmp_path: Path) -> None:
    """Levels that rested before it are known, on a session and on a recording alike."""
    market = Shown(Instrument("ES", "0.25"))
    for batch in batches():
        market.apply(batch)
    recording = write_recording(tmp_path, market.captured.instrument, batches(), source={})
    for x in (market, recording):
        tally = tally_in(x, START_NS + 150 * MS, START_NS + 500 * MS, 24.5, 25.5)
        assert (tally.added, tally.removed) == (0, 15 + 14)
        assert (tally.events, tally.trades, tally.buy, tally.sell, tally.delta) == (5, 3, 6, 2, 4)
    assert tally_in(market, START_NS + 1, START_NS + 500 * MS, 24.5, 25.5).added == 4


def test_what_a_snapshot_tells_is_no_change() -> None:
    """After lost events the book is told anew: its levels are known then, but nothing was added."""
    market = Shown(Instrument("ES", "0.25"))
    market.apply(opening())
    at = market.captured.next_sequence
    market.apply(EventBatch.of(at, ts=START_NS + 100 * MS, kind=EventKind.GAP, size=-1))
    again = opening(at + 1, START_NS + 200 * MS)
    market.apply(again)
    market.apply(depth(again.next_sequence, 300, Side.BID, 100, 13))  # 10 → 13
    tally = tally_in(market, START_NS + 50 * MS, START_NS + 400 * MS)
    assert (tally.added, tally.removed) == (3, 0)


@pytest.mark.parametrize("seed", range(5))
def test_a_loop_over_every_level_adds_up_to_the_same(seed: int) -> None:
    """Added and removed size equal a walk over a book of plain numbers."""
    chance = np.random.default_rng(seed)
    count = 300
    market = Shown(Instrument("ES", "0.25"))
    market.apply(opening())
    at = market.captured.next_sequence
    rows = EventBatch.of(
        at,
        ts=START_NS + np.arange(count) * MS,
        kind=EventKind.DEPTH,
        side=chance.choice([1, -1], count),
        price=chance.integers(90, 112, count),
        size=chance.integers(0, 40, count),
        flags=np.where(chance.random(count) < 0.1, int(Flag.SNAPSHOT), 0),
    )
    market.apply(rows)
    book = {(1, 100 - i): 10 + i for i in range(30)} | {(-1, 101 + i): 20 + i for i in range(30)}
    added = removed = 0
    for row in range(count):
        level, size = (int(rows.side[row]), int(rows.price[row])), int(rows.size[row])
        change = size - book.get(level, 0)
        book[level] = size
        inside = 100 <= row < 250 and 95 <= level[1] <= 105 and not rows.flags[row]
        added += max(change, 0) * inside
        removed += max(-change, 0) * inside
    tally = tally_in(market, START_NS + 100 * MS, START_NS + 250 * MS, 95 * 0.25, 105 * 0.25)
    assert (tally.added, tally.removed) == (added, removed)
