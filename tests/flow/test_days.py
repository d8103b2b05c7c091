"""Days that begin at an hour of a place: by hand around both changes of the clock, and as rules."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.flow.days import TradingDay, day_after, zone_of

SECOND = 10**9
HOUR = 3_600 * SECOND
CME = TradingDay.read("17:00 America/Chicago")


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("moment", "began", "ends"),
    [
        ("2024-08-08T12:00", "2024-08-07T22:00", "2024-08-08T22:00"),  # summer: 17:00 is 22:00 UTC
        ("2024-08-08T22:00", "2024-08-08T22:00", "2024-08-09T22:00"),  # the beginning belongs to the new day
        ("2024-01-10T00:00", "2024-01-09T23:00", "2024-01-10T23:00"),  # winter; midnight UTC is no boundary
        ("2024-03-10T12:00", "2024-03-09T23:00", "2024-03-10T22:00"),  # a day of 23 hours
        ("2024-11-03T12:00", "2024-11-02T22:00", "2024-11-03T23:00"),  # and one of 25
    ],
)
def test_the_day_of_the_cme_begins_at_five_in_chicago(moment, began, ends):
    """Also on the days on which clocks change."""
    assert CME.of(ns(moment)) == ns(began)
    assert CME.after(ns(moment)) == ns(ends)


@given(
    ts=st.integers(0, 4 * 10**18),
    day=st.sampled_from(
        [
            "00:00 UTC",
            "17:00 America/Chicago",
            "02:30 Europe/Berlin",
            "23:59 Asia/Kathmandu",
            "00:00 America/Sao_Paulo",
        ]
    ),
)
def test_days_follow_each_other_without_gap_or_overlap(ts, day):
    """A moment lies in one day, whose end begins the next; none is shorter than 22 or longer than 26 hours."""
    told = TradingDay.read(day)
    began, ends = told.of(ts), told.after(ts)
    assert began <= ts < ends
    assert 22 * HOUR <= ends - began <= 26 * HOUR
    assert told.of(ends) == ends and told.of(ends - 1) == began
    assert told.after(began) == ends


def test_midnight_of_a_zone_is_a_day_that_begins_at_no_hour():
    """What deltas and averages start again with."""
    ts = ns("2024-08-08T12:00")
    assert day_after(ts, zone_of("America/New_York")) == ns("2024-08-09T04:00")
    assert day_after(ts, UTC) == ns("2024-08-09T00:00")


@pytest.mark.parametrize("wrong", ["", "17:00", "25:00 UTC", "17:60 UTC", "5pm UTC", "17:00  UTC", None, 17])
def test_what_is_no_hour_of_a_place_is_refused(wrong):
    """With an example of what is."""
    with pytest.raises(WorkbenchError, match="17:00 America/Chicago") as refused:
        TradingDay.read(wrong)
    assert refused.value.code == "bad_value"


def test_an_unknown_zone_is_refused():
    """By its own name."""
    with pytest.raises(WorkbenchError, match="America/Chicaco"):
        TradingDay.read("17:00 America/Chicaco")
