"""Which prices and times a picture shows when nobody has chosen: rows of a round number of ticks round the mid."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from workbench.views.raster import NO_TICK, Array

NICE: Final = (1, 2, 5, 10, 20, 25, 50)
VISIBLE_ROWS: Final = 140
REACH_LEVELS: Final = 20
LEAST_TICKS: Final = 40.0


def nice_ticks(wanted: float) -> int:
    """Round number of ticks nearest to ``wanted`` by ratio: 1, 2, 5, 10, 20, 25, 50, 100, 200, 250, …"""
    if wanted <= 1:
        return 1
    decade = 10 ** max(0, math.floor(math.log10(wanted)) - 1)
    choices = [step * decade for step in (*NICE, 100)]
    return int(min(choices, key=lambda step: (abs(math.log(step / wanted)), step)))


def mids(best: Array) -> Array:
    """Mid per column, ticks, float64; NaN where a side is empty. ``best`` has shape (n, 2)."""
    known = (best != NO_TICK).all(axis=1)
    return np.where(known, best.astype(np.float64).mean(axis=1), np.nan)


def visible_ticks(mids: Array, reach: int) -> float:
    """Price range to show, in ticks: the mid's range with room round it, and the levels near the touch.

    Parameters
    ----------
    mids : array of float64, ticks
        Those that are known; prices of trades where there is no book.
    reach : int, ticks
        Distance from the touch to the :data:`REACH_LEVELS`-th populated level.
    """
    moved = float(np.ptp(np.percentile(mids, [1, 99]))) if len(mids) else 0.0
    return max(moved * 1.7, 2.0 * reach, LEAST_TICKS)


def row_ticks(span: float) -> int:
    """Ticks per row so that about :data:`VISIBLE_ROWS` rows show ``span`` ticks."""
    return nice_ticks(span / VISIBLE_ROWS)


def worth_changing(current: int, ideal: int) -> bool:
    """Hysteresis: a new picture is due when the rows are at least twice too fine or four times too coarse."""
    return ideal >= 2 * current or ideal * 4 <= current
