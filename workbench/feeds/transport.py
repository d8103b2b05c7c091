"""A WebSocket client as a plain socket: the library's own core without its event loop, for one reader thread.

Everything the thread waits for is one ``select`` with a time-out, so that a frozen peer, a command of the user and a
deadline of the protocol are all seen in time. Proxies named by the environment are never used: a feed is on this
machine or reached directly (since version 15 the library would send even ``ws://localhost`` to a proxy).
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import ssl
import time
from typing import Final

import websockets
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import OPEN
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from workbench.errors import FeedError
from workbench.feeds.addresses import check_address
from workbench.feeds.splitting import Splitter
from workbench.protocol import limits

READ_BYTES: Final = 256 << 10
FULL: Final = 503
_log = logging.getLogger("workbench.feeds.websockets")
_log.setLevel(logging.CRITICAL)


class ConnectionLostError(Exception):
    """The connection is over; ``code`` is the peer's close code, 1006 if it sent none."""

    def __init__(self, reason: str, code: int = 1006):
        super().__init__(reason)
        self.reason, self.code = reason, code


class Transport:
    """One WebSocket connection to a feed.

    Use :meth:`connect`. Reading and writing never block; :meth:`fileno` tells ``select`` what to wait for.
    """

    def __init__(self, sock: socket.socket, protocol: ClientProtocol):
        self.received_bytes = 0
        self._socket, self._protocol = sock, protocol
        self._outgoing = bytearray()
        self._fragments: list[bytes] = []
        self._is_text = False
        self._splitter = Splitter(limits.MAX_MESSAGE_BYTES)
        self._early = b""

    @classmethod
    def connect(cls, uri: str, timeout: float, tls: ssl.SSLContext | None = None) -> Transport:
        """Open the connection and the WebSocket on it.

        Raises
        ------
        FeedError
            Nothing listens there (``no_feed``), or it is not a feed (``not_a_feed``).
        """
        check_address(uri)
        deadline = time.monotonic() + timeout
        sock = _open_socket(uri, timeout, tls)
        protocol = ClientProtocol(
            parse_uri(uri),
            subprotocols=[Subprotocol(limits.BINARY_SUBPROTOCOL)],
            max_size=limits.MAX_MESSAGE_BYTES,
            logger=_log,
        )
        transport = cls(sock, protocol)
        try:
            transport._shake_hands(uri, deadline)
        except ConnectionLostError as lost:
            sock.close()
            raise _not_a_feed(uri, lost.reason) from None
        except BaseException:
            sock.close()
            raise
        return transport

    def fileno(self) -> int:
        """Descriptor for ``select``."""
        return self._socket.fileno()

    @property
    def wants_write(self) -> bool:
        """Whether bytes wait for room in the socket."""
        return bool(self._outgoing)

    def read(self) -> list[str | bytes]:
        """Whole messages that have arrived.

        Raises
        ------
        ConnectionLostError
        """
        messages: list[str | bytes] = []
        data, self._early = self._early or self._receive(), b""
        while data:
            self.received_bytes += len(data)
            self._take_bytes(data, messages)
            # TLS may hold decrypted bytes that select() cannot see
            data = self._receive() if isinstance(self._socket, ssl.SSLSocket) else None
        if data == b"":
            self._protocol.receive_eof()
        self._take_events(messages)
        self._collect()
        self.flush()
        if not messages and self._protocol.state is not OPEN:
            raise self._lost()
        return messages

    def send(self, frame: str | bytes) -> None:
        """Queue one message; :meth:`flush` sends it."""
        if self._protocol.state is OPEN:
            if isinstance(frame, str):
                self._protocol.send_text(frame.encode())
            else:
                self._protocol.send_binary(frame)
            self._collect()

    def flush(self) -> None:
        """Give the socket what it takes now.

        Raises
        ------
        ConnectionLostError
        """
        while self._outgoing:
            try:
                sent = self._socket.send(self._outgoing)
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return
            except OSError as problem:
                raise ConnectionLostError(problem.strerror or "connection lost") from None
            del self._outgoing[:sent]

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Say goodbye if the socket takes it at once, and close."""
        with contextlib.suppress(ConnectionLostError, websockets.WebSocketException):
            if self._protocol.state is OPEN:
                self._protocol.send_close(code, reason)
                self._collect()
                self.flush()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _shake_hands(self, uri: str, deadline: float) -> None:
        self._protocol.send_request(self._protocol.connect())
        self._collect()
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while self._protocol.state is not OPEN:
                self.flush()
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise _not_a_feed(uri, "it does not answer")
                self._handshake_step(uri)

    def _handshake_step(self, uri: str) -> None:
        data = self._receive()
        if data:
            self._take_answer(data)
        elif data == b"":
            self._protocol.receive_eof()
        if self._protocol.handshake_exc is not None or data == b"":
            raise _refused(uri, self._protocol.handshake_exc)

    def _take_answer(self, data: bytes) -> None:
        # Byte by byte: what follows the answer in the same packet must stay for read().
        for at in range(len(data)):
            self._protocol.receive_data(data[at : at + 1])
            if self._protocol.state is OPEN:
                self._early = data[at + 1 :]
                return

    def _receive(self) -> bytes | None:
        try:
            return self._socket.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError as problem:
            raise ConnectionLostError(problem.strerror or "connection lost") from None

    def _take_bytes(self, data: bytes, messages: list[str | bytes]) -> None:
        for is_message, piece in self._splitter.split(data):
            if not is_message:
                self._protocol.receive_data(piece)
                self._take_events(messages)
            elif self._protocol.state is OPEN:
                messages.append(piece)

    def _take_events(self, messages: list[str | bytes]) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take_frame(event, messages)

    def _take_frame(self, frame: Frame, messages: list[str | bytes]) -> None:
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        if not frame.fin or self._fragments:
            self._fragments.append(bytes(frame.data))
            if not frame.fin:
                return
        data = b"".join(self._fragments) if self._fragments else bytes(frame.data)
        self._fragments = []
        if not self._is_text:
            messages.append(data)
            return
        try:
            messages.append(data.decode())
        except UnicodeDecodeError:
            self._protocol.fail(limits.CLOSE_BAD_TEXT, "text is not UTF-8")

    def _collect(self) -> None:
        for data in self._protocol.data_to_send():
            self._outgoing += data

    def _lost(self) -> ConnectionLostError:
        code = self._protocol.close_code or 1006
        return ConnectionLostError(self._protocol.close_reason or "the connection ended", code)


def _open_socket(uri: str, timeout: float, tls: ssl.SSLContext | None) -> socket.socket:
    target = parse_uri(uri)
    try:
        sock = socket.create_connection((target.host, target.port), timeout)
    except OSError as problem:
        raise FeedError(
            f"nothing listens on {target.host}:{target.port} ({problem.strerror or problem})",
            action="Start the Bookmap add-on or simulator",
            code="no_feed",
        ) from None
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.secure:
            sock = (tls or ssl.create_default_context()).wrap_socket(sock, server_hostname=target.host)
        sock.setblocking(False)
    except OSError as problem:
        sock.close()
        raise _not_a_feed(uri, problem.strerror or str(problem)) from None
    return sock


def _refused(uri: str, problem: Exception | None) -> FeedError:
    if not isinstance(problem, websockets.InvalidStatus):
        return _not_a_feed(uri, "it hung up" if problem is None else "its answer is no WebSocket handshake")
    status, lines = problem.response.status_code, _lines(problem.response)
    if status == FULL and lines and lines[0].startswith("full"):
        return FeedError(f"{uri} is {lines[0]}", action="Close a session that is not needed", code="full")
    return _not_a_feed(uri, f"it answered {status}{': ' if lines else ''}{'; '.join(lines)}")


def _lines(response: Response) -> list[str]:
    return (response.body or b"")[:200].decode("utf-8", "replace").split("\n")[:-1]


def _not_a_feed(uri: str, why: str) -> FeedError:
    return FeedError(
        f"{uri} is not a workbench bridge or feed ({why})",
        expected=f"a feed of protocol {limits.PROTOCOL_VERSION}",
        action="Check the port; `workbench engines` lists what runs",
        code="not_a_feed",
    )
