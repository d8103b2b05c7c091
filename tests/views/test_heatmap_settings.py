"""Settings: checked wherever they come from, kept for the next page."""

from __future__ import annotations

import math

import pytest

from tests.support.view_events import shown
from workbench.errors import WorkbenchError
from workbench.views.heatmap import Heatmap
from workbench.views.heatmap_settings import DEFAULTS, checked


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rule", "median"),
        ("colours", "jet"),
        ("colours", 3),
        ("cut", (5,)),
        ("cut", ("a", "b")),
        ("cut", (1, math.inf)),
        ("cut", (20, 120)),
        ("cut_by", "lots"),
        ("contrast", 0),
        ("contrast", True),
        ("dimming", math.nan),
        ("bubbles", "yes"),
        ("bubble_style", "square"),
        ("cluster", ""),
        ("min_trade", -1),
        ("bbo", None),
        ("zone", "Mars/Olympus"),
        ("zone", 3),
        ("zone", "../../etc/passwd"),
        ("colour", "bookmap"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(name, value):
    """The message says which setting, from the constructor as from a page."""
    with pytest.raises(WorkbenchError, match=name.removesuffix("s")):
        Heatmap(shown(), **{name: value})
    with pytest.raises(WorkbenchError, match=name.removesuffix("s")):
        checked({name: value})


def test_sizes_may_be_larger_than_a_hundred():
    """Only percentiles end there."""
    assert checked({"cut": (20, 500), "cut_by": "size"})["cut"] == (20, 500)


def test_a_hand_on_the_page_changes_what_the_next_page_and_the_picture_show():
    """An act keeps the settings in the model; one that makes no sense changes nothing and is told."""
    view = Heatmap(shown(), zone="UTC")
    dark = view.picture()
    view._act({"do": "settings", "settings": {"colours": "grey", "cut": [5, 99]}})
    assert (view.settings["colours"], view.settings["zone"]) == ("grey", "UTC")
    assert view.picture() != dark
    with pytest.raises(WorkbenchError, match="dimming"):
        view._act({"do": "settings", "settings": {"dimming": 7}})
    assert view.settings["dimming"] == DEFAULTS["dimming"]
    view._act({"do": "settings", "settings": "nothing"})
    assert view.options["defaults"]["colours"] == "bookmap", "what the button Defaults brings back"
    view.close()


def test_showing_a_range_moves_the_page_and_waits_for_one():
    """A page that is there is told at once; one that comes later learns it with its first picture."""
    view = Heatmap(shown())
    heard = []
    view.send = lambda content, buffers=None: heard.append(content)
    view.show(1_000_000_000, 2_000_000_000, 25.0, 26.0)
    assert heard == [{"k": "show", "left_ms": 1000, "right_ms": 2000, "low": 100, "high": 105}]
    assert view._header(1)["shown"]["right_ms"] == 2000
    with pytest.raises(WorkbenchError, match="a start before its end"):
        view.show(5, 5)
    view.close()
