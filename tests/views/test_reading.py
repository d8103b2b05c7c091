"""The trades of a long recording come while they are read; what is shown meanwhile is right, or says that it is not."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.support.eventually import eventually
from tests.support.recordings import INSTRUMENT, pieces
from tests.support.synthetic import reference
from workbench.events import EventKind
from workbench.frames.recording import write_recording
from workbench.views import reading as readings
from workbench.views.first_look import first_look, time_is_up
from workbench.views.fresh_trades import FreshTrades
from workbench.views.profile_model import ProfileModel, ProfileRule
from workbench.views.reading import TradesReading, trade_chunks, trades_known
from workbench.views.showable import showable

EVENTS = reference(3000)


class Held:
    """Columns that give away only as many rows as a test allows."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows

    def __len__(self):
        return len(self.columns)

    def row_at(self, ts_ns):
        return self.columns.row_at(ts_ns)

    def chunks(self, start=0, stop=None):
        eventually(lambda: self.rows > start)
        return self.columns.chunks(start, stop)


@pytest.fixture
def capture(tmp_path, monkeypatch):
    """Capture of a recording whose trades have been read half."""
    monkeypatch.setattr(readings, "FEW_ROWS", 10)
    monkeypatch.setattr(readings, "PIECE_ROWS", 500)
    recording = write_recording(tmp_path / "out", INSTRUMENT, pieces(EVENTS, 100), source={})
    capture = showable(recording).capture()
    half = len(EVENTS) // 2 // 500 * 500
    held = Held(capture.columns, half)
    capture.__dict__["reading"] = TradesReading(held)
    eventually(lambda: capture.reading.row == half)
    yield capture
    held.rows = 1 << 62
    assert capture.reading.wait(30)


def joined(chunks):
    """Times of pieces of columns."""
    return np.concatenate([np.empty(0, np.int64), *(piece[0] for piece in chunks)]).tolist()


def times(start_ns, stop_ns):
    """Times of the trades in a span, straight from the events."""
    chosen = (EVENTS.kind == EventKind.TRADE) & (EVENTS.ts >= start_ns) & (EVENTS.ts < stop_ns)
    return EVENTS.ts[chosen].tolist()


@pytest.mark.parametrize("first, stop", [(0, 400), (1200, 1800), (2000, 2900)])
def test_trades_of_a_span_do_not_wait_for_the_reading(capture, first, stop):
    """Before, across and behind the row that reading has come to, a span has exactly its trades."""
    span = (int(EVENTS.ts[first]), int(EVENTS.ts[stop]))
    assert not capture.reading.done
    assert joined(trade_chunks(capture, *span)) == times(*span)
    assert trades_known(capture, *span, 10_000)


def test_a_span_of_too_many_events_gives_what_is_known_and_says_so(capture):
    """Where more would have to be looked at than allowed, only trades read already come."""
    span = (int(EVENTS.ts[0]), int(EVENTS.ts[-1]) + 1)
    known = joined(trade_chunks(capture, *span, 100))
    assert known == times(*span)[: len(known)]
    assert len(known) == len(capture.trades) < len(times(*span))
    assert not trades_known(capture, *span, 100)


def test_health_says_how_much_was_read(capture, monkeypatch):
    """While trades are read every view's strip says so; afterwards nothing is said."""
    exhibit = showable(capture.recording)
    exhibit.__dict__["_captured"] = capture
    assert exhibit.health.note == f"reading {capture.share_read:.0%}"
    assert 0 < capture.share_read < 1


def test_a_gap_behind_the_trades_read_so_far_is_kept_for_later(capture, monkeypatch):
    """A gap breaks what lies beside it, also where the trades before it came after the question."""
    lost = np.array([len(EVENTS) - 10], np.int64)
    fresh = FreshTrades(capture)
    monkeypatch.setattr(fresh, "_lost_after", lambda known: lost[known:])
    first = fresh.take()
    assert first is not None and not len(first.gaps)
    capture.reading._columns.rows = 1 << 62
    assert capture.reading.wait(30)
    rest = fresh.take()
    assert rest is not None and len(rest.gaps) == 1
    assert rest.gaps[0] == (np.searchsorted(np.flatnonzero(EVENTS.kind == EventKind.TRADE), lost[0])) - len(
        first.prints.ts
    )


def test_a_first_look_says_that_it_was_cut_short(capture):
    """What is drawn in no time does not claim to be whole; outside of it nobody is hurried."""
    assert not time_is_up()
    with first_look(0.0) as look:
        assert time_is_up()
    assert look.cut_short
    view = wb.Profile(capture.recording)
    view._drawn_from = [capture]
    with first_look(0.0) as look:
        view.picture()
    assert look.cut_short
    view.close()


def test_what_cannot_be_read_is_told_to_whoever_asks(tmp_path):
    """An error on the reading thread comes up where the trades are asked for."""

    class Broken(Held):
        def chunks(self, start=0, stop=None):
            raise OSError("page 3 is damaged")

    reading = TradesReading(Broken(range(5), 0))
    with pytest.raises(OSError, match="page 3"):
        reading.checked()


def test_a_profile_takes_its_steps_from_the_whole_recording(capture):
    """Steps of developing lines fit the time that there will be, not the trades that were read so far."""
    rule = ProfileRule()
    early = ProfileModel([capture], rule)._step
    capture.reading._columns.rows = 1 << 62
    assert capture.reading.wait(30)
    assert ProfileModel([capture], rule)._step == early
