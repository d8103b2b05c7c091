"""One client of a feed, on the serving side: its protocol state, its socket, and the task that writes to it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from websockets.asyncio.server import ServerConnection as WebSocket

from workbench.protocol import limits
from workbench.protocol.messages import Message
from workbench.protocol.server import ServerConnection

_log = logging.getLogger("workbench.feeds.server")


class Client:
    """One connected client: its protocol state and its socket."""

    def __init__(self, websocket: WebSocket, connection: ServerConnection):
        self.connection = connection
        self.name = ""
        self.logged_in = False
        self.subscriptions: dict[str, frozenset[str]] = {}
        self.sent_bytes = 0
        self.blocked_since: int | None = None
        self._websocket = websocket
        self._wake = asyncio.Event()

    @property
    def caught_up(self) -> bool:
        """Whether everything that was published is on its way to this client."""
        return self.blocked_since is None and not self.connection.has_data

    @property
    def silent_at(self) -> float | None:
        """When it has been silent for too long, seconds of the event loop's clock; None: it is not held to it."""
        silent_ns = self.connection.silent_at
        return None if silent_ns is None else silent_ns / limits.SECOND_NS

    def wake(self) -> None:
        """Something may be there to send."""
        self._wake.set()

    def send(self, message: Message) -> None:
        """Queue a message."""
        self.connection.send(message)
        self.wake()

    def describe(self) -> dict[str, object]:
        """Facts for ``ENGINE`` and ``HEALTH``; free of secrets."""
        subscribed = {symbol: sorted(data) for symbol, data in self.subscriptions.items()}
        return {"client": self.name, "subscriptions": subscribed, "sent_bytes": self.sent_bytes}

    async def write_forever(self) -> None:
        """Send what the protocol has, until it says that the connection is over."""
        while self.connection.closing is None:
            self._wake.clear()
            if not await self._send_pending() and self.connection.closing is None:
                await self._sleep()
            self.connection.on_time(time.monotonic_ns())
        await self._finish()

    async def _send_pending(self) -> bool:
        frames = self.connection.data_to_send(time.monotonic_ns())
        self.blocked_since = time.monotonic_ns() if frames else None
        for frame in frames:
            await self._send_frame(frame)
        self.blocked_since = None
        return bool(frames)

    async def _send_frame(self, frame: str | bytes) -> None:
        # The library's own keep-alive does not fire on a blocked writer: its ping waits behind the same drain.
        try:
            async with asyncio.timeout(limits.STALL_NS / limits.SECOND_NS):
                await self._websocket.send(frame)
        except TimeoutError:
            _log.warning("client %r took nothing for 5 s: dropped", self.name)
            self.abort()
            raise
        self.sent_bytes += len(frame)

    async def _sleep(self) -> None:
        deadline = self.connection.deadline()
        seconds = None if deadline is None else max(0.0, (deadline - time.monotonic_ns()) / limits.SECOND_NS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _finish(self) -> None:
        closing = self.connection.closing
        assert closing is not None
        if closing.abort:
            self.abort()
            return
        await self._send_pending()
        await self._websocket.close(closing.code, closing.reason)

    def abort(self) -> None:
        """Drop the connection and everything still buffered for it."""
        self._websocket.transport.abort()
