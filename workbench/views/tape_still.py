"""Static twins of the tape, from one full message: a PNG and a Plotly table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

import numpy as np

from workbench.events import Flag, Instrument
from workbench.views.axes import plain, price_text, size_text
from workbench.views.live import Message
from workbench.views.picture import Canvas, blank
from workbench.views.tape_orders import FIELDS, FLAGS, LEVELS, LOTS, MS, PRICE, PRINTS, SIDE, Rows
from workbench.views.theme import theme as theme_colours

WIDTH: Final = 560
ROW_PX, TOP_PX = 18, 26
HEADS: Final = ("time", "", "price", "size", "")
SUM_PX: Final = 90
_EDGES: Final = (10, 118, 210, 300, 400)
_SIGNS: Final = {1: "▲", -1: "▼", 0: "·"}


@dataclass(frozen=True)
class Shown:
    """A message of the tape, and what its numbers are."""

    message: Message
    instrument: Instrument
    theme: str
    zone: tzinfo | None
    running: str | None = None

    @property
    def sums(self) -> list[str]:
        """Running sum of each row, newest first; from the totals back, so that they end where the totals stand."""
        rows, content = self.rows, self.message[0]
        bought, sold, unknown = (content.get(name, 0.0) for name in ("bought", "sold", "unknown"))
        if self.running == "delta":
            total, parts = bought - sold, rows[:, LOTS] * rows[:, SIDE]
        else:
            total, parts = bought + sold + unknown, rows[:, LOTS]
        after = np.r_[0.0, np.cumsum(parts)[:-1]] if len(rows) else rows[:, LOTS]
        sizes = (total - after) * float(self.instrument.lot_size)
        return [f"{size + 0.0:,.2f}".rstrip("0").rstrip(".") for size in sizes.round(2)]

    @property
    def rows(self) -> Rows:
        """Newest first."""
        arrays = self.message[1]
        return arrays[0][::-1] if arrays else np.empty((0, len(FIELDS)))

    @property
    def big(self) -> float:
        """Lots from which an order is marked."""
        big = self.message[0].get("big")
        return float("inf") if big is None else float(big)


def clock_text(ms: float, zone: tzinfo | None) -> str:
    """Time of the day with milliseconds; UTC where no zone was chosen."""
    return datetime.fromtimestamp(int(ms) / 1e3, zone or UTC).strftime("%H:%M:%S.%f")[:-3]


def remarks(row: Any, big: float) -> str:
    """What is special about an order, in words."""
    flags, prints, levels = int(row[FLAGS]), int(row[PRINTS]), int(row[LEVELS])
    parts = [f"{prints} prints"] * (prints > 1) + [f"{levels} levels, sweep"] * (levels > 1)
    names = ((Flag.HIDDEN, "hidden"), (Flag.OTC, "off-book"), (Flag.IMPLIED, "implied"))
    parts += [name for flag, name in names if flags & flag]
    return ", ".join([*parts, *["block"] * bool(row[LOTS] >= big)])


def texts(shown: Shown) -> list[list[str]]:
    """The table by columns."""
    rows, instrument = shown.rows, shown.instrument
    sums = [shown.sums] if shown.running else []
    return [
        [clock_text(row[MS], shown.zone) for row in rows],
        [_SIGNS[int(row[SIDE])] for row in rows],
        [price_text(round(row[PRICE], 3), instrument.tick_size) for row in rows],
        [size_text(row[LOTS] * float(instrument.lot_size)) for row in rows],
        *sums,
        [remarks(row, shown.big) for row in rows],
    ]


def png(shown: Shown) -> bytes:
    """Draw the newest rows."""
    rows, columns = shown.rows, texts(shown)
    if not len(rows):
        return blank(f"Tape({shown.instrument.symbol!r})", shown.theme, WIDTH)
    more = SUM_PX if shown.running else 0
    edges = [*_EDGES[:4], *[_EDGES[4]] * bool(more), _EDGES[4] + more]
    inks = ("text", "faint") if more else ("faint",)
    canvas = Canvas(WIDTH + more, TOP_PX + ROW_PX * len(rows) + 6, shown.theme)
    canvas.text(10, 13, shown.instrument.symbol[:60], "text", 13)
    most = float(rows[:, LOTS].max())
    for i, row in enumerate(rows):
        y, role = TOP_PX + ROW_PX * (i + 0.5), _role(row)
        canvas.box(300, y - 8, 300 + 90 * row[LOTS] / most, y + 8, role, 60)
        for name, column, x in zip(("faint", role, role, "text", *inks), columns, edges):
            if column[i] in "▲▼":
                _arrow(canvas, x, y, role, up=column[i] == "▲")
            else:
                canvas.text(x + 4, y, column[i], name)
    return canvas.png()


def _arrow(canvas: Canvas, x: float, y: float, role: str, *, up: bool) -> None:
    tip, foot = (y - 4, y + 4) if up else (y + 4, y - 4)
    canvas.line([(x + 4, foot), (x + 8, tip), (x + 12, foot), (x + 4, foot)], role, 1.5)


def _role(row: Any) -> str:
    return {1: "buy", -1: "sell"}.get(int(row[SIDE]), "text")


def figure(shown: Shown) -> Any:
    """Newest rows as a Plotly table."""
    import plotly.graph_objects as go

    colours = theme_colours(shown.theme)
    sides = [colours[_role(row)] for row in shown.rows]
    faint, text = [colours["faint"]] * len(sides), [colours["text"]] * len(sides)
    heads = [f"Σ {shown.running}"] if shown.running else []
    table = go.Table(
        header={
            "values": [*HEADS[:-1], *heads, ""],
            "fill_color": colours["panel"],
            "font_color": colours["faint"],
        },
        cells={
            "values": texts(shown),
            "fill_color": colours["background"],
            "font": {"color": [faint, sides, sides, text, *[text] * len(heads), faint], "size": 12},
            "align": ["left", "center", "right", "right", *["right"] * len(heads), "left"],
        },
        columnwidth=[3, 1, 2, 2, *[2] * len(heads), 5],
    )
    layout = {
        "title": {"text": plain(shown.instrument.symbol[:120]), "font": {"size": 14}},
        "paper_bgcolor": colours["background"],
        "font": {"color": colours["text"]},
        "margin": {"l": 10, "r": 10, "t": 40, "b": 10},
        "width": 720,
        "height": 80 + 22 * max(len(sides), 1),
    }
    return go.Figure(table, layout)
