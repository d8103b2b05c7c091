"""What strategies in plain Python ask for, in real units: as whole ticks and lots and as times, or refused."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from workbench.errors import WorkbenchError
from workbench.flow.days import TradingDay
from workbench.frames.moments import Moment, to_ns
from workbench.trading import slots

TIFS: Final = {name: slot for slot, name in enumerate(slots.TIF_NAMES)}
LASTING: Final = ("GTC", "DAY", "GTD")
"""Times in force of orders that wait."""
_MOST: Final = 2**31 - 1  # ticks or lots


def time_in_force(
    tif: str, expires: Moment | str | None, now: int, day: TradingDay | None
) -> tuple[str, int | None]:
    """Time in force, and when the order ends, ns; None: never, or whoever gets it knows.

    Raises
    ------
    WorkbenchError
        No time in force, an end that is missing, over, or not possible.
    """
    if tif not in slots.TIF_NAMES:
        raise WorkbenchError(f"tif {tif!r:.60}", expected=f"one of {', '.join(TIFS)}")
    if expires is None:
        if tif == "GTD":
            raise WorkbenchError("a GTD order without its end", expected="expires=…")
        return tif, day.after(now) if tif == "DAY" and day else None
    if tif not in LASTING:
        raise WorkbenchError(f"a {tif} order with an end", expected=f"one of {', '.join(LASTING)}")
    end = to_ns(expires)
    if end <= now:
        raise WorkbenchError(
            f"an order that ends {(now - end) / 1e9:.3f} s before now", expected="a later end"
        )
    return "DAY" if tif == "DAY" else "GTD", end


def whole(value: float, unit: Any, what: str) -> int:
    """Ticks or lots of a price or size.

    Raises
    ------
    WorkbenchError
        No number, none on the grid, or one beyond what an order may have.
    """
    try:
        steps = float(value) / float(unit)
    except (TypeError, ValueError):
        raise WorkbenchError(f"{what} {value!r:.60}", expected=f"a number, a multiple of {unit}") from None
    if not abs(steps) <= _MOST:
        raise WorkbenchError(f"{what} {value}", expected=f"a multiple of {unit}, at most {_MOST * unit}")
    whole = round(steps)
    if abs(steps - whole) > 1e-6:
        low = int(np.floor(steps))
        raise WorkbenchError(
            f"{what} {value}",
            expected=f"a multiple of {unit}",
            action=f"Nearest: {low * unit} and {(low + 1) * unit}",
        )
    return whole


__all__ = ["LASTING", "TIFS", "time_in_force", "whole"]
