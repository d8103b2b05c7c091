"""Market events as the lines Bookmap writes: no times, no numbers, no marks of a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal

import numpy as np

from workbench.errors import EventError
from workbench.events import SUBTICK_SHIFT, SUBTICKS_PER_TICK, EventBatch, EventKind, Flag, Side
from workbench.testing.spelling import SEPARATOR, double

Provider = Literal["both", "depth", "mbo"]

DEPTH: Final = "8"
TRADE: Final = "5"
MBO: Final = "18"
_KIND_OF: Final = {
    EventKind.DEPTH: DEPTH,
    EventKind.TRADE: TRADE,
    EventKind.MBO_NEW: MBO,
    EventKind.MBO_REPLACE: MBO,
    EventKind.MBO_CANCEL: MBO,
}
_SENT_BY: Final = {"both": {DEPTH, MBO, TRADE}, "depth": {DEPTH, TRADE}, "mbo": {MBO, TRADE}}
_INT32_MAX: Final = 2**31 - 1
_Row = tuple[int, int, int, int, int, int, int]


class Encoder:
    """Turn event columns into lines of one instrument.

    Parameters
    ----------
    alias : str
    provider : {"both", "depth", "mbo"}
        What this instrument's provider knows: price levels, single orders, or both.
    end : str
        Line ending: ``"\\n"``, or ``"\\r\\n"`` as on Windows.

    Attributes
    ----------
    listeners : dict of str to int
        How many listeners each type of data has. One line is written for each: asking twice is hearing twice.
    """

    def __init__(self, alias: str, provider: Provider = "both", end: str = "\n"):
        self.listeners: dict[str, int] = {}
        self._known = _SENT_BY[provider]
        self._spell = _spellings(alias, end)

    def encode(self, batch: EventBatch) -> bytes:
        """Lines of the rows that somebody listens to, in order.

        Raises
        ------
        EventError
            A size that is no int32: Bookmap has none.
        """
        if len(batch) and int(batch.size.max()) > _INT32_MAX:
            raise EventError(
                f"a size of {int(batch.size.max())} lots", expected="an int32, as Bookmap sends sizes"
            )
        return "".join(self._lines(batch)).encode()

    def _lines(self, batch: EventBatch) -> Iterator[str]:
        # per kind: how it is spelled and how often; a row of any other kind is no line
        plan = {
            int(kind): (self._spell[kind], self.listeners.get(data, 0))
            for kind, data in _KIND_OF.items()
            if data in self._known and self.listeners.get(data, 0)
        }
        if not plan:
            return
        heard = np.isin(batch.kind, list(plan))
        columns = [column[heard].tolist() for column in batch.columns[2:]]
        for kind, *row in zip(*columns):
            spell, times = plan[kind]
            yield spell(*row) * times


def _spellings(alias: str, end: str) -> dict[EventKind, Callable[..., str]]:
    s = SEPARATOR
    depth, trade, mbo = (f"{kind}{s}{alias}{s}" for kind in (DEPTH, TRADE, MBO))

    def spell_depth(side: int, price: int, size: int, *_: int) -> str:
        return f"{depth}{1 if side > 0 else 0}{s}{price}{s}{size}{end}"

    def spell_trade(side: int, price: int, size: int, passive: int, aggressor: int, flags: int) -> str:
        marks = s.join(
            "1" if is_set else "0"
            for is_set in (flags & Flag.OTC, side == Side.BUY, flags & Flag.EXEC_START, flags & Flag.EXEC_END)
        )
        return f"{trade}{_level(price, flags)}{s}{size}{s}{marks}{s}{aggressor or ''}{s}{passive or ''}{end}"

    def spell_new(side: int, price: int, size: int, order_id: int, *_: int) -> str:
        return f"{mbo}{'BID_NEW' if side > 0 else 'ASK_NEW'}{s}{order_id}{s}{price}{s}{size}{end}"

    def spell_replace(side: int, price: int, size: int, order_id: int, *_: int) -> str:
        return f"{mbo}REPLACE{s}{order_id}{s}{price}{s}{size}{end}"

    def spell_cancel(side: int, price: int, size: int, order_id: int, *_: int) -> str:
        return f"{mbo}CANCEL{s}{order_id}{s}-1{s}-1{end}"

    return {
        EventKind.DEPTH: spell_depth,
        EventKind.TRADE: spell_trade,
        EventKind.MBO_NEW: spell_new,
        EventKind.MBO_REPLACE: spell_replace,
        EventKind.MBO_CANCEL: spell_cancel,
    }


def _level(price: int, flags: int) -> str:
    rest = flags >> SUBTICK_SHIFT
    if not rest and 0 < price < 10_000_000:  # nearly all of them, and the same text
        return f"{price}.0"
    return double((price * SUBTICKS_PER_TICK + rest) / SUBTICKS_PER_TICK)
