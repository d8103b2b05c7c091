"""Answers to looks of the heatmap: tiles of any part of the past, a coarse one first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.events import Array
from workbench.views.framing import nice_ticks
from workbench.views.live import Captured, Message
from workbench.views.raster import RULES, Scale, quantise
from workbench.views.scenery import Scenery
from workbench.views.size_codes import narrowed
from workbench.views.words import finite

MARGIN: Final = 0.12
"""Share of the width and height that a full tile reaches beyond what was asked for: small moves need no other one."""
ROW_PX: Final = 3.0
MOST_COLUMNS: Final = 2600
MOST_ROWS: Final = 700
OVERVIEW_COLUMNS: Final = 500
OVERVIEW_ROWS: Final = 250
_FARTHEST_TICK: Final = float(1 << 30)
_FARTHEST_MS: Final = float(1 << 53) / 1e6 * 1e3


@dataclass(frozen=True, slots=True)
class Look:
    """What a page wants to see, checked.

    Parameters
    ----------
    left_ns, right_ns : int, ns
    low, high : float, ticks
    width, height : float, pixels
    row_ticks : int or None
        None: chosen from the height.
    rule : {"max", "last", "mean"}
    min_lots : float, lots
        Smaller trades are left out.
    """

    left_ns: int
    right_ns: int
    low: float
    high: float
    width: float
    height: float
    row_ticks: int | None
    rule: str
    min_lots: float

    @classmethod
    def of(cls, said: dict[str, Any], lots_per_size: float) -> Look | None:
        """Read a page's words; None if they make no sense."""
        names = ("left_ms", "right_ms", "low", "high", "width", "height")
        numbers = [finite(said.get(name)) for name in names]
        if any(number is None for number in numbers):
            return None
        left, right, low, high, width, height = (number for number in numbers if number is not None)
        sane = abs(left) <= _FARTHEST_MS and abs(right) <= _FARTHEST_MS and max(-low, high) <= _FARTHEST_TICK
        if not sane or left >= right or low >= high or min(width, height) < 1:
            return None
        ticks = finite(said.get("row_ticks"))
        rule = said.get("rule")
        return cls(
            int(left * 1e6),
            int(right * 1e6),
            low,
            high,
            min(width, 8192.0),
            min(height, 8192.0),
            int(ticks) if ticks is not None and 1 <= ticks < 2**31 else None,
            rule if rule in RULES else "max",
            max(0.0, finite(said.get("min_trade")) or 0.0) * lots_per_size,
        )


def nice_column_ns(wanted: float) -> int:
    """Smallest of 1, 2, 5, 10, … ms that is at least ``wanted`` ns, so that no column is finer than what shows it.

    Examples
    --------
    >>> nice_column_ns(130e6)
    200000000
    """
    decade = 10 ** max(6, math.floor(math.log10(max(wanted, 1.0))))
    return int(next(step * decade for step in (1, 2, 5, 10) if step * decade >= wanted))


def scale_for(
    look: Look, first_ns: int, last_ns: int, coarser: int = 1, margin: float = MARGIN
) -> Scale | None:
    """Scale of the tile that shows a look, columns ``coarser`` times longer; None where nothing was recorded."""
    span = look.right_ns - look.left_ns
    column_ns = nice_column_ns(span / look.width * coarser)
    left = max(look.left_ns - int(span * margin), first_ns)
    right = min(look.right_ns + int(span * margin), last_ns)
    if right < left:
        return None
    origin = left // column_ns
    columns = min(right // column_ns - origin + 1, MOST_COLUMNS)
    ticks = look.high - look.low
    # rows stay as they are: another size of rows would need a pyramid of its own
    row_ticks = look.row_ticks or nice_ticks(ticks / look.height * ROW_PX)
    row_ticks = nice_ticks(max(row_ticks, ticks * (1 + 2 * MARGIN) / MOST_ROWS))
    base = math.floor((look.low - ticks * margin) / row_ticks)
    rows = min(math.ceil((look.high + ticks * margin) / row_ticks) - base, MOST_ROWS)
    return Scale(column_ns, row_ticks, base, origin, columns, rows, look.rule)


class HeatLooks:
    """Tiles of one capture as messages.

    Parameters
    ----------
    capture : Captured
    scenery : Scenery
    """

    def __init__(self, capture: Captured, scenery: Scenery):
        self._scenery = scenery
        self._lots_per_size = 1 / float(capture.instrument.lot_size)

    def answers(self, said: dict[str, Any]) -> Iterator[Message]:
        """Messages that answer a look: half as many columns, all of them, and the whole session if it was asked for."""
        look = Look.of(said, self._lots_per_size)
        first, last = self._scenery.first_ns, self._scenery.last_ns
        if look is None or not last:
            return
        # A page takes a long message in several steps, with frames in between: the coarse tile is made short.
        for stage, coarser, margin in (("half", 2, 0.0), ("full", 1, MARGIN)):
            scale = scale_for(look, first, last, coarser, margin)
            if scale is not None:
                yield self._tile(scale, said.get("id"), stage, look.min_lots)
        if said.get("overview"):
            yield self._tile(self.overview(look, first, last), said.get("id"), "overview", look.min_lots)

    def overview(self, look: Look, first_ns: int, last_ns: int) -> Scale:
        """Scale of the whole session, coarse, with room above and below what is looked at."""
        column_ns = nice_column_ns((last_ns - first_ns) / OVERVIEW_COLUMNS)
        middle, half = (look.high + look.low) / 2, (look.high - look.low) * 1.5
        row_ticks = nice_ticks(2 * half / OVERVIEW_ROWS)
        row_ticks = max(row_ticks, look.row_ticks or 1)
        origin = first_ns // column_ns
        rows = min(math.ceil(2 * half / row_ticks) + 1, OVERVIEW_ROWS * 2)
        base = math.floor((middle - half) / row_ticks)
        return Scale(column_ns, row_ticks, base, origin, last_ns // column_ns - origin + 1, rows, look.rule)

    def _tile(self, scale: Scale, identity: object, stage: str, min_lots: float) -> Message:
        tile = self._scenery.tile(scale)
        content = {
            "k": "tile",
            "id": identity,
            "stage": stage,
            "columns": scale.columns,
            "rows": scale.rows,
            "column_ms": scale.column_ns / 1e6,
            "origin_ms": scale.start_ns(0) / 1e6,
            "row_ticks": scale.row_ticks,
            "low_tick": scale.low_tick,
            "rule": scale.rule,
            "exact": bool(getattr(tile, "exact", True)) and self._scenery.knows_trades(scale),
        }
        edges = np.column_stack([tile.best, tile.marks]).astype(np.int32)
        codes: Array = quantise(tile.heat)
        if stage == "half":
            codes, content["code_low"], content["code_step"] = narrowed(codes)
        return content, [codes, edges, self._scenery.trades(scale, min_lots).astype(np.float32)]
