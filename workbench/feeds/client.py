"""The client of a feed: one reader thread, from the socket to whoever takes the events.

The thread owns the socket and :class:`workbench.protocol.client.ClientConnection`; other threads only put commands in
a queue and wake it. It comes back by itself when the feed was away, resumes where it stopped, and never raises into
anybody's cell: what went wrong is in :attr:`FeedClient.health`.
"""

from __future__ import annotations

import logging
import random
import secrets
import selectors
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from workbench.errors import FeedError, WorkbenchError
from workbench.feeds.joining import joined
from workbench.feeds.meter import FeedHealth, Meter
from workbench.feeds.requests import Answer, Requests, wait_for
from workbench.feeds.target import Target, fatal_error
from workbench.feeds.transport import ConnectionLostError, Transport
from workbench.feeds.waking import Bell
from workbench.protocol import limits, messages
from workbench.protocol.backoff import reconnect_delays
from workbench.protocol.client import ClientConnection, ClientNotice
from workbench.protocol.notices import (
    BadMessage,
    Close,
    Ladder,
    MarketData,
    Received,
    Snapshot,
    StateChanged,
    StreamChanged,
)

CONNECT_TIMEOUT_S: Final = 2.0
OPEN_TIMEOUT_S: Final = 10.0
REQUEST_TIMEOUT_S: Final = 10.0
JOIN_TIMEOUT_S: Final = 5.0
READY: Final = "ready"
CONNECTED: Final = (READY, "stale")

__all__ = ["Delivery", "FeedClient", "FeedHealth", "Target"]

_log = logging.getLogger("workbench.feeds.client")

Delivery = MarketData | Snapshot | Ladder | StreamChanged | Received


class FeedClient:
    """Connection to one feed, kept up by a thread.

    Parameters
    ----------
    target : Target
    deliver : callable
        Called in the reader thread with every delivery; :class:`Received` only if unsolicited.
    name : str
        Shown in the engine's list of clients.
    tls : ssl.SSLContext, optional
        For ``wss://``; the system's authorities by default.
    on_state : callable, optional
        Called as ``on_state(state, reason)`` in the reader thread whenever the connection's state changes.

    Notes
    -----
    A context manager; :meth:`close` joins the thread.
    """

    def __init__(
        self,
        target: Target,
        deliver: Callable[[Delivery], None],
        name: str = "",
        tls: ssl.SSLContext | None = None,
        on_state: Callable[[str, str], None] = lambda state, reason: None,
    ):
        self.target, self.name = target, name
        self.error: WorkbenchError | None = None
        self._deliver, self._tls, self._on_state = deliver, tls, on_state
        self._connection = ClientConnection(
            secret=target.secret, endpoint=target.endpoint, client=name, by_hand=target.by_hand
        )
        self._commands: deque[Callable[[ClientConnection], None]] = deque()
        self._requests = Requests()
        self._meter = Meter()
        self._state, self._reason = "connecting", ""
        self._opened = threading.Event()
        self._stopping = self._let_in = False
        self._bell = Bell()
        self._thread = threading.Thread(target=self._run, name="workbench-feed", daemon=True)

    def open(self, timeout: float = OPEN_TIMEOUT_S) -> FeedClient:
        """Start the thread and wait for the first login.

        Raises
        ------
        FeedError
            Nothing listens there, or it is not a feed.
        AuthenticationError
            The token was refused, or the other side could not prove that it holds it.
        """
        self._thread.start()
        ready = self._opened.wait(timeout)
        if self.error is None and ready:
            return self
        self.close()
        raise self.error or FeedError(
            f"{self.target.uri} did not let us in within {timeout:g} s", code="timeout"
        )

    def start(self) -> FeedClient:
        """Start the thread and return at once; a feed that is not there yet is tried again and again."""
        self._opened.set()
        self._thread.start()
        return self

    @property
    def health(self) -> FeedHealth:
        """Counters and state of this moment."""
        counts = self._connection.counts
        return FeedHealth(
            state=self._state,
            reason=self._reason,
            lag_ms=self._meter.lag_ms,
            events_per_s=self._meter.rate(time.monotonic_ns()),
            events=self._meter.events,
            lost=counts.lost,
            duplicates=counts.duplicates,
            bad_messages=counts.bad,
            unknown_messages=counts.unknown,
            reconnects=self._meter.reconnects,
            resyncs=counts.resyncs,
            examples=dict(counts.examples),
            received_bytes=self._meter.received_bytes,
        )

    @property
    def state(self) -> str:
        """State of the connection."""
        return self._state

    def subscribe(self, symbol: str, data: Iterable[str], **options: int) -> None:
        """Ask for data of an instrument; kept through reconnects.

        Parameters
        ----------
        symbol : str
        data : Iterable of str
            ``FULL_ORDER_BOOK``, ``TRADES``, ``MBO``, ``DOM``, ``ACCOUNT``.
        **options : int
            Of ``SUBSCRIBE``: ``from_sequence``, ``dom_levels``, ``dom_interval_ms``.
        """
        kinds = tuple(data)
        self._do(lambda connection: connection.subscribe(symbol, kinds, **options))

    def unsubscribe(self, symbol: str) -> None:
        """Ask for no more data of an instrument."""
        self._do(lambda connection: connection.unsubscribe(symbol))

    def resync(self, symbol: str, reason: str) -> None:
        """Ask for the book of an instrument anew, because it is impossible; what was missed meanwhile is a gap."""
        self._do(lambda connection: connection.resync(symbol, reason))

    def send(self, message: messages.Message) -> None:
        """Send a command without waiting for its answer."""
        self._check_connected()
        self._do(lambda connection: _send_or_log(connection, message))

    def ask(self, message: messages.Message) -> Answer:
        """Send a command; the future holds its answer, an ``ERROR`` too, unless the connection is lost before.

        Raises
        ------
        FeedError
            Not connected: nothing was sent.

        Notes
        -----
        An exception in the future has the code ``lost`` where nobody knows whether the command was carried out; any
        other code: it was not sent. Cancel the future to wait no longer; a late answer is then delivered.
        """
        self._check_connected()
        numbered, answer = self._requests.register(message)
        self._do(lambda connection: self._send_request(connection, numbered, answer))
        return answer

    def request(self, message: messages.Message, timeout: float = REQUEST_TIMEOUT_S) -> messages.Message:
        """Send a command and wait for its answer.

        Raises
        ------
        EngineError, FeedError
            As :func:`~workbench.feeds.requests.wait_for` does.
        """
        return wait_for(self.ask(message), message, timeout)

    def close(self) -> None:
        """End the connection and the thread; doing it again is no error."""
        self._stopping = True
        self._bell.ring()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(JOIN_TIMEOUT_S)
        if not self._thread.is_alive():
            self._bell.close()
        self._set_state("closed", self._reason)

    def __enter__(self) -> FeedClient:
        return self if self._thread.is_alive() else self.open()

    def __exit__(self, *exception: object) -> None:
        self.close()

    # -- any thread ------------------------------------------------------------------------------------------------

    def _check_connected(self) -> None:
        # Commands are refused, never kept for later: nobody wants an order to leave when the line comes back.
        if self._state not in CONNECTED:
            raise FeedError(
                f"not connected to {self.target.address} ({self._state}): {self._reason or 'trying again'}",
                action="Wait until it is back, then ask again",
                code="not_connected",
            )

    def _do(self, action: Callable[[ClientConnection], None]) -> None:
        if self._stopping:
            raise FeedError("the connection is closed", action="Open a new session", code="closed")
        self._commands.append(action)
        self._bell.ring()

    # -- reader thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._keep_connected()
        except Exception as problem:  # noqa: BLE001  (a thread has no caller: health carries the reason)
            _log.exception("the reader thread ended")
            self._fail(
                FeedError(f"the connection ended on {type(problem).__name__}: {problem}", code="internal")
            )
        finally:
            self._refuse_waiting("the connection is closed")
            self._set_state("closed", self._reason)
            self._opened.set()

    def _keep_connected(self) -> None:
        delays = reconnect_delays(random.random)
        while not self._is_over:
            if self._connect_once():
                delays = reconnect_delays(random.random)
            if not self._is_over:
                self._bell.wait(next(delays))

    @property
    def _is_over(self) -> bool:
        return self._stopping or self.error is not None

    def _connect_once(self) -> bool:
        """Connect and stay connected; whether the feed had let us in."""
        try:
            transport = Transport.connect(self.target.uri, CONNECT_TIMEOUT_S, self._tls)
        except FeedError as problem:
            self._not_connected(problem)
            return False
        self._connection.opened(secrets.token_bytes(limits.NONCE_BYTES), time.monotonic_ns())
        self._let_in = False
        try:
            self._pump(transport)
        except ConnectionLostError as lost:
            self._lost(lost)
        finally:
            self._meter.received_bytes += transport.received_bytes
            closing = self._connection.closing or Close(limits.CLOSE_NORMAL, "")
            transport.close(closing.code, closing.reason)
        return self._let_in

    def _pump(self, transport: Transport) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._bell, selectors.EVENT_READ)
            selector.register(transport, selectors.EVENT_READ)
            while not self._stopping:
                self._take(transport.read())
                self._step(transport)
                if self._connection.closing is not None:
                    self._take_close(self._connection.closing)
                    return
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if transport.wants_write else 0)
                selector.modify(transport, wanted)
                # asked after the wake-up was taken in: one that comes later ends the select
                selector.select(self._seconds_left())
            self._connection.close(limits.CLOSE_NORMAL, "")
            self._step(transport)

    def _take(self, frames: list[str | bytes]) -> None:
        self._connection.receive_all(frames, time.monotonic_ns())
        for notice in joined(self._connection.events()):
            self._take_notice(notice)

    def _step(self, transport: Transport) -> None:
        self._bell.silence()
        self._run_commands()
        now = time.monotonic_ns()
        self._connection.on_time(now)
        for notice in self._connection.events():
            self._take_notice(notice)
        for frame in self._connection.data_to_send(now):
            transport.send(frame)
        transport.flush()

    def _run_commands(self) -> None:
        while self._commands:
            self._commands.popleft()(self._connection)

    def _take_notice(self, notice: ClientNotice) -> None:
        match notice:
            case MarketData():
                self._meter.count(notice, time.monotonic_ns())
                self._deliver(notice)
            case StateChanged():
                self._take_state(notice)
            case Received():
                self._take_message(notice)
            case BadMessage():
                _log.warning("bad message from the feed: %s", notice.message)
            case _:
                self._deliver(notice)

    def _take_state(self, notice: StateChanged) -> None:
        self._set_state(notice.state, notice.reason)
        if notice.state == READY and not self._let_in:
            self._let_in = True
            self._meter.reconnects += self._opened.is_set()
            self._opened.set()

    def _take_message(self, notice: Received) -> None:
        is_news = isinstance(notice.message, messages.AccountMessage)
        # an answer, too, has its place among the states of an order: here, and before whoever asked goes on
        if is_news:
            self._deliver(notice)
        if not self._requests.settle(notice.message) and not is_news:
            self._deliver(notice)

    def _send_request(self, connection: ClientConnection, message: messages.Message, answer: Answer) -> None:
        if answer.done():  # refused when the connection was lost: it must not leave with the next one
            return
        try:
            connection.send(message)
        except WorkbenchError as problem:
            self._requests.refuse(answer, problem)

    def _take_close(self, closing: Close) -> None:
        self._lost(ConnectionLostError(closing.reason, closing.code))

    def _lost(self, lost: ConnectionLostError) -> None:
        closing = self._connection.closing or Close(lost.code, lost.reason)
        error = fatal_error(closing, self._connection.state, self.target)
        if error is not None:
            self._fail(error)
        self._connection.lost(lost.reason, time.monotonic_ns())
        for notice in self._connection.events():
            self._take_notice(notice)
        self._run_commands()  # subscriptions are kept, commands that did not leave are refused
        self._refuse_waiting(f"the connection was lost ({lost.reason})")

    def _not_connected(self, problem: FeedError) -> None:
        self._reason = str(problem)
        if not self._opened.is_set():  # the very first try is the user's own call
            self._fail(problem)

    def _fail(self, problem: WorkbenchError) -> None:
        self.error = problem
        self._reason = str(problem)

    def _refuse_waiting(self, reason: str) -> None:
        self._requests.refuse_all(FeedError(f"{reason}: the outcome is not known", code="lost"))

    def _set_state(self, state: str, reason: str) -> None:
        changed = state != self._state
        self._state, self._reason = state, reason
        if changed:
            self._on_state(state, reason)

    def _seconds_left(self) -> float | None:
        if self._stopping:
            return 0.0
        deadline = self._connection.deadline()
        return None if deadline is None else max(0.0, (deadline - time.monotonic_ns()) / limits.SECOND_NS)


def _send_or_log(connection: ClientConnection, message: messages.Message) -> None:
    try:
        connection.send(message)
    except WorkbenchError as problem:
        _log.warning("a command was not sent: %s", problem)
