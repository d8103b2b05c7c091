"""The page of a report: one HTML file, with its script and pictures inside."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from workbench.views.theme import theme

if TYPE_CHECKING:
    from workbench.views.report import Report

MOST_ROWS: Final = 200
_STYLE: Final = """
body {{ background: {background}; color: {text}; font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0 }}
th, td {{ border-bottom: 1px solid {grid}; padding: .2rem .7rem; text-align: right }}
th {{ color: {faint}; font-weight: 500 }}
img {{ max-width: 100% }}
.facts {{ columns: 3 18rem }} .facts div {{ break-inside: avoid; display: flex; justify-content: space-between; border-bottom: 1px solid {grid} }}
.wide {{ overflow-x: auto }}
"""


def page(report: Report, theme_name: str) -> str:
    """The whole page."""
    title = html.escape(f"Backtest of {report.result.instrument.symbol}")
    figures = [report.figure(), report.quality()]
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f"<style>{_STYLE.format(**theme(theme_name))}</style></head><body>",
        f"<h1>{title}</h1>",
        _facts(report.summary),
        *(_drawn(figure, first=number == 0) for number, figure in enumerate(figures)),
        _heat(report),
        *_section("Results by hour and regime", report.regimes),
        *_section("Trades", report.trades),
        *_section("Fills", report.fills),
        "</body></html>",
    ]
    return "\n".join(parts)


def _drawn(figure: Any, *, first: bool) -> str:
    text: str = figure.to_html(full_html=False, include_plotlyjs=first, config={"displaylogo": False})
    return text


def _heat(report: Report) -> str:
    if not len(report.result.events):
        return ""
    view = report.heatmap()
    picture = base64.b64encode(view.picture()).decode("ascii")
    view.close()
    return (
        f'<h2>Fills on the heatmap</h2><img alt="fills on the heatmap" src="data:image/png;base64,{picture}">'
    )


def _facts(summary: pl.DataFrame) -> str:
    facts = "".join(
        f"<div><span>{html.escape(name.replace('_', ' '))}</span><b>{_cell(value)}</b></div>"
        for name, value in summary.row(0, named=True).items()
    )
    return f'<div class="facts">{facts}</div>'


def _section(title: str, table: pl.DataFrame) -> list[str]:
    head = "".join(f"<th>{html.escape(name.replace('_', ' '))}</th>" for name in table.columns)
    rows = [
        f"<tr>{''.join(f'<td>{_cell(v)}</td>' for v in row)}</tr>" for row in table.head(MOST_ROWS).rows()
    ]
    more = f"<p>and {table.height - MOST_ROWS:,} more</p>" if table.height > MOST_ROWS else ""
    return [
        f"<h2>{title}</h2>",
        f'<div class="wide"><table><tr>{head}</tr>{"".join(rows)}</table></div>',
        more,
    ]


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.6g}".replace("-", "−")
    return html.escape(str(value))


__all__ = ["page"]
