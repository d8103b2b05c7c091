"""Client side of a feed, without input or output; one object lives through any number of reconnects.

The shell's loop::

    client = ClientConnection(secret=…, endpoint=…); client.subscribe("ESZ6", data)
    for delay in reconnect_delays(rng): …connect…; client.opened(secrets.token_bytes(32), now)
        client.receive(frame, now); for notice in client.events(): …
        for frame in client.data_to_send(now): websocket.send(frame)
        if client.closing: websocket.close(…)
        …wait until client.deadline(); client.on_time(now)
        client.lost(reason, now)         # the socket is gone; subscriptions resume at the next opened()
"""

from __future__ import annotations

from collections.abc import Iterable

from workbench.protocol import messages
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

ClientNotice = StateChanged | StreamChanged | MarketData | Snapshot | Ladder | Received | BadMessage


class ClientConnection:
    """A client of one feed.

    Parameters
    ----------
    secret : str or None
        Proved by the mutual challenge and never sent; None for a feed that is open to all.
    endpoint : str
        As in the discovery file, to bind the proof to it; "" for an address given by hand.
    client : str
        Name shown in the engine's list of clients.
    """

    state: str
    closing: Close | None

    def __init__(self, *, secret: str | None = None, endpoint: str = "", client: str = ""): ...

    def opened(self, nonce: bytes, now: int) -> None: ...
    def lost(self, reason: str, now: int) -> None: ...
    def receive(self, data: str | bytes, now: int) -> None: ...
    def events(self) -> list[ClientNotice]: ...
    def data_to_send(self, now: int) -> list[str | bytes]: ...
    def deadline(self) -> int | None: ...
    def on_time(self, now: int) -> None: ...
    def subscribe(
        self, symbol: str, data: Iterable[str] = ("FULL_ORDER_BOOK", "TRADES"), **options: int
    ) -> None: ...
    def unsubscribe(self, symbol: str) -> None: ...
    def send(self, message: messages.Message) -> None:
        """Queue a command (PLACE_ORDER, RECORD, …); refused with FeedError unless the state is ready."""

    def close(self, code: int = 1000, reason: str = "") -> None: ...
