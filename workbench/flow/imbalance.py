"""Rules over the cells of a footprint: diagonal and stacked imbalance, unfinished auctions, points of control, zones.

Cells come as columns, ordered by bar and by row within a bar. A bar with a gap inside claims nothing: what was lost could
be either side of any comparison.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Final, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from workbench.errors import WorkbenchError
from workbench.events import Instrument, IntArray

Zeros = Literal["ignore", "count"]
BoolArray = npt.NDArray[np.bool_]

_FINEST: Final = 10_000  # ratios have at most four decimals, so that products of lots stay below 2⁶³


class Cells(NamedTuple):
    """Columns of cells, int64, shape (n_cells,): ``bar``, ``row``, and lots of ``bid``, ``ask``, ``unknown``."""

    bar: IntArray
    row: IntArray
    bid: IntArray
    ask: IntArray
    unknown: IntArray

    @property
    def volume(self) -> IntArray:
        """All lots of each cell."""
        return self.bid + self.ask + self.unknown


class Marks(NamedTuple):
    """What is claimed of each cell, bool, shape (n_cells,)."""

    buy: BoolArray
    sell: BoolArray
    buy_stacked: BoolArray
    sell_stacked: BoolArray
    unfinished: BoolArray


@dataclass(frozen=True)
class ImbalanceRule:
    """When a cell counts as imbalanced.

    Attributes
    ----------
    ratio : float
        At least so many times the volume of the diagonal neighbour; at most four decimals, and meant as written.
    min_volume : float
        Least volume of the larger side, real units.
    stacked : int
        So many rows in a column count as stacked.
    zeros : {"ignore", "count"}
        What a neighbour without volume means: nothing to compare with, or an imbalance of any ratio.
    """

    ratio: float = 3.0
    min_volume: float = 0.0
    stacked: int = 3
    zeros: Zeros = "ignore"

    def __post_init__(self) -> None:
        if self.zeros not in get_args(Zeros):
            raise WorkbenchError(f"zeros {self.zeros!r}", expected=f"one of {', '.join(get_args(Zeros))}")
        if self.stacked < 2 or self.stacked != int(self.stacked):
            raise WorkbenchError(f"stacked={self.stacked!r}", expected="a whole number of at least 2")
        if not self.min_volume >= 0:
            raise WorkbenchError(f"min_volume={self.min_volume!r}", expected="a volume of at least 0")
        if not 1 <= self.ratio <= _FINEST or self._share.denominator > _FINEST:
            raise WorkbenchError(f"ratio={self.ratio!r}", expected="1 to 10000, with at most four decimals")

    @cached_property
    def _share(self) -> Fraction:
        return Fraction(str(self.ratio))

    def marks(self, cells: Cells, gap: BoolArray, instrument: Instrument) -> Marks:
        """Claims about cells.

        Parameters
        ----------
        cells : Cells
            Whole bars.
        gap : array of bool, shape (n_cells,)
            Whether events are missing in the cell's bar: then nothing is claimed.
        instrument : Instrument
            Gives the lot size of ``min_volume``.
        """
        least = Fraction(str(self.min_volume)) / Fraction(instrument.lot_size)
        below, above = neighbours(cells)
        buy = self._larger(cells.ask, np.where(below, np.roll(cells.bid, 1), 0), least) & ~gap
        sell = self._larger(cells.bid, np.where(above, np.roll(cells.ask, -1), 0), least) & ~gap
        low, high = extremes(cells)
        unfinished = (low | high) & (cells.bid > 0) & (cells.ask > 0) & ~gap
        return Marks(
            buy,
            sell,
            _in_runs(buy, below, self.stacked),
            _in_runs(sell, below, self.stacked),
            unfinished,
        )

    def _larger(self, mine: IntArray, other: IntArray, least: Fraction) -> BoolArray:
        enough = (mine > 0) & (mine * least.denominator >= least.numerator)
        times = mine * self._share.denominator >= other * self._share.numerator
        return enough & times & ((other > 0) | (self.zeros == "count"))


def neighbours(cells: Cells) -> tuple[BoolArray, BoolArray]:
    """Whether the cell before (after) is the next row below (above) in the same bar."""
    touching = (np.diff(cells.bar) == 0) & (np.diff(cells.row) == 1)
    edge = np.zeros(min(1, len(cells.row)), bool)
    return np.concatenate([edge, touching]), np.concatenate([touching, edge])


def extremes(cells: Cells) -> tuple[BoolArray, BoolArray]:
    """Whether a cell is the lowest, the highest of its bar."""
    changes = np.diff(cells.bar) != 0
    edge = np.ones(min(1, len(cells.bar)), bool)
    return np.concatenate([edge, changes]), np.concatenate([changes, edge])


def points_of_control(cells: Cells) -> BoolArray:
    """Whether a cell has most volume of its bar, of several the lowest."""
    if not len(cells.bar):
        return np.zeros(0, bool)
    first = np.flatnonzero(extremes(cells)[0])
    volume, group = cells.volume, np.cumsum(extremes(cells)[0]) - 1
    largest = np.flatnonzero(volume == np.maximum.reduceat(volume, first)[group])
    found = np.zeros(len(volume), bool)
    found[largest[np.unique(group[largest], return_index=True)[1]]] = True
    return found


def _in_runs(flag: BoolArray, below: BoolArray, least: int) -> BoolArray:
    """Whether a cell belongs to at least ``least`` flagged cells that lie row upon row."""
    goes_on = flag & below & np.concatenate([np.zeros(min(1, len(flag)), bool), flag[:-1]])
    run = np.cumsum(flag & ~goes_on)
    lengths = np.bincount(run[flag], minlength=int(run[-1]) + 1 if len(run) else 1)
    return flag & (lengths[run] >= least) if len(run) else flag


class Zone(NamedTuple):
    """Stacked rows of one bar that later prices have not left behind: +1 below the market, −1 above it."""

    side: int
    low_row: int
    high_row: int
    first_bar: int
    last_bar: int  # −1: still stands


def stacked_zones(cells: Cells, marks: Marks, low_row: IntArray, high_row: IntArray) -> list[Zone]:
    """Zones of stacked imbalance.

    Parameters
    ----------
    cells : Cells
        Of bars with consecutive numbers.
    marks : Marks
        Claims about the cells.
    low_row, high_row : array of int64, shape (n_bars,)
        Lowest and highest row of each bar, from the first bar of ``cells`` on.

    Returns
    -------
    list of Zone
        A zone of buying ends with the first later bar that trades below it, a zone of selling with one above it.
    """
    zones = []
    first = int(cells.bar[0]) if len(cells.bar) else 0
    for side, flag in ((1, marks.buy_stacked), (-1, marks.sell_stacked)):
        for start, stop in _runs(flag, neighbours(cells)[0]):
            bar, low, high = int(cells.bar[start]), int(cells.row[start]), int(cells.row[stop - 1])
            later = slice(bar - first + 1, None)
            beyond = np.flatnonzero(low_row[later] < low if side > 0 else high_row[later] > high)
            zones.append(Zone(side, low, high, bar, bar + 1 + int(beyond[0]) if len(beyond) else -1))
    return zones


def _runs(flag: BoolArray, below: BoolArray) -> list[tuple[int, int]]:
    """First cell of each run of flagged cells, and the one after its last."""
    if not flag.any():
        return []
    goes_on = flag & below & np.concatenate([[False], flag[:-1]])
    starts = np.flatnonzero(flag & ~goes_on)
    lengths = np.bincount(np.cumsum(flag & ~goes_on)[flag] - 1)
    return [(int(start), int(start + length)) for start, length in zip(starts, lengths)]
