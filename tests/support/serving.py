"""A real feed server on loopback, in a thread of the test's own process."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from tests.support.synthetic import START_NS, SyntheticSource
from workbench.feeds.addresses import Listening
from workbench.feeds.market import Market
from workbench.feeds.server import Access, Client, FeedServer
from workbench.protocol.messages import Command, Done

SECRET = "canary-Zx8mLq4vN2wR7tYb5uHc1eJk9sDf3gPa0oIiQrT6"
_T = TypeVar("_T")


class ServedFeed:
    """Serve a synthetic market; :meth:`publish` moves it on. A context manager."""

    def __init__(
        self,
        *,
        symbols: tuple[str, ...] = ("SYN",),
        access: Access | None = None,
        listening: Listening | None = None,
        source: SyntheticSource | None = None,
    ):
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
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="served-feed", daemon=True)

    def __enter__(self) -> ServedFeed:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.server.start(), self._loop).result(10)
        self.publish(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server; doing it again is no error."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self.server.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

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

    def call(self, work: Callable[[], _T]) -> _T:
        """Run something in the server's own thread."""

        async def wrapped() -> _T:
            return work()

        return asyncio.run_coroutine_threadsafe(wrapped(), self._loop).result(30)

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
