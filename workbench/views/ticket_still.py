"""Still twins of a trading panel: a PNG of it, and its money and orders as a Plotly figure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from workbench.events import Instrument
from workbench.views.axes import plain, price_text, size_text
from workbench.views.picture import Canvas
from workbench.views.theme import theme as theme_colours

__all__ = ["chart", "money_text", "png", "row_texts"]

WIDTH: Final = 720
ROW_PX: Final = 18
ORDERS_SHOWN: Final = 10
CURVE_PX: Final = 74
HEADS: Final = ("time", "side", "size", "type", "price", "state", "why")
EDGES: Final = (10, 78, 122, 166, 250, 330, 420)


def money_text(value: float) -> str:
    """Money with its sign and two decimals: +1,250.00."""
    return f"{value:+,.2f}" if round(value, 2) else "0.00"


def row_texts(row: dict[str, Any], instrument: Instrument) -> tuple[str, ...]:
    """One order of the blotter as texts, in the order of :data:`HEADS`; times are UTC."""
    clock = datetime.fromtimestamp(row["ms"] / 1e3, UTC).strftime("%H:%M:%S")
    tick = row["avg"] if row["avg"] is not None else row["tick"]
    price = "" if tick is None else price_text(tick, instrument.tick_size)
    partly = 0 < row["filled"] < row["size"]
    size = f"{size_text(row['filled'])}/{size_text(row['size'])}" if partly else size_text(row["size"])
    side = "BUY" if row["side"] > 0 else "SELL"
    return clock, side, size, row["kind"], price, row["state"], row["reason"]


def position_text(facts: dict[str, Any], instrument: Instrument) -> str:
    """Position in words."""
    if not facts.get("position"):
        return "flat"
    size, entry = facts["position"]
    return f"{'long' if size > 0 else 'short'} {size_text(abs(size))} at {price_text(entry, instrument.tick_size)}"


def money_texts(facts: dict[str, Any]) -> list[str]:
    """Money in words."""
    money = facts.get("money")
    if money is None:
        return []
    parts = [
        ("realised", "realized"),
        ("unrealised", "unrealized"),
        ("gained", "gained"),
    ]
    signed = [f"{said} {money_text(money[name])}" for said, name in parts]
    return [*signed, f"drawdown {money['drawdown']:,.2f}"]


def png(facts: dict[str, Any], instrument: Instrument, theme_name: str) -> bytes:
    """Picture of the panel."""
    orders = facts.get("blotter", [])[:ORDERS_SHOWN]
    curve = facts.get("curve", [])
    below = 78 + (CURVE_PX if len(curve) > 1 else 0)
    canvas = Canvas(WIDTH, below + 30 + ROW_PX * max(len(orders), 1), theme_name)
    _head(canvas, facts, instrument)
    if len(curve) > 1:
        _curve(canvas, [value for _, value in curve], 74, CURVE_PX - 10)
    for edge, head in zip(EDGES, HEADS):
        canvas.text(edge, below + 8, head, "faint")
    for number, row in enumerate(orders):
        y = below + 10 + ROW_PX * (number + 1)
        for column, text in enumerate(row_texts(row, instrument)):
            role = (
                ("bid" if row["side"] > 0 else "ask") if column == 1 else "text" if row["open"] else "faint"
            )
            canvas.text(EDGES[column], y, text[:48], role)
    if not orders:
        canvas.text(10, below + 10 + ROW_PX, "no orders yet", "faint")
    return canvas.png()


def _head(canvas: Canvas, facts: dict[str, Any], instrument: Instrument) -> None:
    switch, settings = facts.get("switch"), facts["settings"]
    state = "no orders here" if switch is None else f"{switch['place']} - {switch['state']}"
    canvas.text(10, 14, instrument.symbol[:40], "text", 13)
    canvas.text(WIDTH - 10, 14, state, "bid" if not facts.get("why") else "warn", 11, "rm")
    bracket = "".join(
        f", {said} {settings[name]} ticks"
        for said, name in (("target", "take_profit"), ("stop", "stop_loss"))
        if settings[name] is not None
    )
    canvas.text(10, 34, f"size {size_text(settings['size'])}{bracket}", "faint")
    if facts.get("why"):
        canvas.text(WIDTH - 10, 34, str(facts["why"])[:70], "warn", 11, "rm")
    canvas.text(10, 56, position_text(facts, instrument), "text", 13)
    canvas.text(WIDTH - 10, 56, "   ".join(money_texts(facts)), "text", 11, "rm")


def _curve(canvas: Canvas, values: list[float], top: float, height: float) -> None:
    low, high = min(0.0, *values), max(0.0, *values)
    span = high - low or 1.0
    step = (WIDTH - 20) / (len(values) - 1)
    points = [(10 + step * i, top + height * (high - value) / span) for i, value in enumerate(values)]
    zero = top + height * high / span
    canvas.line([(10, zero), (WIDTH - 10, zero)], "grid")
    canvas.line(points, "buy" if values[-1] >= 0 else "sell", 1.5)


def chart(facts: dict[str, Any], instrument: Instrument, theme_name: str) -> Any:
    """Money over time above the table of orders, as a Plotly figure."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    colours = theme_colours(theme_name)
    specs = [[{"type": "scatter"}], [{"type": "table"}]]
    figure = make_subplots(rows=2, cols=1, specs=specs, row_heights=[0.45, 0.55], vertical_spacing=0.08)
    curve = facts.get("curve", [])
    times = [datetime.fromtimestamp(ms / 1e3, UTC) for ms, _ in curve]
    line = {"color": colours["accent"], "shape": "hv", "width": 1.5}
    figure.add_trace(go.Scatter(x=times, y=[v for _, v in curve], line=line, name="gained"), row=1, col=1)
    rows = [row_texts(row, instrument) for row in facts.get("blotter", [])]
    columns = [[plain(row[i]) for row in rows] for i in range(len(HEADS))]
    cells = {"values": columns, "fill_color": colours["background"], "align": "left"}
    header = {"values": list(HEADS), "fill_color": colours["panel"], "align": "left"}
    figure.add_trace(go.Table(header=header, cells=cells, columnwidth=[2, 1, 1, 2, 2, 2, 7]), row=2, col=1)
    said = ", ".join([plain(instrument.symbol[:60]), position_text(facts, instrument), *money_texts(facts)])
    figure.update_layout(
        title={"text": said, "font": {"size": 14}},
        paper_bgcolor=colours["background"],
        plot_bgcolor=colours["background"],
        font={"color": colours["text"]},
        height=440 + 24 * len(rows),
        showlegend=False,
    )
    figure.update_xaxes(gridcolor=colours["grid"]).update_yaxes(gridcolor=colours["grid"])
    return figure
