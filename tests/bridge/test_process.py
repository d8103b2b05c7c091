"""The add-on as Bookmap runs it: a real process, a real socket, a real client of the feed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bookmap_wire import ALIAS, BookmapWire, line
from tests.support.collecting import EVERYTHING, Collected
from tests.support.eventually import eventually
from workbench.events import EventKind
from workbench.feeds import discovery
from workbench.feeds.client import FeedClient
from workbench.feeds.target import Target

DATA = (*EVERYTHING, "ACCOUNT")


@pytest.fixture
def bookmap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BookmapWire]:
    """A bridge without orders, connected to a Bookmap worked by hand."""
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path / "run"))
    with BookmapWire(tmp_path) as wire:
        yield wire


def endpoint() -> discovery.Endpoint:
    """Discovery file of the one bridge that runs."""
    return eventually(lambda: discovery.find("bookmap-bridge"), what="a discovery file")


def connect(collected: Collected) -> FeedClient:
    """Open a client of the bridge that runs."""
    return FeedClient(Target.of(endpoint()), collected.take, "test").open()


def test_what_bookmap_sends_reaches_a_client_of_the_feed(bookmap: BookmapWire) -> None:
    """An attached instrument is asked for, announced, and served with a snapshot and its events."""
    bookmap.attach()
    collected = Collected()
    with connect(collected) as client:
        client.subscribe(ALIAS, DATA)
        eventually(collected.snapshots)
        bookmap.send(line(5, ALIAS, "100.5", 3, False, True, True, True, "", ""))
        eventually(lambda: collected.rows(ALIAS))
        trade = collected.batches(ALIAS)[-1]
    assert trade.kind[-1] == EventKind.TRADE
