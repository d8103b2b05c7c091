"""The bridge: Bookmap's lines become events and orders become lines, against the official add-on client.

A process of its own plays Bookmap's end of the socket and sends a real BTCUSDT futures session (depth, trades,
intervals) as fast as it is taken. Compared is the CPU time of the receiving process, all its threads, from the first
line to the last event.
"""

from __future__ import annotations

import contextlib
import gc
import math
import os
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.harness import BINANCE_BTC, Context, Timing, goal, timing
from bench.storage import imported
from bench.wire.bridge_side import (
    delays,
    orders_through_bridge,
    orders_through_engine,
    through_bridge,
)
from bench.wire.flow import HERE, Flow, Program, bookmap_side, receiving
from bench.wire.memory import Feed

PEER_ROUNDS = 3
TILES = 4
FLOW = "20000 1"
ORDER_SECONDS, ORDER_PAUSE_S, ORDER_ROUNDS = 30, 0.11, 3
HANDLER_US = (0, 50)
STEAL = 7  # of the eight numbers of /proc/stat

OFFICIAL = "official client, a handler call an event"
HANDLERS = "ours, a handler call an event"
FEED = "ours, batches into the feed, one client"
SPREAD = " (all cores)"
"""Behind a receiver's name: sender, receiver and client each run where they like, as they do outside a benchmark."""
DIRECT = "a client of the bridge"
SESSION = "a session, through the engine"


def run(context: Context) -> dict[str, Any]:
    """Receivers beside each other; then orders while events flow in."""
    os.environ["WORKBENCH_RUNTIME_DIR"] = str(context.scratch)
    os.environ["WORKBENCH_STATE_DIR"] = str(context.scratch / "state")
    recording = imported(context, [BINANCE_BTC], "binance-futures")
    flow = Flow.of(recording, context.scratch / "lines")
    timings = received(context, flow) | in_memory(context, flow)
    gc.collect()
    gc.freeze()  # whoever asks here holds whole sessions; a client does not, and its collector has nothing to walk through
    with all_cores():
        orders = {
            f"official client, handlers of {us} µs": [round_of(lambda us=us: official_orders(flow, us))]
            for us in HANDLER_US
        }
        orders |= ordered(flow)
    return report(timings, flow, orders)


def ordered(flow: Flow) -> dict[str, list[Round]]:
    """Ways of an order, round-robin: what the machine's owner takes away meanwhile hits one of them, or all."""
    cases: dict[str, Callable[[], list[float]]] = {
        "bound: a bare socket": lambda: bare_orders(flow),
        DIRECT: lambda: orders_through_bridge(flow, ORDER_SECONDS, ORDER_PAUSE_S, FLOW),
        SESSION: lambda: orders_through_engine(flow, ORDER_SECONDS, ORDER_PAUSE_S, FLOW),
    }
    rounds: dict[str, list[Round]] = {name: [] for name in cases}
    for _ in range(ORDER_ROUNDS):
        for name, case in cases.items():
            rounds[name].append(round_of(case))
    return rounds


class Round(NamedTuple):
    """Delays of one round, and the share of the machine's time that its host gave to others meanwhile.

    Parameters
    ----------
    delays : list of float
        Milliseconds.
    stolen : float
        0 to 1; NaN where the system does not say.
    """

    delays: list[float]
    stolen: float

    @property
    def p99(self) -> float:
        """99th percentile, milliseconds."""
        return quantiles(self.delays)[1]


def round_of(case: Callable[[], list[float]]) -> Round:
    """One round, with the time that was stolen from it."""
    before = cpu_times()
    delays = case()
    spent = [end - begin for begin, end in zip(before, cpu_times())]
    return Round(delays, spent[STEAL] / sum(spent) if sum(spent) else math.nan)


def cpu_times() -> list[int]:
    """Jiffies of all cores, by what they were spent on; empty where the system does not say."""
    try:
        return [int(word) for word in Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:9]]
    except OSError:
        return []


def received(context: Context, flow: Flow) -> dict[str, Timing]:
    """CPU seconds of one session for every receiver in a process of its own, round-robin."""
    cases: dict[str, Callable[[], float]] = {
        OFFICIAL: lambda: receiving(flow, "official.py", flow.lines),
        HANDLERS: lambda: receiving(flow, "handlers.py", flow.lines),
        FEED: lambda: through_bridge(flow, TILES) / TILES,
        "bound: recv": lambda: receiving(flow, "bound.py", flow.size, "recv"),
        "bound: recv and copy": lambda: receiving(flow, "bound.py", flow.size, "copy"),
        "bound: recv and cut into lines": lambda: receiving(flow, "bound.py", flow.size, "cut"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in [*cases, OFFICIAL + SPREAD, FEED + SPREAD]}
    for _ in range(min(context.rounds, PEER_ROUNDS)):
        for name, case in cases.items():
            seconds[name].append(case())
        with all_cores():
            for name in (OFFICIAL, FEED):
                seconds[name + SPREAD].append(cases[name]())
    return {name: timing(values) for name, values in seconds.items()}


def in_memory(context: Context, flow: Flow) -> dict[str, Timing]:
    """The same lines from memory in reads of 64 KiB: what the socket, the loop and the client add is the difference."""
    feed = Feed(flow)
    feed.check()
    cases = {
        "in memory: lines → batches": feed.translate,
        "in memory: lines → batches → ring → frames": feed.publish,
    }
    return context.measure(cases)


@contextlib.contextmanager
def all_cores() -> Iterator[None]:
    """Let sender, bridge and client run beside each other, as they do: delays are not CPU time."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def official_orders(flow: Flow, handler_us: int) -> list[float]:
    """Milliseconds from ``send_order`` to the line, while events flow."""
    with bookmap_side(flow) as side:
        port = side.facts()["port"]
        arguments = (port, 10**9, handler_us, 1 / ORDER_PAUSE_S)
        with Program(sys.executable, HERE / "official.py", *arguments) as client:
            while not side.facts().get("attached"):
                pass
            side.tell(f"flow {FLOW}")
            time.sleep(ORDER_SECONDS)
            end = time.monotonic_ns()
            arrived = {f["client"]: f["at"] for f in side.said() if f.get("type") == 19}
            return [(arrived.get(f["client"], end) - f["at"]) / 1e6 for f in client.said()]


def bare_orders(flow: Flow) -> list[float]:
    """The same from a bare socket that reads and forgets: what this machine needs to wake whoever waits."""
    with bookmap_side(flow) as side, socket.create_connection(("127.0.0.1", side.facts()["port"])) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=forget, args=(peer,), daemon=True).start()
        peer.sendall("13\ue000x\n".encode())
        side.tell(f"flow {FLOW}")
        asked: list[int] = []
        until = time.monotonic() + ORDER_SECONDS
        while time.monotonic() < until:
            time.sleep(ORDER_PAUSE_S)
            asked.append(time.monotonic_ns())
            peer.sendall("19\ue000{}\n".encode())
        time.sleep(1)
        return delays(asked, [fact["at"] for fact in side.said() if fact.get("type") == 19])


def forget(peer: socket.socket) -> None:
    """Read until the end."""
    buffer = bytearray(1 << 16)
    with contextlib.suppress(OSError):
        while peer.recv_into(buffer):
            pass


def report(timings: dict[str, Timing], flow: Flow, orders: dict[str, list[Round]]) -> dict[str, Any]:
    """Goals and tables."""
    peer = timings[OFFICIAL].median
    middle = {name: sorted(rounds, key=lambda r: r.p99)[len(rounds) // 2] for name, rounds in orders.items()}
    spread = {name: quantiles(one.delays) for name, one in middle.items()}
    return {
        "title": "Bridge",
        "text": (
            f"{flow.lines:,} lines of a real BTCUSDT futures session as Bookmap spells them, "
            f"{100 * (flow.events.kind == 2).mean():.0f} % trades, {flow.size / flow.lines:.0f} bytes a line, sent over TCP "
            "by another process. CPU time of the receiving process with all its threads. Handlers append to a list. Into the "
            f"feed: the bridge's own process as Bookmap starts it, {TILES} sessions, one client that takes everything; every "
            "event is checked to arrive in order with its values, and the book that a later client is told to be the one the "
            "lines make. One core holds sender, receiver and client; on all cores the official client's two threads wait for "
            "each other's lock. Orders: the round with the middle p99; stolen is the share of the machine's time that its host "
            "gave to others during that round."
        ),
        "goals": [
            goal("a handler call an event, against the official client", measured=peer / timings[HANDLERS].median, floor=5.0),
            goal("batches into the feed, against the official client", measured=peer / timings[FEED].median, floor=25.0),
            goal(
                "the same, on all cores",
                measured=timings[OFFICIAL + SPREAD].median / timings[FEED + SPREAD].median,
                floor=25.0,
            ),
            *(
                goal(f"order to wire at 20,000 events/s, p99, {who}", measured=spread[who][1], floor=5.0, unit="ms", at_most=True)
                for who in (DIRECT, SESSION)
            ),
        ],
        "tables": [
            {
                "caption": "Receiving, one session",
                "columns": ["case", "M lines/s best", "median", "µs a line", "× official"],
                "rows": [[name, *rates(t, flow.lines), round(peer_of(name, timings) / t.median, 1)] for name, t in timings.items()],
            },
            {
                "caption": "Milliseconds from asking to the line of an order (type 19 or 23), 20,000 events/s flowing in",
                "columns": ["who asks", "p50", "p99", "longest", "orders", "stolen %", "p99 of all rounds"],
                "rows": [
                    [
                        name,
                        *(round(v, 3) for v in values),
                        round(100 * middle[name].stolen, 1),
                        ", ".join(f"{one.p99:.2f} ({100 * one.stolen:.1f} %)" for one in orders[name]),
                    ]
                    for name, values in spread.items()
                ],
            },
        ],
    }  # fmt: skip


def peer_of(name: str, timings: dict[str, Timing]) -> float:
    """CPU seconds of the official client under the same conditions."""
    return timings[OFFICIAL + (SPREAD if name.endswith(SPREAD) else "")].median


def rates(measured: Timing, lines: int) -> tuple[float, float, float]:
    """Million lines per CPU second, best and median, and microseconds a line."""
    best, median = measured.rate(lines)
    return round(best / 1e6, 3), round(median / 1e6, 3), round(1e6 / median, 3)


def quantiles(delays: list[float]) -> tuple[float, float, float, int]:
    """Median, 99th percentile, longest, and how many."""
    ordered = sorted(delays)
    return statistics.median(ordered), ordered[int(0.99 * (len(ordered) - 1))], ordered[-1], len(ordered)
