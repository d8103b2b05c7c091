"""Marks and lines that somebody hands over to be drawn on the heatmap: frames and arrays become columns of ms and ticks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import FloatArray, Instrument
from workbench.views.theme import THEMES

MOST_MARKS: Final = 5_000
MOST_POINTS: Final = 4_000
MOST_NAMED: Final = 64
TEXT_LIMIT: Final = 300
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_SIDES: Final = {"BUY": 1, "BID": 1, "LONG": 1, "SELL": -1, "ASK": -1, "SHORT": -1}


class Points(NamedTuple):
    """Line through time: ms since the epoch, shape (n,), and values in ticks, shape (n, k); NaN breaks the line."""

    ms: FloatArray
    ticks: FloatArray


def marks_content(
    what: Any, instrument: Instrument, price: Any, side: Any, text: Any, colour: str
) -> dict[str, Any]:
    """Flags as the page wants them.

    Parameters
    ----------
    what : Polars or pandas frame, mapping of columns, or array of times
        With ``ts``; ``price``, ``side``, ``text`` and ``score`` are read where they are.
    instrument : Instrument
    price, side, text : str, array or scalar, optional
        Another column's name, or the values themselves.
    colour : str
        A role of the theme, or ``#rrggbb``.

    Returns
    -------
    dict
        ``ms``, ``tick`` (null: at the edge), ``side`` (+1, −1, 0), ``text``, ``count`` (how many one flag stands for),
        ``colour``.

    Raises
    ------
    WorkbenchError
        No times, columns that are not there or of another length, an unknown colour.
    """
    check_colour(colour)
    frame = frame_of(what)
    table = pl.DataFrame(
        {
            "ms": times_ms(frame),
            "tick": _numbers(frame, price, "price") / float(instrument.tick_size),
            "side": _sides(frame, side),
            "text": _texts(frame, text),
        }
    )
    table = _thinned(table.filter(pl.col("ms").is_not_nan()).sort("ms", maintain_order=True))
    return {
        "colour": colour,
        "ms": table["ms"].round(3).to_list(),
        "tick": [None if tick is None else round(tick, 3) for tick in table["tick"].fill_nan(None)],
        "side": table["side"].to_list(),
        "text": table["text"].to_list(),
        "count": table["count"].to_list(),
    }


def points_of(what: Any, instrument: Instrument, value: str | None = None) -> Points:
    """Line through a frame: ``ts`` and the first column of numbers, or the one named; at most 4,000 points."""
    frame = frame_of(what)
    names = [n for n, kind in frame.schema.items() if kind.is_numeric() and n not in ("ts", "sequence")]
    if value is None and not names:
        raise WorkbenchError("a line without values", expected="a frame with ts and a column of numbers")
    column = value if value is not None else names[0]
    ms = times_ms(frame)
    ticks = _numbers(frame, column, column) / float(instrument.tick_size)
    order = np.argsort(ms, kind="stable")
    ms, ticks = ms[order], ticks[order]
    newest = np.append(ms[1:] != ms[:-1], True)[: len(ms)]  # of several values at one time the last one holds
    return thinned_points(Points(ms[newest], ticks[newest][:, None]))


def thinned_points(points: Points, most: int = MOST_POINTS) -> Points:
    """Last point of each of at most ``most`` equal spans of time."""
    if len(points.ms) <= most:
        return points
    span = max(float(points.ms[-1] - points.ms[0]), 1e-9)
    cell = np.floor((points.ms - points.ms[0]) / span * (most - 1))
    last = np.append(cell[1:] != cell[:-1], True)
    return Points(points.ms[last], points.ticks[last])


def check_colour(colour: object) -> str:
    """Return a colour that the page knows, or refuse it."""
    if not isinstance(colour, str) or not (colour in THEMES["dark"] or _COLOUR.fullmatch(colour)):
        roles = ", ".join(THEMES["dark"])
        raise WorkbenchError(
            f"colour {colour!r:.60}", expected=f"#rrggbb or one of {roles}", code="bad_colour"
        )
    return colour


def frame_of(what: Any) -> pl.DataFrame:
    """Frame of whatever holds times and values."""
    if isinstance(what, pl.LazyFrame):
        return what.collect()
    if isinstance(what, pl.DataFrame):
        return what
    if isinstance(what, pl.Series) or not (isinstance(what, Mapping) or hasattr(what, "columns")):
        return pl.DataFrame({"ts": _column(what)})
    if isinstance(what, Mapping):
        return pl.DataFrame({str(name): _column(values) for name, values in what.items()})
    plain = what if "ts" in what.columns else what.reset_index(names="ts")
    converted: pl.DataFrame = pl.from_pandas(plain.rename(columns=str))
    return converted


def _column(values: Any) -> pl.Series:
    if isinstance(values, pl.Series):
        return values
    return pl.Series(
        values if isinstance(values, np.ndarray) else list(np.atleast_1d(np.asarray(values, object)))
    )


def times_ms(frame: pl.DataFrame) -> FloatArray:
    """Column ``ts`` as ms since the epoch: datetimes (without a zone they are UTC) or int ns."""
    if "ts" not in frame.columns:
        raise WorkbenchError(f"columns {frame.columns}", expected="one named ts, with times", code="no_times")
    ts = frame["ts"]
    if ts.dtype.is_integer():
        return ts.cast(pl.Float64).to_numpy() / 1e6
    if isinstance(ts.dtype, pl.Datetime):
        # cast to ns first: the unit of a frame is anybody's choice
        ns = ts.dt.cast_time_unit("ns").to_physical()
        return ns.cast(pl.Float64).fill_null(float("nan")).to_numpy() / 1e6
    raise WorkbenchError(f"ts of type {ts.dtype}", expected="times in UTC, or int ns", code="no_times")


def _given(frame: pl.DataFrame, given: Any, usual: str) -> Any:
    if isinstance(given, str) and given in frame.columns:
        return frame[given]
    if given is None:
        return frame[usual] if usual in frame.columns else None
    if usual == "price" and isinstance(given, str):
        raise WorkbenchError(f"no column {given!r:.60}", expected=f"one of {frame.columns}", code="no_column")
    return given


def _numbers(frame: pl.DataFrame, given: Any, usual: str) -> FloatArray:
    values = _given(frame, given, usual)
    if values is None:
        return np.full(len(frame), np.nan)
    series = (
        values if isinstance(values, pl.Series) else pl.Series(np.broadcast_to(values, len(frame)).copy())
    )
    numbers = series.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _sides(frame: pl.DataFrame, given: Any) -> pl.Series:
    values = _given(frame, given, "side" if "side" in frame.columns else "aggressor")
    if values is None:
        values = 0
    listed = [values] * len(frame) if isinstance(values, int | float | str) else list(values)
    return pl.Series([_side(value) for value in listed], dtype=pl.Int8)


def _side(value: Any) -> int:
    if isinstance(value, str):
        return _SIDES.get(value.upper(), 0)
    try:
        return int(np.sign(value))
    except (TypeError, ValueError):
        return 0


def _texts(frame: pl.DataFrame, given: Any) -> list[str]:
    values = _given(frame, given, "text")
    if values is None and "score" in frame.columns:
        return [f"score {score:.3g}" if score is not None else "" for score in frame["score"].to_list()]
    if values is None or isinstance(values, str):
        return [(values or "")[:TEXT_LIMIT]] * len(frame)
    return ["" if value is None else str(value)[:TEXT_LIMIT] for value in values]


def _thinned(table: pl.DataFrame, most: int = MOST_MARKS) -> pl.DataFrame:
    """All marks, or one for each side of equal spans of time, with how many it stands for."""
    if len(table) <= most:
        return table.with_columns(count=pl.lit(1, pl.UInt32))
    first, span = table["ms"].min(), table["ms"].max() - table["ms"].min()  # type: ignore[operator]
    cell = ((pl.col("ms") - first) / max(float(span), 1e-9) * (most // 3 - 1)).floor().cast(pl.Int64)  # type: ignore[arg-type]
    return (
        table.group_by(cell.alias("cell"), "side", maintain_order=True)
        .agg(
            pl.col("ms").mean(), pl.col("tick").fill_nan(None).mean(), pl.col("text").first(), count=pl.len()
        )
        .sort("ms", maintain_order=True)
        .select("ms", "tick", "side", "text", "count")
    )
