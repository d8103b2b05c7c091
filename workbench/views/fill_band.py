"""Profit between the luckiest and the unluckiest place in the queue, as a picture, with the truth where it is known."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from workbench.lab.fill_uncertainty import FillUncertainty
from workbench.trading.queue_models import EXACT
from workbench.views.picture import Canvas
from workbench.views.theme import ThemeName

__all__ = ["FillBand"]

WIDTH, HEIGHT = 1000, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 10, 330, 32, 26
_NAMES, _ROW = 205, 24
_EVERY: Final = 4
"""Of the band's thousand times."""
_LINES: Final = (("min", "faint", 1.0), ("max", "faint", 1.0), ("mid", "text", 1.5), ("truth", "accent", 2.0))


class FillBand:
    """The outcome of :func:`workbench.fill_uncertainty` as a still picture.

    Parameters
    ----------
    found : FillUncertainty
    theme : {"dark", "light"}, optional

    Notes
    -----
    Left: profit over time; grey from the least to the greatest of all models, white or black their median, blue what really
    stood ahead, where orders were recorded. Right: each model's profit at the end. ``found.figure()`` is the same to zoom in.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> wb.FillBand(wb.fill_uncertainty(wb.strategies.quote_touch, s, params=[1, 3], models=["touch", "by_order"]))
    FillBand(2 models)
    """

    def __init__(self, found: FillUncertainty, theme: ThemeName = "dark"):
        self._found, self._theme = found, theme

    def picture(self) -> bytes:
        """Still picture as a PNG."""
        canvas, band = Canvas(WIDTH, HEIGHT, self._theme), self._found.band.gather_every(_EVERY)
        worth = band.drop("ts").to_numpy()
        low, high = min(0.0, float(worth.min())), max(0.0, float(worth.max()))
        ts = band["ts"].to_physical().to_numpy()
        seconds = (ts - ts[0]) / 1e9
        x = _LEFT + seconds / (seconds[-1] or 1.0) * (WIDTH - _LEFT - _RIGHT)

        def at(values: Any) -> list[tuple[float, float]]:
            y = _TOP + (high - np.asarray(values)) / ((high - low) or 1.0) * (HEIGHT - _TOP - _BOTTOM)
            return list(zip(x.tolist(), y.tolist(), strict=True))

        canvas.polygon([*at(band["max"]), *reversed(at(band["min"]))], "faint", 70)
        canvas.line(at(np.zeros(len(x))), "grid")
        for name, role, width in _LINES:
            if name in band.columns:
                canvas.line(at(band[name]), role, width)
        self._models(canvas)
        low_end, mid, high_end = self._found.range
        exact = f", by order {band['truth'][-1]:,.0f}" if "truth" in band.columns else ""
        title = f"profit {low_end:,.0f} to {high_end:,.0f}, middle {mid:,.0f}{exact}"
        canvas.text(_LEFT, _TOP / 2, title, "text", 13)
        note = f"{seconds[-1]:,.0f} s; the same market, other places in the queue"
        canvas.text(_LEFT, HEIGHT - _BOTTOM / 2, note, "faint")
        return canvas.png()

    def _models(self, canvas: Canvas) -> None:
        shown = self._found.frame.sort("profit", "model", descending=[True, False])
        far = float(shown["profit"].abs().max()) or 1.0  # type: ignore[arg-type]
        middle, reach = WIDTH - _NAMES + 20, 50
        for row, (name, profit) in enumerate(shown.select("model", "profit").iter_rows()):
            y = _TOP + (row + 0.5) * _ROW
            role = "accent" if name == EXACT else "text"
            ends = sorted((middle, middle + profit / far * reach))
            canvas.box(ends[0], y - 5, ends[1], y + 5, "accent" if name == EXACT else "faint")
            canvas.text(middle - reach - 8, y, name, role, 12, "rm")
            canvas.text(WIDTH - _LEFT, y, f"{profit:,.0f}", role, 12, "rm")

    def figure(self) -> Any:
        """The same as a Plotly figure (``plotly.graph_objects.Figure``)."""
        return self._found.figure()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        alt = repr(self._found)
        return {"image/png": self.picture(), "text/plain": repr(self)}, {"image/png": {"alt": alt}}

    def __repr__(self) -> str:
        return f"FillBand({len(self._found.results)} models)"
