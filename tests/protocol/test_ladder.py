"""The conflated ladder."""

from __future__ import annotations

import json

from tests.support.wire import MS, Feed, depth
from workbench.protocol import messages
from workbench.protocol.ladder import LadderFeed


def _ladder(feed: Feed, **options: int) -> LadderFeed:
    request = messages.Subscribe(symbol="ESZ6", data=["DOM"], **options)
    return LadderFeed(feed.streams["ESZ6"], request, 0)


def test_slow_client_gets_fewer_ladders_never_older_ones() -> None:
    """What is taken late is the newest state."""
    feed = Feed()
    ladder = _ladder(feed, dom_interval_ms=100)
    for n in range(50):
        feed.publish(depth(n, 1))
        ladder.on_time(n * 20 * MS)
    text = ladder.pull(1000 * MS)
    assert text is not None and json.loads(text)["sequence"] == 49
    assert ladder.pull(1000 * MS) is None


def test_unknown_book_gives_no_ladder() -> None:
    """While the book is invalid nothing is sent; it comes as soon as it is known."""
    feed = Feed(valid=False)
    ladder = _ladder(feed)
    assert ladder.pull(0) is None
    feed.valid = True
    ladder.on_time(100 * MS)
    assert ladder.pull(100 * MS) is not None


def test_interval_and_levels_are_bounded() -> None:
    """Nobody can ask for a ladder of all levels a thousand times a second."""
    ladder = _ladder(Feed(), dom_interval_ms=0, dom_levels=10**9)
    assert (ladder.interval_ns, ladder.levels) == (10 * MS, 1_000)
