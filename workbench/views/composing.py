"""Several still pictures, or Plotly figures, as one: rows of cells, each with its share of the width."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from PIL import Image

from workbench.views.theme import rgb
from workbench.views.theme import theme as theme_colours

__all__ = ["composed_figure", "composed_png"]

WIDTH: Final = 1400
GAP_PX: Final = 6
MARGIN: Final = 0.035
"""Part of the whole kept free at each side of a figure's cell, for labels of axes."""
_AXIS = re.compile(r"^([xy])axis(\d*)$")
_REFERENCE = re.compile(r"^([xy])(\d*)( domain)?$")
_DATE = re.compile(r"^\d{4}-\d\d-\d\d")
_AXIS_KEYS: Final = ("anchor", "overlaying", "matches", "scaleanchor")
_Span = tuple[float, float]
_PLACED: Final = ("shapes", "annotations", "images")


# -- PNG -----------------------------------------------------------------------------------------------------------
def composed_png(rows: list[list[tuple[bytes, float]]], theme_name: str) -> bytes:
    """Arrange PNG pictures in rows; each row is as high as its highest picture.

    Parameters
    ----------
    rows : list of list of (bytes, float)
        Pictures with their shares of the row's width.
    theme_name : {"dark", "light"}
    """
    strips = [_strip(row, theme_name) for row in rows]
    height = sum(strip.height for strip in strips) + GAP_PX * (len(strips) - 1)
    whole = Image.new("RGB", (WIDTH, height), rgb(theme_colours(theme_name)["grid"]))
    top = 0
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height + GAP_PX
    out = io.BytesIO()
    whole.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True
    )
    return out.getvalue()


def _strip(row: list[tuple[bytes, float]], theme_name: str) -> Image.Image:
    room = WIDTH - GAP_PX * (len(row) - 1)
    total = sum(share for _, share in row)
    pictures = []
    for content, share in row:
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        width = round(room * share / total)
        pictures.append(
            picture.resize(
                (width, max(1, round(picture.height * width / picture.width))), Image.Resampling.LANCZOS
            )
        )
    strip = Image.new(
        "RGB", (WIDTH, max(p.height for p in pictures)), rgb(theme_colours(theme_name)["background"])
    )
    left = 0
    for picture in pictures:
        strip.paste(picture, (left, 0))
        left += picture.width + GAP_PX
    return strip


# -- Plotly --------------------------------------------------------------------------------------------------------
class _Cell:
    """Where one figure goes, and how its axes are called there."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float], first_axis: int):
        self.domain = {"x": x, "y": y}
        self._first = first_axis

    def number(self, text: str) -> str:
        """Number of an axis here."""
        number = self._first + int(text or 1) - 1
        return "" if number == 1 else str(number)

    def named(self, reference: str) -> str:
        """Name here of ``x2``, ``y domain``; others (``paper``) as they are."""
        found = _REFERENCE.match(reference)
        if found is None:
            return reference
        return f"{found[1]}{self.number(found[2])}{found[3] or ''}"

    def placed(self, axis: str, at: float) -> float:
        """Where a part of the figure's own paper lies on the whole."""
        low, high = self.domain[axis]
        return low + at * (high - low)

    def span(self, axis: str, domain: Any) -> list[float]:
        """The same for a stretch."""
        return [min(1.0, max(0.0, self.placed(axis, at))) for at in domain or (0.0, 1.0)]


def composed_figure(rows: list[list[tuple[Any, float]]], theme_name: str) -> Any:
    """Arrange Plotly figures in rows; time axes zoom together.

    Parameters
    ----------
    rows : list of list of (plotly.graph_objects.Figure, float)
    theme_name : {"dark", "light"}
    """
    import plotly.graph_objects as go

    heights = [max(figure.layout.height or 450 for figure, _ in row) for row in rows]
    traces: list[Any] = []
    layout: dict[str, Any] = {name: [] for name in _PLACED}
    next_axis = 1
    for figure, x, y in _spread(rows, heights):
        next_axis = _placed(figure.to_plotly_json(), _Cell(x, y, next_axis), traces, layout, next_axis)
    _share_time(traces, layout)
    return go.Figure(traces, layout | _ground(theme_colours(theme_name), sum(heights)))


def _spread(rows: list[list[tuple[Any, float]]], heights: list[int]) -> Iterator[tuple[Any, _Span, _Span]]:
    """Each figure with its span of the width and of the height, as parts of the whole; from the top down."""
    top = 1.0
    for row, height in zip(rows, heights):
        bottom, left = top - height / sum(heights), 0.0
        total = sum(share for _, share in row)
        for figure, share in row:
            right = left + share / total
            x, y = (left + MARGIN * 0.6, right - MARGIN * 0.6), (bottom + MARGIN * 0.5, top - MARGIN * 0.5)
            yield figure, x, y
            left = right
        top = bottom


def _ground(colours: Mapping[str, str], height: int) -> dict[str, Any]:
    return {
        "paper_bgcolor": colours["background"],
        "plot_bgcolor": colours["background"],
        "font": {"color": colours["text"], "size": 10},
        "height": height,
        "margin": {"l": 20, "r": 20, "t": 20, "b": 20},
        "showlegend": False,
        "barmode": "relative",
        "bargap": 0,
    }


def _placed(
    figure: dict[str, Any], cell: _Cell, traces: list[Any], layout: dict[str, Any], first: int
) -> int:
    """Add one figure; the first axis number that is free then."""
    own = figure["layout"]
    axes = {(found[1], found[2]) for key in own if (found := _AXIS.match(key))} | {("x", ""), ("y", "")}
    axes |= {
        (found[1], found[2])
        for trace in figure["data"]
        for name in ("xaxis", "yaxis")
        if (found := _REFERENCE.match(str(trace.get(name) or "")))
    }
    plotted = any("domain" not in trace and trace["type"] != "table" for trace in figure["data"])
    for letter, number in sorted(axes) if plotted else ():
        axis = dict(own.get(f"{letter}axis{number}") or {})
        axis |= {key: cell.named(axis[key]) for key in _AXIS_KEYS if axis.get(key)}
        axis.setdefault("anchor", cell.named(("y" if letter == "x" else "x") + number))
        if letter == "y" and axis.get("position") is not None:
            axis["position"] = cell.placed("x", axis["position"])
        axis["domain"] = cell.span(letter, axis.get("domain"))
        layout[f"{letter}axis{cell.number(number)}"] = axis
    traces += [_moved(trace, cell) for trace in figure["data"]]
    for name in _PLACED:
        layout[name] += [_replaced(item, cell) for item in own.get(name) or ()]
    layout["annotations"] += _title(own, cell)
    return first + max(int(number or 1) for _, number in axes)


def _moved(trace: dict[str, Any], cell: _Cell) -> dict[str, Any]:
    moved = dict(trace)
    if trace["type"] == "table" or "domain" in trace:
        domain = trace.get("domain") or {}
        moved["domain"] = {letter: cell.span(letter, domain.get(letter)) for letter in ("x", "y")}
    else:
        moved |= {f"{letter}axis": cell.named(trace.get(f"{letter}axis") or letter) for letter in ("x", "y")}
    moved.pop("coloraxis", None)
    if "showscale" in moved or trace["type"] == "heatmap":
        moved["showscale"] = False
    return moved


def _replaced(item: dict[str, Any], cell: _Cell) -> dict[str, Any]:
    """A shape, annotation or image where its axes, or its part of the paper, are now."""
    moved = dict(item)
    for letter in ("x", "y"):
        reference = item.get(f"{letter}ref") or "paper"
        moved[f"{letter}ref"] = cell.named(reference)
        if reference == "paper":
            for key in (letter, f"{letter}0", f"{letter}1"):
                if isinstance(item.get(key), int | float):
                    moved[key] = cell.placed(letter, item[key])
    return moved


def _title(layout: dict[str, Any], cell: _Cell) -> list[dict[str, Any]]:
    title = layout.get("title") or {}
    text = title if isinstance(title, str) else title.get("text")
    if not text:
        return []
    place = {"x": cell.domain["x"][0], "y": cell.domain["y"][1], "xref": "paper", "yref": "paper"}
    return [{"text": text, **place, "xanchor": "left", "yanchor": "bottom", "showarrow": False}]


def _share_time(traces: list[Any], layout: dict[str, Any]) -> None:
    """Let every axis of dates follow the first one."""
    first = None
    for trace in traces:
        x = trace.get("x")
        if "xaxis" not in trace or x is None or not len(x) or not _is_time(x):
            continue
        name = trace["xaxis"]
        axis = layout[f"xaxis{name[1:]}"]
        if first is None:
            first = name
        elif name != first and not axis.get("matches"):
            axis["matches"] = first


def _is_time(values: Any) -> bool:
    if isinstance(values, dict):  # numbers, packed
        return False
    kind = getattr(getattr(values, "dtype", None), "kind", "")
    return kind == "M" or hasattr(values[0], "isoformat") or bool(_DATE.match(str(values[0])))
