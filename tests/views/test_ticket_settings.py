"""Settings of a panel: checked, whoever says them."""

from __future__ import annotations

import pytest

from workbench.errors import WorkbenchError
from workbench.events import Instrument
from workbench.views.ticket_settings import bracket_of, checked_settings

ES = Instrument("ES", "0.25")
BEFORE = {
    "size": 1.0,
    "take_profit": None,
    "stop_loss": 8,
    "trailing": False,
    "tif": "GTC",
    "post_only": False,
}


def test_what_is_not_named_stays():
    """And what is named counts."""
    assert checked_settings({"size": 3, "take_profit": 16}, BEFORE, ES) == {
        **BEFORE,
        "size": 3.0,
        "take_profit": 16,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0},
        {"size": 1.5},
        {"size": True},
        {"size": float("nan")},
        {"size": "2"},
        {"take_profit": 0},
        {"take_profit": 1.5},
        {"stop_loss": True},
        {"stop_loss": 10**9},
        {"tif": ""},
        {"tif": 3},
        {"tif": "G" * 40},
        {"colour": "red"},
    ],
)
def test_what_is_no_setting_is_refused(wrong):
    """Sizes off the grid, distances that are no whole ticks, names that are none."""
    with pytest.raises(WorkbenchError):
        checked_settings(wrong, BEFORE, ES)


def test_a_stop_that_follows_needs_a_stop():
    """Without one there is nothing to follow."""
    assert bracket_of({"stop_loss": 8, "trailing": True}) == {
        "stop_loss": 8,
        "take_profit": None,
        "trailing": 1,
    }
    assert bracket_of({"take_profit": 4, "trailing": True}) == {
        "stop_loss": None,
        "take_profit": 4,
        "trailing": None,
    }
