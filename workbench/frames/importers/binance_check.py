"""Cross-check of an imported book against the exchange's own best quotes (``bookTicker``).

A quote carries the update id after which it holds, so the last quote up to a diff's ``u`` is what the book must show
after that diff. Quotes run ahead of diffs in these files; a diff is therefore compared once a later quote was seen.
"""

from __future__ import annotations

import numpy as np

from workbench.book.levels import LevelBook
from workbench.events import Array, EventBatch, IntArray

QUOTE_COLUMNS = 5  # update id, bid, bid size, ask, ask size, in units


class QuoteCheck:
    """Compare best prices after each diff with the exchange's quotes.

    Parameters
    ----------
    tick, lot : int
        Units of a tick and of a lot.
    """

    def __init__(self, tick: int, lot: int):
        self.tick = tick
        self.lot = lot
        self.equal = 0
        self.different = 0
        self._book = LevelBook()
        self._due = np.empty((0, QUOTE_COLUMNS), np.int64)
        self._quotes = np.empty((0, QUOTE_COLUMNS), np.int64)

    def advance(
        self, batch: EventBatch, rows: IntArray, ids: IntArray, early: IntArray, quotes: IntArray
    ) -> None:
        """Take a batch, where its diffs end, and the quotes read with it.

        Parameters
        ----------
        batch : EventBatch
        rows, ids : array of int64, shape (n_diffs,)
            Last row of each diff in the batch, and its ``u``.
        early : array of int64, shape (n, 5)
            Best quotes, in units, after diffs that are part of a snapshot.
        quotes : array of int64, shape (n_quotes, 5)
        """
        best = self._book.apply_with_best(batch)
        shown = np.empty((len(rows), QUOTE_COLUMNS), np.int64)
        shown[:, 0] = ids
        shown[:, 1] = best.bid[rows].astype(np.int64) * self.tick
        shown[:, 2] = best.bid_size[rows] * self.lot
        shown[:, 3] = best.ask[rows].astype(np.int64) * self.tick
        shown[:, 4] = best.ask_size[rows] * self.lot
        self._due = np.concatenate((self._due, early, shown))
        self._quotes = np.concatenate((self._quotes, quotes))
        if len(self._quotes):
            newest = int(self._quotes[-1, 0])
            self._compare(self._due[:, 0] < newest)

    def facts(self) -> dict[str, int]:
        """Compare what is left; how many diffs were compared, and how many agreed."""
        self._compare(np.ones(len(self._due), np.bool_))
        return {
            "compared": self.equal + self.different,
            "equal": self.equal,
            "different": self.different,
        }

    def _compare(self, ready: Array) -> None:
        due = self._due[ready]
        if not len(due):
            return
        at = np.searchsorted(self._quotes[:, 0], due[:, 0], side="right") - 1
        due, at = due[at >= 0], at[at >= 0]
        same = (self._quotes[at, 1:] == due[:, 1:]).all(axis=1)
        self.equal += int(np.count_nonzero(same))
        self.different += int(np.count_nonzero(~same))
        self._due = self._due[~ready]
        if len(at):
            self._quotes = self._quotes[int(at[-1]) :]
