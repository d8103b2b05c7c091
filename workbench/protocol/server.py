"""Server side of one connection, without input or output.

The shell's loop, for each connection::

    connection = ServerConnection(streams, secret=…, nonce=secrets.token_bytes(32), binary=…, now=monotonic_ns())
    connection.receive(data, now); notices = connection.events()
    while frames := connection.data_to_send(now):      # call again only when the transport took the last ones
        for frame in frames: await websocket.send(frame)
    if connection.closing: …close with its code and reason, or abort the transport
    …sleep until connection.deadline() or until something arrives or is published; connection.on_time(now)
"""

from __future__ import annotations

from collections.abc import Mapping

from workbench.protocol import messages
from workbench.protocol.notices import Close, CommandReceived, LoggedIn, LoginRefused, SubscriptionChanged
from workbench.protocol.stream import Stream

ServerNotice = CommandReceived | LoggedIn | LoginRefused | SubscriptionChanged


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
        Market data without login (commands still need one).
    session : str
        Changes whenever sequence numbers start anew.
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
    """

    closing: Close | None

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
        guard: object = None,
    ): ...

    def receive(self, data: str | bytes, now: int) -> None: ...
    def events(self) -> list[ServerNotice]: ...
    def data_to_send(self, now: int, max_bytes: int = 256 << 10) -> list[str | bytes]: ...
    def deadline(self) -> int | None: ...
    def on_time(self, now: int) -> None: ...
    def send(self, message: messages.Message) -> None:
        """Queue an answer, an ORDER, a FILL, … (account messages only reach subscribers of ACCOUNT)."""

    def send_error(self, code: str, message: str, request_id: messages.RequestId = None) -> None: ...
    def send_latest(self, key: str, message: messages.Message) -> None:
        """Queue a state of which only the newest matters (HEALTH, POSITION): replaces an unsent one of the same key."""

    def close(self, code: int = 1000, reason: str = "") -> None: ...
    @property
    def has_data(self) -> bool:
        """Whether data_to_send would return something now: ask after each Stream.publish."""
