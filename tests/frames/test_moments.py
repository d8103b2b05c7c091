"""Moments: exact, and never guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from workbench.errors import RecordingError
from workbench.frames.moments import check_span, iso_text, to_datetime, to_ns

NS = 1_723_161_255_123_456_789


@pytest.mark.parametrize(
    "moment",
    [NS, np.int64(NS), np.datetime64(NS, "ns"), pd.Timestamp(NS, unit="ns", tz="UTC")],
)
def test_nanoseconds_stay_exact(moment: object) -> None:
    """Integers, datetime64 and pandas' Timestamp keep their ns."""
    assert to_ns(moment) == NS  # type: ignore[arg-type]


def test_zones_are_respected() -> None:
    """The same moment told in two zones is one number."""
    utc = datetime(2024, 8, 8, 23, 54, 15, 123456, tzinfo=UTC)
    assert to_ns(utc) == to_ns(utc.astimezone(timezone(timedelta(hours=-5)))) == NS - 789
    assert to_datetime(NS) == utc


def test_naive_times_are_refused() -> None:
    """A datetime without a zone means another moment on another machine."""
    with pytest.raises(RecordingError, match=r"without a time zone.*tzinfo=timezone\.utc") as caught:
        to_ns(datetime(2024, 8, 8))
    assert caught.value.code == "naive_time"


@pytest.mark.parametrize("moment", [1.5, True, None, np.datetime64("NaT")])
def test_other_types_are_refused(moment: object) -> None:
    """Floats are too coarse for ns; booleans are no moments."""
    with pytest.raises(RecordingError, match="expected int ns"):
        to_ns(moment)  # type: ignore[arg-type]


def test_end_before_start_is_refused() -> None:
    """A span that ends before it starts names both times."""
    check_span(1, 1)
    check_span(None, 1)
    with pytest.raises(RecordingError, match=r"end 1970-.* before start 1970-"):
        check_span(2_000, 1_000)


@pytest.mark.parametrize("ns", [NS, 0, 1, 10**18 + 1, NS - NS % 1000])
def test_iso_texts_keep_every_nanosecond(ns: int) -> None:
    """What is written with nine decimals is read back to the ns."""
    assert to_ns(iso_text(ns)) == ns


def test_iso_texts_know_their_zone() -> None:
    """Other zones are respected; a text without one, or that is no time, is refused."""
    assert to_ns("2024-08-08T18:54:15.123456789-05:00") == NS
    assert to_ns("2024-08-08T23:54:15Z") == NS - NS % 10**9
    for text in ("2024-08-08", "2024-08-08T10:00:00.123456789", "soon", ""):
        with pytest.raises(RecordingError, match="expected"):
            to_ns(text)
