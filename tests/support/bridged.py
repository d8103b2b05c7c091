"""A Bookmap stand-in, the add-on script as users install it, and a client of its feed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from tests.support import bookmap_tape as tape
from tests.support.collecting import EVERYTHING, Collected
from tests.support.eventually import eventually
from workbench.book.live import PyBook
from workbench.events import EventBatch, EventKind
from workbench.feeds import discovery
from workbench.feeds.client import FeedClient
from workbench.feeds.target import Target
from workbench.protocol import messages
from workbench.protocol.notices import MarketData, Snapshot
from workbench.testing import BookmapStandIn

SCRIPTS = Path(__file__).resolve().parents[2] / "workbench" / "bridge" / "scripts"
PERMISSION = "Allow orders from notebooks"
_M = TypeVar("_M")


def stand_in(folder: Path, *, trading: bool = False, **options: Any) -> BookmapStandIn:
    """A stand-in that starts our script, copied to a folder as Bookmap does; of the short tape unless told otherwise."""
    name = "workbench_bridge_trading.py" if trading else "workbench_bridge.py"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "script.py"
    script.write_text((SCRIPTS / name).read_text(encoding="utf-8"), encoding="utf-8")
    source = options.pop("source", None)
    if source is None:
        source, options["instrument"] = tape.batches(), tape.INSTRUMENT
    settings = {"speed": "max", "health_check_s": 0.05, "env": environment(folder)} | options
    return BookmapStandIn(source, script=script, trading=trading, **settings)


def environment(folder: Path) -> dict[str, str]:
    """Where a test's bridges keep their files; UTF-8 is not promised to them."""
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONUTF8"}
    return plain | {"WORKBENCH_STATE_DIR": str(folder / "state"), "PYTHONIOENCODING": "cp1252"}


class Bridged:
    """Attach, connect, subscribe to everything; a context manager."""

    def __init__(self, bm: BookmapStandIn):
        self.bm = bm
        self.collected = Collected()
        self.client: FeedClient

    def __enter__(self) -> Bridged:
        self.bm.attach()
        self.client = FeedClient(Target.of(self.endpoint()), self.collected.take, "test").open()
        self.client.subscribe(self.bm.alias, (*EVERYTHING, "ACCOUNT"))
        eventually(lambda: self.collected.snapshots() or self.rows(EventKind.SNAPSHOT_END), what="a book")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        self.bm.close()

    def endpoint(self) -> discovery.Endpoint:
        """Discovery file of this instrument's bridge."""
        return eventually(
            lambda: next((e for e in discovery.running_feeds() if self.bm.alias in e.symbols), None),
            what="a discovery file",
        )

    def ask(self, message: messages.Message) -> Any:
        """Answer to a message."""
        return self.client.request(message)

    def heard(self, kind: type[_M]) -> list[_M]:
        """Account messages of a kind, in order."""
        return [message for message in self.collected.messages() if isinstance(message, kind)]

    def rows(self, *kinds: int) -> list[tuple[int, ...]]:
        """Rows of some kinds since the client came: kind, side, price, size, passive and aggressing order, flags."""
        batches: Iterable[EventBatch] = self.collected.batches(self.bm.alias)
        return [
            row
            for batch in batches
            for row in zip(*(column.tolist() for column in batch.columns[2:]))
            if row[0] in kinds
        ]

    def book(self) -> PyBook:
        """What the client would show: the newest snapshot, and what came since."""
        book = PyBook()
        for delivery in list(self.collected.deliveries):
            if isinstance(delivery, Snapshot | MarketData):
                book.apply(delivery.batch)
        return book

    def arm(self, *, max_orders: int = 10, max_size: float = 50.0) -> None:
        """Open both locks."""
        self.bm.set(PERMISSION, True)
        eventually(
            lambda: any(told.permitted for told in self.heard(messages.Trading)), what="the permission"
        )
        answer = self.ask(messages.Arm(5.0, max_orders, max_size, symbol=self.bm.alias))
        assert isinstance(answer, messages.Trading) and answer.armed, answer
