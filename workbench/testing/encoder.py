"""Market events as the lines Bookmap writes: no times, no numbers, no marks of a snapshot."""

from __future__ import annotations

from collections.abc import Callable
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
_MARK: Final = "\x1f"
"""Stands for the separator until a text is whole: texts of one byte a character take a quarter less time (measured), and
no instrument has a control character in its name."""
_BUY, _OTC, _START, _END = (int(one) for one in (Side.BUY, Flag.OTC, Flag.EXEC_START, Flag.EXEC_END))


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
        lines = np.full(len(batch), "", object)
        for kind, data in _KIND_OF.items():
            times = self.listeners.get(data, 0) if data in self._known else 0
            mask = batch.kind == kind
            if times and mask.any():
                spelled = self._spell[kind](*(column[mask].tolist() for column in batch.columns[3:]))
                lines[mask] = spelled if times == 1 else [one * times for one in spelled]
        return "".join(lines.tolist()).encode().replace(_MARK.encode(), SEPARATOR.encode())


_Column = list[int]
_Spell = Callable[[_Column, _Column, _Column, _Column, _Column, _Column], list[str]]


def _spellings(alias: str, end: str) -> dict[EventKind, _Spell]:
    s = _MARK
    depth, trade, mbo = (f"{kind}{s}{alias}{s}" for kind in (DEPTH, TRADE, MBO))
    sides = {1: f"{depth}1{s}", -1: f"{depth}0{s}"}
    news = {1: f"{mbo}BID_NEW{s}", -1: f"{mbo}ASK_NEW{s}"}

    def spell_depth(side: _Column, price: _Column, size: _Column, *_: _Column) -> list[str]:
        return [f"{sides[b]}{p}{s}{q}{end}" for b, p, q in zip(side, price, size)]

    def spell_trade(
        side: _Column, price: _Column, size: _Column, passive: _Column, aggressor: _Column, flags: _Column
    ) -> list[str]:
        return [
            f"{trade}{_level(p, f)}{s}{q}{s}{_marks(b, f)}{s}{a or ''}{s}{o or ''}{end}"
            for b, p, q, o, a, f in zip(side, price, size, passive, aggressor, flags)
        ]

    def spell_new(side: _Column, price: _Column, size: _Column, order: _Column, *_: _Column) -> list[str]:
        return [f"{news[b]}{o}{s}{p}{s}{q}{end}" for b, p, q, o in zip(side, price, size, order)]

    def spell_replace(_: _Column, price: _Column, size: _Column, order: _Column, *__: _Column) -> list[str]:
        return [f"{mbo}REPLACE{s}{o}{s}{p}{s}{q}{end}" for p, q, o in zip(price, size, order)]

    def spell_cancel(_: _Column, __: _Column, ___: _Column, order: _Column, *____: _Column) -> list[str]:
        return [f"{mbo}CANCEL{s}{o}{s}-1{s}-1{end}" for o in order]

    return dict(zip(_KIND_OF, (spell_depth, spell_trade, spell_new, spell_replace, spell_cancel)))


def _marks(side: int, flags: int) -> str:
    is_set = (flags & _OTC, side == _BUY, flags & _START, flags & _END)
    return _MARK.join(["1" if one else "0" for one in is_set])


def _level(price: int, flags: int) -> str:
    rest = flags >> SUBTICK_SHIFT
    if not rest and 0 < price < 10_000_000:  # nearly all of them, and the same text
        return f"{price}.0"
    return double((price * SUBTICKS_PER_TICK + rest) / SUBTICKS_PER_TICK)
