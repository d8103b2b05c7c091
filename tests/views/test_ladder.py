"""The ladder's rows, what is sent of them, and its still twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.shown import Shown
from tests.support.view_events import SECOND_NS, START_NS, opening, shown, trades
from workbench.errors import OffGridError, WorkbenchError
from workbench.events import EventBatch, EventKind, FloatArray
from workbench.frames.recording import write_recording
from workbench.views.ladder import Ladder, shown_rows
from workbench.views.ladder_cells import FIELDS
from workbench.views.ladder_columns import COLUMNS
from workbench.views.ladder_model import WINDOW_ROWS, LadderModel
from workbench.views.live import Message

NOW = START_NS + SECOND_NS


class Mirror:
    """What a page knows that takes every message."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}
        self.cells: FloatArray = np.zeros(0)

    def take(self, message: Message | None) -> None:
        if message is None:
            return
        content, (at, values) = message
        if content["fresh"]:
            self.cells = np.zeros(len(FIELDS) * content["count"])
        self.facts |= content
        self.cells[at] = values

    def row(self, tick: int) -> dict[str, float]:
        """Cells of one row that are not 0."""
        at = tick // self.facts["row_ticks"] - self.facts["low_row"]
        values = self.cells.reshape(len(FIELDS), -1)[:, at]
        return {name: float(value) for name, value in zip(FIELDS, values) if value}


def pulled(model: LadderModel, now: int = NOW, *wants: dict[str, Any]) -> Mirror:
    mirror = Mirror()
    mirror.take(model.pull(wants, True, now))
    return mirror


def change(market: Shown, ms: int, side: int, price: int, size: int) -> None:
    """One level changes."""
    number = market.captured.next_sequence or 0
    market.apply(
        EventBatch.of(
            number, ts=START_NS + ms * 1_000_000, kind=EventKind.DEPTH, side=side, price=price, size=size
        )
    )


def test_rows_hold_what_rests_was_traded_and_is_being_traded():
    """Sizes, session and recent volume, last print; with the touch, the last price, the spread, sums, imbalances."""
    mirror = pulled(LadderModel(shown().capture()))
    names = ("row_ticks", "bid_row", "ask_row", "last_row", "last_side", "spread", "volume", "delta", "valid")
    assert [mirror.facts[name] for name in names] == [1, 100, 101, 100, -1, 1, 11, 1, True]
    traded = {"bought": 6, "recent_bought": 6, "warmth_bought": 4, "print": 2, "prints": 2, "ask_flow": 6}
    assert mirror.row(101) == {"ask": 20} | traded
    assert mirror.row(100)["print"] == -5 and mirror.row(100)["bid"] == 10
    # 10 of bids against 20 of asks at the touch; 10 … 19 against 20 … 29 over ten levels
    assert mirror.facts["touch"] == round((10 - 20) / 30, 2)
    assert mirror.facts["depth"] == round((145 - 245) / 390, 2)


def test_recent_trades_cool_down_and_are_forgotten_after_the_pause():
    """Warm from 4 to 1 in quarters of the pause, then empty; the session's volume stays."""
    model = LadderModel(shown().capture(), recent_s=4)
    warmth = [
        pulled(model, START_NS + round((0.6 + s) * SECOND_NS)).row(101).get("warmth_bought")
        for s in (0, 1, 2, 3, 4)
    ]
    assert warmth == [4, 3, 2, 1, None]
    assert pulled(model, START_NS + 9 * SECOND_NS).row(101) == {
        "ask": 20,
        "bought": 6,
        "prints": 2,
        "ask_flow": 6,
    }


def test_pulling_and_stacking_fall_out_of_the_window():
    """Asks stacked by 9 show as +9 for as long as the window lasts."""
    market = shown()
    change(market, 1000, -1, 103, 22 + 9)
    model = LadderModel(market.capture(), window_s=2)
    assert pulled(model, START_NS + SECOND_NS).row(103)["ask_flow"] == 9
    assert "ask_flow" not in pulled(model, START_NS + 3 * SECOND_NS).row(103)


def test_only_what_changed_is_sent():
    """Nothing new: nothing. One level: its cells, its number, no more; the page then knows what a fresh one would."""
    market = shown()
    model, mirror = LadderModel(market.capture()), Mirror()
    mirror.take(model.pull([], True, NOW))
    assert model.pull([], False, NOW) is None
    change(market, 1000, 1, 97, 50)
    message = model.pull([], False, NOW)
    assert message is not None
    content, (at, values) = message
    assert not content["fresh"] and content["number"] == 1 and "spread" not in content
    assert sorted(values.tolist()) == [37, 50] and len(at) == 2
    mirror.take(message)
    fresh = pulled(LadderModel(market.capture()))
    assert mirror.cells.tolist() == fresh.cells.tolist()


def test_the_window_stays_until_the_touch_nears_its_edge():
    """Prices that move a little send cells, not windows."""
    market = shown()
    model = LadderModel(market.capture(), row_ticks=1)
    mirror = pulled(model)
    low = mirror.facts["low_row"]
    for centre, stays in ((120, True), (155, True), (190, False)):
        message = model.pull([{"k": "view", "centre": centre}], False, NOW)
        if message is not None:
            mirror.take(message)
        assert (mirror.facts["low_row"] == low) is stays


def test_sparse_books_get_rows_that_are_mostly_filled():
    """Levels each 10 ticks apart on average fill 60 % of rows of about ten ticks; a hand may choose otherwise."""
    market = shown()
    market.captured.clear()
    offsets = np.cumsum(np.random.default_rng(1).integers(1, 20, 60))
    price = np.concatenate([10_000 - offsets, 10_001 + offsets])
    side = np.repeat([1, -1], 60)
    market.apply(EventBatch.of(0, ts=START_NS, kind=[EventKind.CLEAR, EventKind.SNAPSHOT_END]))
    market.apply(EventBatch.of(2, ts=START_NS, kind=EventKind.DEPTH, price=price, side=side, size=5))
    model = LadderModel(market.capture())
    mirror = pulled(model)
    assert mirror.facts["row_ticks"] in (5, 10, 20)
    assert mirror.cells.reshape(len(FIELDS), -1)[:2].sum() == 5 * 120
    for asked, given in ((2, 2), ("auto", mirror.facts["row_ticks"]), (0, mirror.facts["row_ticks"])):
        again = pulled(model, NOW, {"k": "view", "row_ticks": asked})
        assert again.facts["row_ticks"] == given


def test_scrolling_moves_the_window_and_the_lock_brings_it_back():
    """A wish for a centre is kept until the page asks for none."""
    market = shown()
    model = LadderModel(market.capture(), row_ticks=1)
    assert pulled(model, NOW, {"k": "view", "centre": 500}).facts["low_row"] == 500 - WINDOW_ROWS // 2
    assert pulled(model).facts["low_row"] == 500 - WINDOW_ROWS // 2
    assert pulled(model, NOW, {"k": "view", "centre": None}).facts["low_row"] == 100 - WINDOW_ROWS // 2


def test_nothing_known_is_nothing_sent():
    """Before the first level or trade there are no rows; after a seek the sums start at zero."""
    market = shown()
    model = LadderModel(market.capture())
    model.pull([], True, NOW)
    market.captured.clear()
    assert model.pull([], True, NOW) is None
    market.apply(opening())
    mirror = pulled(model)
    assert mirror.facts["last_row"] is None and mirror.facts["volume"] == 0
    assert not mirror.cells.reshape(len(FIELDS), -1)[2:].any()


def test_a_book_that_is_not_known_is_said_with_every_message():
    """The strip below reads it from the newest message."""
    market = shown()
    model = LadderModel(market.capture())
    model.pull([], True, NOW)
    market.apply(
        EventBatch.of(market.captured.next_sequence or 0, ts=NOW, kind=EventKind.GAP, price=0, size=-1)
    )
    for _ in range(2):
        message = model.pull([], False, NOW)
        assert message is not None and message[0]["valid"] is False


def test_long_histories_are_taken_in_piece_by_piece(monkeypatch):
    """A page is shown the book at once and told that sums are still being made."""
    monkeypatch.setattr("workbench.views.ladder_cells.ROWS_PER_PULL", 40)
    monkeypatch.setattr("workbench.views.ladder_cells.LadderFlow.follow.__defaults__", (40,))
    model = LadderModel(shown().capture())
    assert pulled(model).facts["warming"] and pulled(model).facts["warming"] is False


def test_still_twins_show_the_rows_round_the_touch():
    """Rows shown are centred on the touch, with every column; PNG and figure exist and repeat themselves."""
    market = shown()
    view = Ladder(market, rows=11)
    low, lots = shown_rows(view._still(), 11)
    assert (low, lots.shape) == (95, (len(FIELDS), 11))
    assert view.picture() == view.picture()
    figure = view.figure()
    assert list(figure.data[0].y)[:2] == ["23.75", "24.00"]
    table = figure.data[-1]
    assert [*table.header["values"]] == [column.title for column in COLUMNS.values()]
    texts = dict(zip(COLUMNS, table.cells["values"]))
    assert texts["price"][5] == "25.00" and texts["bid"][5] == "10" and texts["sold"][5] == "5"
    assert texts["print"][4] == "▲2" and texts["ask_flow"][4] == "+6"
    assert repr(view) == "Ladder('ES')"
    view.close()


def test_a_ladder_without_data_has_a_picture_and_an_empty_figure():
    """Nothing captured yet: nothing to fail on."""
    market = shown()
    market.captured.clear()
    view = Ladder(market)
    assert view.picture()[:4] == b"\x89PNG" and not view.figure().data
    view.close()


def test_columns_are_chosen_at_the_start_and_on_the_page():
    """A choice on the page is kept, so that a reload and the still twin show it too."""
    view = Ladder(shown(), columns=["bid", "price", "ask"])
    assert view.options["columns"] == ["bid", "price", "ask"]
    view._act({"do": "columns", "columns": ["price", "ask"]})
    assert view.options["columns"] == ["price", "ask"]
    assert [*view.figure().data[-1].header["values"]] == ["Price", "Ask"]
    for wrong in (["bid"], ["price", "price"], ["price", "prize"], "price", None):
        with pytest.raises(WorkbenchError, match="columns"):
            view._act({"do": "columns", "columns": wrong})
    view.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": 0}, "rows=0"),
        ({"rows": 1000}, "rows=1000"),
        ({"size": 0.5}, "nearest 0 or 1"),
        ({"size": 0}, "at least 1"),
        ({"window_s": 0}, "above 0"),
        ({"recent_s": 0}, "above 0"),
        ({"columns": ["bid"]}, "columns"),
    ],
)
def test_options_that_are_none_are_refused_at_once(options, message):
    """The error says what was found and what was expected."""
    with pytest.raises((WorkbenchError, OffGridError), match=message):
        Ladder(shown(), **options)


def test_a_recording_stands_there_whole(tmp_path):
    """What a recording holds is shown as its end was, and takes no orders."""
    batch = opening()
    more = trades(batch.next_sequence, (300, 101, 4, 1), (900, 100, 5, -1))
    recording = write_recording(tmp_path, shown().capture().instrument, [batch, more], source={})
    view = Ladder(recording)
    content, _ = view._still()
    assert (content["last_tick"], content["volume"]) == (100, 9)
    assert content["why"] == "a recording cannot take orders" and content["desk"] is None
    view.close()
