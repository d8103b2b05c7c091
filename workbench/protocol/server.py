"""Server side of one connection, without input or output.

The shell's loop, for each connection::

    connection = ServerConnection(streams, now=monotonic_ns(), nonce=secrets.token_bytes(32), secret=…, binary=…)
    connection.receive(data, now); notices = connection.events()
    while frames := connection.data_to_send(now):      # call again only when the transport took the last ones
        for frame in frames: await websocket.send(frame)
    if connection.closing: …close with its code and reason, or abort the transport…
    …sleep until connection.deadline(), or until something arrives or is published; connection.on_time(now)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from workbench.errors import ProtocolError
from workbench.protocol import decoding, limits, messages, transitions
from workbench.protocol.bad_messages import BadMessages
from workbench.protocol.handshake import bearer_token
from workbench.protocol.login import LoginGuard, client_proof, matches, server_proof
from workbench.protocol.notices import (
    BadMessage,
    Close,
    CommandReceived,
    LoggedIn,
    LoginRefused,
    SubscriptionChanged,
)
from workbench.protocol.outbox import Outbox
from workbench.protocol.stream import Stream
from workbench.protocol.subscriptions import Subscriptions
from workbench.protocol.throttle import Throttle
from workbench.protocol.version import mismatch

__all__ = ["LoginGuard", "ServerConnection", "ServerNotice"]

ServerNotice = BadMessage | CommandReceived | LoggedIn | LoginRefused | SubscriptionChanged

SECURED: Final = (
    *(messages.PlaceOrder, messages.CancelOrder, messages.ReplaceOrder, messages.CancelAll),
    *(messages.Arm, messages.Disarm, messages.Publish, messages.Notify, messages.Listen),
    *(messages.Record, messages.StopRecording, messages.Replay, messages.Shutdown),
)
"""Commands that need a login even where market data is open to all."""

ORDERS: Final = (
    *(messages.PlaceOrder, messages.CancelOrder, messages.ReplaceOrder, messages.CancelAll),
    messages.Arm,
)
COMMANDS: Final = (*SECURED, messages.EngineQuery, messages.HealthQuery)
ACCOUNT: Final = (
    *(messages.Order, messages.Fill, messages.Position, messages.Balance),
    *(messages.Trading, messages.Broadcast, messages.Drawn),
)


class ServerConnection:
    """One client of a feed.

    Parameters
    ----------
    streams : Mapping of str to Stream
        Live view of what can be subscribed, by symbol.
    now : int, monotonic ns
    nonce : bytes, 32
        Fresh random bytes (``secrets.token_bytes(32)``).
    secret : str or None
        The feed's token; None lets nobody log in.
    open_access : bool
        Market data without login (commands that change anything still need one).
    session : str
        Changes whenever sequence numbers start anew.
    server : str
        Name and version, for ``WELCOME``.
    binary : bool
        The client asked for subprotocol ``orderflow.v1.binary``.
    armed : bool
        Orders are accepted (paper or live); otherwise they are answered with ``read_only``.
    authorization : str or None
        Value of the ``Authorization`` header.
    endpoint : str
        As in the discovery file; a challenge relayed from another endpoint fails.
    guard : LoginGuard, optional
        Shared by all connections of a server: slows guessing down.

    Attributes
    ----------
    closing : Close or None
        Set once the connection is to end; send what is left, then close with it (or abort).
    counts : dict of str to int
        Messages, bad and unknown ones, throttled ones, skips of slow subscriptions.
    """

    def __init__(
        self,
        streams: Mapping[str, Stream],
        *,
        now: int,
        nonce: bytes,
        secret: str | None = None,
        open_access: bool = False,
        session: str = "",
        server: str = "workbench",
        binary: bool = False,
        armed: bool = False,
        authorization: str | None = None,
        endpoint: str = "",
        guard: LoginGuard | None = None,
    ):
        self.state = "new"
        self.how = ""
        self.client = ""
        self.closing: Close | None = None
        self.binary = binary
        self.counts = {"messages": 0, "bad": 0, "unknown": 0, "throttled": 0, "skipped": 0}
        self._secret = secret
        self._nonce = nonce.hex()
        self._open_access = open_access
        self._session = session
        self._server = server
        self._armed = armed
        self._endpoint = endpoint
        self._guard = guard or LoginGuard()
        self._hello: messages.Hello | None = None
        self._notices: list[ServerNotice] = []
        self._outbox = Outbox()
        self._subscribed = Subscriptions(streams, binary=binary)
        self._bad = BadMessages()
        self._throttle = Throttle(now)
        self._login_by = now + limits.LOGIN_TIMEOUT_NS
        self._refuse_at: int | None = None
        self._heartbeat_at: int | None = None
        self._silent_at: int | None = None
        token = bearer_token(authorization)
        if token is not None:
            self._try_token(token, now, None)
        elif open_access:
            self._step("open access")
            self._welcome("open", now, None)

    def __repr__(self) -> str:
        return f"ServerConnection(state={self.state!r}, how={self.how!r}, subscriptions={sorted(self.subscriptions)})"

    # -- the five verbs ------------------------------------------------------------------------------------------

    def receive(self, data: str | bytes, now: int) -> None:
        """Take one WebSocket message; never raises for what a peer sent."""
        if self.closing:
            return
        self.counts["messages"] += 1
        try:
            message = self._decode(data)
        except ProtocolError as error:
            self._count_bad(error, decoding.request_id_of(data), now)
            return
        # who armed is held to it from then on: it may freeze before its first heartbeat, and must not stay armed
        if self._silent_at is not None or isinstance(message, messages.Heartbeat | messages.Arm):
            self._silent_at = now + limits.DEAD_NS
        if not self._throttle.admits(now):
            self.counts["throttled"] += 1
            self.send_error(
                "throttled", f"more than {limits.CONTROL_PER_SECOND} messages/s", _request_id(message)
            )
            return
        self._handle(message, now)

    def events(self) -> list[ServerNotice]:
        """What happened since the last call."""
        notices, self._notices = self._notices, []
        return notices

    def data_to_send(self, now: int, max_bytes: int = limits.CHUNK_BYTES) -> list[str | bytes]:
        """Frames to send now, about ``max_bytes``; call it again once the transport took them."""
        if self.closing and self.closing.abort:
            return []
        frames: list[str | bytes] = list(self._outbox.take(max_bytes))
        frames += self._subscribed.events(max_bytes - sum(map(len, frames)))
        frames += self._subscribed.ladders(now)
        self._outbox.handed_out(now, bool(frames))
        return frames

    def deadline(self) -> int | None:
        """When :meth:`on_time` wants to be called, monotonic ns; None: not before something happens."""
        if self.closing:
            return None
        times = [self._refuse_at, self._heartbeat_at, self._silent_at, self._outbox.stalls_at]
        if self.state in ("new", "challenged"):
            times.append(self._login_by)
        times += self._subscribed.due_at
        return min((time for time in times if time is not None), default=None)

    def on_time(self, now: int) -> None:
        """Do what is due."""
        if self._outbox.is_stuck(now):
            self._end("stalled", Close(limits.CLOSE_POLICY, "too much backpressure", abort=True))
        if self.state in ("new", "challenged") and now >= self._login_by:
            self._end("too late", Close(limits.CLOSE_POLICY, "no login within 2 s"))
        if self._refuse_at is not None and now >= self._refuse_at:
            self._refuse()
        if self._silent_at is not None and now >= self._silent_at:
            self._end("silence", Close(limits.CLOSE_GOING_AWAY, "no heartbeat for 4 s", abort=True))
        if self._heartbeat_at is not None and now >= self._heartbeat_at and not self.closing:
            self._heartbeat_at = now + limits.HEARTBEAT_NS
            heartbeat = messages.Heartbeat(sequences=self._subscribed.sequences)
            self._outbox.put_latest("HEARTBEAT", decoding.encode(heartbeat))
        self._subscribed.on_time(now)

    # -- for the owner -------------------------------------------------------------------------------------------

    @property
    def silent_at(self) -> int | None:
        """When the client has been silent for too long, monotonic ns; None: it is not held to being heard."""
        return self._silent_at

    @property
    def has_data(self) -> bool:
        """Whether :meth:`data_to_send` would return something: ask after each ``Stream.publish``."""
        return bool(self._outbox) or self._subscribed.has_data

    @property
    def subscriptions(self) -> dict[str, frozenset[str]]:
        """Kinds of data by symbol."""
        return self._subscribed.data

    def send(self, message: messages.Message) -> None:
        """Queue an answer or a state; account messages without ``request_id`` reach subscribers of ACCOUNT only."""
        if self.state == "ready" and self._wants(message):
            self._outbox.put(decoding.encode(message))

    def send_latest(self, key: str, message: messages.Message) -> None:
        """Queue a state of which only the newest matters: replaces an unsent one of the same key."""
        if self.state == "ready" and self._wants(message):
            self._outbox.put_latest(key, decoding.encode(message))

    def send_error(self, code: str, message: str, request_id: messages.RequestId = None) -> None:
        """Queue an ERROR."""
        error = messages.Error(code=code, message=message, request_id=request_id)
        self._outbox.put(decoding.encode(error))

    def close(self, code: int = limits.CLOSE_NORMAL, reason: str = "") -> None:
        """End the connection once everything queued went out."""
        self._end("close", Close(code, reason))

    def _wants(self, message: messages.Message) -> bool:
        if not isinstance(message, ACCOUNT) or _request_id(message) is not None:
            return True
        symbol = getattr(message, "symbol", None)
        data = self.subscriptions
        named = data.values() if symbol is None else [data.get(symbol, frozenset())]
        return any("ACCOUNT" in kinds for kinds in named)

    # -- states --------------------------------------------------------------------------------------------------

    def _step(self, event: str) -> bool:
        following = transitions.SERVER.get((self.state, event))
        if following is None:
            return False
        self.state = following
        return True

    def _end(self, event: str, close: Close) -> None:
        if self._step(event) and self.closing is None:
            self.closing = close

    def _decode(self, data: str | bytes) -> messages.Message:
        if isinstance(data, bytes):
            raise ProtocolError("a binary message", expected="JSON text", code="bad_message")
        return decoding.decode_from_client(data)

    def _count_bad(self, error: ProtocolError, request_id: messages.RequestId, now: int) -> None:
        self.send_error(error.code, error.message, request_id)
        if error.code == "unknown_type":
            self.counts["unknown"] += 1
            return
        self.counts["bad"] += 1
        self._notices.append(BadMessage(error.code, error.message))
        if error.code in ("too_big", "bad_text"):
            code = limits.CLOSE_TOO_BIG if error.code == "too_big" else limits.CLOSE_BAD_TEXT
            self._end("close", Close(code, error.code))
        elif self._bad.is_flood(now):
            self._end("close", Close(limits.CLOSE_POLICY, "too many malformed messages"))

    def _handle(self, message: messages.Message, now: int) -> None:
        if isinstance(message, messages.Login | messages.Hello | messages.Proof):
            self._handle_login(message, now)
        elif self.state != "ready":
            self.send_error("not_logged_in", "log in first: LOGIN or HELLO", _request_id(message))
        elif isinstance(message, messages.Subscribe):
            self._subscribe(message, now)
        elif isinstance(message, messages.Unsubscribe):
            self._unsubscribe(message)
        elif isinstance(message, messages.ListInstruments):
            known = [stream.instrument.to_dict() for stream in self._subscribed.streams.values()]
            self.send(messages.Instruments(instruments=known, request_id=message.request_id))
        elif isinstance(message, COMMANDS):
            self._command(message)

    def _command(self, command: messages.Command) -> None:
        if isinstance(command, SECURED) and self.how == "open":
            self.send_error("not_logged_in", "this needs a login", command.request_id)
        elif isinstance(command, ORDERS) and not self._armed:
            text = "read_only: this feed takes no orders; in Bookmap, tick workbench_bridge_trading instead"
            self.send_error("read_only", text, command.request_id)
        else:
            self._notices.append(CommandReceived(command))

    # -- login ---------------------------------------------------------------------------------------------------

    def _handle_login(self, message: messages.LoginMessage, now: int) -> None:
        version = getattr(message, "version", "")
        wrong_version = mismatch(peer=version, peer_name="workbench", own_name="bridge") if version else None
        if wrong_version:
            self.send_error("version", wrong_version, message.request_id)
            self._end("close", Close(limits.CLOSE_PROTOCOL, wrong_version))
        elif isinstance(message, messages.Login):
            self._try_token(message.token, now, message.request_id)
        elif isinstance(message, messages.Hello):
            self._challenge(message)
        else:
            self._try_proof(message, now)

    def _try_token(self, token: str, now: int, request_id: messages.RequestId) -> None:
        right = self._secret is not None and matches(token, self._secret)
        self._conclude("right token" if right else "wrong token", "token", now, request_id)

    def _challenge(self, hello: messages.Hello) -> None:
        foreign = hello.endpoint not in ("", self._endpoint)
        if self._secret is None or foreign or self._hello is not None or not self._step("hello"):
            self.send_error("bad_login", "no challenge possible here", hello.request_id)
            return
        self._hello = hello
        self.client = hello.client[:80]
        proof = server_proof(self._secret, hello.nonce, self._nonce, hello.endpoint)
        answer = messages.Challenge(nonce=self._nonce, proof=proof, request_id=hello.request_id)
        self._outbox.put(decoding.encode(answer))

    def _try_proof(self, message: messages.Proof, now: int) -> None:
        hello, secret = self._hello, self._secret
        if hello is None or secret is None:
            self.send_error("bad_login", "PROOF without HELLO", message.request_id)
            return
        right = matches(message.proof, client_proof(secret, hello.nonce, self._nonce, hello.endpoint))
        self._conclude("right proof" if right else "wrong proof", "proof", now, message.request_id)

    def _conclude(self, event: str, how: str, now: int, request_id: messages.RequestId) -> None:
        if not self._step(event):
            self.send_error("bad_login", "not now", request_id)
        elif self.state == "ready":
            self._welcome(how, now, request_id)
        else:
            self._notices.append(LoginRefused(how))
            self._refuse_at = now + self._guard.failed(now)
            if self._refuse_at == now:
                self._refuse()

    def _refuse(self) -> None:
        self._refuse_at = None
        self.send_error("bad_token", "token rejected")
        self._end("delay over", Close(limits.CLOSE_POLICY, "token rejected"))

    def _welcome(self, how: str, now: int, request_id: messages.RequestId) -> None:
        self.how = how
        self._heartbeat_at = now + limits.HEARTBEAT_NS
        welcome = messages.Welcome(
            version=limits.PROTOCOL_VERSION,
            server=self._server,
            session=self._session,
            heartbeat_ms=limits.HEARTBEAT_NS // 1_000_000,
            read_only=not self._armed or how == "open",
            limits=limits.announced(),
            symbols=list(self._subscribed.streams),
            request_id=request_id,
        )
        self._outbox.put(decoding.encode(welcome))
        self._notices.append(LoggedIn(how, self.client))

    # -- subscriptions -------------------------------------------------------------------------------------------

    def _subscribe(self, request: messages.Subscribe, now: int) -> None:
        refusal = self._subscribed.refusal(request)
        if refusal is not None:
            self.send_error(*refusal, request.request_id)
        elif (confirmed := self._subscribed.confirmed(request)) is not None:
            self._outbox.put(confirmed)  # subscribing twice changes nothing
        elif self._subscribed.begin(request, now):
            self._notices.append(SubscriptionChanged(request.symbol, frozenset(request.data)))

    def _unsubscribe(self, request: messages.Unsubscribe) -> None:
        if self._subscribed.end(request.symbol):
            self._notices.append(SubscriptionChanged(request.symbol, frozenset()))
        self.send(messages.Unsubscribed(symbol=request.symbol, request_id=request.request_id))


def _request_id(message: messages.Message) -> messages.RequestId:
    found: messages.RequestId = getattr(message, "request_id", None)
    return found
