"""The bridge's own steps without a socket: lines to batches, ring and frames."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.wire.flow import ALIAS, Flow, market_rows
from workbench.bridge.process import READ_BYTES
from workbench.bridge.translation import Translator
from workbench.events import EventBatch
from workbench.protocol.stream import ALL_KINDS, Stream

TICK_NS = 1_000_000


class Feed:
    """One session's lines, read as a socket gives them."""

    def __init__(self, flow: Flow):
        self.flow = flow
        data = flow.path.read_bytes()
        self.reads = [data[k : k + READ_BYTES] for k in range(0, len(data), READ_BYTES)]

    def attached(self) -> Translator:
        """A translator that knows the instrument."""
        translator = Translator()
        head = "\ue000".join(("2", *self.flow.instrument))
        translator.receive(f"1\n{head}\n".encode(), 1, 1)
        return translator

    def batches(self, translator: Translator) -> Iterator[EventBatch]:
        """What the reads say, one after the other."""
        for number, data in enumerate(self.reads, 2):
            for item in translator.receive(data, number * TICK_NS, number * TICK_NS):
                if isinstance(item, tuple):
                    yield item[1]

    def translate(self) -> list[EventBatch]:
        """Lines to batches."""
        return list(self.batches(self.attached()))

    def publish(self) -> int:
        """Lines to frames of one client that takes everything in binary."""
        translator = self.attached()
        market = translator.markets[ALIAS]
        stream = Stream(market.instrument, 1, market.book_state)
        sent = 0
        for batch in self.batches(translator):
            stream.publish(batch, int(batch.ts[0]))
            publication = stream.get(stream.end_index - 1)
            assert publication is not None
            sent += sum(map(len, publication.frames(True, ALL_KINDS)))
        return sent

    def check(self) -> None:
        """The batches are the session, event by event."""
        parts = zip(*(market_rows(batch).columns for batch in self.translate()))
        came = EventBatch.trusted(tuple(np.concatenate(columns) for columns in parts), 0)
        for name in ("kind", "side", "price", "size"):
            assert np.array_equal(getattr(came, name), getattr(self.flow.events, name)), name
