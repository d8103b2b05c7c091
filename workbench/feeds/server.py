"""The feed over WebSocket: the shell round :class:`workbench.protocol.server.ServerConnection`.

It rests on ``protocol`` alone, because the bridge starts it inside Bookmap's own process tree. It refuses what a web
page can send (any ``Origin``), what DNS rebinding needs (a ``Host`` that is not loopback) and every address but
loopback unless told otherwise, and then only with TLS. A client that does not read costs at most one chunk beside the
transport's own buffer and five seconds; nobody else notices.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import logging
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import websockets
from websockets.asyncio.server import Server, serve
from websockets.asyncio.server import ServerConnection as WebSocket
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from workbench.feeds.addresses import Listening, bind
from workbench.feeds.garbage import collect_soon
from workbench.feeds.server_client import Client
from workbench.protocol import limits
from workbench.protocol.account import AccountState
from workbench.protocol.handshake import LOOPBACK_HOSTS, check_request, choose_subprotocol
from workbench.protocol.messages import AccountMessage, Command
from workbench.protocol.notices import (
    BadMessage,
    CommandReceived,
    LoggedIn,
    LoginRefused,
    SubscriptionChanged,
)
from workbench.protocol.server import LoginGuard, ServerConnection
from workbench.protocol.stream import Stream

__all__ = ["Access", "Client", "FeedServer"]

PENDING_HANDSHAKES: Final = 16
"""Sockets beyond the allowed clients that may be in their opening handshake, which has two seconds."""
WRITE_BUFFER_BYTES: Final = 256 << 10
CLOSE_TIMEOUT_S: Final = 1.0

_log = logging.getLogger("workbench.feeds.server")
# The library logs headers and messages (tokens) at DEBUG and a traceback for each silent socket at ERROR.
_library_log = logging.getLogger("workbench.feeds.websockets")
_library_log.setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Access:
    """Who may use a feed.

    Parameters
    ----------
    secret : str or None
        Token of the feed. Not part of the repr.
    open_access : bool
        Market data without login.
    armed : bool
        Orders are taken.
    session : str
        Changes whenever sequence numbers start anew.
    """

    secret: str | None = field(default=None, repr=False)
    open_access: bool = False
    armed: bool = False
    session: str = field(default_factory=lambda: secrets.token_hex(8))


class FeedServer:
    """Serves streams of events to any number of clients.

    Parameters
    ----------
    streams : Mapping of str to Stream
        What can be subscribed, by symbol; may grow while serving.
    access : Access
    listening : Listening
    on_command : callable
        Called as ``on_command(client, command)`` with every checked command; answers with ``client.send``.
    on_change : callable, optional
        Called when a client logs in, leaves, or changes its subscriptions.
    name : str
        What ``WELCOME`` calls this server.
    account : AccountState, optional
        A client that subscribes to ``ACCOUNT`` is first told what is in it; see :meth:`tell`.
    on_leave : callable, optional
        Called as ``on_leave(client)`` when a client that was logged in has gone.
    """

    def __init__(
        self,
        streams: Mapping[str, Stream],
        access: Access,
        listening: Listening,
        on_command: Callable[[Client, Command], None],
        on_change: Callable[[], None] = lambda: None,
        name: str = "workbench",
        *,
        account: AccountState | None = None,
        on_leave: Callable[[Client], None] = lambda client: None,
    ):
        self.account = AccountState() if account is None else account
        self._on_leave = on_leave
        self.streams, self.access, self.listening, self.name = streams, access, listening, name
        self.port = listening.port
        self.refused = 0
        self._on_command, self._on_change = on_command, on_change
        self._guard = LoginGuard()
        self._clients: set[Client] = set()
        self._servers: list[Server] = []
        self._sockets = 0

    @property
    def uri(self) -> str:
        """Address that local clients use."""
        scheme = "wss" if self.listening.tls else "ws"
        host = self.listening.hosts[0]
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}{limits.PATH}"

    @property
    def clients(self) -> list[Client]:
        """Clients that are logged in."""
        return [client for client in self._clients if client.logged_in]

    async def start(self) -> None:
        """Begin to listen.

        Raises
        ------
        FeedError
            The port is taken; the message names the process where the system lets us see it.
        """
        sockets = bind(self.listening.hosts, self.listening.port)
        self.port = sockets[0].getsockname()[1]
        for sock in sockets:
            self._servers.append(await self._serve(sock))

    def wake(self) -> None:
        """Something was published: look at every client."""
        for client in self._clients:
            client.wake()

    def tell(self, message: AccountMessage) -> bool:
        """Keep an account message and hand it to every client that subscribes to ``ACCOUNT``; False if it is no news."""
        if not self.account.take(message):
            return False
        for client in self._clients:
            client.send(message)
        return True

    @property
    def caught_up(self) -> bool:
        """Whether no client has anything left to be sent."""
        return all(client.caught_up for client in self._clients)

    async def stop(self, code: int = limits.CLOSE_GOING_AWAY, reason: str = "the feed ends") -> None:
        """Send what is pending, close all connections and stop listening; takes at most about a second."""
        for client in self._clients:
            client.connection.close(code, reason)
            client.wake()
        for server in self._servers:
            server.close(close_connections=False)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                while self._clients:
                    await asyncio.sleep(0.01)
        for client in list(self._clients):
            client.abort()
        for server in self._servers:
            await server.wait_closed()

    async def _serve(self, sock: socket.socket) -> Server:
        owner = self

        class CountedWebSocket(WebSocket):
            """Counts sockets from the first byte on: silent ones must not eat the room of real clients."""

            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                owner._sockets += 1
                if owner._sockets > owner.listening.max_clients + PENDING_HANDSHAKES:
                    owner.refused += 1
                    self.transport.abort()

            def connection_lost(self, exc: Exception | None) -> None:
                owner._sockets -= 1
                super().connection_lost(exc)

        return await serve(
            self._handle,
            sock=sock,
            ssl=self.listening.tls,
            subprotocols=[Subprotocol(limits.BINARY_SUBPROTOCOL)],
            process_request=self._check_request,
            select_subprotocol=_select_subprotocol,
            compression=None,
            max_size=limits.MAX_MESSAGE_BYTES,
            open_timeout=limits.LOGIN_TIMEOUT_NS / limits.SECOND_NS,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,
            write_limit=WRITE_BUFFER_BYTES,
            server_header=None,
            logger=_library_log,
            create_connection=CountedWebSocket,
        )

    def _check_request(self, websocket: WebSocket, request: Request) -> Response | None:
        judged = self._judge(request)
        if judged is None:
            return None
        self.refused += 1
        status, text = judged
        return websocket.respond(status, f"not a workbench feed\n{text}\n" if status == 404 else f"{text}\n")

    def _judge(self, request: Request) -> tuple[int, str] | None:
        refusal = check_request(
            request.path,
            request.headers.raw_items(),
            port=self.port,
            hosts=(*LOOPBACK_HOSTS, *self.listening.names),
            allowed_origins=self.listening.origins,
        )
        if refusal is not None:
            return refusal.status, refusal.reason
        if len(self._clients) >= self.listening.max_clients:
            return http.HTTPStatus.SERVICE_UNAVAILABLE, f"full: {self.listening.max_clients} clients"
        return None

    async def _handle(self, websocket: WebSocket) -> None:
        client = Client(websocket, self._new_connection(websocket))
        self._clients.add(client)
        writer = asyncio.create_task(client.write_forever())
        writer.add_done_callback(lambda task: _end_with(client, task))
        try:
            await self._read(websocket, client, writer)
        finally:
            self._clients.discard(client)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):  # logged when it happened
                await writer
            if client.logged_in:
                self._on_leave(client)
            self._on_change()
            collect_soon()

    def _new_connection(self, websocket: WebSocket) -> ServerConnection:
        assert websocket.request is not None
        return ServerConnection(
            self.streams,
            now=time.monotonic_ns(),
            nonce=secrets.token_bytes(limits.NONCE_BYTES),
            secret=self.access.secret,
            open_access=self.access.open_access,
            session=self.access.session,
            server=self.name,
            binary=websocket.subprotocol == limits.BINARY_SUBPROTOCOL,
            armed=self.access.armed,
            authorization=websocket.request.headers.get("Authorization"),
            endpoint=self.uri,
            guard=self._guard,
        )

    async def _read(self, websocket: WebSocket, client: Client, writer: asyncio.Task[None]) -> None:
        self._take_notices(client)
        with contextlib.suppress(websockets.ConnectionClosed):
            try:
                if not await self._hear(websocket, client):
                    return
            except TimeoutError:  # its own writer may be waiting for a socket that nobody empties
                client.connection.on_time(time.monotonic_ns())
                client.abort()
                return
            with contextlib.suppress(TimeoutError):
                await writer

    async def _hear(self, websocket: WebSocket, client: Client) -> bool:
        """Take messages until the protocol ends the connection (True) or the client does; raise on its silence."""
        async with asyncio.timeout(None) as silence:
            async for message in websocket:
                client.connection.receive(message, time.monotonic_ns())
                self._take_notices(client)
                client.wake()
                if client.connection.closing is not None:
                    return True
                silence.reschedule(client.silent_at)
        return False

    def _take_notices(self, client: Client) -> None:
        for notice in client.connection.events():
            match notice:
                case LoggedIn():
                    client.logged_in, client.name = True, notice.client
                    self._on_change()
                case LoginRefused():
                    _log.warning("login refused (%s)", notice.how)
                case SubscriptionChanged():
                    self._take_subscription(client, notice)
                case CommandReceived():
                    self._on_command(client, notice.command)
                case BadMessage():
                    _log.debug("bad message from %r: %s", client.name, notice.code)

    def _take_subscription(self, client: Client, notice: SubscriptionChanged) -> None:
        before = client.subscriptions.pop(notice.symbol, frozenset())
        if notice.data:
            client.subscriptions[notice.symbol] = notice.data
        if "ACCOUNT" in notice.data and "ACCOUNT" not in before:
            for message in self.account.known(notice.symbol):
                client.send(message)
        self._on_change()


def _end_with(client: Client, writer: asyncio.Task[None]) -> None:
    """Drop a client whose writer failed: it would hear nothing any more, and hold up a replay for ever."""
    problem = None if writer.cancelled() else writer.exception()
    if problem is None:
        return
    if not isinstance(problem, TimeoutError | websockets.ConnectionClosed):
        _log.error("writing to client %r failed: dropped", client.name, exc_info=problem)
    client.abort()


def _select_subprotocol(websocket: WebSocket, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    # None of ours offered: answer without one, as a plain JSON client expects, instead of refusing.
    chosen = choose_subprotocol(offered)
    return None if chosen is None else Subprotocol(chosen)
