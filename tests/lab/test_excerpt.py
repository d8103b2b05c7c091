"""Excerpts: a stretch of events shows from its start on what the whole shows there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

import workbench as wb
from tests.support.signals import INSTRUMENT, with_a_gap
from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.flow.signals.sight import Needs, Sight, sight_of
from workbench.frames.recording import Recording, write_recording
from workbench.lab.excerpt import Excerpt

SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def gappy(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A recording with a gap in the middle."""
    return write_recording(tmp_path_factory.mktemp("gappy"), INSTRUMENT, [with_a_gap()], source={})


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[wb.Session, Recording]]:
    """A session and its recording."""
    session = wb.simulate(seed=7, inline=True)
    recorder = session.record(tmp_path_factory.mktemp("both"))
    session.advance("20s")
    yield session, recorder.stop()
    session.close()


def seen(x: Recording | Excerpt) -> Sight:
    """The best levels, moment by moment."""
    return sight_of(x.batches(), Needs(3), INSTRUMENT)


@pytest.mark.parametrize("after_s", [1, 10, 24, 25, 26, 30])
def test_from_its_start_on_it_shows_what_the_whole_shows(gappy: Recording, after_s: int) -> None:
    """Every moment within, numbers and unknown stretches included; before it one row at the most, the books there."""
    start = gappy.start_ns + after_s * SECOND_NS
    whole, part = seen(gappy), seen(Excerpt(gappy, (start, None)))
    expected = whole.moments.part(whole.moments.ts >= start)
    given = part.moments.part(part.moments.ts >= start)
    for name in expected._fields:
        np.testing.assert_array_equal(getattr(given, name), getattr(expected, name))
    assert len(part.age) - len(given.ts) <= 1


def test_a_window_holds_its_start_and_not_its_end(gappy: Recording) -> None:
    """Windows that follow each other share nothing and miss nothing."""
    middle = int(with_a_gap().ts[20_000])
    before, after = Excerpt(gappy, (None, middle)), Excerpt(gappy, (middle, None))
    assert before.count + after.count == gappy.count
    assert before.span_ns[1] < middle <= after.span_ns[0]
    assert (before.ends, after.ends) == (True, False)


@pytest.mark.parametrize("window", [("5s", "9s"), ("5s", None), "4s", timedelta(seconds=4)])
def test_a_session_and_its_recording_have_the_same_excerpts(
    both: tuple[wb.Session, Recording], window: object
) -> None:
    """Row by row, the books at the start included; their last row stands right before the first event."""
    live, kept = (EventBatch.concatenate(Excerpt(x, window).batches()) for x in both)  # type: ignore[arg-type]
    assert live == kept


def test_what_comes_later_does_not_belong_to_it() -> None:
    """An excerpt of a session stays as it was made."""
    session = wb.simulate(seed=7, inline=True)
    session.advance("3s")
    so_far = Excerpt(session)
    rows = sum(map(len, so_far.batches()))
    session.advance("3s")
    assert sum(map(len, so_far.batches())) == rows == so_far.count
    session.close()


@pytest.mark.parametrize("window", [("2h", "3h"), ("5s", "4s"), ("5s", "5s"), ("5s",), "soon", 5])
def test_windows_that_mean_nothing_are_refused(gappy: Recording, window: object) -> None:
    """Nothing within, an end before its start, no pair, no time."""
    with pytest.raises(WorkbenchError):
        Excerpt(gappy, window)  # type: ignore[arg-type]


def test_each_window_is_a_trial_of_its_own(both: tuple[wb.Session, Recording]) -> None:
    """To look for the hour that suits is to try."""
    _, kept = both
    desk = wb.StudyDesk(kept, "10s")
    assert desk.study(wb.signals.BookImbalance()).worth.trials == 1
    assert desk.study(wb.signals.BookImbalance()).worth.trials == 1
    assert wb.study(wb.signals.BookImbalance(), kept, window="5s").worth.trials == 2
    assert wb.study(wb.signals.BookImbalance(), kept).worth.trials == 3
