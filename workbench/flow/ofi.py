"""Order flow imbalance: what the best levels gained on the bid side less what they gained on the ask side."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import types

from workbench.book.jit import kernel
from workbench.events import Array, EventBatch, Instrument, IntArray
from workbench.flow.bar_rule import interval_ns
from workbench.flow.batches import event_batches, instrument_of
from workbench.flow.prints import as_times, real_sizes
from workbench.flow.touch import Moments, TouchStream, checked_levels

_LOTS = types.int64[::1]
_FLAGS = types.boolean[::1]


@kernel(types.void(*[_LOTS] * 4, types.int64, _LOTS))
def order_flow(bid: Array, bid_size: Array, ask: Array, ask_size: Array, levels: int, out: Array) -> None:
    """Write e of each moment and level but the first moment's; moments one after the other, flat."""
    # Two views of the same column, so that there is one index without an offset: eight states a turn.
    now = bid[levels:], bid_size[levels:], ask[levels:], ask_size[levels:]
    written = out[levels:]
    for i in range(len(written)):
        # A missing level has size 0 and a price worse than any: what comes there is gained, what goes is lost.
        size, before = now[1][i], bid_size[i]
        flow = size if (before == 0) | (now[0][i] >= bid[i]) else 0
        flow -= before if (size == 0) | (now[0][i] <= bid[i]) else 0
        size, before = now[3][i], ask_size[i]
        flow -= size if (before == 0) | (now[2][i] <= ask[i]) else 0
        flow += before if (size == 0) | (now[2][i] >= ask[i]) else 0
        written[i] = flow


class Flow(NamedTuple):
    """Order flow imbalance of each moment at which the best levels changed; n rows.

    Attributes
    ----------
    ts : int64, ns, shape (n,)
    sequence : int64, shape (n,)
        Number of the moment's last row.
    measured : bool, shape (n,)
        Whether there was a known state before it in the same stretch of a known book.
    e : int64, lots, shape (n, levels)
        0 where not measured.
    """

    ts: IntArray
    sequence: IntArray
    measured: npt.NDArray[np.bool_]
    e: IntArray


class OfiStream:
    """Order flow imbalance of a stream of events, exact.

    Parameters
    ----------
    levels : int, optional
        Levels of each side; level m compares the m-th best prices before and after.

    Notes
    -----
    For the prices P and sizes q of bid b and ask a of a level, with the state n following n − 1::

        e = 1{Pb_n ≥ Pb_n−1}·qb_n − 1{Pb_n ≤ Pb_n−1}·qb_n−1 − 1{Pa_n ≤ Pa_n−1}·qa_n + 1{Pa_n ≥ Pa_n−1}·qa_n−1

    A missing level counts as one of size 0 at a price worse than any. After CLEAR or GAP the first known state only
    begins the next stretch: nothing is measured across. States are those of :class:`~workbench.flow.touch.TouchStream`.

    References
    ----------
    R. Cont, A. Kukanov, S. Stoikov, "The price impact of order book events", Journal of Financial Econometrics 12
    (2014), arXiv:1011.6402. Several levels: K. Xu, M. Gould, S. Howison, arXiv:1907.06230.

    Examples
    --------
    >>> from workbench.events import EventBatch
    >>> stream = OfiStream()
    >>> opening = EventBatch.of(ts=1, kind=[6, 1, 1, 7], side=[0, 1, -1, 0], price=[0, 100, 101, 0], size=[0, 10, 8, 0])
    >>> first = stream.update(opening)
    >>> rest = stream.update(EventBatch.of(ts=[2, 3], kind=1, side=[1, -1], price=[100, 101], size=[14, 5]))
    >>> rest.e.tolist(), stream.close().e.tolist()
    ([[0], [4]], [[3]])
    """

    def __init__(self, levels: int = 1):
        self.levels = checked_levels(levels)
        self._touch = TouchStream(self.levels)
        self._known = False
        self._last = np.zeros((4, self.levels), np.int64)

    def update(self, batch: EventBatch) -> Flow:
        """Take in events in order; the flow of the moments that are over by now."""
        return self.follow(self._touch.update(batch))

    def close(self) -> Flow:
        """End the moment that stands; its flow, 0 rows or 1."""
        return self.follow(self._touch.close())

    def follow(self, moments: Moments) -> Flow:
        """Take in states that somebody else made of the events.

        Parameters
        ----------
        moments : Moments
            With ``levels`` levels of each side, following those before.
        """
        known = moments.known
        out = np.empty(moments.bid.shape, np.int64)
        measured = known.copy()
        if len(known):
            measured[1:] &= known[:-1]
            measured[0] &= self._known
            columns = [np.ascontiguousarray(column) for column in moments[3:]]
            edge = np.empty((2, self.levels), np.int64)
            seam = [self._seam(column, i) for i, column in enumerate(columns)]
            order_flow(seam[0], seam[1], seam[2], seam[3], self.levels, edge.ravel())
            flat = [column.ravel() for column in columns]
            order_flow(flat[0], flat[1], flat[2], flat[3], self.levels, out.ravel())
            out[0] = edge[1]
            out[~measured] = 0
            self._known = bool(known[-1])
            self._last = np.stack([column[-1] for column in columns])
        return Flow(moments.ts, moments.sequence, measured, out)

    def _seam(self, column: IntArray, at: int) -> IntArray:
        """Last state of the moments before and first of these, flat."""
        return np.concatenate([self._last[at], column[0]])


def ofi(x: Any, levels: int = 1, every: str | None = None) -> pl.DataFrame:
    """Order flow imbalance.

    Parameters
    ----------
    x : session or recording
    levels : int, optional
        Levels of each side. With more than one there is a column for each: ``ofi_1``, ``ofi_2``, …
    every : str, optional
        Sum by buckets of time, a number and a unit like ``"1s"``. Unset: one row per moment.

    Returns
    -------
    DataFrame
        Without ``every``, one row for each moment at which the best ``levels`` levels changed: ``ts``, ``e`` (of this
        moment; ``e_1``, … with several levels) and ``ofi``, their running sum, in real units. The sum begins anew
        behind each gap; both are null where the book is not known and at the first state that is.

        With ``every``, one row for each bucket that holds such a moment: ``ts`` (its start), ``ofi`` (its sum),
        ``mid_change`` (ticks, from the end of the bucket before) and ``depth``, the mean resting size of a level and
        side over the moments, real units. Buckets without a row are 0 throughout; null where the book was not known
        all the time since the row before.

    Notes
    -----
    Formula and references: :class:`OfiStream`, the streaming face.

    References
    ----------
    R. Cont, A. Kukanov, S. Stoikov, "The price impact of order book events", Journal of Financial Econometrics 12
    (2014), arXiv:1011.6402. K. Xu, M. D. Gould, S. D. Howison, "Multi-level order-flow imbalance in a limit order
    book", arXiv:1907.06230.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("3s")
    >>> wb.ofi(s).columns, wb.ofi(s, levels=2, every="1s").columns
    (['ts', 'e', 'ofi'], ['ts', 'ofi_1', 'ofi_2', 'mid_change', 'depth'])
    """
    stream = OfiStream(levels)
    bucket = None if every is None else interval_ns(every)
    touch = TouchStream(levels)
    pieces = [touch.update(batch) for batch in event_batches(x)]
    moments = Moments.joined([*pieces, touch.close()], levels)
    flow = stream.follow(moments)
    if bucket is None:
        return _each(flow, instrument_of(x))
    return _by_bucket(moments, flow, bucket, instrument_of(x))


def _each(flow: Flow, instrument: Instrument) -> pl.DataFrame:
    fresh = np.flatnonzero(~flow.measured)
    total = flow.e.cumsum(axis=0)
    before = np.zeros_like(flow.e)
    if len(fresh):
        # where the latest row that measures nothing stands, whose sum is where the stretch begins
        at = np.searchsorted(fresh, np.arange(len(flow.ts)), side="right") - 1
        before = np.where((at >= 0)[:, None], total[fresh[at.clip(0)]], 0)
    columns = [as_times(flow.ts)]
    for name, values in (("e", flow.e), ("ofi", total - before)):
        columns += _level_columns(name, values, flow.measured, instrument)
    return pl.DataFrame(columns)


def _level_columns(
    name: str, lots: IntArray, known: npt.NDArray[np.bool_], instrument: Instrument
) -> list[pl.Series]:
    names = [name] if lots.shape[1] == 1 else [f"{name}_{m + 1}" for m in range(lots.shape[1])]
    unknown = pl.Series(~known)
    columns = [pl.Series(n, real_sizes(lots[:, m], instrument), pl.Float64) for m, n in enumerate(names)]
    return [column.set(unknown, None) for column in columns]


def _by_bucket(moments: Moments, flow: Flow, bucket_ns: int, instrument: Instrument) -> pl.DataFrame:
    bucket = moments.ts // bucket_ns
    starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(bucket)), bool), np.diff(bucket) != 0]))
    ends = np.append(starts[1:], len(bucket))[: len(starts)] - 1
    measured = _sums(~flow.measured, starts) == 0
    two_sided = (moments.bid_size[:, 0] > 0) & (moments.ask_size[:, 0] > 0)
    mid = np.where(two_sided, (moments.bid[:, 0] + moments.ask[:, 0]) / 2, np.nan)[ends]
    change = np.diff(mid, prepend=np.nan)[: len(mid)]
    change[~measured] = np.nan
    resting = (moments.bid_size + moments.ask_size).sum(axis=1).astype(np.float64)
    count = (ends - starts + 1) * 2 * moments.levels
    depth = _sums(resting, starts) / count
    return pl.DataFrame(
        [
            as_times(bucket[starts] * bucket_ns),
            *_level_columns("ofi", _sums(flow.e, starts), measured, instrument),
            pl.Series("mid_change", change, pl.Float64).fill_nan(None),
            pl.Series("depth", real_sizes(depth, instrument), pl.Float64).set(pl.Series(~measured), None),
        ]
    )


def _sums(values: Array, starts: IntArray) -> Array:
    """Sums of the stretches that begin at ``starts``, down the first axis; none for none."""
    values = values.astype(np.int64) if values.dtype == np.bool_ else values
    return np.add.reduceat(values, starts, axis=0) if len(starts) else values[:0]


__all__ = ["Flow", "OfiStream", "ofi", "order_flow"]
