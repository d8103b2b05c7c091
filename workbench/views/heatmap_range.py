"""Range that was asked for, as a message for still pictures: the past instead of the newest columns."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from workbench.views.framing import mids, nice_ticks
from workbench.views.heatmap_looks import nice_column_ns
from workbench.views.heatmap_settings import HeatSettings
from workbench.views.live import Message
from workbench.views.raster import Scale, cut_offs, quantise
from workbench.views.scenery import Scenery

__all__ = ["ranged"]

_COLUMNS: Final = 400
_ROWS: Final = 160


def ranged(
    message: Message, shown: dict[str, Any], settings: HeatSettings, scenery: Scenery, lot: float
) -> Message:
    """Message of a time and price range; the given one where nothing was recorded in it.

    Parameters
    ----------
    message : Message
        Everything there is now: its layers and, where no prices are asked for, its height are kept.
    shown : dict
        ``left_ms``, ``right_ms``, and ``low``, ``high`` (ticks) if given.
    settings : HeatSettings
    scenery : Scenery
    lot : float, size
    """
    left = max(int(shown["left_ms"] * 1e6), scenery.first_ns)
    right = min(int(shown["right_ms"] * 1e6), scenery.last_ns + 1)
    if left >= right:
        return message
    column_ns = nice_column_ns((right - left) / _COLUMNS)
    origin = left // column_ns
    wide = Scale(column_ns, 1, 0, origin, (right - 1) // column_ns - origin + 1, 1, settings["rule"])
    low, high = _prices(wide, shown, message[0], scenery)
    row_ticks = nice_ticks((high - low) / _ROWS)
    base = math.floor(low / row_ticks)
    rows = max(math.ceil(high / row_ticks) - base, 1)
    scale = Scale(column_ns, row_ticks, base, origin, wide.columns, rows, settings["rule"])
    return _told(message[0], scale, settings, scenery, settings["min_trade"] / lot)


def _prices(
    wide: Scale, shown: dict[str, Any], content: dict[str, Any], scenery: Scenery
) -> tuple[float, float]:
    """Ticks from low to high: those asked for, or as many as the page shows, round the mids of the time."""
    if "low" in shown:
        return shown["low"], shown["high"]
    known = mids(scenery.tile(wide).best)
    known = known[~np.isnan(known)]
    if not len(known):
        low = float(content["low_tick"])
        return low, low + content["visible_ticks"]
    middle, reach = (known.max() + known.min()) / 2, (known.max() - known.min()) / 2 * 1.1
    half = max(reach, content["visible_ticks"] / 2)
    return float(middle - half), float(middle + half)


def _told(
    content: dict[str, Any], scale: Scale, settings: HeatSettings, scenery: Scenery, least: float
) -> Message:
    tile = scenery.tile(scale)
    percent = settings["cut"] if settings["cut_by"] == "percentile" else (10.0, 98.5)
    told = {
        **content,
        "first": 0,
        "last": scale.columns - 1,
        "columns": scale.columns,
        "rows": scale.rows,
        "cut": list(cut_offs(tile.heat, *percent)),
        "column_ms": scale.column_ns / 1e6,
        "origin_ms": scale.start_ns(0) / 1e6,
        "row_ticks": scale.row_ticks,
        "low_tick": scale.low_tick,
        "visible_ticks": scale.high_tick - scale.low_tick,
    }
    edges = np.column_stack([tile.best, tile.marks]).astype(np.int32)
    nothing_now = np.zeros((2, scale.rows), np.uint16)  # the book of now is none of this time
    return told, [quantise(tile.heat), edges, scenery.trades(scale, least), nothing_now]
