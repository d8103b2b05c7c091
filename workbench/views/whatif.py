"""What if: latency, fees and queue under a hand; the whole day is run again at each move."""

from __future__ import annotations

import html
import math
import threading
from decimal import Decimal
from numbers import Real
from typing import Any, Final, Literal

import ipywidgets

from workbench.errors import WorkbenchError
from workbench.lab.backtest_result import Backtest
from workbench.lab.whatif_desk import Conditions, WhatIfDesk, WhatIfOutcome
from workbench.views import whatif_still
from workbench.views.explorer_work import NewestWork
from workbench.views.pictured import Pictured
from workbench.views.theme import THEMES

__all__ = ["WhatIf"]

LATENCIES_US: Final = (
    0,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
)
MOST_LATENCY_US: Final = 3_600_000_000
FEES_BP: Final = (-2.0, 10.0, 0.1)
_FACTS: Final = ("profit", "max_drawdown", "fees", "fills", "volume", "maker_share", "position")


class WhatIf(Pictured, ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets is not typed
    """Sliders for latency and fees, a choice of queue models; the equity of the day follows them.

    Parameters
    ----------
    strategy : kernel strategy, class, or function that makes a strategy
        Each run begins with a fresh one.
    x : session or recording
        Of a session the events so far.
    latency_ms : float, ms
        Of commands and of answers, to begin with.
    queue : str
        As :func:`workbench.backtest` names it; ``by_order`` where single orders are told.
    maker, taker : float, basis points
        Fees, negative for a rebate.
    theme : {"dark", "light"}
    **settings
        Of :func:`workbench.backtest` for every run: ``params``, ``every``, ``fills``, …; its latency and fees are the
        conditions above.

    Attributes
    ----------
    latency, queue, maker, taker : widgets
        The controls.

    Raises
    ------
    WorkbenchError
        An object instead of a class as strategy; conditions that make no sense; a strategy that raises at once.

    Notes
    -----
    Runs are made aside and the newest wish wins, so that a slider that is dragged never waits. The grey curve is that of
    the conditions it began with.

    Examples
    --------
    >>> import workbench as wb
    >>> class BuyOnce:
    ...     def on_timer(self, desk):
    ...         if desk.best_ask and not desk.orders:
    ...             desk.buy(2)
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> whatif = wb.WhatIf(BuyOnce, s)
    >>> whatif
    WhatIf('ES-SIM')
    >>> before = whatif.result.summary()["profit"].item()
    >>> whatif.choose(taker=2.0)
    >>> whatif.result.summary()["profit"].item() < before
    True
    """

    _work: NewestWork[Conditions] | None = None  # what is refused while it is being built is closed too

    def __init__(
        self,
        strategy: Any,
        x: Any,
        *,
        latency_ms: float = 1.0,
        queue: str = "risk_averse",
        maker: float = 0.0,
        taker: float = 0.0,
        theme: Literal["dark", "light"] = "dark",
        **settings: Any,
    ):
        if theme not in THEMES:
            raise WorkbenchError(f"theme {theme!r}", expected=f"one of {', '.join(THEMES)}")
        self._still_theme = theme
        self._desk = WhatIfDesk(strategy, x, **settings)
        begin = self._checked(_conditions(latency_ms, queue, maker, taker))
        self._first = self._now = self._desk.outcome(begin)
        if self._now.error:
            raise WorkbenchError(self._now.error, code="no_result")
        self._work = NewestWork(self._run)
        self._drawing = threading.Lock()
        self._build(begin)
        super().__init__(children=[ipywidgets.HBox(self._controls), self._picture, self._facts])
        self.add_class("ow-whatif")
        self._show()

    def _build(self, begin: Conditions) -> None:
        latencies = sorted({*LATENCIES_US, begin.latency_us})
        low, high, step = FEES_BP
        fee = {"min": low, "max": high, "step": step, "readout_format": ".1f"}
        self.latency = ipywidgets.SelectionSlider(
            options=[(f"{us / 1000:g} ms", us) for us in latencies],
            value=begin.latency_us,
            description="latency",
        )
        self.queue = ipywidgets.Dropdown(options=self._desk.queues, value=begin.queue, description="queue")
        self.maker = ipywidgets.FloatSlider(value=begin.maker, description="maker bp", **fee)
        self.taker = ipywidgets.FloatSlider(value=begin.taker, description="taker bp", **fee)
        self._controls = [self.latency, self.queue, self.maker, self.taker]
        self._picture, self._facts = ipywidgets.Image(format="png"), ipywidgets.HTML()
        for control in self._controls:
            control.observe(self._on_move, "value")

    def _checked(self, conditions: Conditions) -> Conditions:
        low, high, _ = FEES_BP
        for name, fee in (("maker", conditions.maker), ("taker", conditions.taker)):
            if not low <= fee <= high:
                raise WorkbenchError(f"{name} {fee:g} bp", expected=f"{low:g} to {high:g} basis points")
        if not 0 <= conditions.latency_us <= MOST_LATENCY_US:
            raise WorkbenchError(
                f"latency {conditions.latency_us / 1000:g} ms", expected="0 or more, an hour at most"
            )
        if conditions.queue not in self._desk.queues:
            expected = f"one of {', '.join(self._desk.queues)}"
            raise WorkbenchError(f"queue model {conditions.queue!r}", expected=expected)
        return conditions

    # -- conditions ------------------------------------------------------------------------------------------------
    @property
    def conditions(self) -> Conditions:
        """Conditions as the controls say."""
        return Conditions(self.latency.value, self.queue.value, self.maker.value, self.taker.value)

    def choose(
        self,
        *,
        latency_ms: float | None = None,
        queue: str | None = None,
        maker: float | None = None,
        taker: float | None = None,
    ) -> None:
        """Choose other conditions, as a hand on the page would; waits for the result.

        Raises
        ------
        WorkbenchError
            They make no sense.
        """
        now = self.conditions
        wanted = self._checked(
            _conditions(
                now.latency_us / 1000 if latency_ms is None else latency_ms,
                now.queue if queue is None else queue,
                now.maker if maker is None else maker,
                now.taker if taker is None else taker,
            )
        )
        if wanted.latency_us not in (us for _, us in self.latency.options):
            options = sorted({*(us for _, us in self.latency.options), wanted.latency_us})
            with self.latency.hold_trait_notifications():
                self.latency.options = [(f"{us / 1000:g} ms", us) for us in options]
        for control, value in zip(self._controls, wanted):
            control.value = value
        self.finished()

    def _on_move(self, change: Any) -> None:
        self._aside.wish(self.conditions)

    def _run(self, conditions: Conditions) -> None:
        if conditions != self._now.conditions:
            self._now = self._desk.outcome(conditions)
            self._show()

    # -- results ---------------------------------------------------------------------------------------------------
    def finished(self) -> WhatIfOutcome:
        """Wait for the result of the newest conditions."""
        self._aside.wait()
        return self._now

    @property
    def _aside(self) -> NewestWork[Conditions]:
        assert self._work is not None, "a what-if that was refused"
        return self._work

    @property
    def result(self) -> Backtest:
        """Backtest under the conditions of now; waits until it is made.

        Raises
        ------
        WorkbenchError
            The strategy failed, with the reason.
        """
        outcome = self.finished()
        if outcome.result is None:
            raise WorkbenchError(outcome.error, code="no_result")
        return outcome.result

    def _show(self) -> None:
        with self._drawing:
            self._picture.value = self._drawn()
            self._facts.value = _facts(self._now, self._first)

    def _drawn(self) -> bytes:
        return whatif_still.png(self._now, self._first, self._desk.instrument.symbol, self._still_theme)

    def figure(self) -> Any:
        """Return the static Plotly twin (``plotly.graph_objects.Figure``)."""
        return whatif_still.figure(
            self.finished(), self._first, self._desk.instrument.symbol, self._still_theme
        )

    def picture(self) -> bytes:
        """Still picture as a PNG."""
        self.finished()
        return self._drawn()

    def __repr__(self) -> str:
        return f"WhatIf({self._desk.instrument.symbol!r})"

    def close(self) -> None:
        """Leave the page."""
        if self._work is not None:
            self._work.forget()
        super().close()


def _conditions(latency_ms: Any, queue: str, maker: Any, taker: Any) -> Conditions:
    for name, value in (("latency_ms", latency_ms), ("maker", maker), ("taker", taker)):
        if not isinstance(value, Real | Decimal) or not math.isfinite(value):
            raise WorkbenchError(f"{name}={value!r:.40}", expected="a number")
    return Conditions(round(latency_ms * 1000), queue, float(maker), float(taker))


def _facts(now: WhatIfOutcome, first: WhatIfOutcome) -> str:
    if now.result is None:
        return f"<b>{html.escape(now.error)}</b>"
    mine, others = (o.result.summary().row(0, named=True) if o.result else {} for o in (now, first))
    cells = [
        f"<td>{html.escape(name.replace('_', ' '))}<br><b>{_number(mine[name])}</b> <small>({_number(others.get(name))})</small></td>"
        for name in _FACTS
    ]
    return f"<table cellpadding='8'><tr>{''.join(cells)}<td><small>{now.took_ms:.0f} ms</small></td></tr></table>"


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:,.6g}".replace("-", "−")
