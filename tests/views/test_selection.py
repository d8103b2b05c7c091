"""Selections: what a page may ask for, what is said of them, and the line of code that gives the same frame."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.support.view_events import START_NS, shown
from workbench.errors import WorkbenchError
from workbench.events import Instrument
from workbench.frames.recording import write_recording
from workbench.frames.selecting import events_in
from workbench.views.selection import duration_text, selected, selected_on_page

MS = 1_000_000
ES = Instrument("ES", "0.25")


def asked(start: int, end: int, low: object = None, high: object = None) -> dict[str, object]:
    return {"start": str(start), "end": str(end), "low": low, "high": high}


def test_corners_in_any_order_are_the_same_rectangle() -> None:
    """Dragging leftwards or downwards selects what dragging the other way does."""
    market = shown()
    one = selected_on_page(market, ES, asked(START_NS, START_NS + 5, 99.5, 101.25))
    assert one == selected_on_page(market, ES, asked(START_NS + 5, START_NS, 101.25, 99.5))
    assert (one.low, one.high) == (24.875, 25.3125)
    assert one == selected(market, ES, START_NS + 5, START_NS, 25.3125, 24.875)


def test_the_line_of_code_gives_the_same_frame(tmp_path: Path) -> None:
    """Evaluated beside the session or the recording, to the last row."""
    market = shown()
    selection = selected_on_page(market, ES, asked(START_NS + 1, START_NS + 700 * MS, 99.7, 101.3))
    assert len(selection.frame()) == 2
    assert eval(selection.code, {"wb": wb, "s": market}).equals(selection.frame())
    recording = write_recording(tmp_path, ES, [market.captured.columns and _batch(market)], source={})
    on_disk = selected_on_page(recording, ES, asked(START_NS, START_NS + 700 * MS, 99.7, 101.3))
    assert on_disk.code.startswith("wb.events_in(r, ")
    assert eval(on_disk.code, {"wb": wb, "r": recording}).equals(on_disk.frame())


def _batch(market):
    from workbench.events import EventBatch

    return EventBatch(market.captured.columns.view(), 0)


ticks = st.floats(-1e5, 1e5, allow_nan=False)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**62), st.integers(0, 2**62), ticks, ticks)
def test_every_rectangle_survives_its_own_line_of_code(
    first: int, last: int, low: float, high: float
) -> None:
    """Times to the ns and prices to the thousandth of a tick are read back as they were."""
    market = shown()
    selection = selected_on_page(market, ES, asked(first, last, low, high))
    seen: dict[str, object] = {}

    class Reader:
        @staticmethod
        def events_in(*corners: object) -> None:
            seen["corners"] = corners

    eval(selection.code, {"wb": Reader, "s": market})
    again = selected(*([market, ES, *seen["corners"][1:]]))  # type: ignore[misc]
    assert again == selection


def test_a_rectangle_without_prices_takes_all() -> None:
    """Its code names none either."""
    market = shown()
    selection = selected_on_page(market, ES, asked(START_NS, START_NS + 1000 * MS))
    assert selection.code.count(",") == 2
    assert selection.frame().equals(events_in(market, START_NS, START_NS + 1000 * MS))
    assert selection.region()["low"] is None
    assert "all prices" in selection.facts


def test_facts_are_for_people() -> None:
    """Duration, ticks, volume by side, delta, what came and went."""
    market = shown()
    selection = selected(market, ES, START_NS + 1, START_NS + 1000 * MS, 24.9, 25.3)
    assert selection.facts == "1 s · 2 ticks · 3 events · buy 6 · sell 5 · delta +1 · added 0 · removed 0"
    assert len(selection.trades()) == 3
    assert repr(selection) == (
        "Selection('ES', 2023-11-14T22:13:20.000000001Z – 2023-11-14T22:13:21.000000000Z, 24.9 – 25.3)"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"start": 5},
        {"start": None},
        {"end": "1e9"},
        {"end": "-4"},
        {"end": "9" * 20},
        {"start": "٣"},
        {"low": float("nan")},
        {"high": float("inf")},
        {"low": "3"},
        {"high": [1]},
        {"low": True},
    ],
)
def test_what_is_no_rectangle_is_refused_with_its_value(change: dict[str, object]) -> None:
    """A page may send anything."""
    with pytest.raises(WorkbenchError, match="expected"):
        selected_on_page(shown(), ES, asked(START_NS, START_NS + 1, 1, 2) | change)


def test_huge_corners_are_cut_to_what_can_exist() -> None:
    """Times to the end of 64 bits, prices to the ticks that fit a column."""
    selection = selected_on_page(shown(), ES, asked(0, 2**63 + 5, -1e300, 1e300))
    assert selection.end_ns == 2**63 - 1
    assert selection.high == float(2**31 * Decimal("0.25"))
    assert len(selection.frame()) > 3


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (250_000_000, "250 ms"),
        (12_340_000_000, "12.3 s"),
        (245 * 10**9, "4 min 5 s"),
        (7380 * 10**9, "2 h 3 min"),
    ],
)
def test_durations_have_at_most_four_digits(ns: int, text: str) -> None:
    """Read at a glance."""
    assert duration_text(ns) == text
