"""The server's side of a connection, without a socket, for tests that speak to it."""

from __future__ import annotations

import json
from typing import Any

from tests.support.wire import SECRET, Feed
from workbench.protocol.server import ServerConnection

NONCE = b"\x01" * 32


def made_server(feed: Feed | None = None, **options: Any) -> ServerConnection:
    """A server's side of one connection, at time 0."""
    settings: dict[str, Any] = {"now": 0, "nonce": NONCE, "secret": SECRET, **options}
    return ServerConnection((feed or Feed()).streams, **settings)


def open_server(feed: Feed | None = None, **options: Any) -> ServerConnection:
    """The same after a login, with nothing left to send or to tell."""
    server = made_server(feed, authorization=f"Bearer {SECRET}", **options)
    sent(server)
    server.events()
    return server


def say(server: ServerConnection, now: int = 0, **fields: object) -> list[Any]:
    """Hand a message to the server; what it sends."""
    server.receive(json.dumps(fields), now)
    return sent(server, now)


def sent(server: ServerConnection, now: int = 0) -> list[Any]:
    """What the server sends now; text as what it says."""
    return [json.loads(f) if isinstance(f, str) else f for f in server.data_to_send(now)]
