"""The quick way through a few lines: one regular expression for all that is usually said of one instrument.

A scan of whole columns costs some 300 µs whatever it finds, and in a calm market a read brings a few lines. Here the
expression engine cuts and checks them, and each becomes the 32 bytes of its row, at 1 µs a line (measured). Lines it does
not know are left to :func:`workbench.bridge.wire.parse`, at their place in the order, so that both ways always agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from workbench.bridge.codes import SEPARATOR
from workbench.bridge.rows import ACTIONS, order_number, pack, split_price
from workbench.events import SUBTICK_SHIFT, EventKind, Flag

# Nine digits fit 32 bits, so that nothing is left to check. The last alternative takes any line.
_LINES: Final = (
    "(?:8~ALIAS~([01])|18~ALIAS~(BID_NEW|ASK_NEW|REPLACE)~(?:([1-9][0-9]{0,17})|([^~\n]+)))~(-?[0-9]{1,9})~([0-9]{1,9})\n"
    "|18~ALIAS~CANCEL~(?:([1-9][0-9]{0,17})|([^~\n]+))(?:~[^\n]*)?\n"
    r"|5~ALIAS~(-?[0-9]{1,9}\.[0-9]+)~([0-9]{1,9})~([01]~[01]~[01]~[01])~([^~\n]*)~([^~\n]*)\n"
    "|([^\n]*)\n"
)
_DEPTH: Final = int(EventKind.DEPTH)
_CANCEL: Final = int(EventKind.MBO_CANCEL)
_TRADE: Final = int(EventKind.TRADE)
_SIDES: Final = {"1": 1, "0": -1}
_MARKS: Final = {
    SEPARATOR.join((otc, buy, start, end)): (
        _SIDES[buy],
        int(otc) * int(Flag.OTC) | int(start) * int(Flag.EXEC_START) | int(end) * int(Flag.EXEC_END),
    )
    for otc in "01"
    for buy in "01"
    for start in "01"
    for end in "01"
}
"""Side and flags of a trade by its four bits."""


class Pattern:
    """Read lines of one instrument.

    Parameters
    ----------
    alias : str
        Lines about another one are odd.
    """

    def __init__(self, alias: str) -> None:
        lines = _LINES.replace("~", SEPARATOR).replace("ALIAS", re.escape(alias))
        self._find = re.compile(lines).findall

    def read(self, text: str) -> Iterator[tuple[bytearray, str]]:
        r"""Read whole lines, each with its ``\n``: packed rows, and the odd line that ended them, at last ``""``."""
        packed = bytearray()
        # fmt: off
        for (bid, action, number, name, price, size, gone, gone_name,
             tick, lots, marks, aggressor, passive, odd) in self._find(text):
            # fmt: on
            if bid:
                packed += pack(_DEPTH, _SIDES[bid], int(price), int(size), 0, 0, 0)
            elif action:
                kind, side = ACTIONS[action]
                order = int(number) if number else order_number(name)
                packed += pack(kind, side, int(price), int(size), order, 0, 0)
            elif gone:
                packed += pack(_CANCEL, 0, 0, 0, int(gone), 0, 0)
            elif tick:
                packed += _pack_trade(tick, lots, marks, aggressor, passive)
            elif gone_name:
                packed += pack(_CANCEL, 0, 0, 0, order_number(gone_name), 0, 0)
            elif odd:
                yield packed, odd
                packed = bytearray()
        yield packed, ""


def _pack_trade(price: str, size: str, marks: str, aggressor: str, passive: str) -> bytes:
    tick, thousandths = (int(price[:-2]), 0) if price[-2:] == ".0" else split_price(float(price))
    side, flags = _MARKS[marks]
    flags |= thousandths << SUBTICK_SHIFT
    ids = order_number(passive), order_number(aggressor)
    return pack(_TRADE, side, tick, int(size), *ids, flags)
