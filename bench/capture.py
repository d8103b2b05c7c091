"""Capture: binary frames become live book, journal on disk and Polars frames, against the official add-on client.

Frames of 100 and of 1,000 events of a real BTCUSDT futures session are decoded, followed by sequence number, appended to
the live columns, applied to the book and journalled, flushed every 20,000 events (50 ms at 400,000 events a second).
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench.harness import BINANCE_BTC, ROOT, Context, Timing, goal, timing
from bench.storage import imported, tiled
from workbench.events import EventBatch, Instrument
from workbench.feeds.client import Delivery, FeedClient
from workbench.feeds.target import Target
from workbench.feeds.transport import READ_BYTES
from workbench.frames.capture import Capture
from workbench.frames.recorder import Recorder
from workbench.protocol import limits
from workbench.protocol.codec import decode_frame, encode_batch
from workbench.protocol.decoding import encode
from workbench.protocol.messages import Subscribed, Welcome
from workbench.protocol.notices import MarketData
from workbench.protocol.runs import join_run, runs

TILES = 4
FRAME_ROWS = (100, 1_000)
FLUSH_ROWS = 20_000
SUSTAINED_RATE = 400_000
SUSTAINED_SECONDS = 60
CLIENT_EVENTS = 40_000

# A feed that says what ours says and then sends frames, made beforehand, as fast as the client takes them.
SERVER = """
import json, sys, websockets.sync.server as s
texts, data = json.loads(sys.argv[1]), open(sys.argv[2], "rb").read()
def handler(peer):
    peer.send(texts[0])
    while json.loads(peer.recv())["type"] != "SUBSCRIBE": pass
    peer.send(texts[1])
    peer.socket.sendall(data)
    for _ in peer: pass
options = {"compression": None, "subprotocols": [sys.argv[3]], "ping_interval": None}
with s.serve(handler, "127.0.0.1", 0, **options) as server:
    print(server.socket.getsockname()[1], flush=True)
    server.serve_forever()
"""

# The official client against a server that sends depth lines as fast as they are taken.
OFFICIAL = """
import json, os, socket, sys, threading, time
count = int(sys.argv[1])
listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
if not os.fork():
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever waits for our output must not wait for this process
    listener.settimeout(60)
    peer, _ = listener.accept()
    line = "\\ue000".join
    data = "".join(line(("8", "BTCUSDT", str(i % 2), str(618000 + i % 977), str(i % 5000))) + "\\n" for i in range(count))
    peer.sendall(data.encode())
    while peer.recv(1 << 16): pass
    os._exit(0)
sys.argv[1:] = [str(port)]
import bookmap as bm, bookmap.bookmap as inner
addon = bm.create_addon()
seen, done = [], threading.Event()
def on_depth(addon, alias, is_bid, price, size):
    seen.append((is_bid, price, size))
    if len(seen) == count: done.set()
inner._add_event_handler(addon, inner.DEPTH, on_depth)
start = time.process_time()
bm.start_addon(addon, lambda *a: None, lambda *a: None)
done.wait(100)
print(json.dumps({"seconds": time.process_time() - start, "seen": len(seen)}), flush=True)
os._exit(0)
"""


def run(context: Context) -> dict[str, Any]:
    """Pipeline in memory, over a websocket, at a steady rate; and the official client."""
    recording = imported(context, [BINANCE_BTC], "binance-futures")
    pipeline = Pipeline(context.scratch / "live", recording.instrument)
    timings: dict[str, Timing] = {}
    for size in FRAME_ROWS:
        batches = [b[k : k + size] for b in tiled(recording, TILES) for k in range(0, len(b), size)]
        timings |= measured(context, pipeline, batches, f"{size:,} rows a frame")
    rows = sum(map(len, batches))
    client = timing([official() for _ in range(3)])
    share = sustained(context, recording.instrument, list(tiled(recording, TILES)))
    return report(timings, rows, client, share)


def measured(context: Context, pipeline: Pipeline, batches: list[EventBatch], size: str) -> dict[str, Timing]:
    """Every way from frames to books, for frames of one size."""
    frames = [encode_batch(batch, 1, 0) for batch in batches]
    check(pipeline.run(arriving(frames)), batches)
    cases = {
        f"frames, a read at a time → book, columns, journal; {size}": lambda: pipeline.run(arriving(frames)),
        f"frames, one by one → book, columns, journal; {size}": lambda: pipeline.run(one_by_one(frames)),
        f"frames, a read at a time → book, columns; {size}": lambda: in_memory(pipeline.instrument, frames),
    }
    timings = context.measure(cases, rounds=min(context.rounds, 5))
    name = f"websocket → book, columns, journal; {size}"
    timings[name] = timing([over_websocket(context, pipeline, batches) for _ in range(5)])
    return timings


def arriving(frames: list[bytes]) -> Iterator[EventBatch]:
    """What the reader makes of frames that arrive as fast as it reads: each read brings as many as fit."""
    step = max(1, READ_BYTES // len(frames[0]))
    for start in range(0, len(frames), step):
        for run in runs(frames[start : start + step]):
            assert isinstance(run, list)
            yield decode_frame(join_run(run) if len(run) > 1 else run[0]).batch


def one_by_one(frames: list[bytes]) -> Iterator[EventBatch]:
    """Frames so far apart that each arrives alone."""
    return (decode_frame(frame).batch for frame in frames)


class Pipeline:
    """What the engine does with a feed: capture and record."""

    def __init__(self, place: Path, instrument: Instrument):
        self.place, self.instrument = place, instrument
        self.number = 0

    def start(self, keep_rows: int | None = None) -> Sink:
        self.number += 1
        recorder = Recorder(self.place, self.instrument, source={}, session=f"s{self.number}", minimum_free=0)
        return Sink(Capture(self.instrument, keep_rows=keep_rows), recorder)

    def run(self, batches: Iterable[EventBatch]) -> Sink:
        sink = self.start()
        for batch in batches:
            sink.take(batch)
        sink.finish()
        return sink


class Sink:
    """Live book, columns and journal of one instrument."""

    def __init__(self, capture: Capture, recorder: Recorder):
        self.capture, self.recorder = capture, recorder
        self.rows = self.waiting = 0

    def take(self, batch: EventBatch) -> None:
        self.capture.apply(batch)
        self.recorder.append(batch)
        self.rows += len(batch)
        self.waiting += len(batch)
        if self.waiting >= FLUSH_ROWS:
            self.recorder.flush()
            self.waiting = 0

    def finish(self) -> None:
        self.recorder.flush()
        self.capture.trades_frame()
        self.capture.events_frame()


def in_memory(instrument: Instrument, frames: list[bytes]) -> Capture:
    capture = Capture(instrument)
    for batch in arriving(frames):
        capture.apply(batch)
    return capture


def check(sink: Sink, batches: list[EventBatch]) -> None:
    """Every event arrived in the columns and in the journal, none twice."""
    whole = EventBatch.concatenate(batches)
    assert sink.capture.events_frame().equals(whole.to_polars())
    assert EventBatch.concatenate(sink.recorder.close().batches()) == whole


def over_websocket(context: Context, pipeline: Pipeline, batches: list[EventBatch]) -> float:
    """CPU seconds of the receiving process, all its threads; the server is another process."""
    rows = sum(map(len, batches))
    with serving(context, pipeline.instrument, batches) as server:
        assert server.stdout is not None
        uri = f"ws://127.0.0.1:{int(server.stdout.readline())}/v1"
        start = time.process_time()
        sink = received(uri, pipeline, rows)
        seconds = time.process_time() - start
        server.kill()
    assert sink.rows == sink.capture.events == rows
    assert not sink.capture.lost
    assert sink.recorder.acknowledged == batches[-1].next_sequence
    return seconds


def serving(context: Context, instrument: Instrument, batches: list[EventBatch]) -> subprocess.Popen[str]:
    """A feed in a process of its own."""
    frames = [encode_batch(b, 1, 0) for b in batches]
    path = context.scratch / "frames"
    path.write_bytes(b"".join(websocket_message(frame) for frame in frames))
    welcome = Welcome(limits.PROTOCOL_VERSION, "bench", "bench", limits.HEARTBEAT_NS // 10**6, True, {})
    first = batches[0].first_sequence
    kinds = ["FULL_ORDER_BOOK", "TRADES"]
    subscribed = Subscribed(instrument.symbol, 1, kinds, first, False, instrument.to_dict())
    texts = json.dumps([encode(welcome), encode(subscribed)])
    command = [sys.executable, "-c", SERVER, texts, str(path), limits.BINARY_SUBPROTOCOL]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def websocket_message(frame: bytes) -> bytes:
    """A whole binary message of a server (RFC 6455, 5.2)."""
    length = len(frame)
    head = (
        struct.pack(">BBH", 0x82, 126, length) if length < 65_536 else struct.pack(">BBQ", 0x82, 127, length)
    )
    return (head if length > 125 else struct.pack(">BB", 0x82, length)) + frame


def received(uri: str, pipeline: Pipeline, rows: int) -> Sink:
    """All rows of a feed through our own client, as a session receives them."""
    sink, done = pipeline.start(), threading.Event()

    def deliver(delivery: Delivery) -> None:
        if isinstance(delivery, MarketData):
            sink.take(delivery.batch)
            if sink.rows >= rows:
                done.set()

    with FeedClient(Target(uri), deliver) as client:
        client.subscribe(pipeline.instrument.symbol, ("FULL_ORDER_BOOK", "TRADES"))
        assert done.wait(120), client.health
    sink.finish()
    return sink


def official() -> float:
    """CPU seconds of the official client for its events, in a process of its own."""
    answer = subprocess.run(
        [sys.executable, "-c", OFFICIAL, str(CLIENT_EVENTS)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    plain = json.loads(answer.stdout.splitlines()[-1])
    assert plain["seen"] == CLIENT_EVENTS
    return float(plain["seconds"])


def sustained(context: Context, instrument: Instrument, batches: list[EventBatch]) -> float:
    """Share of a core for a minute at a steady rate in frames of 100 rows, recording included; nothing may be lost."""
    frames = [encode_batch(b[k : k + 100], 1, 0) for b in batches for k in range(0, len(b), 100)]
    sink = Pipeline(context.scratch / "steady", instrument).start(keep_rows=2_000_000)
    per_tick = SUSTAINED_RATE // 20 // 100
    start, wall, position = time.process_time(), time.monotonic(), 0
    for tick in range(SUSTAINED_SECONDS * 20):
        time.sleep(max(0.0, wall + tick * 0.05 - time.monotonic()))
        first = tick * per_tick % (len(frames) - per_tick)
        for batch in arriving(frames[first : first + per_tick]):
            numbered = EventBatch.trusted(batch.columns, position)
            sink.take(numbered)
            position = numbered.next_sequence
        sink.recorder.flush()
    elapsed = time.monotonic() - wall
    share = (time.process_time() - start) / elapsed
    assert sink.capture.events == sink.rows == sink.recorder.acknowledged
    assert sink.rows >= 0.95 * SUSTAINED_RATE * SUSTAINED_SECONDS
    return share


def report(timings: dict[str, Timing], rows: int, client: Timing, share: float) -> dict[str, Any]:
    names = {name: t.rate(rows) for name, t in timings.items()}
    peer = client.rate(CLIENT_EVENTS)
    table = [[name, *(round(r / 1e6, 3) for r in rates)] for name, rates in names.items()]
    table.append(["official client, depth handler appending to a list", *(round(r / 1e6, 3) for r in peer)])
    sockets = [rates for name, rates in names.items() if name.startswith("websocket")]
    goals = [
        goal(f"websocket to book, columns, journal; {size:,} rows a frame", measured=best / 1e6, floor=2.0,
             unit="M events/s")
        for size, (best, _) in zip(FRAME_ROWS, sockets)
    ]  # fmt: skip
    goals += [
        goal(f"against the official client; {size:,} rows a frame", measured=median / peer[1], floor=10.0)
        for size, (_, median) in zip(FRAME_ROWS, sockets)
    ]
    goals.append(
        goal(
            "a minute at 400,000 events/s", measured=100 * share, floor=40.0, unit="% of a core", at_most=True
        )
    )
    return {
        "title": "Capture",
        "text": (
            f"{rows / 1e6:.1f} M events, received by the client a session uses from a feed in another process: decoded, "
            "followed by number, appended to live columns, applied to the book, journalled with checksums; checked to "
            "arrive complete, none lost. Frames that arrive in one read of the socket are taken as one; at low rates "
            "each arrives alone (one by one), at a cost that does not matter there. An engine sends up to 50 ms in a "
            "frame. The official client only splits lines and calls a handler that appends to a list."
        ),
        "goals": goals,
        "tables": [
            {"caption": "Million events per CPU second", "columns": ["case", "best", "median"], "rows": table}
        ],
    }
