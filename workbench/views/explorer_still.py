"""Static twins of the explorer: a PNG from the words of the page, a Plotly figure from the study."""

from __future__ import annotations

from typing import Any, Final

from workbench.events import Instrument
from workbench.lab.study import Study
from workbench.views import axes
from workbench.views.picture import Canvas, blank
from workbench.views.theme import theme

WIDTH: Final = 1000
_TOP, _CHART, _LEFT, _SPLIT = 44, 230, 46, 430
_ROW_PX: Final = 24
_COLUMNS: Final = (("events", 560), ("net ticks", 690), ("hit", 800), ("IC", 905), ("MFE / MAE", 990))


# -- PNG -----------------------------------------------------------------------------------------------------------
def png(words: dict[str, Any], instrument: Instrument, theme_name: str, title: str) -> bytes:
    """Picture of the panel as a PNG."""
    study = words.get("study")
    if study is None:
        return blank(words.get("refused") or title, theme_name, WIDTH)
    height = max(_TOP + _CHART + 30, _TOP + (len(study["card"]) + 3) * _ROW_PX + 40)
    canvas = Canvas(WIDTH, height, theme_name)
    knobs = [f"{k['name']} {_value(k['value'])}" for group in words["groups"] for k in group["knobs"]]
    canvas.text(10, 14, f"{instrument.symbol}   {words['signal']}", "text", 13)
    canvas.text(10, 32, "   ".join(knobs)[:150], "faint", 11)
    _draw_path(canvas, study)
    _draw_card(canvas, study)
    canvas.text(_SPLIT + 30, height - 16, worth_text(study), "warn", 11)
    return canvas.png()


def worth_text(study: dict[str, Any]) -> str:
    """What the result is worth among all trials, as one line."""
    number = study["trials"]
    said = [f"{number} trial{'s' * (number != 1)} on these data"]
    for name, label in (("dsr", "DSR"), ("psr", "PSR"), ("pbo", "PBO")):
        said.append(f"{label} {'–' if study[name] is None else format(study[name], '.2f')}")
    half = study["half_life"]
    return "   ".join([*said, f"IC half-life {'–' if half is None else format(half, '.3g') + ' s'}"])


def _draw_path(canvas: Canvas, study: dict[str, Any]) -> None:
    path = study["path"]
    known = [row for row in zip(path["after"], path["mean"], path["low"], path["high"]) if None not in row]
    if not known:
        canvas.text(_SPLIT / 2, _TOP + _CHART / 2, f"{study['events']:,} events: no path", "faint", 12, "mm")
        return
    low, high = min(0.0, *(row[2] for row in known)), max(0.0, *(row[3] for row in known))
    first, last = known[0][0], known[-1][0]

    def at(after: float, ticks: float) -> tuple[float, float]:
        x = _LEFT + (after - first) / max(last - first, 1e-9) * (_SPLIT - _LEFT - 10)
        return x, _TOP + _CHART - (ticks - low) / max(high - low, 1e-9) * (_CHART - 10)

    for tick in _round_ticks(low, high):
        canvas.line([at(first, tick), at(last, tick)], "grid" if tick else "faint", 1)
        canvas.text(_LEFT - 6, at(first, tick)[1], f"{tick:g}", "faint", 10, "rm")
    canvas.line([at(0, low), at(0, high)], "faint", 1)
    band = [at(row[0], row[3]) for row in known] + [at(row[0], row[2]) for row in reversed(known)]
    canvas.polygon(band, "accent", 60)
    canvas.line([at(row[0], row[1]) for row in known], "accent", 2)
    canvas.text(_LEFT, _TOP + _CHART + 14, f"{first:g} s", "faint", 10)
    canvas.text(_SPLIT - 10, _TOP + _CHART + 14, f"{last:g} s after", "faint", 10, "rm")
    caption = f"mean move around {study['events']:,} events, ticks"
    canvas.text(at(0, 0)[0], _TOP + _CHART + 14, caption, "text", 10, "lm")


def _round_ticks(low: float, high: float) -> list[float]:
    step = axes.nice_step(high - low, 5)
    return [n * step for n in range(round(low / step), round(high / step) + 1) if low <= n * step <= high]


def _draw_card(canvas: Canvas, study: dict[str, Any]) -> None:
    y = _TOP + _ROW_PX / 2
    canvas.text(_SPLIT + 30, y, "horizon", "faint", 11)
    for name, right in _COLUMNS:
        canvas.text(right, y, name, "faint", 11, "rm")
    for row in study["card"]:
        y += _ROW_PX
        canvas.text(_SPLIT + 30, y, row["horizon"], "text", 12)
        net = row["net"]
        role = "text" if net is None else "buy" if net > 0 else "sell"
        cells = (
            f"{row['events']:,}",
            _between(row, "net"),
            _between(row, "hit", 2),
            _between(row, "ic"),
            f"{_value(row['mfe'])} / {_value(row['mae'])}",
        )
        for (name, right), text in zip(_COLUMNS, cells):
            canvas.text(right, y, text, role if name == "net ticks" else "text", 11, "rm")


def _between(row: dict[str, Any], name: str, digits: int = 3) -> str:
    value, low, high = (row.get(key) for key in (name, f"{name}_low", f"{name}_high"))
    if value is None:
        return "–"
    return _value(value, digits) + (
        "" if low is None or high is None else f" [{_value(low, digits)}, {_value(high, digits)}]"
    )


def _value(value: Any, digits: int = 3) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.{digits}g}".replace("-", "−")
    return str(value)


# -- Plotly --------------------------------------------------------------------------------------------------------
def figure(study: Study | None, instrument: Instrument, theme_name: str, height: int) -> Any:
    """Plotly figure of a study in the colours of the views."""
    import plotly.graph_objects as go

    chart = go.Figure() if study is None else study.figure()
    colours = theme(theme_name)
    title = axes.plain(instrument.symbol)
    if study is not None:
        title += f"  {axes.plain(study.signal)}<br><sup>{axes.plain(repr(study.worth))}</sup>"
    chart.update_layout(
        template="plotly_dark" if theme_name == "dark" else "plotly_white",
        title={"text": title, "x": 0.01},
        paper_bgcolor=colours["background"],
        plot_bgcolor=colours["background"],
        height=max(height, 340),
        showlegend=False,
    )
    return chart
