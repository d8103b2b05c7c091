"""What a session draws in the platform, through the real feed server to a platform worked by hand."""

from __future__ import annotations

import gc
import itertools
import threading
from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.support.eventually import eventually
from tests.support.scripted_engine import ScriptedEngine
from tests.support.synthetic import reference
from workbench.errors import EngineError, WorkbenchError
from workbench.events import Instrument
from workbench.flow.cvd import Cvd
from workbench.flow.vwap import Vwap
from workbench.frames.capture import Capture
from workbench.protocol import messages
from workbench.session import Session
from workbench.session.publisher import StreamingFace
from workbench.session.stream import Stream


@pytest.fixture
def engine() -> Iterator[ScriptedEngine]:
    with ScriptedEngine() as scripted:
        yield scripted


@pytest.fixture
def session(engine: ScriptedEngine) -> Iterator[Session]:
    with engine.session() as opened:
        yield opened


def drawn(engine: ScriptedEngine, name: str) -> list[float]:
    return [command.value for command in engine.of_type(messages.Publish) if command.indicator == name]


@pytest.mark.parametrize(
    ("what", "value"),
    [
        (101, 101.0),
        (np.float32(2.5), 2.5),
        (np.array([1, 2, 3]), 3.0),
        ([1.0, 4.0], 4.0),
        (pl.Series([1.0, 5.0]), 5.0),
        (pl.DataFrame({"ts": [1], "mine": [6.0], "level": [7.0]}), 7.0),
        (pl.DataFrame({"a": [8.0], "b": [9.0]}), 8.0),
    ],
)
def test_a_value_is_the_last_one(
    engine: ScriptedEngine, session: Session, what: object, value: float
) -> None:
    """The platform draws at the present only; of a frame, the column of the same name, or the first."""
    publication = session.publish("level", what, colour="#0088ff", style="dot", where="panel")
    (sent,) = engine.of_type(messages.Publish)
    assert (sent.value, sent.colour, sent.style, sent.where) == (value, "#0088ff", "dot", "panel")
    assert sent.ts == session.capture().last_ts
    assert publication.values["value"].to_list() == [value]
    assert repr(publication) == "Publication('level', SYN, panel, by hand)"


@pytest.mark.parametrize(
    ("name", "what", "options"),
    [
        ("x", float("nan"), {}),
        ("x", True, {}),
        ("x", "7", {}),
        ("x", [], {}),
        ("x", pl.Series([1.0, None]), {}),
        ("", 1, {}),
        ("a\nb", 1, {}),
        ("a\ue000b", 1, {}),
        ("x", 1, {"colour": "red"}),
        ("x", 1, {"style": "wavy"}),
        ("x", 1, {"where": "above"}),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    engine: ScriptedEngine, session: Session, name: str, what: object, options: dict[str, str]
) -> None:
    """At once, with what was expected; nothing is sent."""
    with pytest.raises(WorkbenchError, match="expected"):
        session.publish(name, what, **options)
    assert not engine.of_type(messages.Publish)


def test_values_by_hand_and_their_end(engine: ScriptedEngine, session: Session) -> None:
    """``add`` draws one; a stopped publication takes none."""
    with session.publish("mine") as publication:
        publication.add(1)
        publication.add([2, 3])
    assert drawn(engine, "mine") == [1.0, 3.0] and not publication.running
    with pytest.raises(WorkbenchError, match="was stopped"):
        publication.add(4)


def test_a_function_is_asked_again_when_events_came(engine: ScriptedEngine, session: Session) -> None:
    """Its values are drawn as they change; None draws nothing."""
    publication = session.publish("count", lambda s: len(s.trades) or None)
    engine.publish(70)
    eventually(lambda: drawn(engine, "count")[-1:] == [10.0])
    engine.publish(7)
    eventually(lambda: drawn(engine, "count")[-1:] == [11.0])
    # drawn first, noted when the answer is back
    eventually(lambda: publication.values["value"].to_list() == drawn(engine, "count"))
    publication.stop()
    engine.publish(7)
    with session.publish("other", lambda s: len(s.trades)):
        eventually(lambda: drawn(engine, "other")[-1:] == [12.0])
    assert drawn(engine, "count")[-1] == 11.0


def test_an_error_in_a_function_is_kept_and_kills_nothing(engine: ScriptedEngine, session: Session) -> None:
    """The other publications go on, and so does this one when it works again."""
    broken = session.publish("broken", lambda s: 1 / (len(s.trades) - 10))
    session.publish("sound", lambda s: len(s.trades))
    engine.publish(70)
    eventually(lambda: "ZeroDivisionError" in broken.error)
    assert "ZeroDivisionError" in repr(broken)
    engine.publish(7)
    eventually(lambda: drawn(engine, "broken")[-1:] == [1.0] and not broken.error)
    eventually(lambda: drawn(engine, "sound")[-1:] == [11.0])


def test_our_indicators_are_drawn_as_the_batch_face_computes_them(
    engine: ScriptedEngine, session: Session
) -> None:
    """Every drawn value is one of the batch face's, in its order, and the last one is its last."""
    session.publish("vwap", wb.vwap)
    session.publish("cvd", wb.cvd, where="panel")
    for _ in range(5):
        engine.publish(300)
        session.until(events=engine.rows + 12)
    for name, batch in (("vwap", wb.vwap(session)["vwap"]), ("cvd", wb.cvd(session)["cvd"])):
        eventually(lambda name=name, batch=batch: drawn(engine, name)[-1:] == [batch[-1]])
        assert set(drawn(engine, name)) <= set(batch.to_list())


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, 600), max_size=8), looks=st.sets(st.integers(0, 8)))
def test_the_streaming_face_equals_the_batch_face_at_every_moment(cuts: list[int], looks: set[int]) -> None:
    """However the stream is cut and whenever it is looked at: the same bits as the batch face's last row."""
    instrument = Instrument("SYN", "0.25", "0.001")
    capture = Capture(instrument)
    faces = {"vwap": StreamingFace(capture, Vwap), "cvd": StreamingFace(capture, Cvd)}
    rows = reference(600)
    edges = sorted({0, *(c for c in cuts if c < len(rows)), len(rows)})
    for number, (start, stop) in enumerate(itertools.pairwise(edges)):
        capture.apply(rows[start:stop])
        if number in looks or stop == len(rows):
            for name, batch in (("vwap", wb.vwap), ("cvd", wb.cvd)):
                expected = batch(Stream(capture))[name].to_list()[-1:]
                value = faces[name]()
                assert [value] == expected or (value is None and not expected)


def test_a_face_begins_anew_when_everything_was_forgotten() -> None:
    """After a clear, what was before counts no more."""
    capture = Capture(Instrument("SYN", "0.25"))
    face = StreamingFace(capture, Cvd)
    assert face() is None
    capture.apply(reference(100))
    first = face()
    capture.clear()
    assert face() is None
    capture.apply(reference(100))
    assert face() == first


def test_publishing_again_replaces(engine: ScriptedEngine, session: Session) -> None:
    """A cell that runs three times draws one line, in one thread."""
    publications = [session.publish("again", lambda s: len(s.trades)) for _ in range(3)]
    assert [p.running for p in publications] == [False, False, True]
    assert sum(t.name == "workbench-publish" for t in threading.enumerate()) == 1
    engine.publish(70)
    eventually(lambda: drawn(engine, "again")[-1:] == [10.0])
    assert drawn(engine, "again").count(10.0) == 1


def test_publishing_again_in_another_look_is_refused(session: Session) -> None:
    """The platform would go on in the first one; what was never drawn has no look yet."""
    session.publish("level")
    session.publish("level", 100.0, colour="#ff0000")
    with pytest.raises(WorkbenchError, match="another name"):
        session.publish("level", 100.0, colour="#00ff00")
    assert session.publish("level", 100.25, colour="#ff0000").running


@pytest.mark.parametrize("how", ["close", "drop"])
def test_the_thread_ends_with_the_session(engine: ScriptedEngine, how: str) -> None:
    """By closing, and when nobody holds the session any more: a function of it does not keep it alive."""
    session = engine.session()
    publication = session.publish("count", lambda s: len(s.trades))
    eventually(lambda: drawn(engine, "count"))
    if how == "close":
        session.close()
        assert not publication.running
    del session
    gc.collect()
    eventually(lambda: not [t for t in threading.enumerate() if t.name == "workbench-publish"])


def test_a_message_is_one_line_of_text(engine: ScriptedEngine, session: Session) -> None:
    """It goes to the trader of the instrument; more than a line is refused."""
    assert session.publish(message="absorption at 99.75") is None
    assert engine.of_type(messages.Notify)[0].text == "absorption at 99.75"
    for text in ("a\nb", "", "a\ue000b", "x" * 1001):
        with pytest.raises(WorkbenchError, match="one line"):
            session.publish(message=text)
    with pytest.raises(WorkbenchError, match="without a name"):
        session.publish()  # type: ignore[call-overload]


def test_a_refusal_of_the_platform_is_told(engine: ScriptedEngine, session: Session) -> None:
    """Raised where somebody waits for it; kept where nobody does."""
    engine.answers[messages.Publish] = lambda _: messages.Error(code="not_supported", message="no chart here")
    with pytest.raises(EngineError, match="no chart here"):
        session.publish("x", 1)
    live = session.publish("y", lambda s: 1)
    eventually(lambda: "no chart here" in live.error)
    eventually(lambda: not live.running)


def test_a_source_without_platform_says_so() -> None:
    """Simulations and replays have no chart of their own."""
    with wb.simulate(seed=1, inline=True) as session:
        for attempt in (
            lambda: session.publish("x", 1),
            lambda: session.publish("x", wb.vwap),
            lambda: session.publish(message="hello"),
        ):
            with pytest.raises(WorkbenchError, match="no chart or add-on") as caught:
                attempt()
            assert caught.value.code == "not_supported"
