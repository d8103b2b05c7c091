"""Matching detections with planted events: one to one, never before the start, by price and side."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.lab.matching import match

TIME = pl.Datetime("ns", "UTC")


def found(*rows: tuple[float, float, int]) -> pl.DataFrame:
    """Detections of (second, price, side)."""
    schema: Any = {"ts": pl.Float64, "price": pl.Float64, "side": pl.Int8}
    return pl.DataFrame(list(rows), schema=schema, orient="row").with_columns((pl.col("ts") * 1e9).cast(TIME))


def planted(*rows: tuple[float, float, float, int, str]) -> pl.DataFrame:
    """Events of (start, end, price, side, fate)."""
    schema: Any = {
        "start": pl.Float64,
        "end": pl.Float64,
        "price": pl.Float64,
        "side": pl.Int8,
        "fate": pl.String,
    }
    frame = pl.DataFrame(list(rows), schema=schema, orient="row")
    times = [(pl.col(name) * 1e9).cast(TIME) for name in ("start", "end")]
    return frame.with_columns(*times, price_end=pl.col("price"))


def test_counts_hits_repeats_inventions_and_misses() -> None:
    """Two of three events found, one of them twice, and one detection where nothing was."""
    truth = planted((1, 2, 10.0, 1, "filled"), (5, 6, 11.0, -1, "filled"), (8, 9, 12.0, 1, "pulled"))
    matching = match(found((1.5, 10.0, 1), (1.8, 10.0, 1), (4.0, 11.0, -1), (6.5, 11.0, -1)), truth)
    # events 0 and 1 are hit, 1.8 s repeats event 0, 4.0 s comes before event 1 begins; event 2 is missed
    assert matching.event.tolist() == [0, -2, -1, 1]
    assert matching.missed.tolist() == [2]
    assert (matching.precision, matching.recall) == (2 / 3, 2 / 3)
    assert matching.f1 == 2 / 3


@pytest.mark.parametrize(
    "detection",
    [(0.9, 10.0, 1), (3.1, 10.0, 1), (1.5, 10.3, 1), (1.5, 10.0, -1)],
    ids=["too early", "too late", "price off", "other side"],
)
def test_a_detection_off_in_time_price_or_side_is_false(detection: tuple[float, float, int]) -> None:
    """One second after the end and a quarter around the price are allowed here, nothing before the start."""
    truth = planted((1, 2, 10.0, 1, "filled"))
    matching = match(found(detection), truth, price_within=0.25)
    assert (matching.hits, matching.false, len(matching.missed)) == (0, 1, 1)


def test_bounds_of_time_and_price_belong_to_the_event() -> None:
    """Exactly one second after the end, exactly a quarter off: found."""
    truth = planted((1, 2, 10.0, 1, "filled"))
    assert match(found((3.0, 10.25, 1)), truth, price_within=0.25).hits == 1


def test_events_that_failed_are_neither_expected_nor_held_against_a_detector() -> None:
    """A detection of one is a repeat, no detection of it is no miss."""
    truth = planted((1, 2, 10.0, 1, "failed"))
    seen, unseen = match(found((1.5, 10.0, 1)), truth), match(found(), truth)
    assert (seen.false, seen.repeats) == (0, 1)
    assert len(unseen.missed) == 0
    assert math.isnan(unseen.recall)


def test_frames_without_the_columns_are_refused() -> None:
    """The message says which are missing."""
    with pytest.raises(WorkbenchError, match="price_end"):
        match(found(), found())


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0, 20), st.sampled_from([1.0, 2.0]), st.sampled_from([1, -1])), max_size=12),
    st.lists(st.tuples(st.floats(0, 15), st.floats(0, 3), st.sampled_from([1.0, 2.0])), max_size=8),
)
def test_every_detection_and_every_event_is_counted_once(
    detections: list[tuple[float, float, int]], events: list[tuple[float, float, float]]
) -> None:
    """Hits, repeats and inventions are all detections; hits and misses are all events; no event is hit twice."""
    truth = planted(*((start, start + length, price, 1, "filled") for start, length, price in events))
    matching = match(found(*detections), truth)
    assert matching.hits + matching.repeats + matching.false == len(detections)
    assert matching.hits + len(matching.missed) == len(events)
    hit = matching.event[matching.event >= 0].tolist()
    assert len(set(hit)) == len(hit)
    assert set(hit) | set(matching.missed.tolist()) == set(range(len(events)))
