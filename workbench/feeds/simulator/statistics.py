"""Figures of order flow, computed the same way from a recording and from the simulator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from workbench.errors import EventError
from workbench.events import Array, EventBatch, EventKind, Flag, IntArray
from workbench.feeds.simulator.sampling import GONE, LEVELS, UP, Samples, sample_book

SAMPLE_NS: Final = 100_000_000
_SECOND_NS: Final = 1_000_000_000
_QUANTILES: Final = (50, 75, 95, 99)
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class FlowStatistics:
    """Figures of a stretch of order flow, by name.

    Parameters
    ----------
    figures : Mapping of str to float
        Rates per s, times in ms or s as the name says, sizes in lots, prices in ticks, shares 0 … 1. What the
        stream cannot tell (lives of orders without order ids) is missing.
    """

    figures: Mapping[str, float]

    def __getitem__(self, name: str) -> float:
        return self.figures[name]

    def __repr__(self) -> str:
        return "\n".join(f"{name:28s} {value:14.4f}" for name, value in self.figures.items())


def flow_statistics(batches: Iterable[EventBatch], *, stretch: float = 1.0) -> FlowStatistics:
    """Compute the figures that the simulator is fitted to.

    Parameters
    ----------
    batches : iterable of EventBatch
        One instrument, from a recording's ``batches()`` or a source's ``advance``, with a snapshot at its start.
    stretch : float, optional
        Factor on all times before anything is measured: 12 shows a market that runs at twelve times the pace as if
        it ran at its own.

    Returns
    -------
    FlowStatistics

    Raises
    ------
    EventError
        No event after the first snapshot.

    Notes
    -----
    An execution is one aggressor at one price (prints that share aggressor, or time and side, and price): what
    exchanges report as one trade where they report fills apart. Lives count orders that entered and left inside
    the span.
    """
    columns = [np.concatenate(c) for c in zip(*(b.columns for b in batches))]
    if not columns or not len(columns[0]):
        raise EventError("no events", expected="a stream that begins with a snapshot")
    batch = EventBatch.trusted(tuple(columns), 0)
    ends = np.flatnonzero(batch.kind == EventKind.SNAPSHOT_END)
    first = int(ends[0]) + 1 if len(ends) else 0
    if first >= len(batch):
        raise EventError("no events after the snapshot", expected="a stream of some seconds")
    origin = int(batch.ts[max(first - 1, 0)])
    times = ((batch.ts - origin) * stretch).astype(np.int64)
    span_s = max(float(times[-1]), 1.0) / _SECOND_NS
    return FlowStatistics({"span_s": span_s} | _all_figures(batch, times, first, span_s))


def _all_figures(batch: EventBatch, times: IntArray, first: int, span_s: float) -> Figures:
    live = (np.arange(len(batch)) >= first) & ((batch.flags & Flag.SNAPSHOT) == 0)
    samples = sample_book(batch, times, first, SAMPLE_NS)
    return (
        _message_figures(batch, times, live, span_s)
        | _trade_figures(batch, times, live, span_s)
        | _order_figures(batch, times, live)
        | _level_figures(batch, times, live, samples, span_s)
        | _book_figures(samples)
    )


def _message_figures(batch: EventBatch, times: IntArray, live: Array, span_s: float) -> Figures:
    kinds = (EventKind.MBO_NEW, EventKind.MBO_REPLACE, EventKind.MBO_CANCEL)
    counts = [int(np.count_nonzero(live & (batch.kind == k))) for k in kinds]
    total = sum(counts)
    if not total:
        return {}
    messages = live & np.isin(batch.kind, (*kinds, EventKind.TRADE))
    figures = {f"share_{n}": c / total for n, c in zip(("new", "replace", "cancel"), counts)}
    figures |= {"messages_per_s": int(messages.sum()) / span_s, "orders_per_s": total / span_s}
    figures |= _named("message_gap_ms", np.diff(times[messages]) / 1e6)
    return figures | _per_second("messages", times[messages])


def _trade_figures(batch: EventBatch, times: IntArray, live: Array, span_s: float) -> Figures:
    rows = np.flatnonzero(live & (batch.kind == EventKind.TRADE) & (batch.size > 0))
    if len(rows) < 2:
        return {"trades_per_s": len(rows) / span_s}
    side, size, price = batch.side[rows], batch.size[rows], batch.price[rows]
    starts = _execution_starts(batch, times, rows)
    at_price = starts | np.concatenate(([True], np.diff(price) != 0))
    executions = np.add.reduceat(size, np.flatnonzero(at_price))
    prints = np.diff(np.append(np.flatnonzero(starts), len(rows)))
    figures = {
        "trades_per_s": len(rows) / span_s,
        "executions_per_s": len(executions) / span_s,
        "prints_per_aggressor": float(prints.mean()),
        "prints_per_aggressor_p90": float(np.percentile(prints, 90)),
        "prints_per_aggressor_p99": float(np.percentile(prints, 99)),
        "print_size_mean": float(size.mean()),
        "execution_size_mean": float(executions.mean()),
        "execution_size_one": float((executions == 1).mean()),
    }
    figures |= _named("print_size", size) | _named("execution_size", executions)
    figures |= _signs("print", side) | _signs("execution", side[at_price])
    return figures | _per_second("trades", times[rows])


def _execution_starts(batch: EventBatch, times: IntArray, rows: IntArray) -> npt.NDArray[np.bool_]:
    aggressor, side = batch.aggressor_id[rows], batch.side[rows]
    same = np.where(
        aggressor[1:] != 0,
        aggressor[1:] == aggressor[:-1],
        (np.diff(times[rows]) == 0) & (side[1:] == side[:-1]),
    )
    return np.concatenate(([True], ~same))


def _order_figures(batch: EventBatch, times: IntArray, live: Array) -> Figures:
    new = np.flatnonzero(live & (batch.kind == EventKind.MBO_NEW))
    gone = np.flatnonzero(live & (batch.kind == EventKind.MBO_CANCEL))
    if not len(new):
        return {}
    figures = {
        "add_size_mean": float(batch.size[new].mean()),
        "add_size_one": float((batch.size[new] == 1).mean()),
    } | _named("add_size", batch.size[new])
    _, i, j = np.intersect1d(batch.order_id[new], batch.order_id[gone], return_indices=True)
    lives = (times[gone[j]] - times[new[i]]) / _SECOND_NS
    if len(lives):
        figures |= {f"life_s_p{q}": float(np.percentile(lives, q)) for q in (25, *_QUANTILES[:3])}
        figures["died_within_100ms"] = float(np.count_nonzero(lives < 0.1) / len(new))
    return figures


def _level_figures(
    batch: EventBatch, times: IntArray, live: Array, samples: Samples, span_s: float
) -> Figures:
    rows = live & (batch.kind == EventKind.DEPTH)
    total = max(int(samples.changes[UP : GONE + 1].sum()), 1)
    names = ("level_up", "level_down", "level_new", "level_gone")
    figures = {"level_updates_per_s": int(rows.sum()) / span_s}
    figures |= {name: float(n) / total for name, n in zip(names, samples.changes[UP : GONE + 1])}
    return figures | _per_second("level_updates", times[rows])


def _book_figures(samples: Samples) -> Figures:
    bid, ask = samples.best[:, 0], samples.best[:, 1]
    spread = ask - bid
    step = _SECOND_NS // SAMPLE_NS
    change = np.diff((bid + ask)[::step] / 2.0)
    figures = {
        "spread_mean": float(spread.mean()),
        "spread_one": float((spread == 1).mean()),
        "spread_two": float((spread == 2).mean()),
        "levels_in_book": float(samples.levels.mean()),
        "volatility_ticks": float(change.std()) if len(change) else 0.0,
        "seconds_unchanged": float((change == 0).mean()) if len(change) else 1.0,
    }
    for i in range(LEVELS):
        figures[f"depth_{i + 1}"] = float(samples.depth[:, :, i].mean())
        figures[f"depth_{i + 1}_median"] = float(np.median(samples.depth[:, :, i]))
        if i:
            figures[f"gap_{i + 1}"] = float(samples.gaps[:, :, i].mean())
    return figures


def _named(name: str, values: Array) -> Figures:
    return {f"{name}_p{q}": float(np.percentile(values, q)) for q in _QUANTILES}


def _per_second(name: str, times: Array) -> Figures:
    counts = np.bincount(times // _SECOND_NS)
    return {f"{name}_1s_p{q}": float(np.percentile(counts, q)) for q in (50, 90, 99)}


def _signs(name: str, side: Array) -> Figures:
    known = side[side != 0].astype(np.float64)
    centred = known - known.mean()
    power = float((centred**2).mean()) or 1.0
    lags = (lag for lag in (1, 5, 20) if lag < len(known))
    return {f"{name}_sign_{lag}": float((centred[lag:] * centred[:-lag]).mean()) / power for lag in lags}
