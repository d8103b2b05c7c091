"""How wrong the queue models for price levels are, where the orders were recorded and the truth is known."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import Array, EventKind
from workbench.flow.bar_rule import interval_ns
from workbench.lab.course import Course
from workbench.lab.listed import listed
from workbench.trading import queue_models, slots
from workbench.trading.matcher import Matcher
from workbench.trading.rows import Rows

SECOND_NS: Final = 1_000_000_000


class _Outcome(NamedTuple):
    """Of each probe."""

    rested: Array
    filled: Array
    wait_ns: Array


def queue_error(
    x: Any,
    *,
    every: str = "1s",
    hold: str = "30s",
    lots: int = 1,
    models: str | Sequence[str] = queue_models.NAMES,
) -> pl.DataFrame:
    """Say how often, and by how much, each queue model is wrong on a recording of orders.

    At fixed times an order joins the best bid, and one the best ask; each is canceled when its time is over. Their true
    fate is that of the exact queue (``by_order``); the models see the price levels alone.

    Parameters
    ----------
    x : session or recording
        With single orders.
    every : str, optional
        Time between probes.
    hold : str, optional
        How long each of them waits.
    lots : int, lots, optional
        Size of a probe. They do not compete with each other.
    models : str or sequence of str, optional
        Of :data:`workbench.trading.queue_models.NAMES`.

    Returns
    -------
    DataFrame
        A row for the truth, ``by_order``, and one per model: ``model``; ``orders`` that rested; ``filled``, their share that
        was filled whole; ``extra``, share filled by the model alone; ``missed``, share filled in truth alone; ``wait_s``,
        mean time to the fill; ``wait_error_s``, mean of what the model is late (negative: early), and ``wait_off_s``, mean
        size of it, over orders filled by both. NaN where there are none.

    Raises
    ------
    WorkbenchError
        A recording of levels (code ``no_orders``), an unknown model, less than one lot.

    Notes
    -----
    Without latency, fees, and effect of the probes on anybody. Probes join from the first print to the last, where bid and
    ask do not cross, and only such as have their whole time.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("20s")
    >>> found = wb.queue_error(s, hold="5s", models=["touch", "risk_averse"])
    >>> found["model"].to_list()
    ['by_order', 'touch', 'risk_averse']
    """
    if lots < 1:
        raise WorkbenchError(f"a probe of {lots} lots", expected="1 lot or more")
    models = listed("models", models, f"one or more of {', '.join(queue_models.NAMES)}")
    course = Course.of(x)
    truth = course.matcher(queue_models.EXACT, latency=0, fills="partial")
    _probe(course, truth, interval_ns(every), interval_ns(hold), lots)
    known = _outcome(truth)
    rows = [_compared(queue_models.EXACT, known, known)]
    for model in models:
        matcher = course.matcher(model, latency=0, fills="partial")
        course.run_commands(matcher, truth)
        rows.append(_compared(model, _outcome(matcher), known))
    return pl.DataFrame(rows)


def _probe(course: Course, matcher: Matcher, every: int, hold: int, lots: int) -> None:
    """Take the exact queue through the rows, and let orders join at the touch."""
    rows, row = course.rows, 0
    waiting: deque[tuple[int, int]] = deque()
    joins, last = _traded(rows)
    while (now := min(joins, waiting[0][0] if waiting else joins)) <= last:
        stop = int(np.searchsorted(rows.ts, now, "right"))
        matcher.advance(Rows(*(column[row:stop] for column in rows)), now)
        matcher.hear(now)
        row = stop
        while waiting and waiting[0][0] == now:
            matcher.withdraw(now, waiting.popleft()[1])
        if now < joins:
            continue
        joins += every
        bid, bids, ask, asks = matcher.desk.touch.tolist()
        if bids and asks and bid < ask and now + hold <= last:  # all have their whole time
            for side, price in ((1, bid), (-1, ask)):
                number = matcher.submit(now, side, price, lots, slots.POST_ONLY)
                waiting.append((now + hold, number))
    matcher.advance(Rows(*(column[row:] for column in rows)), slots.NEVER - 1)
    matcher.hear(slots.NEVER - 1)


def _traded(rows: Rows) -> tuple[int, int]:
    """Times of the first print and the last; nothing in between where there is none."""
    prints = rows.ts[rows.kind == EventKind.TRADE]
    return (int(prints[0]), int(prints[-1])) if len(prints) else (0, -1)


def _outcome(matcher: Matcher) -> _Outcome:
    orders, fills = matcher.orders, matcher.fills
    numbers = fills[:, slots.FILL_ORDER]
    last = np.zeros(len(orders), np.int64)
    last[numbers] = fills[:, slots.FILL_TS]  # in order of time: the last one stands
    ended = orders[:, slots.STATUS]
    filled = ended == slots.FULLY_FILLED
    return _Outcome(
        np.isin(ended, (slots.FULLY_FILLED, slots.CANCELED)), filled, last - orders[:, slots.ARRIVED]
    )


def _compared(model: str, found: _Outcome, known: _Outcome) -> dict[str, Any]:
    rested, both = known.rested, known.filled & found.filled
    late = (found.wait_ns - known.wait_ns)[both] / SECOND_NS
    return {
        "model": model,
        "orders": int(rested.sum()),
        "filled": _mean(found.filled[rested]),
        "extra": _mean((found.filled & ~known.filled)[rested]),
        "missed": _mean((known.filled & ~found.filled)[rested]),
        "wait_s": _mean(found.wait_ns[found.filled & rested] / SECOND_NS),
        "wait_error_s": _mean(late),
        "wait_off_s": _mean(np.abs(late)),
    }


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


__all__ = ["queue_error"]
