"""What a rule sees: states of the best levels and findings of detectors on one time axis, and how long the book is known.

Every signal, simple or composed, is a function of these rows. A row is a moment at which the best levels changed or a
detector found something; so signals that are put together speak at the same rows and combine row by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types

from workbench.book.jit import I8_COLUMN, kernel
from workbench.errors import WorkbenchError
from workbench.events import Array, EventBatch, FloatArray, Instrument, IntArray
from workbench.flow.touch import Moments, TouchStream

_DETECTORS: Final = "workbench.flow.detectors"
_NEVER: Final = -(2**63)
_FLAGS: Final = types.Array(types.boolean, 1, "C", readonly=True)
_GRID: Final = types.Array(types.int64, 2, "C", readonly=True)


class Finder(NamedTuple):
    """A detector and its parameters, hashable, from which fresh detectors are made.

    Attributes
    ----------
    home : str
        Module in ``workbench.flow.detectors``, or a full module name.
    name : str
        Class of the detector, or a function that makes one.
    parameters : tuple of (str, value)
    """

    home: str
    name: str
    parameters: tuple[tuple[str, Any], ...] = ()

    def detector(self, instrument: Instrument) -> Any:
        """A fresh detector."""
        home = self.home if "." in self.home else f"{_DETECTORS}.{self.home}"
        return getattr(import_module(home), self.name)(instrument, **dict(self.parameters))


class Needs(NamedTuple):
    """What of the events a signal looks at.

    Attributes
    ----------
    levels : int
        Best levels of each side.
    finders : tuple of Finder
    """

    levels: int = 1
    finders: tuple[Finder, ...] = ()

    @classmethod
    def union(cls, needs: Iterable[Needs]) -> Needs:
        """What serves all of them."""
        several = list(needs)
        finders = dict.fromkeys(f for n in several for f in n.finders)
        return cls(max(n.levels for n in several), tuple(finders))


class Marks(NamedTuple):
    """Findings of one detector in a sight, shape (n_marks,): row of the sight, side, score."""

    row: IntArray
    side: npt.NDArray[np.int8]
    score: FloatArray


class Sight(NamedTuple):
    """Consecutive rows of what is known; n rows.

    Attributes
    ----------
    moments : Moments
        States of the best levels. Where only a detector spoke, the state is that of the row before.
    age : int64, ns, shape (n,)
        How long the book has been known without a break; −1 where it is not known.
    mid : float64, ticks, shape (n,)
        NaN where unknown or a side is empty.
    marks : mapping of Finder to Marks
    """

    moments: Moments
    age: IntArray
    mid: FloatArray
    marks: Mapping[Finder, Marks]

    def best(self, levels: int) -> Moments:
        """States of fewer levels, as they would be had nobody asked for more."""
        if levels == self.moments.levels:
            return self.moments
        sides = [np.ascontiguousarray(side[:, :levels]) for side in self.moments[3:]]
        return Moments(*self.moments[:3], *sides)

    def narrowed(self, levels: int) -> Sight:
        """The sight of fewer levels that the events would have given; only of a sight without detectors.

        Notes
        -----
        A moment is a row where its best levels differ from those of the row before. Whatever changes fewer levels changes
        more levels too, so the rows of fewer are among these.
        """
        moments = self.best(levels)
        kept = np.empty(len(self.age), np.bool_)
        bid, bid_size, ask, ask_size = moments[3:]
        _changes(moments.known, bid, bid_size, ask, ask_size, kept)
        return Sight(moments.part(kept), self.age[kept], self.mid[kept], {})

    def since(self, start: int) -> Sight:
        """The rows from one on."""
        marks = {}
        for finder, m in self.marks.items():
            first = int(np.searchsorted(m.row, start))
            marks[finder] = Marks(m.row[first:] - start, m.side[first:], m.score[first:])
        return Sight(self.moments.part(slice(start, None)), self.age[start:], self.mid[start:], marks)

    @staticmethod
    def joined(sights: Iterable[Sight]) -> Sight:
        """Put consecutive sights together; at least one."""
        parts = list(sights)
        starts = np.cumsum([0, *(len(s.age) for s in parts[:-1])])
        marks = {}
        for finder in parts[0].marks:
            found = [s.marks[finder] for s in parts]
            rows = np.concatenate([m.row + start for m, start in zip(found, starts)])
            marks[finder] = Marks(
                rows, np.concatenate([m.side for m in found]), np.concatenate([m.score for m in found])
            )
        moments = Moments.joined((s.moments for s in parts), parts[0].moments.levels)
        age, mid = np.concatenate([s.age for s in parts]), np.concatenate([s.mid for s in parts])
        return Sight(moments, age, mid, marks)


@kernel(types.void(I8_COLUMN, _FLAGS, *[types.int64[::1]] * 2))
def _ages(ts: Array, known: Array, since: Array, out: Array) -> None:
    for i in range(len(ts)):
        if not known[i]:
            since[0] = _NEVER
        elif since[0] == _NEVER:
            since[0] = ts[i]
        out[i] = ts[i] - since[0] if known[i] else -1


@kernel(types.void(_FLAGS, *[_GRID] * 4, types.boolean[::1]))
def _changes(known: Array, bid: Array, bid_size: Array, ask: Array, ask_size: Array, out: Array) -> None:
    for i in range(len(known)):
        out[i] = i == 0 or known[i] != known[i - 1]
        for k in range(bid.shape[1] if known[i] and not out[i] else 0):
            same = bid[i, k] == bid[i - 1, k] and bid_size[i, k] == bid_size[i - 1, k]
            if not same or ask[i, k] != ask[i - 1, k] or ask_size[i, k] != ask_size[i - 1, k]:
                out[i] = True
                break


class Sighting:
    """Sights of a stream of events.

    Parameters
    ----------
    needs : Needs
    instrument : Instrument, optional
        Needed where a detector is.

    Raises
    ------
    WorkbenchError
        A detector is needed and the instrument is not given.

    Notes
    -----
    A row is told when its moment is over: when an event with a later ``ts`` comes. What a detector finds belongs to the
    moment at which it became known. Any cut of the stream gives the same rows.
    """

    def __init__(self, needs: Needs, instrument: Instrument | None = None):
        if needs.finders and instrument is None:
            names = ", ".join(f.name for f in needs.finders)
            raise WorkbenchError(
                f"a signal that rests on {names} and no instrument",
                expected="the instrument, whose ticks and lots detectors speak of",
                action="Take signal.fresh(session.instrument)",
                code="no_instrument",
            )
        self.needs = needs
        self._touch = TouchStream(needs.levels)
        self._detectors = [f.detector(instrument) for f in needs.finders if instrument is not None]
        self._since: IntArray = np.array([_NEVER])
        self._last = _unknown(needs.levels)
        self._moments: list[Moments] = []
        self._found: list[list[tuple[Array, ...]]] = [[] for _ in needs.finders]

    def update(self, batch: EventBatch) -> Sight:
        """Take in events in order; the rows that are over by now."""
        self._moments.append(self._touch.update(batch))
        for found, detector in zip(self._found, self._detectors):
            found.append(detector.update(batch)[:5])
        if not self._detectors:
            return self._sight(None)
        return self._sight(int(batch.ts[-1]) if len(batch) else _NEVER)

    def close(self) -> Sight:
        """End the moment that stands."""
        self._moments.append(self._touch.close())
        for found, detector in zip(self._found, self._detectors):
            found.append(detector.close()[:5])
        return self._sight(None)

    def _sight(self, before: int | None) -> Sight:
        """Rows of everything that waits and lies before a time; the rest goes on waiting."""
        moments = Moments.joined(self._moments, self.needs.levels)
        stop = len(moments.ts) if before is None else int(np.searchsorted(moments.ts, before))
        self._moments = [moments.part(slice(stop, None))] if stop < len(moments.ts) else []
        found = [self._ready(k, before) for k in range(len(self._found))]
        grid, rows = _merged(moments.part(slice(stop)), found, self._last) if found else (moments, [])
        if len(grid.ts):
            self._last = grid.part(slice(-1, None))
        marks = {
            f: Marks(row, np.ascontiguousarray(c[3]), np.ascontiguousarray(c[4]))
            for f, row, c in zip(self.needs.finders, rows, found)
        }
        age = np.empty(len(grid.ts), np.int64)
        _ages(np.ascontiguousarray(grid.ts), grid.known, self._since, age)
        return Sight(grid, age, mids(grid), marks)

    def _ready(self, k: int, before: int | None) -> tuple[Array, ...]:
        parts = self._found[k]
        columns = tuple(np.concatenate([p[i] for p in parts]) for i in range(5)) if parts else _NOTHING
        stop = len(columns[0]) if before is None else int(np.searchsorted(columns[0], before))
        self._found[k] = [tuple(c[stop:] for c in columns)]
        return tuple(c[:stop] for c in columns)


_NOTHING: Final[tuple[Array, ...]] = (
    *(np.empty(0, np.int64) for _ in range(3)),
    np.empty(0, np.int8),
    np.empty(0, np.float64),
)


def mids(moments: Moments) -> FloatArray:
    """Middle between the best prices, ticks, shape (n,); NaN where unknown or a side is empty."""
    if not len(moments.ts):
        return np.empty(0)
    both = moments.known & (moments.bid_size[:, 0] > 0) & (moments.ask_size[:, 0] > 0)
    return np.where(both, (moments.bid[:, 0] + moments.ask[:, 0]) / 2.0, np.nan)


def sight_of(batches: Iterable[EventBatch], needs: Needs, instrument: Instrument | None) -> Sight:
    """Everything there is to see in whole, the batch face of :class:`Sighting`."""
    sighting = Sighting(needs, instrument)
    parts = [sighting.update(batch) for batch in batches]
    return Sight.joined([*parts, sighting.close()])


def _unknown(levels: int) -> Moments:
    none = np.zeros((1, levels), np.int64)
    return Moments(np.array([_NEVER]), np.array([-1]), np.array([False]), none, none, none, none)


def _merged(
    moments: Moments, found: list[tuple[Array, ...]], last: Moments
) -> tuple[Moments, list[IntArray]]:
    """States with a row wherever something was found, and the row of each finding."""
    times = np.concatenate([c[0] for c in found])
    numbers = np.concatenate([c[1] for c in found])
    extra = np.setdiff1d(times, moments.ts)
    known_by = np.full(len(extra), -1, np.int64)
    at = np.searchsorted(extra, times)
    inside = at < len(extra)
    inside[inside] = extra[at[inside]] == times[inside]
    np.maximum.at(known_by, at[inside], numbers[inside])
    held = Moments.joined([last, moments])
    order = np.argsort(np.concatenate([moments.ts, extra]), kind="stable")
    source = np.concatenate([np.arange(len(moments.ts)) + 1, np.searchsorted(moments.ts, extra, "right")])
    grid = held.part(source[order])
    ts = np.concatenate([moments.ts, extra])[order]
    sequence = np.concatenate([moments.sequence, known_by])[order]
    rows = [np.searchsorted(ts, c[0], "right") - 1 for c in found]
    return grid._replace(ts=ts, sequence=sequence), rows


__all__ = ["Finder", "Marks", "Needs", "Sight", "Sighting", "mids", "sight_of"]
