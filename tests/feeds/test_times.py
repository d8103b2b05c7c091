"""Times and durations as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from workbench.errors import ReplayError
from workbench.feeds.times import duration_ns, moment_ns, moment_text


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("30s", 30 * 10**9),
        ("1m30s", 90 * 10**9),
        ("250ms", 250 * 10**6),
        ("1.5 s", 1_500_000_000),
        ("2h", 7200 * 10**9),
        ("1min", 60 * 10**9),
        ("7us", 7_000),
        ("1d", 86_400 * 10**9),
        (timedelta(milliseconds=5), 5_000_000),
    ],
)
def test_durations_have_units(text: str, ns: int) -> None:
    """A number with a unit, or several of them."""
    assert duration_ns(text) == ns


@pytest.mark.parametrize("text", ["30", "", "s", "-5s", "0s", "5 parsecs", 30, None, "5s!", timedelta(0)])
def test_a_duration_without_a_sense_is_refused(text: object) -> None:
    """No unit, unknown unit, zero or negative."""
    with pytest.raises(ReplayError, match="duration"):
        duration_ns(text)  # type: ignore[arg-type]


def test_moments_may_be_written_in_four_ways() -> None:
    """Integer ns, datetime, ISO text and a duration after the start mean the same."""
    ns = 1_700_000_000_500_000_000
    moment = datetime(2023, 11, 14, 22, 13, 20, 500_000, UTC)
    assert {moment_ns(ns, 0), moment_ns(moment, 0), moment_ns("500ms", ns - 500_000_000)} == {ns}
    assert moment_ns("2023-11-14T22:13:20.5Z", 0) == ns
    assert moment_ns(moment.astimezone(timezone(timedelta(hours=-5))), 0) == ns


def test_iso_text_keeps_nanoseconds() -> None:
    """Nine digits are not cut to the microsecond."""
    assert moment_ns("2023-11-14T22:13:20.123456789Z", 0) == 1_700_000_000_123_456_789
    assert moment_ns("2023-11-14T23:13:20.1234567+01:00", 0) == 1_700_000_000_123_456_700


@pytest.mark.parametrize("moment", ["2023-11-14T22:13:20", datetime(2023, 11, 14)])
def test_a_time_without_a_zone_is_refused(moment: object) -> None:
    """It would mean another moment on another machine."""
    with pytest.raises(ReplayError, match="without a time zone"):
        moment_ns(moment, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("moment", [1.5, True, None, "noon", "2023-99-99T00:00:00Z"])
def test_what_is_no_time_is_refused(moment: object) -> None:
    """Floats are too coarse for ns; other text is no time."""
    with pytest.raises(ReplayError, match="time"):
        moment_ns(moment, 0)  # type: ignore[arg-type]


def test_times_are_shown_in_utc() -> None:
    """The form in reprs and messages."""
    assert moment_text(1_700_000_000_123_456_789) == "2023-11-14T22:13:20.123Z"
    assert moment_text(-1) == "1969-12-31T23:59:59.999Z"
