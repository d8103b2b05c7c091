"""What a user does with marks, in Python and through acts of the page, and what the page is sent of it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tests.support.view_events import HOSTILE, START_NS, shown, trades
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.frames.recording import write_recording
from workbench.frames.selecting import events_in
from workbench.views.heat_marks import HeatMarks
from workbench.views.heatmap import Heatmap

MS = 1_000_000
SPAN = {"start": str(START_NS), "end": str(START_NS + 1000 * MS), "low": 99.5, "high": 101.5}


@pytest.fixture
def view():
    made = Heatmap(shown())
    yield made
    made.close()


def layers(view: Heatmap) -> dict:
    return view._still()[0]["layers"]


def test_brushing_selects_exactly_the_events(view) -> None:
    """The act of the page, then the frame in Python."""
    assert view.selection is None
    answer = view._act({"do": "select", **SPAN})
    wanted = events_in(view._source, START_NS, START_NS + 1000 * MS, 24.875, 25.375)
    assert view.selection.frame().equals(wanted)
    assert answer == {"code": view.selection.code}
    shown_selection = layers(view)["selection"]
    assert (shown_selection["low"], shown_selection["high"]) == (99.5, 101.5)
    assert shown_selection["facts"].startswith("1 s · 2 ticks")
    view._act({"do": "unselect"})
    assert view.selection is None
    assert layers(view).get("selection") is None


def test_labels_are_drawn_changed_and_removed(view) -> None:
    """From the page and from Python alike; a name that is markup stays a name."""
    label = view._act({"do": "label", **SPAN, "name": HOSTILE, "note": "n"})["label"]
    view.select(START_NS, START_NS + 5)
    other = view.label("absorption")
    assert {item["name"] for item in layers(view)["labels"]["items"]} == {HOSTILE, "absorption"}
    view._act({"do": "relabel", "label": label, "name": "spoof-like", "note": ""})
    view._act({"do": "unlabel", "label": other})
    assert view.labels.select("name", "note", "low", "high").rows() == [("spoof-like", "", 24.875, 25.375)]
    with pytest.raises(WorkbenchError, match="unknown label"):
        view._act({"do": "unlabel", "label": other})


def test_a_label_needs_a_selection(view) -> None:
    """And says how to make one."""
    with pytest.raises(WorkbenchError, match=r"nothing is selected. Brush a rectangle \(key B\)"):
        view.label("x")


def test_labels_of_a_recording_are_there_for_the_next_view(tmp_path: Path) -> None:
    """Stored beside it, keyed by its hash."""
    market = shown()
    batch = EventBatch(market.captured.columns.view(), 0)
    recording = write_recording(tmp_path, market.captured.instrument, [batch], source={})
    first = Heatmap(recording)
    first._act({"do": "label", **SPAN, "name": "seen"})
    assert first.selection is None
    first.select(START_NS, START_NS + 10**9)
    assert first.selection.frame().equals(events_in(recording, START_NS, START_NS + 10**9))
    first.close()
    again = Heatmap(recording)
    assert again.labels["name"].to_list() == ["seen"]
    assert layers(again)["labels"]["trouble"] == ""
    again.close()


@pytest.mark.parametrize(
    "act",
    [
        {"do": "select"},
        {"do": "select", **SPAN, "start": "x"},
        {"do": "label", **SPAN},
        {"do": "label", **SPAN, "name": ["x"]},
        {"do": "label", **SPAN, "name": "x", "note": 5},
        {"do": "relabel", "label": {}, "name": "x"},
        {"do": "vwap", "anchor": -1},
        {"do": ["select"]},
        {"do": "rm -rf"},
        {},
    ],
)
def test_acts_that_make_no_sense_are_refused_and_change_nothing(view, act) -> None:
    """Whatever a page sends."""
    with pytest.raises(WorkbenchError):
        view._act(act)
    assert view.selection is None
    assert view.labels.is_empty()


def test_only_what_changed_is_sent(view) -> None:
    """Everything first; then nothing, or the part that is new; a line by its tail."""
    market = view._session
    pull = HeatMarks(market, market.captured).reader()
    first = pull(True)
    assert set(first) == {"selection", "labels", "marks", "gaps", "account", "lines"}
    assert pull(False) is None
    market.apply(trades(market.captured.next_sequence, (950, 101, 1, 1), (1200, 102, 1, 1)))
    (news,) = pull(False)["lines"]
    assert (news["name"], news["from"], len(news["ms"])) == ("VWAP", 2, 2)
    assert len(json.dumps(news)) < 200
    assert set(pull(True)) == set(first)


def test_marks_and_lines_have_names_and_can_be_taken_off() -> None:
    """A new set of the same name replaces the old one."""
    view = Heatmap(shown(), vwap=True)
    frame = pl.DataFrame({"ts": [START_NS], "price": [25.0], "side": [1]})
    view.mark(frame, name="walls")
    view.mark(frame.vstack(frame), name="walls")
    view.line(frame, "level")
    assert view.marks == {"walls": 2}
    sent = layers(view)
    assert sent["marks"]["walls"]["tick"] == [100.0, 100.0]
    assert {line["name"]: line["kind"] for line in sent["lines"]} == {"level": "line", "VWAP": "vwap"}
    view.unmark("walls")
    view.unmark("level")
    view.anchor_vwap(None)
    assert "lines" not in layers(view)
    assert layers(view)["marks"] == {}
    with pytest.raises(WorkbenchError, match=r"nothing named 'walls'; expected one of \[\]"):
        view.unmark("walls")
    with pytest.raises(WorkbenchError, match="name ''"):
        view.mark(frame, name="")
    view.close()


def test_a_line_that_goes_is_told(view) -> None:
    """The page then forgets it."""
    marks = view._marks
    view.line(pl.DataFrame({"ts": [START_NS], "price": [25.0]}), "level")
    pull = marks.reader()
    pull(True)
    view.unmark("level")
    assert pull(False)["lines"] == [{"name": "level", "gone": True}]


def test_a_function_is_asked_again_when_events_came() -> None:
    """Its line follows the market."""
    market = shown()
    view = Heatmap(market)
    view.line(lambda s: s.captured.trades_frame().select("ts", "price"), "last")
    assert [p["ms"][-1] for p in layers(view)["lines"] if p["name"] == "last"] == [START_NS / 1e6 + 900]
    market.apply(trades(market.captured.next_sequence, (1500, 102, 1, 1)))
    assert [p["ms"][-1] for p in layers(view)["lines"] if p["name"] == "last"] == [START_NS / 1e6 + 1500]
    view.close()


def test_gaps_are_listed_for_the_axis() -> None:
    """Where events are missing, and how many."""
    market = shown()
    market.apply(
        EventBatch.of(market.captured.next_sequence, ts=START_NS + 10**9, kind=EventKind.GAP, size=58)
    )
    view = Heatmap(market)
    assert layers(view)["gaps"] == [[START_NS / 1e6 + 1000, 58]]
    view.close()


def test_gaps_after_a_seek_are_other_gaps() -> None:
    """As many as before, elsewhere: they are told again."""
    market = shown()
    marks = HeatMarks(market, market.captured)
    pull, gap = marks.reader(), {"kind": EventKind.GAP, "size": 5}
    market.apply(EventBatch.of(market.captured.next_sequence, ts=START_NS, **gap))
    assert pull(True)["gaps"] == [[START_NS / 1e6, 5]]
    assert pull(False) is None
    market.captured.clear()
    market.apply(EventBatch.of(0, ts=START_NS + 10**9, **gap))
    assert pull(False)["gaps"] == [[START_NS / 1e6 + 1000, 5]]


def test_instruments_share_no_labels() -> None:
    """A label belongs to what it was drawn on."""
    market = shown()
    one = HeatMarks(market, market.captured)
    one.labels.add(1, 2, "x")
    other = shown("NQ")
    assert len(HeatMarks(other, other.captured).labels) == 0
    assert HeatMarks(market, market.captured).labels is one.labels
    assert Instrument("NQ", "0.25").symbol == other.captured.instrument.symbol
