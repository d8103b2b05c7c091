"""Report of a backtest: tables, figures, fills on the heatmap, a page of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from workbench.errors import WorkbenchError
from workbench.frames.capture import Capture
from workbench.lab.backtest_result import Backtest
from workbench.lab.report_fills import HORIZONS
from workbench.lab.report_tables import ReportTables
from workbench.session.health import Health
from workbench.views.exhibit import StandingClock
from workbench.views.report_figure import equity_figure, quality_figure
from workbench.views.theme import THEMES

__all__ = ["Report", "report"]


class _Ran:
    """The events of a backtest as something to show."""

    state = "recorded"

    def __init__(self, result: Backtest):
        self._capture = Capture(result.instrument)
        self._capture.apply(result.events)
        self.clock = StandingClock(self._capture.last_ts)
        self.health = Health(self.state, events=len(result.events))
        self.symbols = [result.instrument.symbol]

    def capture(self, symbol: str | None = None) -> Capture:
        """The one instrument."""
        return self._capture


class Report(ReportTables):
    """Report of a backtest; made by :func:`report`.

    Attributes
    ----------
    result : Backtest
    fills, trades, equity, regimes, summary : DataFrame
    """

    def __init__(self, result: Backtest, horizons: str | Sequence[str], adverse: str, theme: str):
        super().__init__(result, horizons, adverse)
        self._theme = theme

    def figure(self) -> Any:
        """Equity, drawdown and position (``plotly.graph_objects.Figure``)."""
        return equity_figure(self, self._theme)

    def quality(self) -> Any:
        """Markouts, best and worst moments of trades, and regimes (``plotly.graph_objects.Figure``)."""
        return quality_figure(self, self._theme)

    def heatmap(self) -> Any:
        """Fills on the heatmap: a live view of what the backtest ran over, with ``figure()`` and ``picture()``."""
        from workbench.views.heatmap import Heatmap

        events = self.result.events
        if not len(events):
            raise WorkbenchError("a backtest without events", expected="events to show", code="no_events")
        span_ms = (int(events.ts[-1]) - int(events.ts[0])) / 1e6
        view = Heatmap(_Ran(self.result), theme=self._theme, column_ms=max(50.0, float(round(span_ms / 470))))  # type: ignore[arg-type]
        said = [
            f"{'maker' if maker else 'taker'} {size:g}"
            for maker, size in self.result.fills.select("maker", "size").rows()
        ]
        if said:
            view.mark(self.result.fills, text=said, name="fills")
        return view

    def to_html(self, path: str | os.PathLike[str]) -> Path:
        """Write the report as one page that needs nothing else, not even a network.

        Parameters
        ----------
        path : path-like
            Replaced if it is there.

        Returns
        -------
        Path

        Raises
        ------
        WorkbenchError
            It names no file, or one that cannot be written (code ``io_error``).
        """
        from workbench.views.report_page import page

        if not isinstance(path, str | os.PathLike):
            raise WorkbenchError(f"a report at {path!r:.60}", expected="the path of a file")
        out, text = Path(path), page(self, self._theme)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(text, encoding="utf-8")
        except (OSError, ValueError) as problem:
            raise WorkbenchError(
                f"cannot write the report to {os.fspath(path)!r}: {getattr(problem, 'strerror', None) or problem}",
                expected="a file in a folder that can be written to",
                action="Name it, as report.html",
                code="io_error",
            ) from problem
        return out

    def __repr__(self) -> str:
        row = self.summary.row(0, named=True)
        return (
            f"Report({self.result.instrument.symbol}, {row['trades']} trades, profit {row['profit']:.6g}, "
            f"drawdown {row['max_drawdown']:.6g})"
        )


def report(
    result: Backtest,
    *,
    horizons: str | Sequence[str] = HORIZONS,
    adverse: str = "1s",
    theme: Literal["dark", "light"] = "dark",
) -> Report:
    """Report of a backtest.

    Parameters
    ----------
    result : Backtest
    horizons : str or sequence of str, optional
        Of the markouts.
    adverse : str, optional
        After which time the mid counts for adverse selection.
    theme : {"dark", "light"}
        Of figures and page.

    Returns
    -------
    Report
        ``summary, fills, trades, equity, regimes`` (frames), ``figure()``, ``quality()``, ``heatmap()``, ``returns()``,
        ``to_html(path)``.

    Raises
    ------
    WorkbenchError
        It is no backtest; a horizon that is no time.

    Examples
    --------
    >>> import workbench as wb
    >>> class InAndOut:
    ...     def on_timer(self, desk):
    ...         if desk.best_bid and desk.best_ask:
    ...             _ = desk.sell(1) if desk.position > 0 else desk.buy(1)
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> told = wb.report(wb.backtest(InAndOut(), s))
    >>> told.trades.columns[:4]
    ['entry', 'exit', 'side', 'size']
    """
    if not isinstance(result, Backtest):
        raise WorkbenchError(f"a report of {result!r:.60}", expected="what wb.backtest returned")
    if theme not in THEMES:
        raise WorkbenchError(f"theme {theme!r}", expected=f"one of {', '.join(THEMES)}")
    return Report(result, horizons, adverse, theme)
