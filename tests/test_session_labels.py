"""Labels of sessions: kept with the session, beside what it plays, beside what it records."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from tests.support.recordings import INSTRUMENT, reference
from workbench.errors import WorkbenchError
from workbench.frames.recording import write_recording
from workbench.session.labels import labels, labels_of, trouble_of


def recorded(directory: Path) -> wb.Recording:
    return write_recording(directory, INSTRUMENT, [reference(300)], source={"kind": "test"})


def test_labels_of_a_replay_belong_to_its_recording(tmp_path: Path) -> None:
    """What is named while a recording plays is there when it is opened."""
    recording = recorded(tmp_path)
    with wb.replay(recording, inline=True) as session:
        labels_of(session, INSTRUMENT.symbol).add(1, 2, "seen in replay")
        assert labels(session)["name"].to_list() == ["seen in replay"]
    assert labels(wb.open_recording(recording.path))["name"].to_list() == ["seen in replay"]


def test_labels_made_before_recording_come_along(tmp_path: Path) -> None:
    """In memory first, and told so; beside the recording as soon as there is one."""
    recording = recorded(tmp_path / "source")
    with wb.replay(recording, inline=True) as session:
        pass
    with wb.simulate(seed=7, inline=True) as session:
        symbol = session.instrument.symbol
        early = labels_of(session, symbol)
        assert trouble_of(session, early) == ""
        early.add(1, 2, "early")
        assert "in memory only" in trouble_of(session, early)
        session.advance("200ms")
        handle = session.record(tmp_path / "out")
        session.advance("200ms")
        assert trouble_of(session, early) == ""
        early.add(2, 3, "while recording")
        finished = handle.stop()
        early.add(3, 4, "after it")
    assert labels(finished)["name"].to_list() == ["early", "while recording", "after it"]


def test_two_views_of_a_session_share_its_labels() -> None:
    """The same object whoever asks."""
    with wb.simulate(seed=7, inline=True) as session:
        symbol = session.instrument.symbol
        assert labels_of(session, symbol) is labels_of(session, symbol)
        assert labels_of(session, symbol) is not labels_of(session, "other")


def test_only_sessions_and_recordings_have_labels() -> None:
    """Anything else is named in the refusal."""
    with pytest.raises(WorkbenchError, match="int without labels; expected a session or a recording"):
        labels(3)
