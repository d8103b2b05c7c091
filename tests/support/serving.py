"""A real feed server on loopback, in a thread of the test's own process."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from tests.support.fault_proxy import FaultProxy
from tests.support.loop_thread import LoopThread
from tests.support.synthetic import START_NS, SyntheticSource
from workbench.feeds.addresses import Listening
from workbench.feeds.client import FeedClient, Target
from workbench.feeds.market import Market
from workbench.feeds.server import Access, Client, FeedServer
from workbench.protocol.messages import Command, Done

SECRET = "canary-Zx8mLq4vN2wR7tYb5uHc1eJk9sDf3gPa0oIiQrT6"
_T = TypeVar("_T")


class ServedFeed(LoopThread):
    """Serve a synthetic market; :meth:`publish` moves it on. A context manager."""

    def __init__(
        self,
        *,
        symbols: tuple[str, ...] = ("SYN",),
        access: Access | None = None,
        listening: Listening | None = None,
        source: SyntheticSource | None = None,
    ):
        super().__init__("served-feed")
        self.source = source or SyntheticSource(symbols)
        self.markets = {i.symbol: Market(i, n) for n, i in enumerate(self.source.instruments, start=1)}
        self.commands: list[Command] = []
        self.rows = 0
        self.server = FeedServer(
            {symbol: market.stream for symbol, market in self.markets.items()},
            access or Access(SECRET),
            listening or Listening(),
            self._take,
        )

    @property
    def uri(self) -> str:
        return self.server.uri

    @property
    def port(self) -> int:
        return self.server.port

    def publish(self, rows: int) -> None:
        """Publish the next rows of every market."""
        self.rows += rows
        self.call(lambda: self._publish(START_NS + self.rows * self.source.step_ns))

    def _publish(self, until_ns: int) -> None:
        for symbol, batch in self.source.advance(until_ns):
            self.markets[symbol].publish(batch, time.time_ns())
        self.server.wake()

    def _take(self, client: Client, command: Command) -> None:
        self.commands.append(command)
        if command.request_id != "unanswered":
            client.send(Done(request_id=command.request_id))


def upgrade(port: int, *headers: str, path: str = "/v1", host: str | None = "127.0.0.1:{port}") -> str:
    """First line of the answer to a hand-made upgrade request."""
    lines = [f"GET {path} HTTP/1.1", *([f"Host: {host.format(port=port)}"] if host is not None else [])]
    lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *(h.format(port=port) for h in headers)]
    return http(port, "\r\n".join([*lines, "", ""]).encode())


def http(port: int, request: bytes) -> str:
    """Answer to raw bytes, up to the end of what the server sends first."""
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(request)
        return sock.recv(65536).decode("latin-1")


@contextmanager
def proxied_feed() -> Iterator[tuple[ServedFeed, FaultProxy]]:
    """A feed behind a proxy that keeps its port: the Host header of the client names the proxy."""
    with ServedFeed() as feed, FaultProxy(feed.port) as between:
        feed.call(lambda: setattr(feed.server, "port", between.port))
        yield feed, between


def open_client(uri: str, secret: str | None = SECRET, endpoint: str = "") -> FeedClient:
    """A client that takes no notice of what comes."""
    return FeedClient(Target(uri, secret, endpoint), lambda delivery: None).open()
