"""A study as a picture: the mean path around its events, the result by horizon, the decay of the information."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.lab.study import Study


def figure(study: Study) -> go.Figure:
    """Three panels side by side; error bars and the band are 95 % intervals."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    titles = (f"around {study.events:,} events, ticks", "net by horizon, ticks", "information coefficient")
    out = make_subplots(rows=1, cols=3, subplot_titles=titles)
    path, card = study.path.drop_nulls(), study.frame
    edge = {"x": path["after_s"], "mode": "lines", "line": {"width": 0}}
    out.add_trace(go.Scatter(y=path["low"], **edge), row=1, col=1)
    out.add_trace(
        go.Scatter(y=path["high"], fill="tonexty", fillcolor="rgba(74, 168, 255, 0.2)", **edge), row=1, col=1
    )
    out.add_trace(go.Scatter(x=path["after_s"], y=path["mean"], mode="lines"), row=1, col=1)
    for column, name in ((2, "net"), (3, "ic")):
        bars = {
            "type": "data",
            "array": (card[f"{name}_high"] - card[name]).to_list(),
            "arrayminus": (card[name] - card[f"{name}_low"]).to_list(),
        }
        out.add_trace(
            go.Scatter(x=card["horizon"], y=card[name], error_y=bars, mode="markers"), row=1, col=column
        )
        out.add_hline(y=0, line_width=1, row=1, col=column)
    out.add_vline(x=0, line_width=1, row=1, col=1)
    out.update_xaxes(title_text="s after the event", row=1, col=1)
    out.update_layout(
        title_text=f"{study.signal}<br><sup>{study.worth!r}</sup>", showlegend=False, height=380
    )
    return out


__all__ = ["figure"]
