"""Bad inputs 1–43 of the reliability promises: each gets a clear answer, and nothing else is harmed.

Messages go over a real WebSocket: from a bridge worked by hand to our client, and from a plain client to our server.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import websockets
from websockets.sync.client import ClientConnection, connect

import workbench as wb
from tests.support.collecting import Collected
from tests.support.eventually import eventually
from tests.support.recordings import SECOND_NS, START_NS, crashed, pieces, recorder, reference
from tests.support.running_engine import RunningEngine
from tests.support.scripted_bridge import GRID, ScriptedBridge
from tests.support.serving import SECRET, ServedFeed
from workbench.errors import (
    AuthenticationError,
    DamagedError,
    DiscoveryError,
    DiskFullError,
    FeedError,
    InstrumentError,
    RecordingError,
    ReplayError,
    SchemaError,
    TooLargeError,
    WorkbenchError,
)
from workbench.events import EventBatch, EventKind, Instrument
from workbench.feeds import discovery
from workbench.feeds.addresses import bind
from workbench.feeds.client import FeedClient, Target
from workbench.feeds.upstream import UpstreamSource
from workbench.frames.arrow import MEMORY_LIMIT_BYTES, STORED_ROW_BYTES, STORED_SCHEMA
from workbench.frames.journal import journal_path
from workbench.frames.journal_reader import JournalReader
from workbench.frames.manifest import FILE_NAME
from workbench.frames.paths import inside
from workbench.frames.recorder import Recorder
from workbench.frames.recording import Recording, open_recording, write_recording
from workbench.protocol.limits import MAX_MESSAGE_BYTES
from workbench.session import Session
from workbench.session.remote import EngineLine

posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes and links are POSIX's")
KINDS = ("FULL_ORDER_BOOK", "TRADES")
INSTRUMENT = Instrument("SYN", "0.25")
DAY_NS = 86_400 * SECOND_NS


@pytest.fixture(scope="module", autouse=True)
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of our own for discovery files."""
    folder = tmp_path_factory.mktemp("runtime")
    folder.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(folder))
        yield folder


# -- 1–24: what comes over the wire ----------------------------------------------------------------------------------


class Follower:
    """A client of the bridge and what it got."""

    def __init__(self, bridge: ScriptedBridge):
        self.collected = Collected()
        self.client = FeedClient(Target(bridge.uri), self.collected.take, "follower").open()

    def follow(self) -> None:
        self.client.subscribe("SYN", KINDS)
        eventually(self.collected.snapshots)

    def trades(self) -> int:
        return sum(int((b.kind == EventKind.TRADE).sum()) for b in self.collected.batches())


@pytest.fixture
def bridge() -> Iterator[ScriptedBridge]:
    with ScriptedBridge() as scripted:
        yield scripted


@pytest.fixture
def follower(bridge: ScriptedBridge) -> Iterator[Follower]:
    following = Follower(bridge)
    with following.client:
        yield following


@pytest.fixture(scope="module")
def feed() -> Iterator[ServedFeed]:
    with ServedFeed() as served:
        yield served


@contextmanager
def plain_client(feed: ServedFeed) -> Iterator[ClientConnection]:
    """The tutorial's client: no library of ours, JSON only."""
    headers = {"Authorization": f"Bearer {SECRET}"}
    with connect(feed.uri, additional_headers=headers, proxy=None, compression=None) as client:
        assert answer(client, "WELCOME")["server"]
        yield client


def answer(client: ClientConnection, kind: str) -> dict[str, object]:
    """The next message of a type."""
    while True:
        message: dict[str, object] = json.loads(client.recv(10))
        if message["type"] == kind:
            return message


Spoil = Callable[[ScriptedBridge], str]


def field(**fields: object) -> Spoil:
    """Text of a row in which something is wrong."""
    return lambda bridge: bridge.row(**fields)


def literal(right: str, wrong: str) -> Spoil:
    """Text of a row in which a literal stands that a writer of JSON would not write."""
    return lambda bridge: bridge.row().replace(right, wrong)


BAD_MESSAGES: dict[str, tuple[Spoil, str, str]] = {
    "01 not JSON": (lambda bridge: '{"type": oops}', "bad_json", "bad_json at byte 9"),
    "02 NaN": (literal("101.0", "NaN"), "non_finite", "non_finite field=price"),
    "02 Infinity": (literal("101.0", "-Infinity"), "non_finite", "non_finite field=price"),
    "03 1e400": (literal("101.0", "1e400"), "non_finite", "non_finite field=price"),
    "04 beyond 64 bits": (field(order_id=2**64), "out_of_range", "out_of_range field=order_id"),
    "05 nested 100,000 deep": (lambda bridge: "[" * 100_000, "too_deep", "too_deep"),
    "06 lone surrogate": (field(symbol="\ud800"), "bad_text", "lone surrogate"),
    "09 missing field": (field(price=None), "missing_field", "missing field 'price' in TRADE"),
    "10 price off the grid": (
        lambda bridge: bridge.row("DEPTH", price=100.55),
        "off_grid",
        "price must be integer ticks",
    ),
    "11 bool as size": (field(size=True), "bad_type", "size must be"),
    "12 negative size": (field(size=-1), "bad_value", "size < 0"),
    "24 key twice": (literal('"size": 1', '"size": 1, "size": 2'), "duplicate_key", "duplicate key 'size'"),
}


@pytest.mark.parametrize("name", BAD_MESSAGES)
def test_bad_message_to_the_client(
    bridge: ScriptedBridge, follower: Follower, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """It is counted, the first example is kept and logged; connection and data go on as if it had not come."""
    spoil, code, phrase = BAD_MESSAGES[name]
    follower.follow()
    bridge.send_row()
    bridge.send(spoil(bridge))
    bridge.send_row()
    eventually(lambda: follower.trades() == 2)
    health = follower.client.health
    assert phrase in health.examples[code]
    assert phrase in caplog.text
    assert (health.bad_messages, health.lost, health.reconnects, health.state) == (1, 0, 0, "ready")


TO_THE_SERVER = [name for name in BAD_MESSAGES if name[:2] in ("01", "02", "03", "04", "05", "24")]


@pytest.mark.parametrize("name", TO_THE_SERVER)
def test_bad_message_to_the_server(feed: ServedFeed, bridge: ScriptedBridge, name: str) -> None:
    """It is answered with its code, and the client that sent it goes on."""
    spoil, code, phrase = BAD_MESSAGES[name]
    with plain_client(feed) as client:
        client.send(spoil(bridge))
        error = answer(client, "ERROR")
        assert error["code"] == code
        assert phrase in str(error["message"])
        client.send('{"type": "INSTRUMENTS", "request_id": 1}')
        assert answer(client, "INSTRUMENTS")["request_id"] == 1


def close_code(client: ClientConnection) -> int:
    """Code with which the server ended the connection."""
    with pytest.raises(websockets.ConnectionClosed):
        while True:
            client.recv(10)
    assert client.close_code is not None
    return client.close_code


def test_06_invalid_utf8_closes_with_1007(feed: ServedFeed) -> None:
    """Bytes that are no UTF-8 in a text message end that connection; so does an escaped lone surrogate."""
    with plain_client(feed) as client:
        client.send(b"\xff\xfe", text=True)
        assert close_code(client) == 1007
    with plain_client(feed) as client:
        client.send('{"type": "\\ud800"}')
        assert close_code(client) == 1007


def test_06_invalid_utf8_from_a_bridge(bridge: ScriptedBridge, follower: Follower) -> None:
    """The client leaves with 1007, comes back by itself and goes on."""
    follower.follow()
    bridge.send_row()
    for websocket in list(bridge._sockets):
        websocket.send(b"\xff\xfe", text=True)
    eventually(lambda: follower.client.health.reconnects == 1)
    assert bridge.close_codes == [1007]
    eventually(lambda: len(bridge.of_type("SUBSCRIBE")) == 2)
    bridge.send_row()
    eventually(lambda: follower.trades() == 2)


def test_07_frame_beyond_the_limit_closes_with_1009(feed: ServedFeed) -> None:
    """A message above 1 MiB ends that connection."""
    with plain_client(feed) as client:
        client.send(" " * (MAX_MESSAGE_BYTES + 1))
        assert close_code(client) == 1009


def test_07_frame_beyond_the_limit_from_a_bridge(bridge: ScriptedBridge, follower: Follower) -> None:
    """The client leaves with 1009, comes back by itself and goes on."""
    follower.follow()
    bridge.send(" " * (MAX_MESSAGE_BYTES + 1))
    eventually(lambda: len(bridge.of_type("SUBSCRIBE")) == 2)
    assert bridge.close_codes == [1009]
    bridge.send_row()
    eventually(lambda: follower.trades() == 1)


def test_08_unknown_type_is_counted_and_ignored(
    bridge: ScriptedBridge, follower: Follower, feed: ServedFeed, caplog: pytest.LogCaptureFixture
) -> None:
    """A newer peer may send more: unknown types are no bad messages, however many; the first is logged."""
    follower.follow()
    for _ in range(30):
        bridge.send('{"type": "foo"}')
    bridge.send_row()
    eventually(lambda: follower.trades() == 1)
    health = follower.client.health
    assert (health.unknown_messages, health.bad_messages, health.reconnects) == (30, 0, 0)
    assert caplog.text.count("unknown_type 'foo' (protocol 1.0)") == 1
    with plain_client(feed) as client:
        client.send('{"type": "foo"}')
        assert answer(client, "ERROR")["message"] == "unknown_type 'foo' (protocol 1.0)"


def test_13_sequence_backwards_is_dropped(bridge: ScriptedBridge, follower: Follower) -> None:
    """A number that was seen is a duplicate: dropped, counted, and no gap."""
    bridge.following = 57
    follower.follow()
    bridge.send_row()
    bridge.send(bridge.row(sequence=41))
    bridge.send_row()
    eventually(lambda: follower.trades() == 2)
    health = follower.client.health
    assert (health.duplicates, health.lost, health.bad_messages) == (1, 0, 0)
    assert health.examples["duplicate"] == "seq 41 after 57: duplicate dropped"


def test_14_sequence_jump_is_a_gap_and_a_resync(bridge: ScriptedBridge, follower: Follower) -> None:
    """Missing numbers are asked for again; what the feed no longer has is one GAP row of their count."""
    bridge.following = 57
    follower.follow()
    bridge.send_row()
    bridge.following = 91
    bridge.send_row()
    eventually(lambda: len(bridge.of_type("SUBSCRIBE")) == 2)
    assert bridge.of_type("SUBSCRIBE")[1]["from_sequence"] == 58
    eventually(lambda: len(follower.collected.snapshots()) == 2)
    bridge.send_row()
    eventually(lambda: follower.trades() == 2)
    reasons = [getattr(d, "reason", "") for d in follower.collected.deliveries]
    assert "gap 58–90 (33 events), resync" in reasons
    gaps = [b for b in follower.collected.batches() if b.kind[0] == EventKind.GAP]
    assert [(b.first_sequence, int(b.size[0])) for b in gaps] == [(58, 34)]  # 91 came too early to be kept
    assert follower.client.health.lost == 34


def test_15_delta_before_its_snapshot_waits_for_it(
    bridge: ScriptedBridge, follower: Follower, caplog: pytest.LogCaptureFixture
) -> None:
    """Early rows are kept; after 2 s without a snapshot that is said, asked for again, and then nothing is missing."""
    bridge.has_snapshot = False
    follower.client.subscribe("SYN", KINDS)
    eventually(lambda: bridge.of_type("SUBSCRIBE"))
    bridge.send_row()
    bridge.has_snapshot, bridge.following = True, 0  # for whoever asks again
    eventually(lambda: follower.trades() == 1)
    assert "no snapshot in 2 s" in caplog.text
    assert len(bridge.of_type("SUBSCRIBE")) == 2
    assert follower.client.health.lost == 0


def test_16_unknown_instrument_names_the_known_ones(feed: ServedFeed) -> None:
    """On the wire and in a session."""
    with plain_client(feed) as client:
        client.send('{"type": "SUBSCRIBE", "symbol": "X", "request_id": 7}')
        error = answer(client, "ERROR")
        assert (error["code"], error["request_id"]) == ("unknown_instrument", 7)
        assert error["message"] == "unknown instrument 'X'; have [SYN]"
    with (
        wb.simulate(inline=True) as session,
        pytest.raises(WorkbenchError, match="unknown instrument 'X'; have"),
    ):
        session["X"]


@pytest.mark.parametrize("symbol", ["ESZ6\n", "ESZ6\ue000", "ESZ6\0"])
def test_17_control_character_in_a_name(feed: ServedFeed, symbol: str) -> None:
    """Refused with the character and its place: on the wire, and for an instrument of one's own."""
    phrase = f"alias contains control character U+{ord(symbol[-1]):04X} at 4"
    with plain_client(feed) as client:
        client.send(json.dumps({"type": "SUBSCRIBE", "symbol": symbol}))
        assert phrase in str(answer(client, "ERROR")["message"])
    with pytest.raises(InstrumentError, match=phrase.replace("+", r"\+")):
        Instrument(symbol, "0.25")


BAD_GRIDS = {
    "18 tick size 0": ("tick_size", "0"),
    "18 tick size negative": ("tick_size", "-0.25"),
    "18 tick size NaN": ("tick_size", "NaN"),
    "19 lot size 0": ("lot_size", "0"),
}


@pytest.mark.parametrize("name", BAD_GRIDS)
def test_impossible_grid(bridge: ScriptedBridge, follower: Follower, name: str) -> None:
    """Refused with name and value: from a feed, whose client lives on, and for an instrument of one's own."""
    what, value = BAD_GRIDS[name]
    phrase = f"instrument 'SYN' has {what}={value}: refused"
    bridge.instrument = GRID | {what: value}
    follower.client.subscribe("SYN", KINDS)
    eventually(lambda: follower.client.health.bad_messages)
    assert phrase in follower.client.health.examples["bad_instrument"]
    assert follower.client.state == "ready"
    grid = {"tick_size": "1", "lot_size": "1"} | {what: value}
    with pytest.raises(InstrumentError, match=phrase):
        Instrument("SYN", **grid)  # type: ignore[arg-type]


@pytest.fixture
def live(bridge: ScriptedBridge) -> Iterator[Session]:
    """A session on an engine that relays the bridge."""
    with RunningEngine(UpstreamSource.connect(bridge.uri)) as engine:
        session = Session(EngineLine(Target.of(engine.endpoint)))
        with session:
            yield session


def test_20_crossed_book_is_stale_and_asked_for_anew(bridge: ScriptedBridge, live: Session) -> None:
    """Said with the next look; after half a second the book comes anew, and no event is lost over it."""
    eventually(lambda: live.book.best_bid == 101.0)
    bridge.send_row()
    bridge.send_row("DEPTH", side="BID", price=101.2, size=3)
    eventually(lambda: live.health.crossed)
    assert live.health.note == "crossed 101.2≥101.1, stale"
    assert live.state == "stale"
    assert "crossed" in repr(live.health)
    eventually(lambda: not live.health.crossed)
    bridge.send_row()
    eventually(lambda: len(live.trades) == 2 and live.health.resyncs == 1)
    assert (live.state, live.health.gaps, live.health.lost) == ("live", 0, 0)
    assert (live.book.best_bid, live.book.best_ask, live.book.valid) == (101.0, 101.1, True)


def test_20_crossed_book_before_an_opening_is_data(tmp_path: Path) -> None:
    """A venue's own crossed book is imported, replayed to its end and reported, not refused."""
    kind = [EventKind.CLEAR, EventKind.DEPTH, EventKind.DEPTH, EventKind.SNAPSHOT_END, EventKind.CLOCK]
    ts = START_NS + np.arange(5) * SECOND_NS
    crossed = EventBatch.of(
        ts=ts, kind=kind, side=[0, 1, -1, 0, 0], price=[0, 8, 4, 0, 0], size=[0, 1, 1, 0, 0]
    )
    recording = write_recording(tmp_path, INSTRUMENT, [crossed], source={})
    found = recording.verify()
    assert found.verdict == "DEGRADED"
    assert "book crossed for 1.000 s" in found.reasons[0]
    with wb.replay(recording, inline=True) as session:
        session.until()
        assert (session.state, session.health.events) == ("ended", 5)
        assert session.health.note == "crossed 2.00≥1.00, stale"


def test_21_impossible_time_is_suspect_and_kept(bridge: ScriptedBridge, live: Session) -> None:
    """1970 and tomorrow's tomorrow are counted in health; every event stays, and a later one is no seek."""
    for ts in (START_NS, 0, time.time_ns() + 2 * DAY_NS, START_NS):
        bridge.ts = ts
        bridge.send_row()
    eventually(lambda: len(live.trades) == 4)
    health = live.health
    assert (health.clock_suspect, health.state, health.lost) == (2, "live", 0)
    assert health.note.startswith("clock_suspect: 2 events, the first stamped 1970-01-01T00:00:00")


def test_21_impossible_time_in_a_recording(tmp_path: Path) -> None:
    """verify() says it; the recording stays usable."""
    recording = write_recording(
        tmp_path, INSTRUMENT, [EventBatch.of(ts=5, kind=EventKind.TRADE, size=1)], source={}
    )
    found = recording.verify()
    assert (found.verdict, recording.count) == ("DEGRADED", 1)
    assert any(reason.startswith("clock_suspect: 1 events") for reason in found.reasons)


def test_22_other_major_version(bridge: ScriptedBridge, feed: ServedFeed) -> None:
    """Both sides say who speaks what and close with 1002; the client does not try again."""
    bridge.version = "2.0"
    with pytest.raises(FeedError, match="bridge speaks 2, workbench 1: pip install -U") as caught:
        Follower(bridge)
    assert caught.value.code == "version"
    eventually(lambda: bridge.close_codes == [1002])
    with plain_client(feed) as client:
        client.send(json.dumps({"type": "LOGIN", "token": SECRET, "version": "2.0"}))
        assert "bridge speaks 1, workbench 2" in str(answer(client, "ERROR")["message"])
        assert close_code(client) == 1002


def test_23_subscribing_twice_changes_nothing(
    bridge: ScriptedBridge, follower: Follower, feed: ServedFeed
) -> None:
    """The client asks once; the server answers a repetition and begins nothing anew."""
    follower.follow()
    follower.client.subscribe("SYN", KINDS)
    bridge.send_row()
    eventually(lambda: follower.trades() == 1)
    assert len(bridge.of_type("SUBSCRIBE")) == 1
    with plain_client(feed) as client:
        client.send('{"type": "SUBSCRIBE", "symbol": "SYN"}')
        assert answer(client, "SUBSCRIBED")["snapshot"] is True
        client.send('{"type": "SUBSCRIBE", "symbol": "SYN"}')
        assert answer(client, "SUBSCRIBED")["snapshot"] is False


# -- 25–31: connections and logins -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine() -> Iterator[RunningEngine]:
    """One engine for everything that only asks who is there."""
    from tests.support.synthetic import SyntheticSource

    with RunningEngine(SyntheticSource()) as running:
        yield running


def test_25_wrong_token_names_file_and_start(engine: RunningEngine) -> None:
    """The refusal says how old the file is and when the bridge began, and no token."""
    now = engine.endpoint
    old = replace(now, secret="canary-of-yesterday", started_ns=now.started_ns - DAY_NS // 24)
    with pytest.raises(AuthenticationError) as caught:
        FeedClient(Target.of(old), lambda _: None).open()
    clock = time.strftime("%H:%M:%S", time.localtime(now.started_ns // SECOND_NS))
    before = time.strftime("%H:%M:%S", time.localtime(old.started_ns // SECOND_NS))
    port = now.uri.split(":")[2].removesuffix("/v1")
    assert (
        f"token rejected by bridge on 127.0.0.1:{port} "
        f"(file {now.path} is from {before}, bridge started {clock}: restart or reload)"
    ) in str(caught.value)
    assert "canary" not in str(caught.value)


@posix_only
@pytest.mark.parametrize("by_address", [False, True])
def test_26_token_file_that_others_may_read(engine: RunningEngine, by_address: bool) -> None:
    """It is not used, and not passed over in silence either."""
    path = engine.endpoint.path
    assert path is not None
    path.chmod(0o644)
    try:
        with pytest.raises(DiscoveryError, match="readable by others: chmod 600"):
            wb.connect(engine.endpoint.uri if by_address else None)
    finally:
        path.chmod(0o600)


def test_27_no_bridge() -> None:
    """The address, and what to start."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(FeedError, match=f"nothing listens on 127.0.0.1:{port}") as caught:
        wb.connect(f"ws://127.0.0.1:{port}/v1")
    assert "Start the Bookmap add-on or simulator" in str(caught.value)
    assert caught.value.code == "no_feed"


def test_28_port_in_use_names_the_process() -> None:
    """Who has it, where the system tells."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(FeedError, match=f"port {port} is in use") as caught:
            bind(("127.0.0.1",), port)
    if Path("/proc/net/tcp").exists():
        assert f"by process {os.getpid()}" in str(caught.value)


def test_29_something_else_on_the_port() -> None:
    """A web server is not a bridge."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve_page() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

        threading.Thread(target=serve_page, daemon=True).start()
        with pytest.raises(FeedError, match="not a workbench bridge"):
            wb.connect(f"ws://127.0.0.1:{port}/v1")


def test_30_another_machine_without_tls() -> None:
    """Refused before a byte leaves."""
    with pytest.raises(FeedError, match="non-loopback needs tls"):
        wb.connect("ws://192.168.1.7:8765/v1")


def test_31_two_bridges(engine: RunningEngine) -> None:
    """Both are listed, and the user is asked which."""
    other = discovery.publish(replace(engine.endpoint, identity="other", uri="ws://127.0.0.1:9/v1"))
    try:
        with pytest.raises(DiscoveryError, match="2 feeds are running") as caught:
            wb.connect()
    finally:
        discovery.withdraw(other)
    assert engine.endpoint.uri in str(caught.value)
    assert "Say which: wb.connect(uri)" in str(caught.value)


# -- 32–43: recordings and replay ------------------------------------------------------------------------------------

EVENTS = reference(308)  # with its opening snapshot 320 rows: eight batches of 40


def recorded(folder: Path, events: EventBatch = EVENTS, symbol: str = "SYN") -> Recording:
    """A closed recording."""
    return write_recording(folder, Instrument(symbol, "0.25"), [events], source={})


def test_32_parquet_without_its_footer(tmp_path: Path) -> None:
    """It was not finished: 0 rows and what to do, and no wrong row."""
    path = recorded(tmp_path).path
    file = path / "events-0000.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    recording = open_recording(path)
    with pytest.raises(DamagedError, match=r"not finished \(no footer\), 0 rows") as caught:
        recording.events().collect()
    assert caught.value.action
    assert recording.verify().verdict == "INVALID"


def test_33_journal_without_its_tail(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Everything before the cut is there; what is missing is told with its numbers."""
    path = crashed(tmp_path, pieces(EVENTS, 40))
    entry = JournalReader.open(path).entries[-2]
    data = journal_path(path, 0)
    data.write_bytes(data.read_bytes()[: entry.offset + 10])
    recording = open_recording(path)
    phrase = "last 80 events unreadable (seq 240–319)"
    assert phrase in recording.manifest.warnings
    assert phrase in caplog.text
    assert recording.events().collect().height == 240 + 2  # the loss, and that nobody closed it
    assert recording.gaps["lost"].to_list() == [80, -1]
    assert "warnings" in repr(recording)


def test_34_journal_with_a_flipped_bit(tmp_path: Path) -> None:
    """The damaged batch is skipped and named, its neighbours are exact."""
    path = crashed(tmp_path, pieces(EVENTS, 40))
    entry = JournalReader.open(path).entries[2]
    data = journal_path(path, 0)
    content = bytearray(data.read_bytes())
    content[entry.offset + entry.length // 2] ^= 1
    data.write_bytes(content)
    recording = open_recording(path)
    assert f"batch {entry.number} damaged, seq 80–119 skipped" in recording.manifest.warnings[0]
    rows = list(recording.batches())
    assert EventBatch.concatenate(rows[:2]) == EVENTS[:80]
    assert (int(rows[2].size[0]), rows[3].first_sequence) == (40, 120)


def test_35_recording_of_a_newer_version(tmp_path: Path) -> None:
    """It says what wrote it and what this is."""
    path = recorded(tmp_path).path
    document = json.loads((path / FILE_NAME).read_text()) | {"version": 3, "software": "workbench 3.1"}
    (path / FILE_NAME).write_text(json.dumps(document))
    with pytest.raises(
        SchemaError, match=r"was written by workbench 3\.1, recording version 3; expected version 1"
    ):
        open_recording(path)


def test_36_bomb(tmp_path: Path) -> None:
    """What would not fit is refused before it is unpacked, unless it is wanted."""
    path = recorded(tmp_path).path
    rows = MEMORY_LIMIT_BYTES // STORED_ROW_BYTES + 1
    nothing = pa.py_buffer(np.zeros(rows, np.int64))
    columns = [pa.Array.from_buffers(kind, rows, [None, nothing]) for kind in STORED_SCHEMA.types]
    table = pa.Table.from_arrays(columns, schema=STORED_SCHEMA)
    bomb = path / "events-0000.parquet"
    pq.write_table(table, bomb, row_group_size=rows, compression="zstd", use_dictionary=True)
    assert bomb.stat().st_size < 2**20
    with pytest.raises(TooLargeError, match=r"would need 512 MiB \(limit 512 MiB\)") as caught:
        open_recording(path).events().head(1).collect()
    assert "allow_large=True" in str(caught.value)
    assert open_recording(path, allow_large=True).events().head(1).collect().height == 1


@posix_only
def test_37_path_out_of_the_recording(tmp_path: Path) -> None:
    """Names that climb and links that lead elsewhere are refused."""
    path = recorded(tmp_path).path
    for name in ("..", "../x", "a/b", "a\\b", "C:x", "", "a\0b"):
        with pytest.raises(RecordingError) as refused:
            inside(path, name)
        assert refused.value.code == "outside_root"
    file = path / "events-0000.parquet"
    file.rename(tmp_path / "elsewhere.parquet")
    file.symlink_to(tmp_path / "elsewhere.parquet")
    with pytest.raises(RecordingError, match="is a symbolic link"):
        open_recording(path).events().collect()
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(RecordingError, match="is a symbolic link"):
        open_recording(tmp_path / "link")


def test_38_little_room_on_the_disk(tmp_path: Path) -> None:
    """A recorder does not start what it could not finish; the default asks for 1 GiB."""
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(DiskFullError, match=rf"refuse to start, \d+\.\d GiB free on {tmp_path}") as caught:
        Recorder(tmp_path, INSTRUMENT, source={}, session="s", minimum_free=2 * free)
    assert caught.value.code == "disk_full"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("speed", [0, -1, math.nan, "fast"])
def test_39_replay_speed_that_makes_no_sense(tmp_path: Path, speed: float | str) -> None:
    """Refused with the value and what is allowed."""
    with pytest.raises(ReplayError, match=f"replay speed {speed!r}; expected a positive number"):
        wb.replay(recorded(tmp_path), speed, inline=True)


def test_40_empty_recording(tmp_path: Path) -> None:
    """It opens and says ``no events``, whatever is asked of it."""
    recording = recorded(tmp_path, EventBatch.empty())
    assert repr(recording) == "Recording(SYN, no events)"
    assert recording.events().collect().height == 0
    with pytest.raises(RecordingError, match="no events"):
        recording.start  # noqa: B018
    with pytest.raises(ReplayError, match="no events"):
        wb.replay(recording, inline=True)


def test_41_two_instruments_with_one_file_name(tmp_path: Path) -> None:
    """Each name gets a place of its own, on any file system."""
    names = ["a:b", "a/b", "A/B", "a-b", "é", "e\u0301"]
    recorders = [recorder(tmp_path, symbol=name) for name in names]
    for each in recorders:
        each.append(EVENTS)
    closed = [each.close() for each in recorders]
    assert len({str(r.path).lower() for r in closed}) == len(names)
    assert [open_recording(r.path).instrument.symbol for r in closed] == names


def test_42_two_recordings_of_one_time(tmp_path: Path) -> None:
    """They are not mixed: the seconds they share are told, and both places."""
    first = reference(20, SECOND_NS)
    shifted = EventBatch.trusted((first.ts + 8 * SECOND_NS, *first.columns[1:]), 0)
    one, other = recorded(tmp_path, first), recorded(tmp_path, shifted)
    with pytest.raises(RecordingError, match="overlap 12 s, choose session") as caught:
        wb.replay([one, other], inline=True)
    assert str(one.path) in str(caught.value)
    assert str(other.path) in str(caught.value)


def test_43_end_before_start(tmp_path: Path) -> None:
    """Refused with both times: for a replay and for a part of a recording."""
    recording = recorded(tmp_path)
    with pytest.raises(ReplayError, match=r"end .* before start"):
        wb.replay(recording, start="200ms", end="100ms", inline=True)
    with pytest.raises(RecordingError, match=r"end .* before start"):
        recording.events(START_NS + 2, START_NS + 1)
