"""Addresses of feeds: where a server may listen, and which addresses a client may be sent to."""

from __future__ import annotations

import errno
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from workbench.errors import FeedError
from workbench.feeds.processes import listener_of
from workbench.protocol import limits

LOOPBACK: Final = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class Listening:
    """Where and how a server listens.

    Parameters
    ----------
    port : int
        0 takes a free one.
    hosts : tuple of str
        Addresses; anything but loopback needs ``allow_remote`` and ``tls``.
    allow_remote : bool
    tls : ssl.SSLContext, optional
    names : frozenset of str
        Values of ``Host`` (without port) that are answered besides loopback's.
    origins : tuple of str
        Exact values of ``Origin`` that are let in; none by default, so no web page is.
    max_clients : int
    """

    port: int = 0
    hosts: tuple[str, ...] = LOOPBACK
    allow_remote: bool = False
    tls: ssl.SSLContext | None = None
    names: frozenset[str] = frozenset()
    origins: tuple[str, ...] = ()
    max_clients: int = limits.MAX_CLIENTS

    def __post_init__(self) -> None:
        remote = [host for host in self.hosts if not is_loopback(host)]
        if remote and not (self.allow_remote and self.tls):
            raise FeedError(
                f"refused to listen on {', '.join(remote)}",
                expected="127.0.0.1 and ::1; any other address needs an explicit permission and TLS",
                code="needs_tls",
            )


def bind(hosts: Iterable[str], port: int) -> list[socket.socket]:
    """Bound sockets of all addresses on one port; a family the machine does not have is left out.

    Raises
    ------
    FeedError
        The port is taken.
    """
    bound: list[socket.socket] = []
    for host in hosts:
        try:
            bound.append(_bind_one(host, port or (bound[0].getsockname()[1] if bound else 0)))
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE or not (bound or ":" in host):
                for sock in bound:
                    sock.close()
                raise _cannot_listen(host, port, problem) from None
    if not bound:
        raise FeedError("no address to listen on", expected="127.0.0.1 or ::1")
    return bound


def is_loopback(host: str) -> bool:
    """Whether an address or name can only be this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_address(uri: str) -> None:
    """Refuse addresses that would carry market data or a login in the clear, or that carry a token.

    Raises
    ------
    FeedError
    """
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise FeedError("this is no address", expected="ws://127.0.0.1:PORT/v1") from None
    if parts.username or parts.password or parts.query:
        # the text of the address is left out on purpose: it may hold a token
        raise FeedError(
            "the address holds a token or a query", expected="ws://HOST:PORT/v1", action="Give token=…"
        )
    if parts.scheme not in ("ws", "wss") or not host:
        raise FeedError(f"address {uri!r}", expected="ws://127.0.0.1:PORT/v1")
    if parts.scheme == "ws" and not is_loopback(host):
        raise FeedError(
            f"{uri} is not on this machine: non-loopback needs tls", expected="wss://…", code="needs_tls"
        )


def _bind_one(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it an answer behind market data waits 40 ms
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(
            socket, "SO_EXCLUSIVEADDRUSE"
        ):  # Windows: its SO_REUSEADDR would let others steal the port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _cannot_listen(host: str, port: int, problem: OSError) -> FeedError:
    if problem.errno != errno.EADDRINUSE:
        return FeedError(f"cannot listen on {host}:{port} ({problem.strerror})")
    pid = listener_of(port)
    who = f" by process {pid}" if pid else ""
    return FeedError(
        f"port {port} is in use{who}",
        action="Stop it, or choose another port (0 takes a free one)",
        code="port_in_use",
    )
