"""Marks in still pictures: what the page shows over the market is on the PNG and in the figure too."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tests.support.view_events import HOSTILE, START_NS, shown
from workbench.views.heatmap import Heatmap
from workbench.views.marks_still import Plot, add_marks_png
from workbench.views.picture import Canvas

MS = 1_000_000
PLOT = Plot(0, 0, 200, 100, 1000.0, 3000.0, 90.0, 110.0)


@pytest.fixture
def view():
    made = Heatmap(shown(), vwap=True)
    yield made
    made.close()


def pixels(layers: dict) -> np.ndarray:
    canvas = Canvas(200, 100, "dark")
    add_marks_png(canvas, layers, PLOT)
    return np.asarray(canvas.image)


def region(left: float, right: float, low: float | None = None, high: float | None = None) -> dict:
    return {"left": left, "right": right, "low": low, "high": high}


def test_the_figure_shows_selection_labels_marks_and_lines(view) -> None:
    """By name, in real units, and the same each time."""
    view.select(START_NS, START_NS + 500 * MS, 24.5, 25.5)
    view.label(HOSTILE)
    view.mark(pl.DataFrame({"ts": [START_NS + 400 * MS], "price": [25.25], "side": [-1]}), name=HOSTILE)
    figure = view.figure()
    by_name = {trace.name: trace for trace in figure.data}
    escaped = "&lt;img src=x onerror=alert(1)&gt;&amp;amp;"
    assert by_name[escaped].y == (25.25,)
    assert by_name[escaped].marker.symbol == ("triangle-down",)
    assert {"VWAP", "VWAP +1σ", "VWAP −2σ"} <= set(by_name)
    assert [(s.y0, s.y1, s.label.text) for s in figure.layout.shapes] == [
        (24.5, 25.5, ""),
        (24.5, 25.5, escaped),
    ]
    assert view.figure() == figure


def test_the_png_shows_them_and_is_the_same_each_time(view) -> None:
    """A picture with marks is another one than without."""
    plain = view.picture()
    view.select(START_NS, START_NS + 500 * MS, 24.5, 25.5)
    marked = view.picture()
    assert marked != plain
    assert view.picture() == marked
    view.unselect()
    assert view.picture() == plain


def test_marks_outside_of_the_picture_leave_it_alone() -> None:
    """Earlier, later, higher or lower."""
    empty = pixels({})
    beyond = {
        "selection": region(0, 900),
        "labels": {"items": [{**region(1500, 2000, 120, 130), "name": "x"}]},
        "marks": {
            "m": {"ms": [10, 2000], "tick": [100, 200], "side": [1, 0], "text": ["", ""], "colour": "#abcdef"}
        },
        "account": {
            "orders": [{"side": 1, "steps": [[5000, 100, 1]], "end": None}],
            "fills": [[2000, 300, 1, 2]],
        },
        "lines": [{"name": "l", "gone": True}],
    }
    assert (pixels(beyond) == empty).all()


@pytest.mark.parametrize(
    "layers",
    [
        {"selection": region(1500, 2000)},
        {"labels": {"items": [{**region(1500, 9000, 95, None), "name": "x" * 99 + "\n"}]}},
        {"marks": {"m": {"ms": [2000], "tick": [None], "side": [0], "text": [""], "colour": "#abcdef"}}},
        {
            "account": {
                "orders": [{"side": -1, "steps": [[0, 100, 1], [1500, 101, 1]], "end": 2000}],
                "fills": [],
            }
        },
        {"account": {"orders": [], "fills": [[2000, 100, -1, 2]]}},
        {"account": {"orders": [], "fills": [], "position": [-2.0, 100.5]}},
        {
            "lines": [
                {
                    "name": "l",
                    "kind": "line",
                    "colour": "warn",
                    "ms": [1200, 1500, 1900],
                    "ticks": [[99, 99, None]],
                }
            ]
        },
        {
            "lines": [
                {
                    "name": "v",
                    "kind": "vwap",
                    "colour": "violet",
                    "ms": [1200, 1500],
                    "ticks": [[99, 99], [1, 1]],
                }
            ]
        },
    ],
)
def test_each_kind_of_mark_is_drawn(layers: dict) -> None:
    """Also one that reaches beyond the border, has no price, or breaks."""
    assert (pixels(layers) != pixels({})).any()
