"""Precision and recall along parameters, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LINES: Final = (("precision", "#0b63c4", "solid"), ("recall", "#b07800", "dash"))
_WIDTH: Final = 300
_HEIGHT: Final = 300


def score_figure(name: str, frame: pl.DataFrame) -> Figure:
    """One panel per parameter with its values in the order tried; dotted: at the defaults.

    Parameters
    ----------
    name : str
    frame : DataFrame
        Of a :class:`~workbench.lab.scoring.Scorecard`.
    """
    from plotly.subplots import make_subplots

    parameters = frame.filter(pl.col("parameter") != "")["parameter"].unique(maintain_order=True).to_list()
    panels = parameters or [""]
    figure = make_subplots(
        1, len(panels), shared_yaxes=True, subplot_titles=[p or "defaults" for p in panels]
    )
    for column, parameter in enumerate(panels, start=1):
        _draw(figure, column, frame.filter(pl.col("parameter") == parameter), frame.row(0, named=True))
    figure.update_yaxes(range=[0, 1.05])
    figure.update_layout(
        title=f"{name}: precision and recall on planted truth",
        template="plotly_white",
        width=_WIDTH * max(len(panels), 2),
        height=_HEIGHT,
        margin={"l": 50, "r": 20, "t": 70, "b": 40},
    )
    return figure


def _draw(figure: Figure, column: int, rows: pl.DataFrame, defaults: dict[str, Any]) -> None:
    for what, colour, dash in _LINES:
        figure.add_scatter(
            x=rows["value"].to_list(),
            y=rows[what].to_list(),
            name=what,
            mode="lines+markers",
            line={"color": colour, "dash": dash},
            showlegend=column == 1,
            row=1,
            col=column,
        )
        figure.add_hline(
            y=defaults[what], line={"color": colour, "dash": "dot", "width": 1}, row=1, col=column
        )
