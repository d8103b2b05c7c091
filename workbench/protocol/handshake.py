"""Which HTTP upgrade requests are let in: path, ``Host``, ``Origin``.

A web page may open a WebSocket to 127.0.0.1, and a host name of its own may resolve to it. So any ``Origin`` is refused
unless allowed exactly, and ``Host`` must be a loopback name with the right port.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from workbench.protocol.limits import BINARY_SUBPROTOCOL, PATH

LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class Refusal:
    """HTTP status and one sentence."""

    status: int
    reason: str


def check_request(
    path: str,
    headers: Iterable[tuple[str, str]],
    *,
    port: int,
    hosts: Collection[str] = LOOPBACK_HOSTS,
    allowed_origins: Collection[str] = (),
) -> Refusal | None:
    """Judge an upgrade request.

    Parameters
    ----------
    path : str
        Request target; anything but ``/v1`` is not found.
    headers : iterable of (name, value)
        All of them, repeated ones too.
    port : int
        Where the server listens.
    hosts : collection of str
        Names the ``Host`` header may have, without the port.
    allowed_origins : collection of str
        Compared exactly. Empty: no ``Origin`` header may be there at all.

    Returns
    -------
    Refusal or None
        None: let it in.
    """
    if path != PATH:
        return Refusal(404, f"not found: this is a workbench feed, its path is {PATH}")
    named = [(name.lower(), value.strip()) for name, value in headers]
    host = [value for name, value in named if name == "host"]
    if len(host) != 1 or host[0].lower() not in {f"{known}:{port}" for known in hosts}:
        return Refusal(403, "refused: Host must be a loopback address with the port of the feed")
    origins = [value for name, value in named if name == "origin"]
    if origins and (len(origins) > 1 or origins[0] not in allowed_origins):
        return Refusal(403, "refused: web pages may not open this feed")
    return None


def choose_subprotocol(offered: Iterable[str]) -> str | None:
    """``orderflow.v1.binary`` if the client offers it; otherwise none, and market data is JSON."""
    return BINARY_SUBPROTOCOL if BINARY_SUBPROTOCOL in offered else None


def bearer_token(authorization: str | None) -> str | None:
    """Token of an ``Authorization: Bearer`` header."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
