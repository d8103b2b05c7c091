"""Axis steps and number texts of the static pictures; the page has the same rules in ``geometry.js``."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

_STEPS_S: Final = (
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
    43200,
    86400,
)


def nice_step(span: float, most: int) -> float:
    """Smallest of 1, 2, 5, 10, … (times powers of ten) that divides ``span`` into at most ``most`` parts."""
    rough = span / max(most, 1)
    decade = 10.0 ** math.floor(math.log10(rough))
    return next(step * decade for step in (1, 2, 5, 10, 20) if step * decade >= rough * (1 - 1e-9))


def price_ticks(low: float, high: float, most: int) -> list[int]:
    """Prices in ticks that get a label: multiples of a round number of ticks within [low, high]."""
    step = max(1, round(nice_step(max(high - low, 1.0), most)))
    return list(range(math.ceil(low / step) * step, math.floor(high) + 1, step))


def price_text(tick: float, tick_size: Decimal) -> str:
    """Price as the instrument writes it: as many decimals as its tick has."""
    places = max(0, -int(tick_size.normalize().as_tuple().exponent))
    return f"{Decimal(str(tick)) * tick_size:.{places}f}"


def size_text(size: float) -> str:
    """Size in at most about four signs: 0.012, 3.4, 128, 12.5k, 3.1M."""
    for limit, divisor, unit in ((1e9, 1e9, "B"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if size >= limit:
            return f"{size / divisor:.3g}{unit}"
    return f"{size:.0f}" if size >= 1000 else f"{size:.3g}"


def time_steps(start_ms: float, stop_ms: float, most: int) -> list[tuple[float, str]]:
    """Times that get a label, ms since the epoch, and their text in UTC."""
    rough = (stop_ms - start_ms) / 1e3 / max(most, 1)
    step = next((s for s in _STEPS_S if s >= rough), 86400.0) * 1e3
    form = "%H:%M:%S.%f" if step < 1000 else "%H:%M:%S" if step < 60_000 else "%H:%M"
    first = math.ceil(start_ms / step)
    moments = [index * step for index in range(first, math.floor(stop_ms / step) + 1)]
    texts = [datetime.fromtimestamp(ms / 1e3, UTC).strftime(form) for ms in moments]
    return [(ms, text[:-5] if step < 1000 else text) for ms, text in zip(moments, texts)]


def plain(name: str) -> str:
    """Name for Plotly, which reads a little HTML in titles: shown letter by letter instead."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
