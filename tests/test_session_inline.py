"""Inline sessions: the whole line in the caller, on a virtual clock moved by hand."""

from __future__ import annotations

import gc
import shutil
import threading
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.support.synthetic import START_NS, reference
from workbench.errors import FeedError, RecordingError, ReplayError, WorkbenchError
from workbench.events import Instrument
from workbench.frames.recording import Recording, open_recording, write_recording
from workbench.session import Session

ROWS = 2_000
STEP_NS = 1_000_000


def written(folder: Path, symbol: str = "SYN", rows: int = ROWS) -> Recording:
    return write_recording(folder, Instrument(symbol, "0.25"), [reference(rows)], source={"kind": "test"})


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return written(tmp_path_factory.mktemp("recording"))


@pytest.fixture
def session(recording: Recording) -> Session:
    return wb.replay(recording, inline=True)


def test_the_book_is_there_before_the_first_advance(session: Session) -> None:
    """State answers at once: the opening snapshot is taken in when the session is made."""
    assert session.book.valid and session.book.best_bid == 99.75 and session.book.best_ask == 100.25
    assert session.clock.now_ns == START_NS and session.state == "live"


def test_a_session_is_small() -> None:
    """At most 25 public names: state answers at once, verbs do the work, the rest hangs on what they return."""
    names = {name for name in dir(Session) if not name.startswith("_")}
    assert len(names) <= 25 and "clock" in names and not names & {"now", "now_ns", "speed", "seek"}


def test_an_old_name_is_refused_not_swallowed(session: Session) -> None:
    """Setting what is no part of a session is an error, not a wish that nobody hears."""
    with pytest.raises(AttributeError):
        session.speed = "max"  # type: ignore[attr-defined]


def test_the_clock_tells_itself(session: Session) -> None:
    """Deterministic, so that notebooks compare equal."""
    session.advance("10ms")
    assert repr(session.clock) == "Clock(2023-11-14T22:13:20.010Z, speed=1, live)"


def test_the_session_knows_everything_that_came(session: Session) -> None:
    """Frames, bars, gaps and counters are those of the events handed out so far."""
    session.advance("700ms")
    assert len(session.events) == 12 + 700 and len(session.trades) == 100
    assert len(session.depth) == 10 + 600 and session.gaps.is_empty()
    assert session.bars("100ms")["trades"].sum() == 100
    assert session.health.events == 712 and session.health.state == "live"
    assert session.clock.now.isoformat() == "2023-11-14T22:13:20.700000+00:00"


@pytest.mark.parametrize("duration", ["10ms", timedelta(milliseconds=10)])
def test_advance_by_time(session: Session, duration: str | timedelta) -> None:
    """Virtual time moves by exactly what was asked for."""
    session.advance(duration)
    assert session.clock.now_ns == START_NS + 10 * STEP_NS and len(session.events) == 22


def test_advance_by_events_is_exact(session: Session) -> None:
    """``events=N`` takes in N, fewer only at the end."""
    session.advance(events=1_000)
    assert len(session.events) == 12 + 1_000
    session.advance(events=5_000)
    assert len(session.events) == 12 + ROWS and session.state == "ended"


def test_advance_until_a_moment(session: Session) -> None:
    """A moment may be ns, a datetime, or a duration after the start."""
    session.advance(until=START_NS + 5 * STEP_NS)
    session.advance(until="20ms")
    assert session.clock.now_ns == START_NS + 20 * STEP_NS
    with pytest.raises(ReplayError, match="forward only"):
        session.advance(until="10ms")


@pytest.mark.parametrize("measures", [{}, {"events": 1, "until": "1s"}, {"events": 0}, {"events": 1.5}])
def test_advance_takes_one_sensible_measure(session: Session, measures: dict[str, object]) -> None:
    """Nothing, two things or no number of events: refused."""
    with pytest.raises(ReplayError):
        session.advance(**measures)  # type: ignore[arg-type]


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 400), max_size=12))
def test_cutting_time_changes_nothing(recording: Recording, cuts: list[int]) -> None:
    """However a session is advanced, it ends with the same columns and book."""
    whole, pieces = (wb.replay(recording, inline=True) for _ in range(2))
    for events in cuts:
        pieces.advance(events=events)
    pieces.until()
    whole.until()
    assert pieces.events.equals(whole.events) and pieces.book == whole.book


@pytest.mark.parametrize("speed", [1, 50, "max"])
def test_the_speed_of_a_replay_changes_nothing(recording: Recording, speed: float | str) -> None:
    """Whatever the speed, the recording comes out."""
    session = wb.replay(recording, speed, inline=True)
    session.until()
    assert session.events.equals(recording.events().collect())


def test_the_same_seed_is_the_same_market() -> None:
    """Two simulated sessions of one seed agree in every column; another seed does not."""
    one, two, other = (wb.simulate(seed, inline=True) for seed in (3, 3, 4))
    for session in (one, two, other):
        session.advance("2s")
    assert one.events.equals(two.events) and one.book == two.book
    assert not one.events.equals(other.events)


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(1, 700), min_size=1, max_size=8))
def test_record_replay_record_is_identical(
    tmp_path_factory: pytest.TempPathFactory, recording: Recording, cuts: list[int]
) -> None:
    """A recording of a replay holds the same rows, however it was advanced."""
    out = tmp_path_factory.mktemp("again")
    session = wb.replay(recording, inline=True)
    with session.record(out) as rec:
        for events in cuts:
            session.advance(events=events)
        session.until()
    assert rec.recording.events().collect().equals(recording.events().collect())
    assert rec.recording.verify().verdict == "VALID"


def test_a_recording_in_progress_says_what_has_verify_and_tables(session: Session, tmp_path: Path) -> None:
    """The finished one has; a name that neither has is as in Python."""
    handle = session.record(tmp_path)
    with pytest.raises(
        AttributeError, match=r"'verify' belongs to the finished recording: call .stop\(\).verify"
    ):
        handle.verify  # noqa: B018  (looking is enough)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        handle.nonsense  # noqa: B018
    assert handle.stop().verify().verdict == "VALID"


def test_a_recording_begun_in_the_middle_starts_with_the_book(session: Session, tmp_path: Path) -> None:
    """It has its own snapshot, keeps the stream's numbers, and gives the same book."""
    session.advance("500ms")
    rec = session.record(tmp_path)
    session.until()
    recording = rec.stop()
    assert recording.verify().verdict == "VALID"
    assert recording.book_at(session.clock.now_ns).bids == session.book.bids
    assert recording.events().select(pl.last("sequence")).collect().item() == session.events["sequence"][-1]
    assert rec.stop() is rec.recording and not rec.running


def test_a_recording_with_history_holds_everything_captured(session: Session, tmp_path: Path) -> None:
    """Begun in the middle, with what came before."""
    session.advance(events=100)
    with session.record(tmp_path, history=True) as rec:
        session.advance(events=100)
    assert rec.recording.events().collect().equals(session.events)


def test_a_running_recording_has_no_result_yet(session: Session, tmp_path: Path) -> None:
    """Asking too early says what to do."""
    rec = session.record(tmp_path)
    folder = rec.paths["SYN"].parent
    assert repr(rec) == f"RecordingHandle(SYN, running in {folder}; stop() gives the recording)"
    assert rec.paths["SYN"].is_dir()
    with pytest.raises(RecordingError, match="still running"):
        _ = rec.recording
    with pytest.raises(ReplayError, match="cannot seek while recording"):
        session.clock.seek("1s")
    session.close()
    assert not rec.running


def test_a_recording_that_cannot_be_finished_leaves_the_others_whole(tmp_path: Path) -> None:
    """Each recorder is closed, then the first problem is told."""
    session = wb.replay([written(tmp_path / name, name) for name in ("ONE", "TWO")], inline=True)
    both, later = session.record(tmp_path / "both"), session.record(tmp_path / "later")
    session.advance("500ms")
    shutil.rmtree(both.paths["ONE"])
    shutil.rmtree(later.paths["TWO"])
    with pytest.raises((OSError, RecordingError)):
        session.close()
    for path in (both.paths["TWO"], later.paths["ONE"]):
        recording = open_recording(path)
        assert recording.manifest.reason == "closed" and recording.verify().verdict == "VALID"
    assert session.state == "closed"


def test_seek_gives_the_book_of_the_straight_run(session: Session, recording: Recording) -> None:
    """What was captured is forgotten; the book is that of the moment, forwards and backwards."""
    for moment in ("1500ms", "300ms", "1200ms"):
        session.clock.seek(moment)
        assert session.book.bids == recording.book_at(session.clock.now_ns).bids
        assert session.trades.height <= 1 and session.gaps.is_empty()
    session.until()
    assert session.book.asks == recording.book_at(recording.end_ns).asks


def test_a_paused_session_does_not_move(session: Session) -> None:
    """Nothing is handed out until it is resumed."""
    session.clock.pause()
    assert session.state == "paused"
    with pytest.raises(ReplayError, match="paused"):
        session.advance("1s")
    session.clock.resume()
    session.advance("1ms")
    assert len(session.events) == 13


def test_until_stops_exactly(session: Session) -> None:
    """At a moment, at a number of events, or when a predicate holds."""
    session.until("100ms")
    assert session.clock.now_ns == START_NS + 100 * STEP_NS
    session.until(events=500)
    assert len(session.events) == 500
    session.until(predicate=lambda s: len(s.trades) > 150)
    assert len(session.trades) > 150
    with pytest.raises(FeedError, match="ended before"):
        session.until(events=10**6)


def test_speed_is_kept_and_checked(session: Session) -> None:
    """A clock moved by hand has no speed, but nonsense is refused all the same."""
    session.clock.speed = "max"
    assert session.clock.speed == float("inf")
    with pytest.raises(ReplayError, match="speed 0"):
        session.clock.speed = 0


def test_several_instruments(tmp_path: Path) -> None:
    """Each has its own stream; without a name the first is meant."""
    pair = [written(tmp_path / "a", "ONE"), written(tmp_path / "b", "TWO", 500)]
    session = wb.replay(pair, inline=True)
    session.until()
    assert session.symbols == ("ONE", "TWO") and session.instrument.symbol == "ONE"
    assert len(session["TWO"].events) == 512 and session["TWO"].book.valid
    assert session.capture("TWO").events == 512 and len(session.bars("1s", "TWO")) == 1
    with session.record(tmp_path / "out") as rec:
        pass
    assert set(rec.recordings) == {"ONE", "TWO"}


def test_an_unknown_instrument_names_those_there_are(session: Session) -> None:
    """The message lists what could have been meant."""
    with pytest.raises(WorkbenchError, match=r"unknown instrument 'X'; have \['SYN'\]"):
        session.capture("X")
    with pytest.raises(WorkbenchError, match="unknown instrument"):
        session.record("nowhere", ("X",))


def test_reprs_are_the_same_in_every_run(session: Session) -> None:
    """No addresses, no counters that depend on timing."""
    text = "Session(replay SYN 2023-11-14T22:13:20.000Z +2.000s, 1 symbol, inline)"
    assert repr(session) == text
    assert (
        repr(wb.simulate(seed=7, inline=True)) == "Session(simulate seed=7 profile=es-like, 1 symbol, inline)"
    )
    assert repr(session.health) == "Health(live, 0 gaps)"
    assert repr(session["SYN"]) == "Stream(SYN)"
    session.close()
    assert repr(session) == text.replace("inline)", "inline, closed)")


def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    """An instrument's name is text, never HTML."""
    session = wb.replay(written(tmp_path, "<script>alert(1)</script>", 5), inline=True)
    assert "<script>" not in session._repr_html_() and "&lt;script&gt;" in session._repr_html_()


def test_closing_keeps_the_data_and_may_be_repeated(session: Session) -> None:
    """What was captured stays readable; what moves is refused."""
    session.advance("1s")
    with session:
        pass
    session.close()
    assert session.state == "closed" and len(session.events) == 1_012
    for verb in (
        lambda: session.advance("1s"),
        lambda: session.clock.seek("1s"),
        lambda: session.record("x"),
    ):
        with pytest.raises(ReplayError, match="closed"):
            verb()


def test_an_inline_session_has_no_threads_and_leaves_nothing(recording: Recording) -> None:
    """Opening, advancing and dropping leave threads as they were."""
    before = threading.active_count()
    for _ in range(3):
        wb.replay(recording, inline=True).until()
    gc.collect()
    assert threading.active_count() == before


def test_the_public_face_is_small() -> None:
    """At most 25 public names, so that completion shows them all."""
    assert len([name for name in dir(Session) if not name.startswith("_")]) <= 25


def test_live_feeds_have_no_inline_form() -> None:
    """A live feed happens by itself."""
    with pytest.raises(ReplayError, match="happens by itself"):
        wb.connect("ws://127.0.0.1:1/v1", inline=True)


@pytest.mark.parametrize("timeout", ["3", "soon", -1, True, None, float("nan")])
def test_a_time_out_that_is_none_is_refused(timeout: object) -> None:
    """A number of seconds, or a duration as for advance()."""
    with wb.simulate(seed=1, inline=True) as session:
        session.until(events=10, timeout="3s")
        session.until(events=20, timeout=3)
        with pytest.raises(ReplayError):
            session.until(events=30, timeout=timeout)  # type: ignore[arg-type]
