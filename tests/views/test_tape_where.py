"""The tape's filter in a line of text."""

from __future__ import annotations

import pytest

from workbench.errors import WorkbenchError
from workbench.views.tape_where import EVERYTHING, wishes_of


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        ("", {}),
        ("size>=10", {"min": 10.0}),
        (">= 10", {"min": 10.0}),
        ("size > 10", {"min": 11.0}),
        ("<5", {"max": 4.0}),
        ("size=3", {"min": 3.0, "max": 3.0}),
        ("5..50", {"min": 5.0, "max": 50.0}),
        ("price 4990..5010.5", {"low": 4990.0, "high": 5010.5}),
        ("price>4990, price <= 5000", {"low": 4990.25, "high": 5000.0}),
        ("Buy and sweeps", {"side": "buy", "sweeps": True}),
        ("sold lit >=2 >=7", {"side": "sell", "hidden": False, "off_book": False, "min": 7.0}),
        ("unknown", {"side": "unknown"}),
    ],
)
def test_each_part_narrows_what_is_let_through(text, wishes):
    """Parts join by and; what is not named lets everything through; of two bounds the narrower one holds."""
    assert wishes_of(text, tick=0.25, lot=1.0) == EVERYTHING | wishes


@pytest.mark.parametrize(
    "text", ["size", "size >=", "biggest", "volume>3", "<img src=x>", "size>=ten", "5..", "1e9"]
)
def test_what_means_nothing_is_refused_with_what_would_be_understood(text):
    """The part is named, and the parts that there are."""
    with pytest.raises(WorkbenchError, match=r"filter .*size>=10"):
        wishes_of(text, tick=0.25, lot=1.0)
