"""Figures of a report: equity, drawdown and position; markouts; trades by their best and worst moment; regimes."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from workbench.lab.report_tables import ReportTables
from workbench.views.theme import theme

MOST_POINTS: Final = 4_000


def equity_figure(tables: ReportTables, theme_name: str) -> Any:
    """Equity, drawdown and position over time, one below the other."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    shades = theme(theme_name)
    chart = make_subplots(
        rows=3, cols=1, shared_xaxes=True, row_heights=[0.55, 0.2, 0.25], vertical_spacing=0.03
    )
    shown = thinned(tables.equity)
    for row, (name, role) in enumerate((("equity", "accent"), ("drawdown", "sell"), ("position", "violet"))):
        values = -shown[name] if name == "drawdown" else shown[name]
        line = {"color": shades[role], "width": 1.5, "shape": "hv"}
        fill = "tozeroy" if name != "equity" else None
        chart.add_trace(go.Scatter(x=shown["ts"], y=values, line=line, fill=fill, name=name), row + 1, 1)
        chart.update_yaxes(title_text=name, row=row + 1, col=1)
    return _laid_out(chart, theme_name, 460)


def quality_figure(tables: ReportTables, theme_name: str) -> Any:
    """Markouts by horizon, best and worst moment of each trade, and the mean result by regime."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    shades = theme(theme_name)
    titles = (
        "markout of fills, ticks",
        "best and worst moment of trades, ticks",
        "net by regime, ticks for each lot",
    )
    chart = make_subplots(rows=1, cols=3, subplot_titles=titles)
    marks = [tables.summary[f"markout_{horizon}"].item() for horizon in tables.horizons]
    chart.add_trace(go.Scatter(x=list(tables.horizons), y=marks, line={"color": shades["accent"]}), 1, 1)
    trades = tables.trades.head(MOST_POINTS)
    for won, role in ((True, "buy"), (False, "sell")):
        part = trades.filter((pl.col("net") > 0) == won)
        marker = {"color": shades[role], "size": 5, "opacity": 0.6}
        chart.add_trace(go.Scatter(x=part["mae"], y=part["mfe"], mode="markers", marker=marker), 1, 2)
    table = tables.regimes
    names = (table["by"] + " " + table["value"]).to_list()
    colours = [shades["buy" if net > 0 else "sell"] for net in table["net"]]
    chart.add_trace(go.Bar(x=names, y=table["net"], marker={"color": colours}), 1, 3)
    chart.update_xaxes(title_text="worst (MAE)", row=1, col=2)
    chart.update_yaxes(title_text="best (MFE)", row=1, col=2)
    return _laid_out(chart, theme_name, 360)


def thinned(equity: pl.DataFrame, most: int = MOST_POINTS) -> pl.DataFrame:
    """Rows for a picture: in each stretch the last one, and that of its lowest and highest equity."""
    known = equity.drop_nulls("equity").with_row_index("row")
    if known.height <= most:
        return known
    stretch = pl.col("row") // -(-known.height * 3 // most)
    kept = known.group_by(stretch.alias("stretch")).agg(
        pl.col("row").last().alias("last"),
        pl.col("row").get(pl.col("equity").arg_min()).alias("low"),
        pl.col("row").get(pl.col("equity").arg_max()).alias("high"),
    )
    rows = pl.concat([kept[name] for name in ("last", "low", "high")]).unique().sort()
    return known[rows.to_list()]


def _laid_out(chart: Any, theme_name: str, height: int) -> Any:
    shades = theme(theme_name)
    return chart.update_layout(
        template="plotly_dark" if theme_name == "dark" else "plotly_white",
        paper_bgcolor=shades["background"],
        plot_bgcolor=shades["background"],
        margin={"l": 10, "r": 10, "t": 40, "b": 30},
        height=height,
        showlegend=False,
    )


__all__ = ["equity_figure", "quality_figure", "thinned"]
