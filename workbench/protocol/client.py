"""Client side of a feed, without input or output; one object lives through any number of reconnects.

The shell's loop::

    client = ClientConnection(secret=…, endpoint=…)
    client.subscribe("ESZ6", ("FULL_ORDER_BOOK", "TRADES"))
    for delay in reconnect_delays(rng):
        …connect…
        client.opened(secrets.token_bytes(32), now)
        client.receive(frame, now); for notice in client.events(): …
        for frame in client.data_to_send(now): websocket.send(frame)
        if client.closing: …close with its code and reason…
        …wait until client.deadline(), or until something arrives…; client.on_time(now)
        client.lost(reason, now)         # the socket is gone; subscriptions resume at the next opened()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from workbench.errors import FeedError, ProtocolError, WorkbenchError
from workbench.protocol import decoding, limits, messages, transitions
from workbench.protocol.bad_messages import BadMessages
from workbench.protocol.codec import Frame, decode_frame
from workbench.protocol.greeting import Greeting
from workbench.protocol.notices import (
    BadMessage,
    Close,
    Counts,
    Ladder,
    MarketData,
    Received,
    Snapshot,
    StateChanged,
    StreamChanged,
)
from workbench.protocol.reader import StreamReader
from workbench.protocol.rows import ROW_TYPES
from workbench.protocol.runs import join_run, runs
from workbench.protocol.snapshot import Dom
from workbench.protocol.strict import parse
from workbench.protocol.version import mismatch

ClientNotice = StateChanged | StreamChanged | MarketData | Snapshot | Ladder | Received | BadMessage

_CONNECTED: Final = ("ready", "stale")
_SUBSCRIPTION_ERRORS: Final = ("unknown_instrument", "bad_instrument", "too_many")


class ClientConnection:
    """A client of one feed.

    Parameters
    ----------
    secret : str or None
        Proved by the mutual challenge and never sent; None for a feed that is open to all.
    by_hand : bool
        The secret was given by hand, for a feed that may be somebody else's: where it knows no challenge (it answers
        ``HELLO`` with an error, with nothing, or by hanging up) the secret is sent by ``LOGIN``, as the feed asks.
    endpoint : str
        As in the discovery file, to bind the proof to it; "" for an address given by hand.
    client : str
        Name shown in the engine's list of clients.

    Attributes
    ----------
    state : str
        One of the states of :data:`workbench.protocol.transitions.CLIENT`.
    closing : Close or None
        Set once this connection is to end; cleared by the next :meth:`opened`.
    welcome : messages.Welcome or None
        What the server said of itself.
    counts : Counts
    """

    def __init__(
        self, *, secret: str | None = None, endpoint: str = "", client: str = "", by_hand: bool = False
    ):
        self.state = "offline"
        self.closing: Close | None = None
        self.welcome: messages.Welcome | None = None
        self.counts = Counts()
        self._greeting = Greeting(secret, endpoint, client, by_hand=by_hand)
        self._readers: dict[str, StreamReader] = {}
        self._streams: dict[int, StreamReader] = {}
        self._notices: list[ClientNotice] = []
        self._outgoing: list[str | bytes] = []
        self._bad = BadMessages()
        self._heard_at = 0
        self._heartbeat_at = 0

    def __repr__(self) -> str:
        return f"ClientConnection(state={self.state!r}, subscriptions={sorted(self._readers)})"

    # -- the verbs -----------------------------------------------------------------------------------------------

    def opened(self, nonce: bytes, now: int) -> None:
        """A socket is connected.

        Parameters
        ----------
        nonce : bytes, 32
            Fresh random bytes.
        now : int, monotonic ns
        """
        if self.state != "offline":
            self.lost("reopened", now)
        self.closing = None
        self._heard_at = now
        self._heartbeat_at = now + limits.HEARTBEAT_NS
        if not self._greeting.has_secret:
            self._step("opened, holding none")
            return
        self._step("opened, holding a secret")
        self._greeting.begin(nonce, now)
        hello = self._greeting.hello()
        if hello is None:
            self._log_in()
        else:
            self._outgoing.append(decoding.encode(hello))

    def lost(self, reason: str, now: int) -> None:
        """The socket is gone; subscriptions keep their place."""
        if self.state == "greeting":
            self._greeting.hung_up()
        for reader in self._readers.values():
            reader.lost()
        self._collect()
        self._streams.clear()
        self._outgoing.clear()
        self._step("lost", reason)

    def receive(self, data: str | bytes, now: int) -> None:
        """Take one WebSocket message; never raises for what a peer sent."""
        if self.closing or self.state in ("offline", "closed", "refused"):
            return
        self._heard_at = now
        self.counts.messages += 1
        self._step("sign of life")
        try:
            if isinstance(data, str):
                self._receive_text(data, now)
            else:
                self._take_frame(decode_frame(data), 1, now)
        except WorkbenchError as error:
            self._count_bad(error, now)

    def receive_all(self, received: Iterable[str | bytes], now: int) -> None:
        """Take messages that arrived together, as :meth:`receive` would one by one, at a cost by run, not by frame."""
        for run in runs(received):
            if isinstance(run, str):
                self.receive(run, now)
            elif len(run) == 1 or not self._receive_run(run, now):
                for frame in run:
                    self.receive(frame, now)

    def events(self) -> list[ClientNotice]:
        """What happened since the last call, in order for each instrument."""
        for reader in self._readers.values():
            reader.flush(self._heard_at)
        self._collect()
        notices, self._notices = self._notices, []
        return notices

    def data_to_send(self, now: int) -> list[str | bytes]:
        """Frames to send now."""
        if self.state in _CONNECTED:
            for reader in self._readers.values():
                if reader.ask_at is not None and now >= reader.ask_at:
                    self._outgoing += [decoding.encode(message) for message in reader.subscription(now)]
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def deadline(self) -> int | None:
        """When :meth:`on_time` (and then :meth:`data_to_send`) wants to be called, monotonic ns."""
        if self.closing or self.state in ("offline", "closed", "refused"):
            return None
        limit = limits.STALE_NS if self.state == "ready" else limits.DEAD_NS
        times = [self._heard_at + limit]
        if self.state == "greeting" and self._greeting.waits:
            times.append(self._greeting.login_at)
        if self.state in _CONNECTED:
            times.append(self._heartbeat_at)
            times += [time for reader in self._readers.values() if (time := reader.deadline) is not None]
        return min(times)

    def on_time(self, now: int) -> None:
        """Do what is due."""
        silence = now - self._heard_at
        if self.state == "greeting" and now >= self._greeting.login_at:
            self._log_in()
        if self.state == "greeting" and self._greeting.welcomed_early and now >= self._greeting.login_at:
            self._refuse("welcome", "not the bridge I started: it let us in without a challenge")
        if silence >= limits.STALE_NS:
            self._step("late heartbeat", f"nothing heard for {silence / limits.SECOND_NS:.1f} s")
        if silence >= limits.DEAD_NS and self._step("silence", "nothing heard for 4 s"):
            self.closing = Close(limits.CLOSE_GOING_AWAY, "nothing heard for 4 s", abort=True)
        if self.state not in _CONNECTED:
            return
        if now >= self._heartbeat_at:
            self._heartbeat_at = now + limits.HEARTBEAT_NS
            self._outgoing.append(decoding.encode(messages.Heartbeat()))
        for reader in self._readers.values():
            reader.on_time(now)
        self._collect()

    # -- for the owner -------------------------------------------------------------------------------------------

    def subscribe(
        self, symbol: str, data: Iterable[str] = ("FULL_ORDER_BOOK", "TRADES"), **options: int
    ) -> None:
        """Ask for data of an instrument, now or once connected, and again after each reconnect.

        Parameters
        ----------
        symbol : str
        data : iterable of str
            ``FULL_ORDER_BOOK``, ``TRADES``, ``MBO``, ``DOM``, ``ACCOUNT``. Asking twice for the same is no-op.
        **options : int
            ``from_sequence``, ``dom_levels``, ``dom_interval_ms``.
        """
        kinds: list[Any] = list(data)
        request = messages.Subscribe(symbol=symbol, data=kinds, **options)
        before = self._readers.get(symbol)
        if before is not None and before.request == request and before.state != "refused":
            return
        self._readers[symbol] = StreamReader(symbol, request, self.counts)
        if before is not None and before.number is not None:
            self._streams.pop(before.number, None)
        if self.state in _CONNECTED:
            self._readers[symbol].ask_at = self._heard_at

    def unsubscribe(self, symbol: str) -> None:
        """Ask for no more data of an instrument."""
        reader = self._readers.pop(symbol, None)
        if reader is None:
            return
        if reader.number is not None:
            self._streams.pop(reader.number, None)
        if self.state in _CONNECTED:
            self._outgoing.append(decoding.encode(messages.Unsubscribe(symbol=symbol)))

    def resync(self, symbol: str, reason: str) -> None:
        """Ask for the book of an instrument anew, because its owner found it impossible."""
        reader = self._readers.get(symbol)
        if reader is not None and self.state in _CONNECTED:
            reader.resync(self._heard_at, reason)

    def next_sequence(self, symbol: str) -> int | None:
        """Number of the next event of an instrument; None before the first, or without subscription."""
        reader = self._readers.get(symbol)
        return reader.next_sequence if reader is not None else None

    def send(self, message: messages.Message) -> None:
        """Queue a command.

        Raises
        ------
        FeedError
            Not connected: commands are refused, never kept for later.
        """
        if self.state not in _CONNECTED:
            raise FeedError(
                f"not connected to the feed (state {self.state})", action="Wait for state 'ready'"
            )
        self._outgoing.append(decoding.encode(message))

    def close(self, code: int = limits.CLOSE_NORMAL, reason: str = "") -> None:
        """End the connection once everything queued went out."""
        if self._step("close", reason) and self.closing is None:
            self.closing = Close(code, reason)

    # -- inside --------------------------------------------------------------------------------------------------

    def _step(self, event: str, reason: str = "") -> bool:
        following = transitions.CLIENT.get((self.state, event))
        if following is None:
            return False
        if following != self.state:
            self.state = following
            self._notices.append(StateChanged(following, reason))
        return True

    def _collect(self) -> None:
        for reader in self._readers.values():
            if reader.notices:
                self._notices += reader.notices
                reader.notices = []
            if reader.complaint:
                self._notices.append(BadMessage("no_snapshot", f"{reader.symbol}: {reader.complaint}"))
                reader.complaint = ""

    def _count_bad(self, error: WorkbenchError, now: int) -> None:
        if error.code == "unknown_type":
            self.counts.unknown += 1
            if error.code not in self.counts.examples:  # a newer server may send many: one is told
                self._notices.append(BadMessage(error.code, error.message))
            self.counts.examples.setdefault(error.code, error.message)
            return
        self.counts.bad += 1
        self.counts.examples.setdefault(error.code, error.message)
        self._notices.append(BadMessage(error.code, error.message))
        if self._bad.is_flood(now):
            self.close(limits.CLOSE_POLICY, "too many malformed messages")

    def _receive_run(self, run: list[bytes], now: int) -> bool:
        """Take neighbouring frames as one; False, and nothing is done, where they must be looked at one by one."""
        if self.closing or self.state not in _CONNECTED:
            return False
        try:
            frame = decode_frame(join_run(run))
        except ProtocolError:
            return False
        self._heard_at = now
        self.counts.messages += len(run)
        self._step("sign of life")
        self._take_frame(frame, len(run), now)
        return True

    def _take_frame(self, frame: Frame, messages_joined: int, now: int) -> None:
        reader = self._streams.get(frame.stream)
        if reader is None:
            self.counts.unknown += messages_joined
            return
        reader.frame(frame, now)
        self._notices += reader.notices
        reader.notices = []

    def _receive_text(self, text: str, now: int) -> None:
        plain = parse(text)
        kind = decoding.type_of(plain)
        if kind in ROW_TYPES or kind == "SNAPSHOT":
            reader = self._readers.get(str(plain.get("symbol")))
            if reader is None:
                self.counts.unknown += 1
            else:
                reader.message(plain, now)
        elif kind == "DOM":
            self._notices.append(Ladder.of(decoding.convert_to(plain, Dom)))
        else:
            self._handle(decoding.convert(plain, decoding.FROM_SERVER), now)

    def _handle(self, message: messages.Message, now: int) -> None:
        handler = _HANDLERS.get(type(message))
        if handler is not None:
            handler(self, message, now)
        if not isinstance(message, messages.Heartbeat | messages.Challenge):
            self._notices.append(Received(message))

    def _challenged(self, challenge: messages.Challenge, now: int) -> None:
        if not self._greeting.has_secret or self.state != "greeting":
            return
        proof = self._greeting.proof(challenge)
        if proof is None:
            self._refuse(
                "wrong challenge", "not the bridge I started: it could not prove that it holds the token"
            )
            return
        self._step("right challenge")
        self._outgoing.append(decoding.encode(proof))

    def _log_in(self) -> None:
        """Send the token, to a feed that knows no challenge and whose token was given by hand."""
        login = self._greeting.login()
        if login is not None:
            self._step("no challenge")
            self._outgoing.append(decoding.encode(login))

    def _refuse(self, event: str, reason: str) -> None:
        if self._step(event, reason):
            self.closing = Close(limits.CLOSE_POLICY, reason)

    def _welcomed(self, welcome: messages.Welcome, now: int) -> None:
        wrong_version = mismatch(peer=welcome.version, peer_name="bridge", own_name="workbench")
        if wrong_version is not None:
            self.close(limits.CLOSE_PROTOCOL, wrong_version)
            return
        if self.state == "greeting":
            self._log_in()
        if self.state == "greeting":
            self._greeting.welcomed_early = True  # by a feed that is open to all
            return
        if self.state not in ("proving", "waiting"):
            return
        # a feed that names no session does not say whether its numbers go on
        if self.welcome is not None and (self.welcome.session != welcome.session or not welcome.session):
            for reader in self._readers.values():
                reader.renumbered()
        self.welcome = welcome
        self._step("welcome")
        for reader in self._readers.values():
            reader.ask_at = now

    def _rejected(self, error: messages.Error, now: int) -> None:
        if error.code == "bad_token":
            self._refuse("rejected", "token rejected by the feed")
        elif self.state == "greeting" and self._greeting.by_hand:
            self._log_in()
        elif error.code in _SUBSCRIPTION_ERRORS and isinstance(error.request_id, str):
            reader = self._readers.get(error.request_id.removeprefix("subscribe "))
            if reader is not None:
                reader.refused(error.message)

    def _subscribed(self, message: messages.Subscribed, now: int) -> None:
        reader = self._readers.get(message.symbol)
        if reader is not None:
            reader.subscribed(message, now)
            self._streams[message.stream] = reader

    def _heard(self, heartbeat: messages.Heartbeat, now: int) -> None:
        for symbol, following in heartbeat.sequences.items():
            reader = self._readers.get(symbol)
            if reader is not None:
                reader.told_next(following, now)


_HANDLERS: Final[dict[type[messages.Message], Callable[[ClientConnection, Any, int], None]]] = {
    messages.Challenge: ClientConnection._challenged,
    messages.Welcome: ClientConnection._welcomed,
    messages.Error: ClientConnection._rejected,
    messages.Subscribed: ClientConnection._subscribed,
    messages.Heartbeat: ClientConnection._heard,
}
