"""Backtests: a strategy over a recording, filled by the matching engine."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind
from workbench.flow.bars import interval_ns
from workbench.flow.depth_series import event_batches
from workbench.lab.backtest_result import Backtest
from workbench.lab.plain_strategy import PlainDesk
from workbench.trading import queue_models, slots
from workbench.trading.matcher import Matcher, QueueModel, Rows

CLOCKS: Final = ("receive", "venue")


def backtest(
    strategy: Any,
    x: Any,
    *,
    latency: str | int | tuple[str | int, str | int] = "1ms",
    queue: str | QueueModel = "risk_averse",
    fees: tuple[float | str, float | str] = (0, 0),
    fills: str = "shared",
    clock: str = "receive",
    every: str | None = "100ms",
    params: Any = (),
) -> Backtest:
    """Run a strategy over a recording.

    Parameters
    ----------
    strategy : kernel strategy or object
        From :func:`workbench.kernel_strategy`, or an object with any of ``on_timer(desk)``, ``on_book(desk)``,
        ``on_trade(desk, trade)``, ``on_fill(desk, fill)``.
    x : session or recording
    latency : str, int (ns) or a pair, optional
        Of commands and of answers; one value is for both.
    queue : str or QueueModel, optional
        One of ``risk_averse``, ``power``, ``power2``, ``power3``, ``log``, ``log2``, ``pro_rata``, ``touch``
        (optimistic end), ``trade_through`` (pessimistic end).
    fees : pair, optional
        Of makers and takers, as shares of the traded value; strings are taken exactly (``"0.0002"``).
    fills : str, optional
        ``"shared"``, or ``"partial"`` and ``"whole"`` for hftbacktest's exchange models.
    clock : str, optional
        ``"receive"``: a row happens when it was received, as a live paper session sees it. ``"venue"``: it happens at
        the venue's time and is seen when it was received, for recordings with ``ts_source``.
    every : str or None, optional
        Time between steps; None: a step at every moment of the rows (kernel strategies only).
    params : sequence of float, optional
        What a kernel strategy finds in ``d.params``.

    Returns
    -------
    Backtest
        ``fills``, ``orders``, ``equity``, ``summary()``.

    Raises
    ------
    WorkbenchError
        Unknown models, negative latencies, a recording without the venue's times for ``clock="venue"``.

    Notes
    -----
    docs/matching.md has the rules of matching.

    Examples
    --------
    >>> import workbench as wb
    >>> class BuyOnce:
    ...     def on_timer(self, desk):
    ...         if desk.best_ask and not desk.orders:
    ...             desk.buy(2)
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> wb.backtest(BuyOnce(), s).fills["size"].sum()
    2.0
    """
    if clock not in CLOCKS:
        raise WorkbenchError(f"clock {clock!r}", expected=f"one of {', '.join(CLOCKS)}")
    instrument = x.instrument
    entry_ns, response_ns = _latencies(latency)
    batch = EventBatch.concatenate(event_batches(x))
    model = _model(queue, float(instrument.lot_size))
    matcher = Matcher(
        model,
        entry_ns=entry_ns,
        response_ns=response_ns,
        fills=fills,
        two_clocks=clock == "venue",
        params=params,
    )
    rows, view = _by_venue(batch) if clock == "venue" else (Rows.of(batch), None)
    _run(strategy, matcher, rows, view, every, instrument)
    return Backtest(instrument, matcher, _maker_taker(fees), batch)


def _run(
    strategy: Any, matcher: Matcher, rows: Rows, view: Rows | None, every: str | None, instrument: Any
) -> None:
    interval = None if every is None else interval_ns(every)
    if hasattr(strategy, "py_func"):
        matcher.step_every(interval)
        last = int(max(rows.ts[-1], rows.ts[-1] if view is None else view.ts[-1])) if len(rows.ts) else 0
        matcher.advance(rows, last - 1, view, strategy)
        matcher.step_never()
    elif interval is None or view is not None:
        raise WorkbenchError(
            "a strategy in plain Python",
            expected="every=… and the clock of receipt",
            action="Compile it with wb.kernel_strategy",
        )
    else:
        PlainDesk(matcher, instrument).run(strategy, rows, interval)
    matcher.advance(_empty(), slots.NEVER - 1, None if view is None else _empty())
    matcher.hear(slots.NEVER - 1)


def _empty() -> Rows:
    return Rows.of(EventBatch.empty())


def _by_venue(batch: EventBatch) -> tuple[Rows, Rows]:
    """Rows in the venue's order at its times, and as received; a clock that runs behind the venue's is set right."""
    seen, source = Rows.of(batch), np.array(batch.ts_source)
    timed = source != 0
    if (~timed & np.isin(seen.kind, (EventKind.DEPTH, EventKind.TRADE))).any() or not timed.any():
        raise WorkbenchError(
            "rows without the venue's time", expected="ts_source", action="Use clock='receive'"
        )
    source = np.where(timed, source, np.maximum.accumulate(source))
    # A snapshot happened as a whole, when its last part did; its bounds carry no time of their own.
    ends = np.flatnonzero(seen.kind == EventKind.SNAPSHOT_END)
    for start in np.flatnonzero(seen.kind == EventKind.CLEAR).tolist():
        stop = int(ends[np.searchsorted(ends, start)]) + 1 if len(ends) and ends[-1] > start else start + 1
        source[start:stop] = source[start:stop].max()
    ahead = int((source - seen.ts).max())
    order = np.argsort(source, kind="stable")
    venue = Rows(*(np.ascontiguousarray(column[order]) for column in seen._replace(ts=source)))
    return venue, seen._replace(ts=seen.ts + max(ahead, 0))


def _latencies(latency: Any) -> tuple[int, int]:
    entry, response = latency if isinstance(latency, tuple) else (latency, latency)
    return _ns(entry), _ns(response)


def _ns(value: str | int) -> int:
    return value if isinstance(value, int) else interval_ns(value)


def _model(queue: str | QueueModel, lot: float) -> QueueModel:
    if isinstance(queue, QueueModel):
        return queue
    if queue not in queue_models.NAMES:
        raise WorkbenchError(f"queue model {queue!r}", expected=f"one of {', '.join(queue_models.NAMES)}")
    return QueueModel(queue, unit=lot)


def _maker_taker(fees: tuple[float | str, float | str]) -> tuple[Fraction, Fraction]:
    maker, taker = fees
    return Fraction(str(maker)), Fraction(str(taker))


__all__ = ["backtest"]
