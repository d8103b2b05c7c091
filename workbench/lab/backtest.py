"""Backtests: a strategy over a recording, filled by the matching engine."""

from __future__ import annotations

from typing import Any

from workbench.flow.days import MIDNIGHT_UTC
from workbench.lab.backtest_result import Backtest
from workbench.lab.course import Course
from workbench.trading.contracts import Contract
from workbench.trading.latency import Latency
from workbench.trading.matcher import QueueModel

LatencyLike = str | int | tuple[str | int, str | int] | Latency


def backtest(
    strategy: Any,
    x: Any,
    *,
    latency: LatencyLike = "1ms",
    queue: str | QueueModel = "risk_averse",
    fees: tuple[float | str, float | str] = (0, 0),
    contract: Contract | None = None,
    fills: str = "shared",
    clock: str = "receive",
    every: str | None = "100ms",
    hours: str | None = None,
    warm_up: str | None = None,
    day: str = MIDNIGHT_UTC,
    params: Any = (),
) -> Backtest:
    """Run a strategy over a recording.

    Parameters
    ----------
    strategy : kernel strategy or object
        From :func:`workbench.kernel_strategy`, or an object with any of ``on_timer(desk)``, ``on_book(desk)``,
        ``on_trade(desk, trade)``, ``on_fill(desk, fill)``, ``on_events(desk, batch)``; or a signal, which is followed
        (:class:`workbench.FollowSignal`).
    x : session or recording
    latency : str, int (ns), a pair, or Latency, optional
        Of commands and of answers; one value is for both. :class:`workbench.Latency` draws from recorded delays, and lets
        the strategy see rows later than they happen.
    queue : str or QueueModel, optional
        One of ``risk_averse``, ``power``, ``power2``, ``power3``, ``log``, ``log2``, ``pro_rata``, ``touch``
        (optimistic end), ``trade_through`` (pessimistic end); ``by_order``, the exact place, where single orders were
        recorded.
    fees : pair, optional
        Of makers and takers, as shares of the traded value; strings are taken exactly (``"0.0002"``).
    contract : Contract, optional
        Multiplier, direction (``inverse=True`` is paid in the coin) and fees of what is traded, instead of ``fees`` and of
        the multiplier that the recording names.
    fills : str, optional
        ``"shared"``, or ``"partial"`` and ``"whole"`` for hftbacktest's exchange models.
    clock : str, optional
        ``"receive"``: a row happens when it was received, as a live paper session sees it. ``"venue"``: it happens at
        the venue's time and is seen when it was received, for recordings with ``ts_source``.
    every : str or None, optional
        Time between steps; None: a step at every moment of the rows (kernel strategies only).
    hours : str, optional
        When the strategy acts, like ``"08:30-15:00 America/Chicago"``, each day. At their end the desk takes back what works and
        closes the position at market; what comes until they begin again the strategy hears of then.
    warm_up : str, optional
        No step before so long after the first event (``"5m"``).
    day : str, optional
        When ``DAY`` orders of plain strategies end, like ``"17:00 America/Chicago"``.
    params : sequence of float, optional
        What a kernel strategy finds in ``d.params``.

    Returns
    -------
    Backtest
        ``fills``, ``orders``, ``equity``, ``summary()``.

    Raises
    ------
    WorkbenchError
        Unknown models, ``by_order`` without orders, negative latencies, a recording without the venue's times for ``clock="venue"``.

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
    course = Course.of(x, clock, latency)
    matcher = course.matcher(queue, latency=latency, fills=fills, params=params)
    course.run(strategy, matcher, every, hours=hours, warm_up=warm_up, day=day)
    return course.result(matcher, fees, contract)


__all__ = ["LatencyLike", "backtest"]
