"""Another feed as a source: relayed through an engine, nothing lost, and recorded there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.collecting import EVERYTHING, Collected
from tests.support.eventually import eventually
from tests.support.running_engine import RunningEngine
from tests.support.serving import SECRET, ServedFeed
from tests.support.synthetic import SNAPSHOT_ROWS, reference
from workbench.errors import AuthenticationError, EngineError, FeedError
from workbench.events import EventBatch, EventKind
from workbench.feeds import discovery
from workbench.feeds.upstream import UpstreamSource
from workbench.frames.recording import open_recording
from workbench.protocol import messages

BIG = 1 << 62


@pytest.fixture(autouse=True)
def runtime_dir(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "run"
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(folder))
    return folder


@pytest.fixture
def feed() -> Iterator[ServedFeed]:
    with ServedFeed(symbols=("ES", "NQ")) as served:
        yield served


def same_rows(one: EventBatch, other: EventBatch) -> bool:
    """Equal but for their numbers."""
    return all(np.array_equal(a, b) for a, b in zip(one.columns, other.columns))


def drained(source: UpstreamSource, rows: int) -> list[tuple[str, EventBatch]]:
    handed: list[tuple[str, EventBatch]] = []

    def enough() -> bool:
        handed.extend(source.advance(BIG))
        return sum(len(b) for _, b in handed) >= rows

    eventually(enough)
    return handed


def drained_until(source: UpstreamSource, kind: EventKind) -> list[EventBatch]:
    """Take in batches until a row of this kind came; it fails if none does."""
    handed: list[EventBatch] = []

    def came() -> bool:
        handed.extend(batch for _, batch in source.advance(BIG))
        return any((batch.kind == kind).any() for batch in handed)

    eventually(came)
    return handed


def test_every_event_is_handed_on(feed):
    """The book as of the connection, then everything, with numbers of this source's own from 0."""
    source = UpstreamSource.connect(feed.uri, SECRET)
    try:
        assert [i.symbol for i in source.instruments] == ["ES", "NQ"]
        assert SECRET not in source.name
        opening = drained(source, 2 * SNAPSHOT_ROWS)
        feed.publish(1_000)
        handed = opening + drained(source, 2_000)
    finally:
        source.close()
    for symbol in ("ES", "NQ"):
        stream = EventBatch.concatenate([b for s, b in handed if s == symbol])
        assert stream.first_sequence == 0
        assert stream.kind[0] == EventKind.CLEAR
        assert same_rows(stream[SNAPSHOT_ROWS:], reference(1_000)[SNAPSHOT_ROWS:])


def test_it_hands_out_no_more_than_asked_for(feed):
    """The rest comes with the next call."""
    source = UpstreamSource.connect(feed.uri, SECRET, symbols=["NQ"])
    try:
        parts = [batch for _, batch in drained(source, SNAPSHOT_ROWS)]
        feed.publish(100)

        def enough() -> bool:
            batches = source.advance(BIG, 7)
            assert sum(len(b) for _, b in batches) <= 7
            parts.extend(b for _, b in batches)
            return sum(map(len, parts)) == SNAPSHOT_ROWS + 100

        eventually(enough)
    finally:
        source.close()
    assert len(EventBatch.concatenate(parts)) == SNAPSHOT_ROWS + 100


def test_what_nobody_fetches_is_lost_as_a_gap(feed, monkeypatch):
    """A live feed cannot wait: the number of events that found no room is known, and the book comes anew."""
    monkeypatch.setattr("workbench.feeds.inflow.MAX_PENDING_ROWS", 50)
    source = UpstreamSource.connect(feed.uri, SECRET, symbols=["ES"])
    try:
        for _ in range(20):
            feed.publish(50)
        eventually(lambda: source._inflow.overflowed)
        monkeypatch.undo()
        handed = [batch for _, batch in source.advance(BIG)]
        after = drained_until(
            source, EventKind.CLEAR
        )  # what was on its way may still come before the new book
    finally:
        source.close()
    gap = handed[-1]
    assert gap.kind[-1] == EventKind.GAP
    assert int(gap.size[-1]) > 0
    assert after[0].first_sequence == gap.next_sequence


def test_a_live_feed_cannot_be_steered(feed):
    """Neither sought nor paused: told with a code."""
    source = UpstreamSource.connect(feed.uri, SECRET)
    with pytest.raises(FeedError, match="cannot be sought"):
        source.seek(0)
    with RunningEngine(source) as engine, engine.client() as client, pytest.raises(EngineError) as caught:
        client.request(messages.Replay(action="pause"))
    assert caught.value.code == "not_replayable"


def test_refusals_of_the_other_side_come_through(feed):
    """A wrong token, an unknown instrument."""
    with pytest.raises(AuthenticationError):
        UpstreamSource.connect(feed.uri, "wrong")
    with pytest.raises(FeedError, match=r"unknown instrument 'XX'; have \['ES', 'NQ'\]"):
        UpstreamSource.connect(feed.uri, SECRET, symbols=["XX"])


def test_a_relayed_feed_is_recorded_by_the_engine(feed, tmp_path):
    """Foreign feed → engine → recording and client: all hold the same events."""
    collected = Collected()
    source = UpstreamSource.connect(feed.uri, SECRET, symbols=["ES"])
    with RunningEngine(source) as engine, engine.client(collected) as client:
        client.subscribe("ES", EVERYTHING, from_sequence=0)
        eventually(lambda: collected.rows("ES") >= SNAPSHOT_ROWS)
        started = client.request(messages.Record(out=str(tmp_path / "rec")))
        feed.publish(5_000)
        eventually(lambda: collected.rows("ES") == SNAPSHOT_ROWS + 5_000)
        client.request(messages.StopRecording())
    recorded = EventBatch.concatenate(open_recording(started.paths["ES"]).batches())
    assert same_rows(collected.stream("ES")[SNAPSHOT_ROWS:], reference(5_000)[SNAPSHOT_ROWS:])
    assert recorded[SNAPSHOT_ROWS:] == collected.stream("ES")[SNAPSHOT_ROWS:]
