"""What-if as a picture: the equity under the conditions of now, that under the first ones behind it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from workbench.events import FloatArray
from workbench.lab.backtest_result import Backtest
from workbench.lab.whatif_desk import WhatIfOutcome
from workbench.views.axes import plain
from workbench.views.picture import Canvas
from workbench.views.report_figure import thinned
from workbench.views.theme import theme

WIDTH, HEIGHT = 1000, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 10, 110, 30, 24
_POINTS: Final = 900


def curve(result: Backtest | None) -> tuple[FloatArray, FloatArray]:
    """Times in seconds since the first event, and equity; thinned."""
    if result is None or not len(result.events):
        return np.empty(0), np.empty(0)
    shown = thinned(result.equity, _POINTS)
    seconds = (shown["ts"].to_physical().to_numpy() - int(result.events.ts[0])) / 1e9
    return seconds, shown["equity"].to_numpy()


def png(now: WhatIfOutcome, first: WhatIfOutcome, symbol: str, theme_name: str) -> bytes:
    """Both curves, the last values at the right edge."""
    canvas = Canvas(WIDTH, HEIGHT, theme_name)
    curves = [("faint", *curve(first.result)), ("accent", *curve(now.result))]
    canvas.text(_LEFT, _TOP / 2, f"{symbol}  {described(now)}", "text", 13)
    known = [values for _, _, values in curves if len(values)]
    if not known or now.error:
        canvas.text(_LEFT, HEIGHT / 2, now.error[:150] or "nothing to show", "warn", 13)
        return canvas.png()
    low, high = min(0.0, *(v.min() for v in known)), max(0.0, *(v.max() for v in known))
    span = (high - low) or 1.0
    width, height = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    last = max((s[-1] for _, s, _ in curves if len(s)), default=1.0) or 1.0

    def at(seconds: Any, worth: Any) -> tuple[Any, Any]:
        return _LEFT + seconds / last * width, _TOP + (high - worth) / span * height

    canvas.line([at(0.0, 0.0), at(last, 0.0)], "grid")
    for role, seconds, worth in curves:
        x, y = at(seconds, worth)
        if len(seconds) > 1:
            canvas.line(list(zip(x.tolist(), y.tolist())), role, 1.5)
            canvas.text(WIDTH - _RIGHT + 8, float(y[-1]), f"{worth[-1]:,.6g}", role, 12)
    canvas.text(
        _LEFT, HEIGHT - _BOTTOM / 2, f"{last:,.0f} s, equity at the mid; grey: the first conditions", "faint"
    )
    return canvas.png()


def described(outcome: WhatIfOutcome) -> str:
    """Conditions in words."""
    latency, queue, maker, taker = outcome.conditions
    return f"latency {latency / 1000:g} ms, {queue}, maker {maker:g} bp, taker {taker:g} bp"


def figure(now: WhatIfOutcome, first: WhatIfOutcome, symbol: str, theme_name: str) -> Any:
    """The same as a Plotly figure."""
    import plotly.graph_objects as go

    shades = theme(theme_name)
    chart = go.Figure()
    for name, role, outcome in (("first", "faint", first), ("now", "accent", now)):
        seconds, worth = curve(outcome.result)
        chart.add_scatter(x=seconds, y=worth, mode="lines", line={"color": shades[role]}, name=name)
    return chart.update_layout(
        template="plotly_dark" if theme_name == "dark" else "plotly_white",
        title={"text": f"{plain(symbol)}<br><sup>{plain(described(now))}</sup>", "x": 0.01},
        paper_bgcolor=shades["background"],
        plot_bgcolor=shades["background"],
        height=HEIGHT + 60,
        xaxis={"title": "s"},
        yaxis={"title": "equity", "side": "right"},
    )


__all__ = ["described", "figure", "png"]
