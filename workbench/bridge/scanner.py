"""The fast way through a block of lines: whole columns at once, for the events of one instrument.

Nearly all that Bookmap sends is four kinds of lines about the one instrument of this process. All lines of a kind begin
with the same bytes, which are compared as words; what follows is read for all of them together. A line that is not
exactly as expected is left to :func:`workbench.bridge.wire.parse`, at its place in the order, so that both ways always
agree.

A step over a column costs 1–10 ns a line and 1–3 µs in itself (measured), so there are few steps and no loops.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from workbench.bridge.codes import SEPARATOR_BYTES, Type
from workbench.bridge.columns import SIDE, Tails, read_depths, read_intervals, read_orders, read_trades
from workbench.bridge.digits import FRONT, Text, word_of
from workbench.bridge.rows import Rows
from workbench.events import Array, EventKind

_NEWLINE: Final = ord("\n")

TYPE_OF_KIND: Final = {
    int(kind): int(type_)
    for kind, type_ in (
        (EventKind.DEPTH, Type.DEPTH),
        (EventKind.TRADE, Type.TRADE),
        (EventKind.CLOCK, Type.ON_INTERVAL),
        (EventKind.MBO_NEW, Type.MBO),
        (EventKind.MBO_REPLACE, Type.MBO),
        (EventKind.MBO_CANCEL, Type.MBO),
    )
}


class Table(NamedTuple):
    """Lines of a block, one row each; ``odd``: rows that mean nothing (kind 0), as their lines must be read one by one."""

    rows: Rows
    odd: Array
    text: Text
    starts: Array
    ends: Array

    def line(self, index: int) -> bytes:
        """Return one line, without its end."""
        return self.text.between(int(self.starts[index]), int(self.ends[index]))


class Scanner:
    """Read blocks of lines of one instrument.

    Parameters
    ----------
    alias : str
        Lines about another one are odd.
    """

    def __init__(self, alias: str) -> None:
        name = SEPARATOR_BYTES + alias.encode("utf-8", "surrogatepass")
        self._kinds = (
            (_Head(b"8" + name + SIDE, free_bit=8 * (len(name) + 1 + len(SEPARATOR_BYTES))), read_depths),
            (_Head(b"5" + name + SEPARATOR_BYTES), read_trades),
            (_Head(b"18" + name + SEPARATOR_BYTES), read_orders),
            (_Head(b"12" + name + b"\n"), read_intervals),
        )
        self._width = 8 * max(len(head.words) for head, _ in self._kinds)

    def scan(self, block: bytes) -> Table:
        r"""Read whole lines, each with its ``\n``."""
        text = Text(block, self._width)
        starts, ends = _lines(text)
        rows = Rows.zeros(len(ends))
        odd = np.ones(len(ends), np.bool_)
        left, words = np.arange(len(ends)), text.window(starts, self._width)
        for head, read in self._kinds:
            fits = head.fits(words)
            mine = left[fits]
            if len(mine):
                tails = Tails(mine, starts.take(mine) + head.length, ends.take(mine))
                odd[mine] = ~read(text, tails, rows)
            np.logical_not(fits, out=fits)
            left, words = left[fits], words[fits]
        left = np.flatnonzero(odd)
        rows.kind[left] = 0
        return Table(rows, left, text, starts, ends)


class _Head:
    """What the lines of one kind begin with: words, and which of their bits count.

    Parameters
    ----------
    spelled : bytes
    free_bit : int, optional
        Number of a bit that is 0 in ``spelled`` and may be 1 in a line.
    """

    def __init__(self, spelled: bytes, free_bit: int | None = None) -> None:
        self.length = len(spelled)
        counts = (1 << 8 * len(spelled)) - 1 - (0 if free_bit is None else 1 << free_bit)
        mask = counts.to_bytes(len(spelled), "little")
        places = range(0, len(spelled), 8)
        self.words = [(word_of(spelled[at : at + 8]), word_of(mask[at : at + 8])) for at in places]

    def fits(self, window: Array) -> Array:
        """Whether lines begin so; ``window``: their first words, shape (n_lines, n_words)."""
        good = np.ones(len(window), np.bool_)
        for column, (word, mask) in zip(window.T, self.words):
            good &= (column & mask) == word
        return good


def _lines(text: Text) -> tuple[Array, Array]:
    """Where lines start, and where their newlines are."""
    newlines = np.flatnonzero(text.codes[FRONT - 1 :] == _NEWLINE)
    newlines += FRONT - 1
    return newlines[:-1] + 1, newlines[1:]
