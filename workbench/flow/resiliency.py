"""Resiliency: how fast the depth that a sweep took comes back."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from workbench.events import EventBatch, FloatArray, Instrument, IntArray
from workbench.flow.bar_rule import interval_ns
from workbench.flow.batches import event_batches, instrument_of
from workbench.flow.prints import as_times, real_sizes
from workbench.flow.signals.sight import Finder, Needs, Sight, Sighting
from workbench.flow.touch import checked_levels

__all__ = ["Recoveries", "Resiliency", "resiliency"]

RECOVERED, TOO_SLOW, LOST = range(3)
_FATES: Final = ("recovered", "not in time", "book lost")


class Recoveries(NamedTuple):
    """What became of the depth after sweeps, in the order in which that became known; arrays of shape (n,).

    Attributes
    ----------
    known_ts : int64, ns
        Moment of recovery, first moment at or after the end of the wait, or moment at which the book was lost. Moments
        are those at which the levels of the depth changed or a sweep was found.
    ts : int64, ns
        Moment of the sweep.
    side : int8
        Side that was swept: +1 bid, −1 ask.
    before, after : int64, lots
        Depth before the sweep, and at its moment.
    half_life : float64, s
        NaN unless it recovered.
    fate : int64
        ``RECOVERED``, ``TOO_SLOW`` or ``LOST``.
    """

    known_ts: IntArray
    ts: IntArray
    side: IntArray
    before: IntArray
    after: IntArray
    half_life: FloatArray
    fate: IntArray


class _Wait(NamedTuple):
    """A sweep whose depth has not come back yet."""

    ts: int
    side: int
    before: int
    after: int


class Resiliency:
    """Half-life of the depth after sweeps, from a stream of events.

    Parameters
    ----------
    instrument : Instrument
    levels, before, within, sweep_levels, time
        As :func:`resiliency` has them.

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.
    """

    def __init__(
        self,
        instrument: Instrument,
        *,
        levels: int = 5,
        before: str = "100ms",
        within: str = "10s",
        sweep_levels: int = 4,
        time: str | None = None,
    ):
        levels = checked_levels(levels)
        self._before, self._within = interval_ns(before), interval_ns(within)
        given = (("levels", sweep_levels),) if time is None else (("levels", sweep_levels), ("time", time))
        self._finder = Finder("sweeps", "Sweeps", given)
        self._sighting = Sighting(Needs(levels, (self._finder,)), instrument)
        self._waiting: list[_Wait] = []
        self._past = _Depths(np.empty(0, np.int64), np.empty(0, np.bool_), np.empty((0, 2), np.int64))

    def update(self, batch: EventBatch) -> Recoveries:
        """Take in events; what became of earlier sweeps by now."""
        return self._follow(self._sighting.update(batch))

    def close(self) -> Recoveries:
        """End the moment that stands. Sweeps whose depth is still awaited are not told: nobody knows yet."""
        return self._follow(self._sighting.close())

    def _follow(self, sight: Sight) -> Recoveries:
        fresh = _Depths.of(sight)
        seen = _Depths(*(np.concatenate(pair) for pair in zip(self._past, fresh)))
        start = len(self._past.ts)
        marks = sight.marks[self._finder]
        for row, side in zip((marks.row + start).tolist(), (-marks.side).tolist()):
            wait = self._begun(seen, row, side)
            if wait is not None:
                self._waiting.append(wait)
        told = [(wait, seen.outcome(wait, self._within)) for wait in self._waiting]
        self._waiting = [wait for wait, outcome in told if outcome is None]
        ended = [(outcome[0], wait, outcome) for wait, outcome in told if outcome is not None]
        self._keep(seen)
        return _recoveries(sorted(ended, key=lambda e: (e[0], e[1].ts)))

    def _begun(self, seen: _Depths, row: int, side: int) -> _Wait | None:
        """A sweep that took depth, None where the book was not known or nothing is missing."""
        ts = int(seen.ts[row])
        last = int(np.searchsorted(seen.ts, ts - self._before, "right")) - 1
        if last < 0 or not seen.known[last : row + 1].all():
            return None
        column = 0 if side > 0 else 1
        before, after = int(seen.lots[last, column]), int(seen.lots[row, column])
        return _Wait(ts, side, before, after) if after < before else None

    def _keep(self, seen: _Depths) -> None:
        """Forget what no sweep to come, and none that waits, needs."""
        if not len(seen.ts):
            return
        oldest = min([int(seen.ts[-1]) - self._before, *(wait.ts for wait in self._waiting)])
        first = max(int(np.searchsorted(seen.ts, oldest, "right")) - 1, 0)
        self._past = _Depths(*(column[first:].copy() for column in seen))


class _Depths(NamedTuple):
    """Depth of both sides over moments: time, whether known, lots of bids and asks."""

    ts: IntArray
    known: Any
    lots: IntArray

    @classmethod
    def of(cls, sight: Sight) -> _Depths:
        moments = sight.moments
        lots = np.stack([moments.bid_size.sum(axis=1), moments.ask_size.sum(axis=1)], axis=1)
        return cls(moments.ts, sight.age >= 0, lots)

    def outcome(self, wait: _Wait, within: int) -> tuple[int, int] | None:
        """Moment at which it was known what became of a sweep, and what; None while it is not."""
        first = int(np.searchsorted(self.ts, wait.ts, "right"))
        late = int(np.searchsorted(self.ts, wait.ts + within))
        column = 0 if wait.side > 0 else 1
        # half of what is missing, rounded up: 2·now ≥ before + after
        back = 2 * self.lots[first:late, column] >= wait.before + wait.after
        told = np.flatnonzero(back | ~self.known[first:late])
        if len(told):
            at = first + int(told[0])
            return int(self.ts[at]), RECOVERED if self.known[at] else LOST
        return (int(self.ts[late]), TOO_SLOW) if late < len(self.ts) else None


def _recoveries(ended: list[tuple[int, _Wait, tuple[int, int]]]) -> Recoveries:
    waits = [wait for _, wait, _ in ended]
    known = np.array([ts for ts, _, _ in ended], np.int64)
    fate = np.array([outcome[1] for _, _, outcome in ended], np.int64)
    ts, side, before, after = (np.array([w[i] for w in waits], np.int64) for i in range(4))
    half = np.where(fate == RECOVERED, (known - ts) / 1e9, np.nan)
    return Recoveries(known, ts, side, before, after, half, fate)


def resiliency(
    x: Any,
    *,
    levels: int = 5,
    before: str = "100ms",
    within: str = "10s",
    sweep_levels: int = 4,
    time: str | None = None,
) -> pl.DataFrame:
    """How fast depth comes back after sweeps.

    Parameters
    ----------
    x : session or recording
    levels : int, optional
        Depth is the size at so many best levels of the swept side.
    before : str, optional
        Depth before the sweep is taken this long before its moment, so that the sweep itself does not count.
    within : str, optional
        How long the depth is waited for.
    sweep_levels, time : optional
        What counts as a sweep: ``levels`` and ``time`` of :func:`~workbench.flow.detectors.sweeps.sweeps`.

    Returns
    -------
    DataFrame
        ``ts`` (UTC, of the sweep), ``known_ts`` (when this row was known), ``side`` (Int8, swept: +1 bid, −1 ask),
        ``before``, ``after`` (real units), ``half_life_s`` (null unless it recovered), ``fate`` (``recovered``,
        ``not in time``, ``book lost``), in the order in which they became known.

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.

    Notes
    -----
    The half-life is the time from the sweep to the first moment at which half of what was missing is back:
    depth ≥ (before + after) / 2. Sweeps that took nothing from this depth, and sweeps beside a gap, have no row; those
    still waited for at the end have none either. A row that is ``not in time`` is censored, not slow: a median over all
    of them is that of :func:`workbench.flow.survival.kaplan_meier`, not of the column.

    *What it cannot know.* Levels are counted from the best one: when price moved, other prices stand there than before.

    References
    ----------
    J. Large, "Measuring the resiliency of an electronic limit order book", Journal of Financial Markets 10 (2007).

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("30s")
    >>> wb.resiliency(s, sweep_levels=2).columns
    ['ts', 'known_ts', 'side', 'before', 'after', 'half_life_s', 'fate']
    """
    settings: Any = {
        "levels": levels, "before": before, "within": within, "sweep_levels": sweep_levels, "time": time,
    }  # fmt: skip
    stream = Resiliency(instrument_of(x), **settings)
    parts = [stream.update(batch) for batch in event_batches(x)]
    parts.append(stream.close())
    found = Recoveries(*(np.concatenate(columns) for columns in zip(*parts)))
    return pl.DataFrame(
        [
            as_times(found.ts),
            as_times(found.known_ts).alias("known_ts"),
            pl.Series("side", found.side.astype(np.int8), pl.Int8),
            pl.Series("before", real_sizes(found.before, instrument_of(x)), pl.Float64),
            pl.Series("after", real_sizes(found.after, instrument_of(x)), pl.Float64),
            pl.Series("half_life_s", found.half_life, pl.Float64).fill_nan(None),
            pl.Series("fate", [_FATES[f] for f in found.fate], pl.String),
        ]
    )
