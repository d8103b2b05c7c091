"""Capture: binary frames become live book, journal on disk and Polars frames, against the official add-on client.

Each frame holds 100 events of a real BTCUSDT futures session and is decoded, followed by sequence number, appended to the
live columns, applied to the book and journalled, flushed every 20,000 events (50 ms at 400,000 events a second).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.harness import BINANCE_BTC, ROOT, Context, goal, timing
from bench.storage import imported, tiled
from workbench.events import EventBatch, Instrument
from workbench.frames.capture import Capture
from workbench.frames.recorder import Recorder
from workbench.protocol.codec import decode_frame, encode_batch

TILES = 4
FRAME_ROWS = 100
FLUSH_ROWS = 20_000
SUSTAINED_RATE = 400_000
SUSTAINED_SECONDS = 60
CLIENT_EVENTS = 40_000

SERVER = """
import sys, websockets.sync.server as s
frames = open(sys.argv[1], "rb").read()
size = int(sys.argv[2])
pieces = [frames[k:k + size] for k in range(0, len(frames), size)]
def handler(peer):
    for piece in pieces: peer.send(piece)
with s.serve(handler, "127.0.0.1", 0, compression=None) as server:
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
    batches = [b[k : k + FRAME_ROWS] for b in tiled(recording, TILES) for k in range(0, len(b), FRAME_ROWS)]
    frames = [encode_batch(batch, 1, 0) for batch in batches]
    rows = sum(map(len, batches))
    pipeline = Pipeline(context.scratch / "live", recording.instrument)
    check(pipeline.run(frames), batches)
    cases = {
        "frames → book, columns, journal": lambda: pipeline.run(frames),
        "frames → book, columns": lambda: in_memory(recording.instrument, frames),
    }
    timings = context.measure(cases, rounds=min(context.rounds, 5))
    timings["websocket → book, columns, journal"] = timing(
        [over_websocket(context, pipeline, batches) for _ in range(3)]
    )
    client = timing([official() for _ in range(3)])
    share = sustained(context, recording.instrument, frames)
    return report(timings, rows, client, share)


class Pipeline:
    """What the engine does with a feed: capture and record."""

    def __init__(self, place: Path, instrument: Instrument):
        self.place, self.instrument = place, instrument
        self.number = 0

    def start(self, keep_rows: int | None = None) -> tuple[Capture, Recorder]:
        self.number += 1
        recorder = Recorder(self.place, self.instrument, source={}, session=f"s{self.number}", minimum_free=0)
        return Capture(self.instrument, keep_rows=keep_rows), recorder

    def run(self, frames: Iterable[bytes | str]) -> tuple[Capture, Recorder]:
        capture, recorder = self.start()
        waiting = 0
        for frame in frames:
            batch = decode_frame(frame).batch
            capture.apply(batch)
            recorder.append(batch)
            waiting += len(batch)
            if waiting >= FLUSH_ROWS:
                recorder.flush()
                waiting = 0
        recorder.flush()
        capture.trades_frame()
        capture.events_frame()
        return capture, recorder


def in_memory(instrument: Instrument, frames: list[bytes]) -> Capture:
    capture = Capture(instrument)
    for frame in frames:
        capture.apply(decode_frame(frame).batch)
    return capture


def check(result: tuple[Capture, Recorder], batches: list[EventBatch]) -> None:
    """Every event arrived in the columns and in the journal, none twice."""
    capture, recorder = result
    whole = EventBatch.concatenate(batches)
    assert capture.events_frame().equals(whole.to_polars())
    assert EventBatch.concatenate(recorder.close().batches()) == whole


def over_websocket(context: Context, pipeline: Pipeline, batches: list[EventBatch]) -> float:
    """CPU seconds of the receiving process alone; the server is another process."""
    from websockets.sync.client import connect

    full = [encode_batch(b, 1, 0) for b in batches if len(b) == FRAME_ROWS]
    path = context.scratch / "frames"
    path.write_bytes(b"".join(full))
    command = [sys.executable, "-c", SERVER, str(path), str(len(full[0]))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        start = time.process_time()
        with connect(f"ws://127.0.0.1:{port}", compression=None, proxy=None, max_size=None) as peer:
            capture, _ = pipeline.run(peer)
        seconds = time.process_time() - start
        server.kill()
    assert capture.counts.get("GAP", 0) == len(set_of_cuts(batches))
    # As if all rows had come: the few short frames were left out.
    return seconds * sum(map(len, batches)) / (len(full) * FRAME_ROWS)


def set_of_cuts(batches: list[EventBatch]) -> set[int]:
    """Where short frames were left out: each shows as one gap, unless nothing follows."""
    short = [k for k, b in enumerate(batches) if len(b) != FRAME_ROWS]
    return {k for k in short if any(len(b) == FRAME_ROWS for b in batches[k + 1 :]) and k - 1 not in short}


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


def sustained(context: Context, instrument: Instrument, frames: list[bytes]) -> float:
    """Share of a core for a minute at a steady rate, recording included; nothing may be lost."""
    capture, recorder = Pipeline(context.scratch / "steady", instrument).start(keep_rows=2_000_000)
    per_tick = SUSTAINED_RATE // 20 // FRAME_ROWS
    start, wall, sent, position = time.process_time(), time.monotonic(), 0, 0
    for tick in range(SUSTAINED_SECONDS * 20):
        time.sleep(max(0.0, wall + tick * 0.05 - time.monotonic()))
        for k in range(per_tick):
            batch = decode_frame(frames[(tick * per_tick + k) % len(frames)]).batch
            numbered = EventBatch.trusted(batch.columns, position)
            capture.apply(numbered)
            recorder.append(numbered)
            position = numbered.next_sequence
            sent += len(numbered)
        recorder.flush()
    elapsed = time.monotonic() - wall
    share = (time.process_time() - start) / elapsed
    assert capture.events == sent == recorder.acknowledged
    assert sent >= 0.95 * SUSTAINED_RATE * SUSTAINED_SECONDS
    return share


def report(timings: Any, rows: int, client: Any, share: float) -> dict[str, Any]:
    names = {name: t.rate(rows) for name, t in timings.items()}
    peer = client.rate(CLIENT_EVENTS)
    table = [[name, *(round(r / 1e6, 3) for r in rates)] for name, rates in names.items()]
    table.append(["official client, depth handler appending to a list", *(round(r / 1e6, 3) for r in peer)])
    memory, socket = names["frames → book, columns, journal"], names["websocket → book, columns, journal"]
    return {
        "title": "Capture",
        "text": (
            f"{rows / 1e6:.1f} M events in frames of {FRAME_ROWS}: decoded, appended to live columns, applied to the "
            "book, journalled with checksums; checked to arrive complete in both. The official client only splits "
            "lines and calls a handler that appends to a list."
        ),
        "goals": [
            goal(
                "frames to book, columns and journal", measured=memory[0] / 1e6, floor=2.0, unit="M events/s"
            ),
            goal("the same from a websocket", measured=socket[0] / 1e6, floor=2.0, unit="M events/s"),
            goal("against the official client", measured=socket[1] / peer[1], floor=10.0),
            goal(
                "a minute at 400,000 events/s",
                measured=100 * share,
                floor=40.0,
                unit="% of a core",
                at_most=True,
            ),
        ],
        "tables": [
            {"caption": "Million events per CPU second", "columns": ["case", "best", "median"], "rows": table}
        ],
    }
