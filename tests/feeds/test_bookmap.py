"""Bookmap as a source: bridges that come, vanish, come back and compete."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.bridges import ServedBridge
from tests.support.eventually import eventually
from tests.support.synthetic import SNAPSHOT_ROWS, reference
from workbench.book.levels import LevelBook
from workbench.errors import DiscoveryError, FeedError
from workbench.events import EventBatch, EventKind, Side, Status
from workbench.feeds import discovery
from workbench.feeds.bookmap import BookmapSource
from workbench.protocol import messages

BIG = 1 << 62


@pytest.fixture(autouse=True)
def runtime_dir(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "run"
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(folder))
    return folder


class Followed:
    """A source and everything that it handed out."""

    def __init__(self) -> None:
        self.source = BookmapSource.connect()
        self._batches: dict[str, list[EventBatch]] = {}

    def stream(self, symbol: str = "ES") -> EventBatch:
        """Everything of an instrument so far, without holes; empty before the first row."""
        for name, batch in self.source.advance(BIG):
            self._batches.setdefault(name, []).append(batch)
        return EventBatch.concatenate(self._batches.get(symbol, [EventBatch.of(0)[:0]]))

    def kinds(self, symbol: str = "ES") -> list[int]:
        return self.stream(symbol).kind.tolist()

    def has(self, rows: int, symbol: str = "ES") -> bool:
        return len(self.stream(symbol)) >= rows


@contextmanager
def following() -> Iterator[Followed]:
    followed = Followed()
    try:
        yield followed
    finally:
        followed.source.close()


def same_rows(one: EventBatch, other: EventBatch) -> bool:
    """Equal but for their numbers."""
    return all(np.array_equal(a, b) for a, b in zip(one.columns, other.columns))


def statuses(batch: EventBatch) -> list[int]:
    return batch.size[batch.kind == EventKind.STATUS].tolist()


def test_no_bridge_says_what_to_do():
    """The message names the add-on, the command that writes it, and the one that checks."""
    with pytest.raises(DiscoveryError, match=r"workbench bridge install.*workbench doctor") as caught:
        BookmapSource.connect()
    assert caught.value.code == "no_feed"


def test_the_bridges_of_all_instruments_are_one_source():
    """Each instrument's stream equals that of its bridge alone, however the two take turns."""
    with ServedBridge("ES") as one, ServedBridge("NQ") as other, following() as followed:
        assert {i.symbol for i in followed.source.instruments} == {"ES", "NQ"}
        eventually(lambda: followed.has(SNAPSHOT_ROWS) and followed.has(SNAPSHOT_ROWS, "NQ"))
        for rows in (1, 100, 3, 700, 10):
            one.publish(rows)
            other.publish(2 * rows)
        eventually(lambda: followed.has(SNAPSHOT_ROWS + 814) and followed.has(SNAPSHOT_ROWS + 1628, "NQ"))
        for symbol, rows in (("ES", 814), ("NQ", 1628)):
            stream = followed.stream(symbol)
            assert stream.first_sequence == 0
            assert same_rows(stream[SNAPSHOT_ROWS:], reference(rows)[SNAPSHOT_ROWS:])


def test_an_instrument_that_appears_is_followed():
    """Added in Bookmap while the source runs: its stream begins, the others are not touched."""
    with ServedBridge("ES"), following() as followed, ServedBridge("NQ"):
        eventually(lambda: followed.has(SNAPSHOT_ROWS, "NQ"))
        assert [i.symbol for i in followed.source.instruments] == ["ES", "NQ"]
        assert EventKind.GAP not in followed.kinds("ES")


def test_a_bridge_that_crashes_leaves_the_others_untouched():
    """STALE and a gap of unknown size on its instrument, nothing on the other."""
    with ServedBridge("ES", mortal=True) as one, ServedBridge("NQ") as other, following() as followed:
        eventually(lambda: followed.has(SNAPSHOT_ROWS) and followed.has(SNAPSHOT_ROWS, "NQ"))
        one.crash()
        eventually(lambda: followed.kinds()[-2:] == [EventKind.STATUS, EventKind.GAP])
        last = followed.stream()[-2:]
        assert last.size.tolist() == [Status.STALE, -1]
        other.publish(50)
        eventually(lambda: followed.has(SNAPSHOT_ROWS + 50, "NQ"))
        assert followed.source.state == "live"
        assert "ES: the bridge has ended" in followed.source.facts["reason"]


def test_a_restarted_bridge_goes_on_in_the_same_stream():
    """No number is missing, no delta comes before the snapshot, and LIVE behind it."""
    with following_restarts(restarts=3) as followed:
        stream = followed.stream()
    assert_whole(stream, restarts=3)


@pytest.mark.slow
def test_a_hundred_restarts():
    """As one."""
    with following_restarts(restarts=100) as followed:
        stream = followed.stream()
    assert_whole(stream, restarts=100)


@contextmanager
def following_restarts(restarts: int) -> Iterator[Followed]:
    bridge = ServedBridge("ES", mortal=True).__enter__()
    with following() as followed:
        try:
            for _ in range(restarts):
                eventually(lambda: is_valid(followed.stream()))
                bridge.publish(20)
                bridge.crash()
                eventually(lambda: followed.kinds()[-1] == EventKind.GAP)
                bridge = ServedBridge("ES", mortal=True).__enter__()
            eventually(lambda: statuses(followed.stream())[-1:] == [Status.LIVE])
            yield followed
        finally:
            bridge.__exit__(None, None, None)


def is_valid(stream: EventBatch) -> bool:
    book = LevelBook()
    book.apply(stream)
    return book.valid


def assert_whole(stream: EventBatch, restarts: int) -> None:
    assert stream.first_sequence == 0
    assert (np.diff(stream.ts) >= 0).all()
    told = statuses(stream)  # a busy machine may fall silent for a moment besides
    assert len(told) >= 2 * restarts
    assert told == [Status.STALE, Status.LIVE] * (len(told) // 2)
    gaps = np.flatnonzero(stream.kind == EventKind.GAP)
    assert stream.size[gaps].tolist() == [-1] * restarts
    assert (stream.kind[gaps - 1] == EventKind.STATUS).all()
    assert (stream.kind[gaps + 1] == EventKind.CLEAR).all()
    lives = np.flatnonzero((stream.kind == EventKind.STATUS) & (stream.size == Status.LIVE))
    first_lives = lives[np.searchsorted(lives, gaps)]
    assert (stream.kind[first_lives - 1] == EventKind.SNAPSHOT_END).all()


def test_a_bridge_that_hangs_does_not_hold_up_the_others():
    """It takes the connection and never answers: the source opens without it, however patient the caller is."""
    with ServedBridge("ES") as bridge, socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"ws://127.0.0.1:{silent.getsockname()[1]}/v1"
        hung = discovery.publish(replace(bridge.endpoint, uri=uri, identity="hung", symbols=("NQ",)))
        source = BookmapSource.connect(timeout=10_000)
        try:
            assert [i.symbol for i in source.instruments] == ["ES"]
        finally:
            source.close()
            discovery.withdraw(hung)


def test_of_two_bridges_the_one_that_trades_is_used():
    """The other stands by, and the facts say so; when the first one goes, it takes over."""
    with (
        ServedBridge("ES", started_ns=1) as plain,
        ServedBridge("ES", trading=True, started_ns=2, mortal=True) as trading,
        following() as followed,
    ):
        assert used(followed) == {trading.uri: True, plain.uri: False}
        plain.publish(5)
        trading.publish(7)
        eventually(lambda: book_of(followed.stream()) == book_of(reference(7)))
        assert EventKind.GAP not in followed.kinds()
        trading.crash()
        eventually(lambda: used(followed) == {plain.uri: True})
        eventually(lambda: statuses(followed.stream())[-1:] == [Status.LIVE])


def book_of(stream: EventBatch) -> list[list[int]]:
    book = LevelBook()
    book.apply(stream)
    return [column.tolist() for side in (Side.BID, Side.ASK) for column in book.levels(side, None)]


def used(followed: Followed) -> dict[str, bool]:
    return {bridge["uri"]: bridge["used"] for bridge in followed.source.facts["bridges"]}


def test_of_two_equal_bridges_the_oldest_is_used():
    """So that one that is started by mistake takes nothing over."""
    with (
        ServedBridge("ES", started_ns=2) as young,
        ServedBridge("ES", started_ns=1) as old,
        following() as followed,
    ):
        eventually(lambda: used(followed) == {old.uri: True, young.uri: False})


def test_another_grid_is_refused_and_the_rest_goes_on():
    """Prices would mean something else: the stream stays stale and says why; the other instrument lives."""
    with (
        ServedBridge("ES", mortal=True) as before,
        ServedBridge("NQ") as other,
        following() as followed,
    ):
        eventually(lambda: followed.has(SNAPSHOT_ROWS))
        before.crash()
        eventually(lambda: followed.kinds()[-1] == EventKind.GAP)
        with ServedBridge("ES", tick="0.5") as after:
            reason = "'ES' came back with tick 0.5, lot 1, multiplier 1; expected tick 0.25, lot 1"
            eventually(lambda: reason in followed.source.facts["reason"])
            after.publish(5)
            other.publish(5)
            eventually(lambda: followed.has(SNAPSHOT_ROWS + 5, "NQ"))
            # nobody trades on prices that mean something else by now
            assert followed.kinds()[-2:] == [EventKind.GAP, EventKind.CLEAR]
            assert followed.source.state == "live"


def test_a_silent_bookmap_behind_a_bridge_that_is_heard_is_stale():
    """The bridge says so in its stream; the facts name the instrument."""
    with ServedBridge("ES") as bridge, following() as followed:
        eventually(lambda: followed.has(SNAPSHOT_ROWS))
        for status, state in ((Status.STALE, "stale"), (Status.LIVE, "live")):
            bridge.say(status)
            eventually(lambda: followed.source.state == state)  # noqa: B023
            told = followed.source.facts["reason"]
            assert ("ES: Bookmap has fallen silent" in told) == (state == "stale")


def test_a_source_without_bridges_stays():
    """State ``stale`` until one is back; commands are refused, never kept."""
    with ServedBridge("ES", mortal=True) as bridge, following() as followed:
        eventually(lambda: followed.has(SNAPSHOT_ROWS))
        bridge.crash()
        eventually(lambda: followed.source.state == "stale")
        with pytest.raises(FeedError, match="Nothing was sent") as caught:
            followed.source.ask("ES", messages.CancelAll())
        assert caught.value.code == "disconnected"
        with ServedBridge("ES") as again:
            eventually(lambda: followed.source.state == "live")
            assert not again.heard(messages.CancelAll)


def test_the_facts_hold_what_each_bridge_says_of_itself():
    """Beside where it is and how the link to it is; no secrets."""
    with ServedBridge("ES", trading=True) as bridge, following() as followed:
        [facts] = eventually(lambda: [b for b in followed.source.facts["bridges"] if "backlog" in b])
    assert facts["backlog"] == 3
    assert facts["uri"] == bridge.uri
    assert facts["symbols"] == ["ES"]
    assert facts["trading_script"] is True
    assert facts["link"] == "ready"
    assert bridge.endpoint.secret not in str(facts)


def test_what_is_told_again_is_told_once():
    """A new subscription brings everything that a bridge keeps: executions and broadcasts are known by then."""
    told: list[messages.AccountMessage] = []
    event = messages.Broadcast(symbol="ES", ts=5, provider="p", generator="g", data={"x": 1})
    with ServedBridge("ES") as bridge, following() as followed:
        followed.source.listen(told.append)
        eventually(lambda: followed.has(SNAPSHOT_ROWS))
        bridge.tell(event)
        eventually(lambda: event in told)
        followed.source.resync("ES", "wanted")
        eventually(lambda: followed.has(2 * SNAPSHOT_ROWS))
        later = messages.Broadcast(symbol="ES", ts=6, provider="p", generator="g", data={"x": 1})
        bridge.tell(later)
        eventually(lambda: later in told)
    assert told == [event, later]


def test_whoever_listened_to_an_add_on_still_does_after_a_restart():
    """The new bridge is asked once for each generator, and for nothing else that was asked of the old one."""
    wanted = messages.Listen(provider="p", generator="g", symbol="ES")
    with ServedBridge("ES", mortal=True) as before, following() as followed:
        followed.source.ask("ES", wanted).result(30)
        followed.source.ask("ES", wanted).result(30)
        followed.source.ask("ES", messages.Notify(text="hello", symbol="ES")).result(30)
        before.crash()
        with ServedBridge("ES") as after:
            eventually(lambda: after.heard(messages.Listen))
            followed.source.ask("ES", messages.CancelAll(symbol="ES")).result(30)
            assert [(one.provider, one.generator) for one in after.heard(messages.Listen)] == [("p", "g")]
            assert not after.heard(messages.Notify)


def test_a_live_source_cannot_be_sought():
    """It has no other time than now."""
    with ServedBridge("ES"), following() as followed, pytest.raises(FeedError, match="cannot be sought"):
        followed.source.seek(0)
