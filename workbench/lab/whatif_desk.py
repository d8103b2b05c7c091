"""One strategy and one day, again and again under other terms: what depends on the day alone is read once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind
from workbench.flow.batches import event_batches, instrument_of, joined_rows
from workbench.flow.touch import Moments
from workbench.lab.backtest import backtest
from workbench.lab.backtest_result import Backtest
from workbench.lab.sweep_grid import check_settings, check_strategy
from workbench.trading import queue_models

_INSTEAD: Final = {
    "latency": "latency_ms=…, in ms",
    "fees": "maker=… and taker=…, in basis points",
}


class Conditions(NamedTuple):
    """Under which conditions orders fill.

    Attributes
    ----------
    latency_us : int, µs
        Of commands and of answers, each.
    queue : str
    maker, taker : float, basis points of the traded value
        Negative: a rebate.
    """

    latency_us: int = 1000
    queue: str = "risk_averse"
    maker: float = 0.0
    taker: float = 0.0


class WhatIfOutcome(NamedTuple):
    """What came of conditions: the backtest and what it took; or why there is none."""

    conditions: Conditions
    result: Backtest | None = None
    took_ms: float = 0.0
    error: str = ""


class WhatIfDesk:
    """Backtests of one strategy on the events that there are now.

    Parameters
    ----------
    strategy : kernel strategy, class, or function that makes a strategy
    x : session or recording
    **settings
        Of :func:`workbench.backtest`, for every run.

    Raises
    ------
    WorkbenchError
        An object with a state of its own as strategy; a setting that there is not, or that is a condition.
    """

    def __init__(self, strategy: Any, x: Any, **settings: Any):
        check_strategy(strategy)
        check_settings(settings, _INSTEAD)
        self.instrument = instrument_of(x)
        self._strategy, self._settings = strategy, settings
        self._batch = joined_rows(event_batches(x))
        self._touch: Moments | None = None

    @property
    def queues(self) -> tuple[str, ...]:
        """Queue models that these events allow: the exact place only where single orders are told."""
        told = bool((self._batch.kind == EventKind.MBO_NEW).any())
        return queue_models.EVERY if told else queue_models.NAMES

    def batches(self) -> Iterator[EventBatch]:
        """The events."""
        yield self._batch

    def outcome(self, conditions: Conditions) -> WhatIfOutcome:
        """Backtest under conditions; what a strategy raises is told and not raised."""
        begun = time.perf_counter_ns()
        try:
            result = self.result(conditions)
        except Exception as problem:  # noqa: BLE001 - a user's strategy may raise anything: it is shown
            text = (
                str(problem)
                if isinstance(problem, WorkbenchError)
                else f"{type(problem).__name__}: {problem}"
            )
            return WhatIfOutcome(conditions, error=text)
        return WhatIfOutcome(conditions, result, (time.perf_counter_ns() - begun) / 1e6)

    def result(self, conditions: Conditions) -> Backtest:
        """Backtest under conditions, its equity worked out."""
        strategy = self._strategy if hasattr(self._strategy, "py_func") else self._strategy()
        found = backtest(
            strategy,
            self,
            latency=conditions.latency_us * 1000,
            queue=conditions.queue,
            **(self._settings | self._costs(conditions)),
        )
        if self._touch is None:
            self._touch = found.touch
        found.touch = self._touch
        _ = found.equity
        return found

    def _costs(self, conditions: Conditions) -> dict[str, Any]:
        fees = _share(conditions.maker), _share(conditions.taker)
        contract = self._settings.get("contract")
        if contract is None:
            return {"fees": fees}
        maker, taker = map(Decimal, fees)
        return {"contract": msgspec.structs.replace(contract, maker=maker, taker=taker)}


def _share(basis_points: float) -> str:
    return f"{basis_points:.3f}e-4"


__all__ = ["Conditions", "WhatIfDesk", "WhatIfOutcome"]
