"""The feed of a bridge: a stream per instrument, a server on a free port, a discovery file while there is something.

The port is opened with the first instrument and stays until the process ends. An instrument that comes back with
another grid begins a new feed (another port, secret and session): what clients hold of the old one has other units.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from workbench import __version__
from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.feeds import discovery
from workbench.feeds.addresses import Listening
from workbench.feeds.processes import process_start
from workbench.feeds.server import Access, Client, FeedServer
from workbench.instruments import Instrument
from workbench.protocol import messages
from workbench.protocol.account import AccountState
from workbench.protocol.stream import BookSource, Stream

RETRY_S: Final = 2.0
MAX_PUBLICATIONS: Final = 32_768
"""Reads kept for clients that come back: at 1 000 small ones a second half a minute, and 60 MB."""

_log = logging.getLogger("workbench.bridge")


class Feed:
    """What the clients of a bridge see.

    Parameters
    ----------
    trading : bool
        Orders are taken up to the add-on's own locks; otherwise they are answered with ``read_only``.
    on_command, on_leave : callable
        As of :class:`workbench.feeds.server.FeedServer`.
    """

    def __init__(
        self,
        trading: bool,
        on_command: Callable[[Client, messages.Command], None],
        on_leave: Callable[[Client], None],
    ):
        self.trading = trading
        self.account = AccountState()
        self.started_ns = time.time_ns()
        self._on_command, self._on_leave = on_command, on_leave
        self._streams: dict[str, Stream] = {}
        self._numbers: dict[str, int] = {}
        self._server: FeedServer | None = None
        self._listening = False
        self._endpoint: discovery.Endpoint | None = None
        self._shown: tuple[str, ...] = ()
        self._replaced: list[FeedServer] = []
        self._work = asyncio.Event()

    # -- what is shown ---------------------------------------------------------------------------------------------

    def publish(self, instrument: Instrument, batch: EventBatch, book: BookSource, send_ns: int) -> None:
        """Hand on events; the first ones of an instrument make its stream."""
        stream = self._streams.get(instrument.symbol)
        if stream is None or not _same_grid(stream.instrument, instrument):
            stream = self._new_stream(instrument, batch.first_sequence, book, anew=stream is not None)
        stream.publish(batch, send_ns)

    def wake(self) -> None:
        """Something was published."""
        if self._server is not None:
            self._server.wake()

    def tell(self, message: messages.AccountMessage) -> None:
        """Hand on an account message, and keep it for those who come later."""
        if self._server is not None:
            self._server.tell(message)
        else:
            self.account.take(message)

    def show(self, symbols: Iterable[str]) -> None:
        """Say which instruments are attached now; with none the discovery file goes at once, for we may be killed next."""
        shown = tuple(symbols)
        if shown != self._shown:
            self._shown = shown
            if not shown:
                self._withdraw()
            self._work.set()

    async def follow(self) -> None:
        """Open, announce and renew the server as the instruments ask for it, until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                await self._renew()
            except (WorkbenchError, OSError) as problem:
                _log.error("the feed is not served: %s", problem)
                asyncio.get_running_loop().call_later(RETRY_S, self._work.set)

    async def close(self) -> None:
        """Send what is pending, say goodbye, and stop listening."""
        self._withdraw()
        servers = [*self._replaced, *([self._server] if self._server is not None and self._listening else [])]
        await asyncio.gather(*(server.stop(reason="Bookmap ended the add-on") for server in servers))

    # -- facts -----------------------------------------------------------------------------------------------------

    def engine(self, source: dict[str, Any], request_id: messages.RequestId) -> messages.Engine:
        """Answer to ``ENGINE``."""
        return messages.Engine(
            name=source["name"],
            pid=os.getpid(),
            version=__version__,
            started=self.started_ns,
            endpoint=self._server.uri if self._server is not None else "",
            sources=[source],
            clients=self._clients(),
            request_id=request_id,
        )

    def health(self, source: dict[str, Any], request_id: messages.RequestId) -> messages.Health:
        """Answer to ``HEALTH``."""
        return messages.Health(
            ts=time.time_ns(),
            state=source["state"],
            sources=[source],
            clients=self._clients(),
            backlog={"events": source["backlog"]["events"]},
            lag_ms=source["backlog"]["age_ms"],
            counts={symbol: stream.next_sequence for symbol, stream in self._streams.items()},
            request_id=request_id,
        )

    def _clients(self) -> list[dict[str, Any]]:
        return [client.describe() for client in self._server.clients] if self._server is not None else []

    # -- streams and server ----------------------------------------------------------------------------------------

    def _new_stream(self, instrument: Instrument, first: int, book: BookSource, *, anew: bool) -> Stream:
        if anew:
            self._replace()
        number = self._numbers.setdefault(instrument.symbol, len(self._numbers) + 1)
        stream = self._streams[instrument.symbol] = Stream(
            instrument, number, book, next_sequence=first, max_publications=MAX_PUBLICATIONS
        )
        self._work.set()
        return stream

    def _replace(self) -> None:
        """Leave the old server with the old streams, and begin a new one."""
        if self._server is not None and self._listening:
            self._withdraw()
            self._replaced.append(self._server)
        self._server, self._listening = None, False
        self._streams = dict(self._streams)

    async def _renew(self) -> None:
        if not self._listening and any(symbol in self._streams for symbol in self._shown):
            server = self._server = self._new_server()
            await server.start()
            self._listening = server is self._server
            if not self._listening:  # another grid came while it was starting
                self._replaced.append(server)
        self._announce()
        while self._replaced:
            await self._replaced.pop().stop(reason="the instrument came back with another grid")

    def _new_server(self) -> FeedServer:
        access = Access(discovery.new_secret(), armed=self.trading)
        return FeedServer(
            self._streams,
            access,
            Listening(),
            self._on_command,
            name="workbench bridge",
            account=self.account,
            on_leave=self._on_leave,
        )

    def _announce(self) -> None:
        """Write the discovery file, in place of an earlier one with other instruments."""
        server = self._server if self._listening else None
        symbols = tuple(symbol for symbol in self._shown if symbol in self._streams)
        if server is None or not symbols or (self._endpoint and self._endpoint.symbols == symbols):
            return
        self._withdraw()
        pid = os.getpid()
        endpoint = discovery.Endpoint(
            identity=discovery.new_identity(),
            uri=server.uri,
            secret=server.access.secret or "",
            pid=pid,
            process_start=process_start(pid) or "",
            source=f"bookmap bridge {symbols[0]}{' (trading)' if self.trading else ''}",
            key=discovery.BRIDGE_KEY,
            symbols=symbols,
            started_ns=self.started_ns,
        )
        self._endpoint = discovery.publish(endpoint)

    def _withdraw(self) -> None:
        if self._endpoint is not None:
            discovery.withdraw(self._endpoint)
            self._endpoint = None


def _same_grid(one: Instrument, other: Instrument) -> bool:
    return (one.tick_size, one.lot_size, one.multiplier) == (
        other.tick_size,
        other.lot_size,
        other.multiplier,
    )
