"""Messages of what changed: a page that puts them together holds what the model holds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.market_cell import START_NS, Wanderer
from tests.support.shown import Shown
from workbench.events import Instrument
from workbench.views.heatmap_delta import Changes
from workbench.views.heatmap_model import HeatmapModel

COLUMN_NS = 200_000_000


def put_together(base, told, sparse):
    """What a page makes of an array."""
    if not sparse:
        return told
    values = base.copy()
    half = len(told) // 2
    values.ravel()[told[:half]] = told[half:]
    return values


class Page:
    """Columns by number, and the book, as ``heat_store.js`` keeps them."""

    def __init__(self):
        self.columns: dict[int, np.ndarray] = {}
        self.now = None

    def take(self, content, arrays):
        first, last = content["first"], content["last"]
        if not content["sparse"]:
            self.columns.update(zip(range(first, last + 1), arrays[0]))
        else:
            rows = len(self.columns[first])
            half = len(arrays[0]) // 2
            places, values = arrays[0][:half].astype(int), arrays[0][half:]
            for number in range(first, last + 1):
                column = self.columns[number if number == first else number - 1].copy()
                mine = places // rows == number - first
                column[places[mine] % rows] = values[mine]
                self.columns[number] = column
        self.now = put_together(self.now, arrays[3], content["sparse_now"])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 900), min_size=1, max_size=8), st.integers(0, 5))
def test_a_page_holds_what_the_model_holds(steps_ms, seed):
    """After any sequence of messages its columns and its book are those of a snapshot."""
    shown, source, page = Shown(Instrument("WANDER", "0.25")), Wanderer(seed), Page()
    model = HeatmapModel(shown.captured, COLUMN_NS, row_ticks=1, columns=64, rows=64)
    now = START_NS
    for step in [300, *steps_ms]:
        now += step * 1_000_000
        for batch in source.advance(now):
            shown.captured.apply(batch)
        shown.clock.now_ns = now
        message = model.pull([], False, now)
        if message is None:  # a step in which nothing happened
            continue
        if message[0]["k"] == "snap":
            page = Page()
        page.take(*message)
    content, arrays = model.pull([], True, now)
    assert not content["sparse"] and not content["sparse_now"]
    for number, codes in zip(range(content["first"], content["last"] + 1), arrays[0]):
        np.testing.assert_array_equal(page.columns[number], codes)
    np.testing.assert_array_equal(page.now, arrays[3])


def test_what_hardly_changes_is_small():
    """An update of a quiet book at 600 rows takes a few bytes, one that changes everything no more than it is."""
    changes, codes = Changes(), np.arange(1200, dtype=np.uint16).reshape(2, 600)
    changes.codes(codes, True)
    later = codes[1:].copy()
    later[0, 7] = 9
    told, sparse = changes.codes(later, False)
    assert sparse and told.tolist() == [7, 9]
    told, sparse = changes.codes(later + 1, False)
    assert not sparse and told.nbytes == 1200
