"""Time at price: letters of half hours, their point of control and value area, and the initial balance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import SUBTICKS_PER_TICK, EventBatch, Instrument, IntArray
from workbench.flow.bar_rule import interval_ns
from workbench.flow.batches import instrument_of
from workbench.flow.prints import Prints, TradesSource, prints_of, prints_of_batch, real_prices
from workbench.flow.profile import Method, ProfileBuilder

__all__ = ["TimeProfile", "TpoBuilder", "tpo"]

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_OPENING: Final = 2


@dataclass(frozen=True)
class TimeProfile:
    """Brackets of time by price, real units.

    Attributes
    ----------
    poc : float or None
        Low edge of the row that most brackets touched, of several the lowest; None without trades.
    val, vah : float or None
        Low edges of the lowest and highest row of the value area.
    balance_low, balance_high : float or None
        Low edges of the lowest and highest row of the first two brackets: the initial balance.
    frame : DataFrame
        ``price`` (low edge), ``count`` of brackets, ``letters``: rows that traded, by price.
    """

    poc: float | None
    vah: float | None
    val: float | None
    balance_low: float | None
    balance_high: float | None
    frame: pl.DataFrame = field(repr=False, compare=False)


class TpoBuilder:
    """Time at price of a stream of events; see :func:`tpo`.

    Parameters
    ----------
    instrument : Instrument
    bracket : str, optional
    row_ticks : int, optional
    otc : bool, optional
    """

    def __init__(
        self, instrument: Instrument, bracket: str = "30m", row_ticks: int = 1, *, otc: bool = False
    ):
        if row_ticks < 1 or row_ticks != int(row_ticks):
            raise WorkbenchError(f"row_ticks={row_ticks!r}", expected="a whole number of at least 1")
        self.instrument, self.otc = instrument, otc
        self.bracket_ns, self.row_ticks = interval_ns(bracket), int(row_ticks)
        self._touched: dict[int, set[int]] = {}

    def apply(self, batch: EventBatch) -> None:
        """Take in the trades of a batch."""
        self.update(prints_of_batch(batch, otc=self.otc))

    def update(self, prints: Prints) -> None:
        """Take in trades."""
        brackets = prints.ts // self.bracket_ns
        rows = prints.price // (self.row_ticks * SUBTICKS_PER_TICK)
        for bracket in np.unique(brackets).tolist():
            touched = np.unique(rows[brackets == bracket]).tolist()
            self._touched.setdefault(bracket, set()).update(touched)

    def profile(self, value_area: float = 0.70, method: Method = "one_row") -> TimeProfile:
        """Profile of all trades so far; see :func:`tpo`."""
        letters: dict[int, str] = {}
        first = min(self._touched, default=0)
        for bracket, touched in sorted(self._touched.items()):
            for row in touched:
                letters[row] = letters.get(row, "") + _LETTERS[(bracket - first) % len(_LETTERS)]
        rows = sorted(letters)
        counts = np.array([len(letters[row]) for row in rows], np.int64)
        edges = self._outline(np.array(rows, np.int64), counts, value_area, method)
        opening = [r for bracket, rs in self._touched.items() if bracket < first + _OPENING for r in rs]
        balance = [min(opening), max(opening)] if opening else []
        values: list[float | None] = [*self._prices([*edges, *balance])] or [None] * 5
        frame = pl.DataFrame(
            [
                pl.Series("price", self._prices(rows), pl.Float64),
                pl.Series("count", counts, pl.Int64),
                pl.Series("letters", [letters[row] for row in rows], pl.String),
            ]
        )
        poc, val, vah, low, high = values
        return TimeProfile(poc, vah, val, low, high, frame)

    def _outline(
        self, rows: IntArray, counts: IntArray, value_area: float, method: Method
    ) -> tuple[int, ...]:
        builder = ProfileBuilder(self.instrument)
        sides = np.zeros(len(rows), np.int8)
        builder.update(Prints(rows, rows * SUBTICKS_PER_TICK, counts, sides))
        return builder.outline(value_area, method) or ()

    def _prices(self, rows: list[int]) -> list[float]:
        height = self.row_ticks * SUBTICKS_PER_TICK
        return [float(price) for price in real_prices(np.array(rows, np.int64) * height, self.instrument)]


def tpo(
    x: TradesSource,
    bracket: str = "30m",
    value_area: float = 0.70,
    method: Method = "one_row",
    row_ticks: int = 1,
    *,
    otc: bool = False,
) -> TimeProfile:
    """Time at price (TPO, Market Profile): which brackets of time traded at which price.

    Parameters
    ----------
    x : session or recording
    bracket : str, optional
        Time of a letter: a number and a unit, counted from the epoch in UTC.
    value_area, method, row_ticks, otc
        As :func:`workbench.volume_profile` takes them; brackets are counted instead of volume.

    Returns
    -------
    TimeProfile
        Point of control, value area, initial balance and the letters of each price, real units; None without trades.

    Raises
    ------
    WorkbenchError
        As :func:`workbench.volume_profile`; a bracket that is no number and unit.

    Notes
    -----
    A bracket has its letter at the rows where it traded; rows that it only jumped over have none. The first bracket that
    traded is A, Z is followed by a, z by A. The initial balance is the range of the brackets A and B.

    References
    ----------
    J. P. Steidlmayer, *Market Profile* (CBOT, 1984).
    """
    builder = TpoBuilder(instrument_of(x), bracket, row_ticks, otc=otc)
    builder.update(prints_of(x, otc=otc))
    return builder.profile(value_area, method)
