"""Delta divergence: price makes a new extreme over the last bars, the cumulative delta does not go with it."""

from __future__ import annotations

import itertools
from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import kernel
from workbench.errors import WorkbenchError
from workbench.events import Array, IntArray

_FIELDS: Final = 4
_BARS = types.Array(types.float64, 2, "C", readonly=True)


@kernel(types.int64(_BARS, types.float64[:, ::1], types.int64, types.int64[::1]))
def _compare(bars: Array, ring: Array, seen: int, out: Array) -> int:
    """Signs of closed bars against the last ``len(ring)`` ones before each; returns how many bars were ever seen."""
    reach = len(ring)
    for i in range(len(bars)):
        if seen >= reach:
            high, low, cvd_high, cvd_low = ring[0, 0], ring[0, 1], ring[0, 2], ring[0, 3]
            for k in range(1, reach):
                high, low = max(high, ring[k, 0]), min(low, ring[k, 1])
                cvd_high, cvd_low = max(cvd_high, ring[k, 2]), min(cvd_low, ring[k, 3])
            if bars[i, 0] > high and bars[i, 2] <= cvd_high:
                out[i] -= 1
            if bars[i, 1] < low and bars[i, 3] >= cvd_low:
                out[i] += 1
        ring[seen % reach] = bars[i]
        seen += 1
    return seen


class Divergence:
    """Delta divergence of a stream of closed bars.

    Parameters
    ----------
    n : int, default 20
        How many bars before a bar it is compared with; until there are so many nothing is found.

    Notes
    -----
    Bearish (−1): the bar's high is above, and its highest delta not above, those of all ``n`` bars before it. Bullish
    (+1): the mirror image. A bar that is both counts as neither. A bar is looked at when it is closed: nothing that
    comes later changes what was found.
    """

    def __init__(self, n: int = 20):
        if n < 1:
            raise WorkbenchError(f"n {n}", expected="a number of bars ≥ 1")
        self._ring = np.zeros((n, _FIELDS))
        self._seen = 0

    def update(self, bars: Array) -> IntArray:
        """Take in closed bars; the sign of each.

        Parameters
        ----------
        bars : array of float64, shape (n_bars, 4)
            High and low of price, high and low of the cumulative delta.

        Returns
        -------
        array of int64, shape (n_bars,)
            −1 bearish, +1 bullish, 0 neither.
        """
        out = np.zeros(len(bars), np.int64)
        self._seen = _compare(np.ascontiguousarray(bars, np.float64), self._ring, self._seen, out)
        return out

    def update_between(self, numbers: IntArray, bars: Array, gaps: IntArray) -> IntArray:
        """Take in closed bars among which events are missing; the sign of each.

        Parameters
        ----------
        numbers : array of int64, shape (n_bars,)
            Rising numbers of the bars.
        bars : array of float64, shape (n_bars, 4)
        gaps : array of int64
            Rising numbers of the bars in which events may be missing. They are no bars, and after them nothing is found
            until there are ``n`` again.
        """
        out, edges = np.zeros(len(bars), np.int64), np.searchsorted(numbers, gaps)
        whole = ~np.isin(numbers, gaps)
        for start, stop in itertools.pairwise([0, *edges.tolist(), len(bars)]):
            kept = start + np.flatnonzero(whole[start:stop])
            out[kept] = self.update(bars[kept])
            if len(edges) and stop <= edges[-1]:
                self.restart()
        return out

    def restart(self) -> None:
        """Forget the bars so far, where the delta began again or events were lost."""
        self._seen = 0


__all__ = ["Divergence"]
