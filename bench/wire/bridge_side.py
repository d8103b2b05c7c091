"""Our bridge, started as Bookmap starts it, with a client of its feed."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import workbench as wb
from bench.wire.flow import ALIAS, Flow, Program, bookmap_side, market_rows
from workbench.book.levels import LevelBook
from workbench.events import EventBatch, EventKind
from workbench.feeds import discovery
from workbench.feeds.client import Delivery, FeedClient
from workbench.feeds.target import Target
from workbench.protocol.messages import Arm, CancelOrder, PlaceOrder, Trading
from workbench.protocol.notices import MarketData, Received, Snapshot, StreamChanged

SCRIPTS = Path(__file__).resolve().parents[2] / "workbench" / "bridge" / "scripts"
DATA = ("FULL_ORDER_BOOK", "TRADES", "MBO", "ACCOUNT")
START_S, END_S = 20, 120


class Sink:
    """What a client of the feed is given: events until there are enough, and whether orders are let through."""

    def __init__(self, rows: int = 0):
        self.wanted = rows
        self.batches: list[EventBatch] = []
        self.book: EventBatch | None = None
        self.live, self.done, self.permitted = threading.Event(), threading.Event(), threading.Event()

    def deliver(self, delivery: Delivery) -> None:
        """Take one delivery, in the client's reader thread."""
        match delivery:
            case MarketData(batch=batch) if self.wanted:
                self.batches.append(batch)
                self.wanted -= int((batch.kind <= EventKind.TRADE).sum())
                if self.wanted <= 0:
                    self.done.set()
            case Snapshot(batch=batch):
                self.book = batch
            case StreamChanged():
                self.live.set()
            case Received(message=Trading(permitted=True)):
                self.permitted.set()

    def events(self) -> EventBatch:
        """Depth and trades that came, in order."""
        parts = zip(*(market_rows(batch).columns for batch in self.batches))
        return EventBatch.trusted(tuple(np.concatenate(columns) for columns in parts), 0)


@contextlib.contextmanager
def running_bridge(
    flow: Flow, script: str = "workbench_bridge.py"
) -> Iterator[tuple[Program, Program, Target]]:
    """Bookmap's end, our bridge as a process of its own, and where its feed is."""
    with bookmap_side(flow) as side:
        port = side.facts()["port"]
        with Program(sys.executable, "-X utf8", SCRIPTS / script, port) as bridge:
            while not side.facts().get("attached"):
                pass
            yield side, bridge, Target.of(endpoint_of(bridge))


def endpoint_of(bridge: Program) -> discovery.Endpoint:
    """The discovery file that a bridge writes."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        found = [endpoint for endpoint in discovery.running_feeds() if endpoint.pid == bridge.pid]
        if found:
            return found[0]
        time.sleep(0.02)
    raise RuntimeError("the bridge told nobody where it is")


def through_bridge(flow: Flow, tiles: int) -> float:
    """CPU seconds of the bridge's process for so many sessions; everything must have arrived, and the book be equal."""
    with running_bridge(flow) as (side, bridge, target):
        sink = Sink(tiles * len(flow.events))
        with FeedClient(target, sink.deliver, "bench") as client:
            client.subscribe(ALIAS, DATA)
            assert sink.live.wait(START_S)
            start = bridge.cpu_seconds()
            side.tell(f"burst {tiles}")
            assert sink.done.wait(END_S), client.health
            seconds = bridge.cpu_seconds() - start
            assert not client.health.lost
        check_events(sink.events(), flow, tiles)
        check_book(target, flow, tiles)
    return seconds


def check_events(events: EventBatch, flow: Flow, tiles: int) -> None:
    """Every depth and trade, in order, with kind, side, price, size and flags."""
    assert len(events) == tiles * len(flow.events)
    for name in ("kind", "side", "price", "size"):
        assert np.array_equal(getattr(events, name), np.tile(getattr(flow.events, name), tiles)), name


def check_book(target: Target, flow: Flow, tiles: int) -> None:
    """Whoever comes now is told the book that the lines make."""
    late = Sink()
    with FeedClient(target, late.deliver, "late") as client:
        client.subscribe(ALIAS, ("FULL_ORDER_BOOK",))
        until = time.monotonic() + START_S
        while late.book is None and time.monotonic() < until:
            time.sleep(0.02)
    assert late.book is not None
    expected, told = LevelBook(), LevelBook()
    for _ in range(tiles):
        expected.apply(flow.events)
    told.apply(late.book)
    for side in (1, -1):
        for ours, theirs in zip(told.levels(side), expected.levels(side)):
            assert np.array_equal(ours, theirs)


def orders_through_bridge(flow: Flow, seconds: float, pause: float, rate: str) -> list[float]:
    """Milliseconds from asking a bridge for an order, or to take it back, to its line, while events flow."""
    with running_bridge(flow, "workbench_bridge_trading.py") as (side, _, target):
        sink = Sink()
        with FeedClient(target, sink.deliver, "bench") as client:
            client.subscribe(ALIAS, DATA)
            assert sink.permitted.wait(START_S)
            client.request(Arm(minutes=10, max_orders=10_000, max_size=100.0, symbol=ALIAS))
            side.tell(f"flow {rate}")
            asked = asked_for(client, seconds, pause)
            time.sleep(1)
            return delays(asked, [f["at"] for f in side.said() if f.get("type") in (19, 23)])


def asked_for(client: FeedClient, seconds: float, pause: float) -> list[int]:
    """Orders and their cancels, one after the other; the monotonic times at which they were asked for."""
    asked: list[int] = []
    prefix = f"{time.time_ns():x}"  # no name twice, also not in a later run: the bridge remembers
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        name = f"{prefix}-{len(asked)}"
        order = PlaceOrder(ALIAS, "BUY", "LIMIT", 0.001, name, price=1.0)
        for message in (order, CancelOrder(name, ALIAS)):
            time.sleep(pause)
            asked.append(time.monotonic_ns())
            client.request(message)
    return asked


def delays(asked: list[int], arrived: list[int]) -> list[float]:
    """Milliseconds from each asking to its line; they come in order."""
    assert len(asked) == len(arrived), (len(asked), len(arrived))
    return [(end - start) / 1e6 for start, end in zip(asked, arrived)]


def orders_through_engine(flow: Flow, seconds: float, pause: float, rate: str) -> list[float]:
    """The same from a session: kernel, engine, bridge, line."""
    with (
        running_bridge(flow, "workbench_bridge_trading.py") as (side, _, _),
        wb.connect("bookmap") as session,
    ):
        session.until(predicate=lambda s: ALIAS in s.symbols)
        session.arm(minutes=10, max_orders=10_000, max_size=100.0)
        side.tell(f"flow {rate}")
        asked: list[int] = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(pause)
            begun = time.monotonic_ns()
            order = session.orders.buy(0.001, limit=1.0)
            time.sleep(pause)
            if order.status == "REJECTED":  # the bridge lets no order through while it is behind
                print(f"refused: {order.reason}", file=sys.stderr)
                continue
            asked += begun, time.monotonic_ns()
            order.cancel()
        time.sleep(1)
        return delays(asked, [f["at"] for f in side.said() if f.get("type") in (19, 23)])
