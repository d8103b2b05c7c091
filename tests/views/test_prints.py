"""Trades as bubbles and as volume at price."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bubbles import bubbles
from workbench.events import SUBTICK_SHIFT, EventBatch, EventKind, Flag
from workbench.views.prints import VolumeAtPrice, merged
from workbench.views.raster import Scale

SCALE = Scale(100, row_ticks=2, base_row=0, origin_column=0, columns=16, rows=64)


def trades(rows: list[tuple[int, int, int, int, int]]) -> EventBatch:
    ts, price, size, side, flags = (np.array([row[c] for row in rows], dtype=np.int64) for c in range(5))
    return EventBatch.of(
        0, ts=np.sort(ts), kind=EventKind.TRADE, side=side, price=price, size=size, flags=flags
    )


def test_trades_of_one_cell_and_side_become_one_bubble_at_their_mean_price():
    """Column 1, row 2 (ticks 4–5): (4·1 + 5·3) / 4 = 4.75; a sell stays apart; marks of size 0 are nothing."""
    batch = trades([(110, 4, 1, 1, 0), (120, 5, 3, 1, 0), (130, 4, 2, -1, 0), (140, 4, 0, 1, 8)])
    assert bubbles(batch.columns, SCALE).tolist() == [[1, 4, 2, -1], [1, 4.75, 4, 1]]


def test_prints_between_ticks_keep_their_place():
    """A midpoint print of 500 thousandths stands half a tick above its floor."""
    batch = trades([(10, 7, 2, 1, 500 << SUBTICK_SHIFT)])
    assert bubbles(batch.columns, SCALE).tolist() == [[0, 7.5, 2, 1]]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 900),
            st.integers(0, 60),
            st.integers(1, 9),
            st.sampled_from([1, -1, 0]),
            st.just(0),
        ),
        max_size=40,
    )
)
def test_merging_keeps_volume_by_aggressor(rows):
    """However coarse the slots, no lot is lost or changes sides."""
    cells = bubbles(trades(rows).columns, SCALE) if rows else np.empty((0, 4), np.float32)
    for per_slot, per_row in ((1, 2), (3, 5), (100, 1000)):
        coarse = merged(cells, per_slot, per_row)
        for side in (1, -1, 0):
            assert coarse[coarse[:, 3] == side, 2].sum() == sum(row[2] for row in rows if row[3] == side)


@given(
    st.lists(
        st.tuples(st.integers(-5000, 5000), st.integers(1, 9), st.sampled_from([1, -1, 0])),
        min_size=1,
        max_size=40,
    ),
    st.integers(1, 5),
)
def test_volume_at_price_equals_a_dictionary(rows, piece):
    """Any order, any pieces: the same sums as adding up by hand, at any distance."""
    volume, expected = VolumeAtPrice(), {}
    for start in range(0, len(rows), piece):
        part = [(0, price, size, side, 0) for price, size, side in rows[start : start + piece]]
        volume.add(trades(part).columns)
    for price, size, side in rows:
        key = (price, {1: 0, -1: 1, 0: 2}[side])
        expected[key] = expected.get(key, 0) + size
    found = volume.between(-6000, 6000)
    assert {(int(p) - 6000, int(k)): int(found[p, k]) for p, k in zip(*np.nonzero(found))} == expected
    assert volume.last is not None
    assert volume.last[0] == rows[-1][0]


def test_off_book_prints_are_left_out_of_volume_at_price():
    """They did not meet the book that the ladder shows."""
    volume = VolumeAtPrice()
    volume.add(trades([(0, 5, 9, 1, int(Flag.OTC))]).columns)
    assert volume.prints == 0
