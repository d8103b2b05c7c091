"""The feed of a bridge: there with the first instrument, gone from the list with the last, renewed with another grid."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.bookmap_wire import ALIAS
from workbench.bridge import feed as module
from workbench.bridge.feed import Feed
from workbench.events import EventBatch, EventKind, Instrument
from workbench.feeds import discovery
from workbench.protocol import messages
from workbench.protocol.snapshot import BookState

NOTHING = (np.zeros(0, np.int32), np.zeros(0, np.int64))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(tmp_path / "run"))
    return tmp_path / "run"


def book(levels: int | None, orders: bool) -> BookState:
    return BookState(0, 0, NOTHING, NOTHING, valid=False)


def with_feed(work: Callable[[Feed], Awaitable[None]]) -> None:
    """Do something with a feed that is being followed."""

    async def main() -> None:
        feed = Feed(False, lambda client, command: None, lambda client: None)
        following = asyncio.create_task(feed.follow())
        try:
            async with asyncio.timeout(60):
                await work(feed)
        finally:
            following.cancel()
            await feed.close()

    asyncio.run(main())


def publish(feed: Feed, first: int = 0, *, tick: str = "0.25", symbol: str = ALIAS) -> None:
    batch = EventBatch.of(first, ts=[1], kind=int(EventKind.CLEAR))
    feed.publish(Instrument(symbol, tick), batch, book, 1)


async def listed(count: int) -> list[discovery.Endpoint]:
    """Wait until so many bridges are listed."""
    while len(found := [e for e in discovery.running_feeds() if e.key == discovery.BRIDGE_KEY]) != count:
        await asyncio.sleep(0.005)
    return found


def test_it_is_listed_while_an_instrument_is_attached() -> None:
    """Nothing before the first, at once nothing after the last, the same feed when it comes back."""

    async def work(feed: Feed) -> None:
        feed.show([ALIAS])
        assert discovery.running_feeds() == []
        publish(feed)
        (there,) = await listed(1)
        assert there.symbols == (ALIAS,) and there.source == f"bookmap bridge {ALIAS}"
        feed.show([])
        assert discovery.running_feeds() == []
        feed.show([ALIAS])
        (again,) = await listed(1)
        assert (again.uri, again.secret) == (there.uri, there.secret)

    with_feed(work)


def test_another_grid_is_another_feed() -> None:
    """New address and secret; the old one no longer listens."""

    async def work(feed: Feed) -> None:
        feed.show([ALIAS])
        publish(feed)
        (there,) = await listed(1)
        publish(feed, 1, tick="0.5")
        while (await listed(1))[0].uri == there.uri:
            await asyncio.sleep(0.005)
        assert (await listed(1))[0].secret != there.secret
        port = int(there.uri.rsplit(":", 1)[1].split("/")[0])
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                break
            writer.close()
            await asyncio.sleep(0.005)

    with_feed(work)


def test_a_folder_that_cannot_be_used_is_tried_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bridge serves all the same, and is found once its file can be written."""
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)

    async def work(feed: Feed) -> None:
        feed.show([ALIAS])
        publish(feed)
        while not feed.engine({"name": ""}, None).endpoint:
            await asyncio.sleep(0.005)
        folder.chmod(0o700)
        await listed(1)

    with_feed(work)


def test_account_messages_wait_for_the_first_client() -> None:
    """What was told before there was a server is known to it."""

    async def work(feed: Feed) -> None:
        feed.tell(messages.Trading(symbol=ALIAS, ts=1))
        feed.show([ALIAS])
        publish(feed)
        await listed(1)
        feed.tell(messages.Position(symbol=ALIAS, position=1.0, ts=2))
        assert [type(m) for m in feed.account.known(ALIAS)] == [messages.Trading, messages.Position]

    with_feed(work)
