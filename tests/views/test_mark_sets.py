"""Marks and lines that people hand over: any frame with times, thinned to what can be drawn, nonsense refused."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tests.support.view_events import HOSTILE, START_NS
from workbench.errors import WorkbenchError
from workbench.events import Instrument
from workbench.views.mark_sets import MOST_MARKS, MOST_POINTS, marks_content, points_of, thinned_points

ES = Instrument("ES", "0.25")
AT = datetime.fromtimestamp(START_NS / 1e9, UTC)
START_MS = START_NS / 1e6


def content(what, price=None, side=None, text=None, colour="accent"):
    return marks_content(what, ES, price, side, text, colour)


@pytest.mark.parametrize(
    "what",
    [
        pl.DataFrame({"ts": [AT], "price": [25.0], "side": [1]}),
        pl.DataFrame({"ts": [START_NS], "price": [25.0], "side": [1]}).lazy(),
        pl.DataFrame({"ts": [AT], "price": [25.0], "side": [1]}).cast({"ts": pl.Datetime("ms", "UTC")}),
        pd.DataFrame({"ts": [pd.Timestamp(START_NS, tz="UTC")], "price": [25.0], "side": [1]}),
        pd.DataFrame({"price": [25.0], "side": ["buy"]}, index=[pd.Timestamp(START_NS, tz="UTC")]),
        {"ts": np.array([START_NS]), "price": [25.0], "side": ["BUY"]},
        {"ts": np.array([START_NS], "datetime64[ns]"), "price": np.array([25.0]), "aggressor": [1]},
    ],
)
def test_times_prices_and_sides_are_found_in_any_frame(what: object) -> None:
    """Polars, pandas and arrays; datetimes of any unit and int ns."""
    assert content(what) == {
        "colour": "accent",
        "ms": [START_MS],
        "tick": [100.0],
        "side": [1],
        "text": [""],
        "count": [1],
    }


def test_values_may_be_given_beside_the_times() -> None:
    """Other columns by name, arrays, or one value for all; without a price flags stand at the edge."""
    frame = pl.DataFrame({"ts": [START_NS, START_NS + 1000], "level": [25.0, None], "why": ["a", HOSTILE]})
    marks = content(frame, price="level", side=-1, text="why")
    assert (marks["tick"], marks["side"], marks["text"]) == ([100.0, None], [-1, -1], ["a", HOSTILE])
    assert content(np.array([START_NS]), text="note")["text"] == ["note"]
    assert content(pl.DataFrame({"ts": [AT], "score": [0.8333]}))["text"] == ["score 0.833"]
    assert content(pl.DataFrame({"ts": [AT], "price": [float("inf")]}))["tick"] == [None]


def test_more_marks_than_can_be_drawn_are_put_together() -> None:
    """One for each side of a span of time; the counts add up to all of them."""
    n = 3 * MOST_MARKS
    frame = pl.DataFrame({"ts": START_NS + np.arange(n) * 10**6, "price": 25.0, "side": np.arange(n) % 3 - 1})
    marks = content(frame)
    assert len(marks["ms"]) <= MOST_MARKS
    assert sum(marks["count"]) == n
    assert marks["ms"] == sorted(marks["ms"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (({"price": [1.0]},), r"columns \['price'\]; expected one named ts"),
        (({"ts": ["noon"]},), "ts of type String"),
        ((pl.DataFrame({"ts": [START_NS]}), "level"), r"no column 'level'; expected one of \['ts'\]"),
        (
            (pl.DataFrame({"ts": [START_NS]}), None, None, None, "url(x)"),
            r"colour 'url\(x\)'; expected #rrggbb",
        ),
    ],
)
def test_what_cannot_be_marked_is_refused(arguments: tuple[object, ...], words: str) -> None:
    """With what was found and what was expected."""
    with pytest.raises(WorkbenchError, match=words):
        content(*arguments)


def test_no_marks_are_no_error() -> None:
    """A detector may find nothing."""
    assert content(pl.DataFrame(schema={"ts": pl.Datetime("ns", "UTC"), "price": pl.Float64}))["ms"] == []


def test_a_line_takes_the_first_column_of_numbers_and_the_last_value_of_a_moment() -> None:
    """As wb.vwap gives it; times in order."""
    frame = pl.DataFrame({"ts": [3_000_000, 1_000_000, 3_000_000], "vwap": [25.0, 24.0, 26.0], "sigma": 1.0})
    points = points_of(frame, ES)
    assert (points.ms.tolist(), points.ticks[:, 0].tolist()) == ([1.0, 3.0], [96.0, 104.0])
    assert points_of(frame, ES, "sigma").ticks[:, 0].tolist() == [4.0, 4.0]
    with pytest.raises(WorkbenchError, match="a line without values"):
        points_of({"ts": [1]}, ES)


def test_a_thinned_line_keeps_its_last_point() -> None:
    """At most so many points, each the last of its span."""
    n = 50_000
    points = points_of(pl.DataFrame({"ts": np.arange(n) * 10**6, "p": np.arange(n) * 0.25}), ES)
    assert len(points.ms) <= MOST_POINTS
    assert (points.ms[-1], points.ticks[-1, 0]) == (n - 1, n - 1)
    assert thinned_points(points) is points
