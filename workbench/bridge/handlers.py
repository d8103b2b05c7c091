"""One Python call per event, for add-on code that wants Bookmap's own style of handlers.

Reading goes by whole chunks all the same; only the calls are single. A handler that raises is counted and never ends
anything: the official client stops the add-on at the first exception.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from workbench.bridge.reader import MAX_EXAMPLES
from workbench.bridge.translation import Translator
from workbench.events import SUBTICK_SHIFT, SUBTICKS_PER_TICK, EventBatch, EventKind

_DEPTH: Final = int(EventKind.DEPTH)
_TRADE: Final = int(EventKind.TRADE)
_CLOCK: Final = int(EventKind.CLOCK)
_MBO: Final = {
    int(EventKind.MBO_NEW): EventKind.MBO_NEW,
    int(EventKind.MBO_REPLACE): EventKind.MBO_REPLACE,
    int(EventKind.MBO_CANCEL): EventKind.MBO_CANCEL,
}


class EventHandlers:
    """What is called for each event; override what you need. Prices in ticks, sizes in lots."""

    def on_depth(self, alias: str, is_bid: bool, price: int, size: int) -> None:
        """Call for a new total size at a level; 0: the level is gone."""

    def on_trade(
        self, alias: str, price: float, size: int, is_buy: bool, aggressor_id: int, passive_id: int
    ) -> None:
        """Call for a print; ``price`` may lie between two ticks, ``is_buy``: the aggressor bought."""

    def on_mbo(self, alias: str, kind: EventKind, order_id: int, side: int, price: int, size: int) -> None:
        """Call for an order that enters (side ±1), changes or leaves (side 0)."""

    def on_interval(self, alias: str) -> None:
        """Call for each tenth of a second of data time."""


class EventCaller:
    """Read what Bookmap sends and call handlers.

    Parameters
    ----------
    handlers : EventHandlers

    Attributes
    ----------
    translator : Translator
        Counts what was read and what was bad.
    failures : int
        Calls that raised.
    examples : deque of str
        What the latest of them raised.
    """

    def __init__(self, handlers: EventHandlers) -> None:
        self.handlers = handlers
        self.translator = Translator()
        self.failures = 0
        self.examples: deque[str] = deque(maxlen=MAX_EXAMPLES)

    def receive(self, data: bytes, wall_ns: int, mono_ns: int) -> None:
        """Take in what was read at this time, as :meth:`Translator.receive` does."""
        for piece in self.translator.receive(data, wall_ns, mono_ns):
            if isinstance(piece, tuple):
                self.call(*piece)

    def call(self, alias: str, batch: EventBatch) -> None:
        """Call a handler for each event of a batch, in order."""
        on_depth, on_mbo = self.handlers.on_depth, self.handlers.on_mbo
        columns = (column.tolist() for column in batch.columns[2:])
        for kind, side, price, size, order_id, aggressor_id, flags in zip(*columns):
            try:
                if kind == _DEPTH:
                    on_depth(alias, side > 0, price, size)
                elif kind in _MBO:
                    on_mbo(alias, _MBO[kind], order_id, side, price, size)
                elif kind == _TRADE:
                    exact = price + (flags >> SUBTICK_SHIFT) / SUBTICKS_PER_TICK
                    self.handlers.on_trade(alias, exact, size, side > 0, aggressor_id, order_id)
                elif kind == _CLOCK:
                    self.handlers.on_interval(alias)
            except Exception as error:  # noqa: BLE001 - a handler is somebody else's code
                self.failures += 1
                self.examples.append(f"{type(error).__name__}: {error}")
