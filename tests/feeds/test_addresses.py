"""Where feeds listen, and where clients may be sent."""

from __future__ import annotations

import os
import socket
import ssl
import sys

import pytest

from workbench.errors import FeedError
from workbench.feeds.addresses import Listening, bind, check_address, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST", "[::1]"])
def test_loopback_is_recognised(host):
    """Addresses and the one name that can only be this machine."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.2", "localhost.evil.com", "127.0.0.1.evil", "", "8.8.8.8"]
)
def test_what_only_looks_like_loopback_is_not(host):
    """Names that begin like it, and addresses that mean every interface."""
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "example.org"])
def test_other_addresses_need_permission_and_tls(host):
    """Neither alone is enough: market data and logins never travel in the clear."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for wrong in ({}, {"allow_remote": True}, {"tls": tls}):
        with pytest.raises(FeedError, match="refused to listen"):
            Listening(hosts=(host,), **wrong)
    assert Listening(hosts=(host,), allow_remote=True, tls=tls).hosts == (host,)


def test_both_families_get_the_same_port():
    """A client that resolves localhost to ::1 finds the feed as well."""
    sockets = bind(("127.0.0.1", "::1"), 0)
    ports = {sock.getsockname()[1] for sock in sockets}
    for sock in sockets:
        sock.close()
    assert len(ports) == 1


def test_a_taken_port_names_its_holder():
    """Who holds the port, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(FeedError) as caught:
            bind(("127.0.0.1",), port)
    assert caught.value.code == "port_in_use"
    assert f"port {port} is in use" in str(caught.value)
    if sys.platform == "linux":
        assert f"by process {os.getpid()}" in str(caught.value)


@pytest.mark.parametrize(
    "uri", ["ws://192.168.1.5:8765/v1", "ws://example.org/v1", "ws://localhost.evil.com:1/v1"]
)
def test_the_network_needs_tls(uri):
    """Another machine only over wss."""
    with pytest.raises(FeedError, match="non-loopback needs tls"):
        check_address(uri)
    check_address(uri.replace("ws://", "wss://"))


@pytest.mark.parametrize(
    "uri",
    [
        "ws://127.0.0.1:1/v1?token=canary",
        "ws://canary@127.0.0.1/v1",
        "ws://u:canary@127.0.0.1/v1",
        "ws://[canary/v1",
    ],
)
def test_a_token_in_an_address_is_refused_and_not_repeated(uri):
    """Addresses end up in logs: a token does not belong there, and the message does not show it either."""
    with pytest.raises(FeedError) as caught:
        check_address(uri)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1/v1", "127.0.0.1:8765", "ws:///v1", "", "ws://127.0.0.1:99999/v1"]
)
def test_what_is_no_feed_address_is_refused(uri):
    """Another scheme, no host, an impossible port."""
    with pytest.raises(FeedError, match="address"):
        check_address(uri)
