"""Money and the switch over time, as a picture: what was gained, and when trading was reduced or halted, and why."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import FloatArray
from workbench.session import Session
from workbench.views.axes import plain
from workbench.views.picture import Canvas
from workbench.views.theme import ThemeName, theme
from workbench.views.ticket_money import equity

__all__ = ["RiskCurve"]

WIDTH, HEIGHT = 1000, 280
BANDS: Final = {"REDUCING": "warn", "HALTED": "sell"}
_LEFT, _RIGHT, _TOP, _BOTTOM = 10, 110, 30, 24


class _Band(NamedTuple):
    state: str
    start_s: float
    end_s: float
    reason: str


class RiskCurve:
    """Equity of one instrument with the states of the switch behind it; a still picture of this moment.

    Parameters
    ----------
    s : Session
    symbol : str, optional
        Default: the first instrument.
    theme : {"dark", "light"}, optional

    Notes
    -----
    Equity is what was gained since the session began, at the mid and after fees. Orange: only exits were let through; red:
    nothing was.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("2s")
    >>> _ = s.orders.buy(1)
    >>> s.advance("5s")
    >>> wb.RiskCurve(s)
    RiskCurve('ES-SIM', 1 fills, ACTIVE)
    """

    def __init__(self, s: Any, symbol: str | None = None, theme: ThemeName = "dark"):
        if not isinstance(s, Session):
            raise WorkbenchError(f"the risk of {s!r:.60}", expected="a session", code="bad_source")
        self.symbol = s[symbol].symbol if symbol is not None else s.instrument.symbol
        self._theme = theme
        fills = s.fills.filter(symbol=self.symbol)
        ts, gained = equity(s.orders.positions(self.symbol), fills)
        self._gained = gained - gained[0] if len(gained) else gained  # a kept account has gained before
        turns = s.orders.switches(self.symbol)
        started = int(s.clock.span_ns[0])
        end = max([int(s.clock.now_ns), *ts.tolist()[-1:]])
        self._seconds: FloatArray = (ts - started) / 1e9
        self._last = (end - started) / 1e9
        edges = [*((turns["ts"].to_physical().to_numpy() - started) / 1e9).tolist(), self._last]
        self._bands = [
            _Band(state, max(edges[n], 0.0), edges[n + 1], reason)
            for n, (state, reason) in enumerate(zip(turns["state"], turns["reason"], strict=True))
        ]
        self._fills = len(fills)

    @property
    def state(self) -> str:
        """The switch at the end."""
        return self._bands[-1].state if self._bands else "ACTIVE"

    def picture(self) -> bytes:
        """Still picture as a PNG."""
        canvas = Canvas(WIDTH, HEIGHT, self._theme)
        values = self._gained
        low, high = min(0.0, *values.tolist()), max(0.0, *values.tolist())
        span, last = (high - low) or 1.0, self._last or 1.0
        width, height = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

        def at(seconds: float, worth: float) -> tuple[float, float]:
            return _LEFT + seconds / last * width, _TOP + (high - worth) / span * height

        for band in self._bands:
            if band.state in BANDS:
                box = (at(band.start_s, 0)[0], _TOP, at(band.end_s, 0)[0], HEIGHT - _BOTTOM)
                canvas.box(*box, BANDS[band.state], 60)
        canvas.line([at(0.0, 0.0), at(last, 0.0)], "grid")
        steps = _as_steps(self._seconds, values, last)
        if len(steps) > 1:
            canvas.line([at(*point) for point in steps], "accent", 1.5)
            canvas.text(WIDTH - _RIGHT + 8, at(*steps[-1])[1], f"{steps[-1][1]:,.2f}", "accent", 12)
        canvas.text(_LEFT, _TOP / 2, self._title(), "text", 13)
        note = f"{last:,.0f} s, equity at the mid after fees; orange: exits only, red: halted"
        canvas.text(_LEFT, HEIGHT - _BOTTOM / 2, note, "faint")
        return canvas.png()

    def figure(self) -> Any:
        """The same as a Plotly figure (``plotly.graph_objects.Figure``)."""
        import plotly.graph_objects as go

        shades = theme(self._theme)
        steps = _as_steps(self._seconds, self._gained, self._last)
        chart = go.Figure()
        chart.add_scatter(
            x=[x for x, _ in steps], y=[y for _, y in steps], mode="lines", line={"color": shades["accent"]}
        )
        for band in self._bands:
            if band.state in BANDS:
                chart.add_vrect(
                    x0=band.start_s,
                    x1=band.end_s,
                    fillcolor=shades[BANDS[band.state]],
                    opacity=0.25,
                    line_width=0,
                )
        return chart.update_layout(
            template="plotly_dark" if self._theme == "dark" else "plotly_white",
            title={"text": plain(self._title()), "x": 0.01},
            paper_bgcolor=shades["background"],
            plot_bgcolor=shades["background"],
            height=HEIGHT + 60,
            xaxis_title="s",
            yaxis_title="equity",
        )

    def _title(self) -> str:
        turned = [band for band in self._bands if band.state in BANDS]
        why = "".join(f"   {band.start_s:,.1f} s: {band.reason}" for band in turned[:2])
        return f"{self.symbol}{why}"[:140]

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"image/png": self.picture(), "text/plain": repr(self)}, {"image/png": {"alt": repr(self)}}

    def __repr__(self) -> str:
        return f"RiskCurve({self.symbol!r}, {self._fills} fills, {self.state})"


def _as_steps(seconds: FloatArray, values: FloatArray, last: float) -> list[tuple[float, float]]:
    """Corner points: each value holds until the next one."""
    if not len(values):
        return []
    x = np.append(np.repeat(seconds, 2)[1:], last)
    return list(zip(x.tolist(), np.repeat(values, 2).tolist(), strict=True))
