"""The ladder's rows, and its still twins."""

from __future__ import annotations

import numpy as np

from tests.support.view_events import START_NS, opening, shown
from workbench.events import EventBatch, EventKind
from workbench.views.ladder import Ladder, shown_rows
from workbench.views.ladder_model import WINDOW_ROWS, LadderModel


def test_rows_hold_what_rests_and_what_was_traded():
    """Bid, ask, bought and sold lots by row, with the touch, the last price and the spread."""
    market = shown()
    content, (lots,) = LadderModel(market.capture()).pull([], True, 0)
    assert (content["row_ticks"], content["bid_row"], content["ask_row"]) == (1, 100, 101)
    assert (content["last_row"], content["spread"], content["valid"]) == (100, 1, True)
    assert lots.shape == (4, WINDOW_ROWS)
    at = 101 - content["low_row"]
    assert lots[:, at].tolist() == [0, 20, 6, 0]
    assert lots[:, at - 1].tolist() == [10, 0, 0, 5]


def test_sparse_books_get_rows_that_are_mostly_filled():
    """Levels each 10 ticks apart on average fill 60 % of rows of about ten ticks."""
    market = shown()
    market.captured.clear()
    offsets = np.cumsum(np.random.default_rng(1).integers(1, 20, 60))
    price = np.concatenate([10_000 - offsets, 10_001 + offsets])
    side = np.repeat([1, -1], 60)
    market.apply(EventBatch.of(0, ts=START_NS, kind=[EventKind.CLEAR, EventKind.SNAPSHOT_END]))
    market.apply(EventBatch.of(2, ts=START_NS, kind=EventKind.DEPTH, price=price, side=side, size=5))
    content, (lots,) = LadderModel(market.capture()).pull([], True, 0)
    assert content["row_ticks"] in (5, 10, 20)
    assert lots[0].sum() + lots[1].sum() == 5 * 120


def test_scrolling_moves_the_window_and_the_lock_brings_it_back():
    """A wish for a centre is kept until the page asks for none."""
    market = shown()
    model = LadderModel(market.capture(), row_ticks=1)
    assert model.pull([{"k": "view", "centre": 500}], False, 0)[0]["low_row"] == 500 - WINDOW_ROWS // 2
    assert model.pull([], False, 0)[0]["low_row"] == 500 - WINDOW_ROWS // 2
    assert model.pull([{"k": "view", "centre": None}], False, 0)[0]["low_row"] == 100 - WINDOW_ROWS // 2


def test_nothing_known_is_nothing_sent():
    """Before the first level or trade there are no rows; after a seek the sums start at zero."""
    market = shown()
    model = LadderModel(market.capture())
    model.pull([], True, 0)
    market.captured.clear()
    assert model.pull([], True, 0) is None
    market.apply(opening())
    content, (lots,) = model.pull([], True, 0)
    assert content["last_row"] is None
    assert not lots[2:].any()


def test_still_twins_show_the_rows_round_the_touch():
    """Rows shown are centred on the touch; PNG and figure exist and repeat themselves."""
    market = shown()
    view = Ladder(market, rows=11)
    low, lots = shown_rows(view._still(), 11)
    assert (low, lots.shape) == (95, (4, 11))
    assert view.picture() == view.picture()
    assert list(view.figure().data[0].y)[:2] == ["23.75", "24.00"]
    assert repr(view) == "Ladder('ES')"
    view.close()
