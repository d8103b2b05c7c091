"""A signal as a strategy: hold what it says."""

from __future__ import annotations

from typing import Any, Final

from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.flow.bar_rule import interval_ns
from workbench.flow.signals.contract import Signal
from workbench.lab.compiled_strategy import CompiledStrategy
from workbench.lab.plain_strategy import PlainDesk

METHODS: Final = ("on_timer", "on_book", "on_trade", "on_fill", "on_events")
"""What a strategy in plain Python may have, and has one of."""


class FollowSignal:
    """Strategy that is long while a signal says buy, short while it says sell, and flat otherwise.

    Parameters
    ----------
    signal : Signal
        Of any kind, compositions and functions of your own too.
    size : float, optional
        What is held, in real units; default: one lot.
    hold : str, optional
        Keep what was entered for so long (``"10s"``), whatever the signal says meanwhile.

    Raises
    ------
    WorkbenchError
        Not a signal; a size that is not above 0.

    Notes
    -----
    At each step it looks at the newest moment that is over, and sends one market order for what is missing, once nothing
    of it is under way. The same object runs in :func:`workbench.backtest`, :func:`workbench.paper_backtest` and
    :func:`workbench.trade`; each run begins with a fresh signal. Where a signal is given instead of a strategy, this one is
    made of it.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("20s")
    >>> strategy = wb.FollowSignal(wb.signals.BookImbalance(enter=0.6, leave=0.2), size=2, hold="1s")
    >>> wb.backtest(strategy, s).orders["size"].unique().sort().to_list()
    [2.0, 4.0]
    """

    def __init__(self, signal: Signal, *, size: float | None = None, hold: str | None = None):
        if not isinstance(signal, Signal):
            raise WorkbenchError(f"signal {signal!r:.80}", expected="a signal, as in wb.signals")
        if size is not None and not size > 0:
            raise WorkbenchError(f"size {size!r}", expected="more than 0")
        self.signal, self.size, self.hold = signal, size, hold
        self._hold_ns = 0 if hold is None else interval_ns(hold)
        self._desk: PlainDesk | None = None

    def on_events(self, desk: PlainDesk, events: EventBatch) -> None:
        """Let the signal see what came."""
        if desk is not self._desk:
            self._desk, self._twin = desk, self.signal.fresh(desk.instrument)
            self._side = self._held = 0
            self._since = 0
        sides = self._twin.update(events).side
        if len(sides):
            self._side = int(sides[-1])

    def on_timer(self, desk: PlainDesk) -> None:
        """Send what is missing."""
        if desk is not self._desk or desk.open_orders:
            return
        if self._held != self._side and (not self._held or desk.now >= self._since + self._hold_ns):
            self._held, self._since = self._side, desk.now
        lot = float(desk.instrument.lot_size)
        missing = round((self._held * (lot if self.size is None else self.size) - desk.position) / lot)
        if missing:
            (desk.buy if missing > 0 else desk.sell)(abs(missing) * lot)

    def __repr__(self) -> str:
        more = "".join(
            f", {name}={value!r}" for name, value in (("size", self.size), ("hold", self.hold)) if value
        )
        return f"FollowSignal({self.signal!r}{more})"


def playable(strategy: Any, params: Any = ()) -> Any:
    """What runs in plain Python: a strategy as it is, a signal as one that follows it, a compiled one as one that steps.

    Raises
    ------
    WorkbenchError
        Neither: nothing that would ever be called.
    """
    if isinstance(strategy, Signal):
        return FollowSignal(strategy)
    if hasattr(strategy, "py_func"):
        return CompiledStrategy(strategy, params)
    if isinstance(strategy, type) or not any(hasattr(strategy, name) for name in METHODS):
        is_class = isinstance(strategy, type)
        raise WorkbenchError(
            f"a strategy without methods: {strategy.__name__ if is_class else repr(strategy):.60}",
            expected=f"an object with one of {', '.join(METHODS)}",
            action="Pass an object, not its class" if is_class else "",
        )
    return strategy


__all__ = ["METHODS", "FollowSignal", "playable"]
