"""A server and a client of the feed protocol joined by a link that tests can make lossy; time is a number."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

import numpy as np
from hypothesis import strategies as st

from workbench.events import COLUMNS, EventBatch, EventKind, Flag, Instrument
from workbench.protocol.client import ClientConnection, ClientNotice
from workbench.protocol.limits import HEARTBEAT_NS
from workbench.protocol.login import LoginGuard
from workbench.protocol.notices import MarketData
from workbench.protocol.server import ServerConnection
from workbench.protocol.snapshot import BookState
from workbench.protocol.stream import Stream

SECRET = "canary-5up3r-53cr3t-t0k3n"  # a canary that must never be seen on the wire
MS = 1_000_000
INSTRUMENT = Instrument("ESZ6", "0.25", "1", "50", "E-mini")
CRYPTO = Instrument("BTCUSDT", "0.1", "0.001")


@st.composite
def market_batches(draw: st.DrawFn, max_rows: int = 30, gaps: bool = True) -> EventBatch:
    """Batches as a feed sends them: columns that a kind does not use are 0."""
    rows = draw(st.integers(1, max_rows))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kinds = [k for k in EventKind if k is not EventKind.GAP]
    kind = rng.choice(np.array(kinds, np.uint8), rows).astype(np.uint8)
    if gaps and draw(st.booleans()):
        kind[-1] = EventKind.GAP
    trade, mbo = kind == EventKind.TRADE, np.isin(kind, (3, 4, 5))
    real = trade | mbo | (kind == EventKind.DEPTH)
    size = np.where(real, rng.integers(0, 2**40, rows), 0)
    size[kind == EventKind.STATUS] = rng.integers(1, 9)
    size[kind == EventKind.GAP] = draw(st.sampled_from([-1, 1, 2, 1000]))
    flags = rng.integers(0, 64, rows) | np.where(trade, rng.integers(0, 1000, rows) << 6, 0)
    return EventBatch.of(
        draw(st.integers(0, 2**40)),
        ts=np.sort(rng.integers(0, 2**62, rows)),
        ts_source=rng.integers(0, 2**62, rows) * rng.integers(0, 2, rows),
        kind=kind,
        side=np.where(real, rng.integers(-1, 2, rows), 0),
        price=np.where(real, rng.integers(-(2**31), 2**31, rows), 0),
        size=size,
        order_id=rng.integers(-(2**63), 2**63 - 1, rows) * (trade | mbo),
        aggressor_id=rng.integers(0, 2**63 - 1, rows) * trade,
        flags=flags,
    )


def depth(first: int, count: int, ts: int = 1) -> EventBatch:
    """Plain rows whose price tells their sequence number."""
    numbers = np.arange(first, first + count)
    return EventBatch.of(
        first, ts=ts, kind=int(EventKind.DEPTH), side=1, price=numbers % 1000, size=numbers + 1
    )


class Feed:
    """Streams of a server, with a book that is only a number: good enough to see which snapshot came."""

    def __init__(self, *instruments: Instrument, ring_bytes: int = 1 << 20, valid: bool = True):
        self.valid = valid
        self.published: dict[str, list[EventBatch]] = {}
        self.streams: dict[str, Stream] = {}
        for number, instrument in enumerate(instruments or (INSTRUMENT,)):
            self.streams[instrument.symbol] = Stream(
                instrument, number, self._book(instrument.symbol), ring_bytes=ring_bytes
            )
            self.published[instrument.symbol] = []

    def _book(self, symbol: str) -> Callable[[int | None, bool], BookState]:
        def book(levels: int | None, orders: bool) -> BookState:
            following = self.streams[symbol].next_sequence
            count = 3 if levels is None else min(3, levels)
            prices = 100 - np.arange(count)
            state = (prices, np.full(count, following + 1)), (prices + count, np.full(count, following + 2))
            resting = tuple(np.array(v) for v in ([7], [1], [100], [following + 1])) if orders else None
            return BookState(following, 5, *state, valid=self.valid, orders=resting)

        return book

    def publish(self, batch: EventBatch, symbol: str = "ESZ6", send_ns: int = 1) -> None:
        self.published[symbol].append(batch)
        self.streams[symbol].publish(batch, send_ns)


class Link:
    """One client and one server; ``deliver`` moves everything both ways, time stands still meanwhile."""

    def __init__(self, feed: Feed, *, binary: bool = True, secret: str | None = SECRET, **options: object):
        self.feed = feed
        self.binary = binary
        self.secret = secret
        self.options = {"endpoint": "ws://127.0.0.1:8765/v1", **options}
        self.guard = LoginGuard()
        self.now = 1_000_000_000
        self.nonces = 0
        self.session = "s1"
        self.client = ClientConnection(secret=secret, endpoint=str(self.options["endpoint"]), client="test")
        self.server: ServerConnection | None = None
        self.notices: list[ClientNotice] = []
        self.server_notices: list[object] = []
        self.wire: list[tuple[str, str | bytes]] = []
        self.drop: Callable[[str, str | bytes], bool] = lambda way, frame: False

    def nonce(self) -> bytes:
        self.nonces += 1
        return self.nonces.to_bytes(32, "big")

    def connect(self) -> None:
        self.server = ServerConnection(
            self.feed.streams,
            now=self.now,
            nonce=self.nonce(),
            secret=self.secret,
            binary=self.binary,
            session=self.session,
            guard=self.guard,
            **self.options,  # type: ignore[arg-type]
        )
        self.client.opened(self.nonce(), self.now)
        self.deliver()

    def disconnect(self) -> None:
        self.client.lost("cut", self.now)
        self.notices += self.client.events()
        self.server = None

    def deliver(self, rounds: int = 40) -> None:
        for _ in range(rounds):
            if self.server is None or not self._round():
                return

    def _round(self) -> bool:
        assert self.server is not None
        up, down = self.client.data_to_send(self.now), self.server.data_to_send(self.now)
        for frame in up:
            self.wire.append(("up", frame))
            if not self.drop("up", frame):
                self.server.receive(frame, self.now)
        for frame in down:
            self.wire.append(("down", frame))
            if not self.drop("down", frame):
                self.client.receive(frame, self.now)
        self.notices += self.client.events()
        self.server_notices += self.server.events()
        return bool(up or down)

    def pass_time(self, ns: int, step: int = HEARTBEAT_NS // 5) -> None:
        """Let time pass in small steps, delivering what comes of it."""
        for _ in range(max(1, ns // step)):
            self.now += step
            if self.server is not None:
                self.server.on_time(self.now)
            self.client.on_time(self.now)
            self.deliver()

    def of_kind(self, kind: type) -> list[object]:
        return [notice for notice in self.notices if isinstance(notice, kind)]

    def batches(self, symbol: str = "ESZ6") -> list[EventBatch]:
        return [n.batch for n in self.notices if isinstance(n, MarketData) and n.symbol == symbol]


def columns_of(batches: Iterable[EventBatch]) -> list[tuple[int, ...]]:
    """Rows with their sequence numbers, however they were cut into batches."""
    return [row for b in batches for row in zip(b.sequence.tolist(), *(c.tolist() for c in b.columns))]


def is_numbered(batches: Iterable[EventBatch]) -> bool:
    """Whether each batch starts where the one before ended."""
    parts = list(batches)
    return all(a.next_sequence == b.first_sequence for a, b in itertools.pairwise(parts))


assert len(COLUMNS) == 9 and Flag.SNAPSHOT == 1
