"""What a client of a feed received, kept for comparison."""

from __future__ import annotations

from tests.support.serving import SECRET, ServedFeed
from workbench.events import EventBatch
from workbench.feeds.client import Delivery, FeedClient, Target
from workbench.protocol.notices import MarketData, Received, Snapshot, StreamChanged

EVERYTHING = ("FULL_ORDER_BOOK", "TRADES", "MBO")


class Collected:
    """Keeps every delivery; pass :meth:`take` to a client."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    def take(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)

    def client(self, feed: ServedFeed, uri: str | None = None) -> FeedClient:
        """Open a client of a served feed, through ``uri`` if given."""
        return FeedClient(Target(uri or feed.uri, SECRET, feed.uri), self.take, "collector").open()

    def batches(self, symbol: str = "SYN") -> list[EventBatch]:
        return [d.batch for d in list(self.deliveries) if isinstance(d, MarketData) and d.symbol == symbol]

    def rows(self, symbol: str = "SYN") -> int:
        return sum(map(len, self.batches(symbol)))

    def stream(self, symbol: str = "SYN") -> EventBatch:
        """Everything as one batch; fails at a hole."""
        return EventBatch.concatenate(self.batches(symbol))

    def snapshots(self) -> list[Snapshot]:
        return [d for d in list(self.deliveries) if isinstance(d, Snapshot)]

    def states(self) -> list[str]:
        return [d.state for d in list(self.deliveries) if isinstance(d, StreamChanged)]

    def messages(self) -> list[object]:
        return [d.message for d in list(self.deliveries) if isinstance(d, Received)]
