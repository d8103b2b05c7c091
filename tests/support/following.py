"""Who talks to a feed by hand: our client of a scripted bridge, and a tutorial's client of our server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import websockets
from websockets.sync.client import ClientConnection, connect

from tests.support.collecting import Collected
from tests.support.eventually import eventually
from tests.support.scripted_bridge import ScriptedBridge
from tests.support.serving import SECRET, ServedFeed
from workbench.events import EventKind
from workbench.feeds.client import FeedClient, Target

KINDS = ("FULL_ORDER_BOOK", "TRADES")


class Follower:
    """A client of the bridge and what it got."""

    def __init__(self, bridge: ScriptedBridge):
        self.collected = Collected()
        self.client = FeedClient(Target(bridge.uri), self.collected.take, "follower").open()

    def follow(self) -> None:
        self.client.subscribe("SYN", KINDS)
        eventually(self.collected.snapshots)

    def trades(self) -> int:
        return sum(int((b.kind == EventKind.TRADE).sum()) for b in self.collected.batches())


@contextmanager
def plain_client(feed: ServedFeed) -> Iterator[ClientConnection]:
    """The tutorial's client: no library of ours, JSON only."""
    headers = {"Authorization": f"Bearer {SECRET}"}
    with connect(feed.uri, additional_headers=headers, proxy=None, compression=None) as client:
        assert answer(client, "WELCOME")["server"]
        yield client


def answer(client: ClientConnection, kind: str) -> dict[str, object]:
    """The next message of a type."""
    while True:
        message: dict[str, object] = json.loads(client.recv(10))
        if message["type"] == kind:
            return message


def close_code(client: ClientConnection) -> int:
    """Code with which the server ended the connection."""
    with pytest.raises(websockets.ConnectionClosed):
        while True:
            client.recv(10)
    assert client.close_code is not None
    return client.close_code
