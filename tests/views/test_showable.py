"""Views show sessions and recordings, and say so when given anything else."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import workbench as wb
from tests.support.recordings import INSTRUMENT, pieces
from tests.support.synthetic import reference
from workbench.errors import WorkbenchError
from workbench.frames.recording import write_recording
from workbench.views import showable as showables
from workbench.views.live import Sender
from workbench.views.showable import showable


@pytest.fixture
def recording(tmp_path):
    return write_recording(tmp_path / "out", INSTRUMENT, pieces(reference(500), 100), source={})


def test_a_recording_stands_at_its_end(recording):
    """Its state is recorded, its clock the last event's time, its book the one after the last event."""
    exhibit = showable(recording)
    capture = exhibit.capture()
    assert (exhibit.state, exhibit.clock.now_ns) == ("recorded", recording.end_ns)
    assert exhibit.symbols == [INSTRUMENT.symbol]
    assert capture.book.best_bid == recording.books_at(recording.end_ns)[0].best_bid
    assert len(capture.columns) == recording.count
    times = np.concatenate([piece[0] for piece in capture.trades.chunks()])
    assert len(times) == recording.trades().collect().height


def test_views_of_one_recording_share_one_exhibit(recording):
    """They share a cursor; when the last view has gone, nothing is held."""
    heatmap, ladder = wb.Heatmap(recording), wb.Ladder(recording)
    assert heatmap._session is ladder._session
    assert heatmap.options["group"] == ladder.options["group"]
    sender = Sender.of(heatmap._session)
    heatmap.close()
    ladder.close()
    sender.join(30)
    del heatmap, ladder, sender
    gc.collect()
    assert id(recording) not in showables._exhibits


@pytest.mark.parametrize("view", [wb.Heatmap, wb.Ladder, wb.Profile])
def test_a_recording_shows_what_its_session_would(recording, view):
    """The still picture of a recording is the picture of a session that took in the same events."""
    shown = view(recording)
    session = wb.replay(recording, inline=True)
    session.advance(events=recording.count + 1)
    other = view(session)
    assert shown.picture() == other.picture()
    assert repr(shown) == repr(other)
    for each in (shown, other):
        each.close()
    session.close()


def test_another_instrument_is_unknown(recording):
    """The message names the one there is."""
    with pytest.raises(WorkbenchError, match=r"unknown instrument 'NQ'; have \['SYN/1'\]"):
        wb.Heatmap(recording, "NQ")


@pytest.mark.parametrize("wrong", [3, "ES", None, [1], object()])
def test_anything_else_is_refused_with_what_can_be_shown(wrong):
    """The message says what was given and what can be shown."""
    with pytest.raises(WorkbenchError, match=r"cannot show .*; expected a session .* or a recording"):
        wb.Heatmap(wrong)
