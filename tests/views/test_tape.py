"""The tape: what is let through, what is sent, and its exact frame."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tests.support.shown import Shown
from tests.support.view_events import START_NS, opening, shown, trades
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Flag, Instrument
from workbench.frames.recording import write_recording
from workbench.views.tape import Tape
from workbench.views.tape_model import MOST_NEW, TapeModel
from workbench.views.tape_orders import HIGH, LEVELS, LOTS, LOW, ORDER, PRICE, PRINTS, TapeFilter


def sweep() -> Shown:
    """Three prints of one buyer at two prices, a seller, a hidden print of 50."""
    market = Shown(Instrument("ES", "0.25"))
    market.apply(opening())
    number = market.captured.next_sequence or 0
    market.apply(trades(number, (1, 101, 2, 1), (1, 101, 1, 1), (1, 102, 1, 1), (2, 100, 5, -1)))
    market.apply(
        EventBatch.of(
            number + 4,
            ts=START_NS + 3_000_000,
            kind=EventKind.TRADE,
            price=100,
            size=50,
            side=-1,
            flags=Flag.HIDDEN,
        )
    )
    return market


def model(market: Shown, let: TapeFilter | None = None, aggregate: bool = True) -> TapeModel:
    return TapeModel(market.capture(), let or TapeFilter(), aggregate, 40, None)


def pulled(tape: TapeModel, full: bool = False):
    message = tape.pull([], full, 0)
    return message if message is None else (message[0], message[1][0])


def test_prints_of_one_aggressor_are_one_row():
    """Three prints at two prices: one order of 4 lots at their mean price, with its range."""
    _, rows = pulled(model(sweep()))
    assert rows[0, [PRICE, LOTS, PRINTS, LEVELS, LOW, HIGH]].tolist() == [101.25, 4, 3, 2, 101, 102]
    assert rows[:, LOTS].tolist() == [4, 5, 50]
    _, single = pulled(model(sweep(), aggregate=False))
    assert single[:, LOTS].tolist() == [2, 1, 1, 5, 50]


def test_an_opened_order_tells_its_prints():
    """A look at order 0 gives its three prints."""
    tape = model(sweep())
    pulled(tape)
    content, (rows,) = tape.detail(0)
    assert (content["k"], rows[:, LOTS].tolist(), rows[:, PRICE].tolist()) == (
        "detail", [2, 1, 1], [101, 101, 102],
    )  # fmt: skip
    assert not len(tape.detail(99)[1][0])


def test_only_what_is_new_is_sent_and_an_order_that_goes_on_again():
    """Nothing while nothing comes; another print at the same time and side makes the last order larger."""
    market = shown()
    tape = model(market)
    assert pulled(tape)[0]["full"]
    assert pulled(tape) is None
    number = market.captured.next_sequence or 0
    market.apply(trades(number, (900, 99, 3, -1)))
    content, rows = pulled(tape)
    assert not content["full"]
    assert rows[:, [ORDER, LOTS]].tolist() == [[2, 8]]
    market.apply(trades(number + 1, (950, 99, 1, 1)))
    assert pulled(tape)[1][:, ORDER].tolist() == [2, 3]


def test_of_a_burst_the_newest_are_sent_and_the_rest_is_counted():
    """A thousand orders at once: the newest are sent, the others are there for whoever scrolls back."""
    market = shown()
    tape = model(market)
    pulled(tape)
    number = market.captured.next_sequence or 0
    market.apply(trades(number, *((1000 + i, 100, 1, 1) for i in range(1000))))
    content, rows = pulled(tape)
    assert (len(rows), content["skipped"] + len(rows)) == (MOST_NEW, 1001)
    _, (older,) = tape.older(int(rows[0, ORDER]), 150)
    assert np.array_equal(older[:, ORDER], rows[0, ORDER] - np.arange(150, 0, -1))


def test_sums_count_what_passes():
    """Orders, bought, sold and unknown lots of what a filter lets through, before and after it changes."""
    market = sweep()
    tape = model(market)
    content, _ = pulled(tape)
    assert [content[name] for name in ("count", "bought", "sold", "unknown")] == [3, 4, 55, 0]
    tape.filter(TapeFilter(hidden=False))
    content, rows = pulled(tape)
    assert content["full"]
    assert [content[name] for name in ("count", "bought", "sold")] == [2, 4, 5]
    assert rows[:, LOTS].tolist() == [4, 5]


@pytest.mark.parametrize(
    ("let", "lots"),
    [
        ({"min_size": 5}, [5, 50]),
        ({"max_size": 5}, [4, 5]),
        ({"side": "buy"}, [4]),
        ({"low": 25.5}, [4]),
        ({"high": 25.0}, [5, 50]),
        ({"hidden": False}, [4, 5]),
        ({"sweeps": True}, [4]),
    ],
)
def test_filters_see_an_order_as_a_whole_in_rows_and_frame(let, lots):
    """Each filter lets the same orders through on the page and in the frame of all prints."""
    view = Tape(sweep(), **let)
    rows = view._still()[1][0]
    assert rows[:, LOTS].tolist() == lots
    frame = view.frame()
    assert frame.group_by("order", maintain_order=True).agg(pl.col("size").sum())["size"].to_list() == lots
    view.close()


def test_the_frame_holds_every_print_at_full_precision():
    """Without filters: the trades of the capture, each with its order."""
    market = sweep()
    view = Tape(market)
    assert view.frame().drop("order").equals(market.captured.trades_frame())
    assert view.frame()["order"].to_list() == [0, 0, 0, 1, 2]
    view.close()


def test_a_page_can_filter_and_is_told_of_nonsense():
    """An act changes the filter and the option; a side that is none is refused."""
    view = Tape(sweep())
    assert view._act({"do": "filter", "let": {"side": "sell"}})["let"]["side"] == "sell"
    assert view.options["let"]["side"] == "sell"
    assert view.frame()["aggressor"].to_list() == [-1, -1]
    with pytest.raises(WorkbenchError, match="buy, sell"):
        view.filter(side="both")
    with pytest.raises(WorkbenchError, match="number"):
        view.filter(min="<b>")
    with pytest.raises(WorkbenchError, match="mim"):
        view.filter(mim=3)
    view.close()


def test_a_recording_and_nothing_at_all_can_be_shown(tmp_path):
    """The same rows from a recording; without trades a picture that says so."""
    market = sweep()
    batch = EventBatch.trusted(market.captured.columns.view(), 0)
    recording = write_recording(tmp_path / "r", market.captured.instrument, [batch], source={})
    view = Tape(recording)
    assert view._still()[1][0][:, LOTS].tolist() == [4, 5, 50]
    assert list(view.figure().data[0].cells["values"][3]) == ["50", "5", "4"]
    assert view.picture().startswith(b"\x89PNG")
    view.close()
    empty = Tape(Shown(Instrument("ES", "0.25")))
    assert empty.picture().startswith(b"\x89PNG")
    assert len(empty.frame()) == 0
    empty.figure()
    empty.close()


def test_a_line_of_text_filters_as_its_parts_do():
    """``where`` on the page, in the constructor and in ``filter``: the same orders, and the page learns its parts."""
    view = Tape(sweep(), where="sold")
    parts = Tape(sweep(), side="sell")
    assert view.frame().equals(parts.frame())
    told = view._act({"do": "filter", "let": {"where": "buy size>=2"}})["let"]
    assert (told["side"], told["min"], told["where"]) == ("buy", 2.0, "buy size>=2")
    parts.filter(side="buy", min=2)
    assert view.frame().equals(parts.frame())
    assert view._act({"do": "filter", "let": {"where": ""}})["let"]["side"] is None
    with pytest.raises(WorkbenchError, match="size>=10"):
        view._act({"do": "filter", "let": {"where": "biggest"}})
    view.close()
    parts.close()


@pytest.mark.parametrize("kind", ["delta", "volume"])
def test_running_sums_end_at_the_totals_and_differ_by_a_row(kind):
    """The newest row's sum is that of everything; each older one lacks the row above it."""
    view = Tape(sweep(), running=kind)
    shown = view._shown(view._still())
    rows, sums = shown.rows, [float(text.replace(",", "").replace("−", "-")) for text in shown.sums]
    lots = rows[:, 3] * (rows[:, 4] if kind == "delta" else 1)
    assert sums == [lots[at:].sum() for at in range(len(lots))]
    assert view.picture().startswith(b"\x89PNG")
    assert f"Σ {kind}" in view.figure().data[0].header["values"]
    view.close()
    with pytest.raises(WorkbenchError, match="running"):
        Tape(sweep(), running="mean")
