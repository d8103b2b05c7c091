"""A rectangle of time and price that was brushed on the heatmap: its events, its facts, the line that reproduces it."""

from __future__ import annotations

import math
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import WorkbenchError
from workbench.events import SUBTICKS_PER_TICK, Instrument
from workbench.frames.moments import Moment, iso_text, to_datetime, to_ns
from workbench.frames.selecting import events_in, trades_in
from workbench.frames.tally import Tally, tally_in
from workbench.views.axes import size_text

if TYPE_CHECKING:
    import polars as pl

_LATEST_NS: Final = 2**63 - 1
_MOST_TICKS: Final = 2**31


class Selection:
    """Events of one instrument with ``start ≤ ts < end`` and ``low ≤ price ≤ high``.

    Parameters
    ----------
    source : session or recording
    instrument : Instrument
    start_ns, end_ns : int, ns since the epoch
    low, high : Decimal or None, real units
        None: no bound.
    """

    def __init__(
        self,
        source: Any,
        instrument: Instrument,
        start_ns: int,
        end_ns: int,
        low: Decimal | None,
        high: Decimal | None,
    ):
        self._source = source
        self.instrument = instrument
        self.start_ns, self.end_ns = start_ns, end_ns
        self._low, self._high = low, high

    @property
    def start(self) -> datetime:
        """First moment, UTC, cut to microseconds; ``start_ns`` is exact."""
        return to_datetime(self.start_ns)

    @property
    def end(self) -> datetime:
        """First moment behind it, UTC, cut to microseconds; ``end_ns`` is exact."""
        return to_datetime(self.end_ns)

    @property
    def low(self) -> float | None:
        """Lowest price, real units; None: no bound."""
        return None if self._low is None else float(self._low)

    @property
    def high(self) -> float | None:
        """Highest price, real units; None: no bound."""
        return None if self._high is None else float(self._high)

    @property
    def _bounds(self) -> tuple[int, int, Decimal | None, Decimal | None, str]:
        return self.start_ns, self.end_ns, self._low, self._high, self.instrument.symbol

    def frame(self) -> pl.DataFrame:
        """Exactly those events, columns as :func:`workbench.events_in`."""
        return events_in(self._source, *self._bounds)

    def trades(self) -> pl.DataFrame:
        """Trades among them, columns as ``session.trades``."""
        return trades_in(self._source, *self._bounds)

    def tally(self) -> Tally:
        """What they add up to now, real units."""
        return tally_in(self._source, *self._bounds)

    @property
    def code(self) -> str:
        """One line that gives the same frame: ``s`` is the session, ``r`` the recording that was shown."""
        name = "r" if hasattr(self._source, "manifest") else "s"
        parts = [name, f'"{iso_text(self.start_ns)}"', f'"{iso_text(self.end_ns)}"']
        bounds = ["None" if p is None else format(p.normalize(), "f") for p in (self._low, self._high)]
        if bounds != ["None", "None"]:
            parts += bounds
        if len(getattr(self._source, "symbols", ())) > 1:
            parts.append(f"symbol={self.instrument.symbol!r}")
        return f"wb.events_in({', '.join(parts)})"

    @cached_property
    def facts(self) -> str:
        """One line for people: duration, ticks, volume by side, delta, what was added and removed; as of the first call."""
        tally = self.tally()
        parts = [
            duration_text(self.end_ns - self.start_ns),
            self._height(),
            f"{tally.events:,} events",
            f"buy {size_text(tally.buy)}",
            f"sell {size_text(tally.sell)}",
            f"delta {'+' if tally.delta > 0 else '−' if tally.delta < 0 else ''}{size_text(abs(tally.delta))}",
            f"added {size_text(tally.added)}",
            f"removed {size_text(tally.removed)}",
        ]
        return " · ".join(parts)

    def _height(self) -> str:
        if self._low is None or self._high is None:
            return "all prices"
        tick = self.instrument.tick_size
        first, last = math.ceil(self._low / tick), math.floor(self._high / tick)
        count = max(0, last - first + 1)
        return f"{count:,} tick{'' if count == 1 else 's'}"

    def region(self) -> dict[str, Any]:
        """Corners for the page: ms and ticks, null where there is no bound."""
        return region_of(self.start_ns, self.end_ns, self._low, self._high, self.instrument)

    def decimals(self) -> tuple[str | None, str | None]:
        """Bounds as decimal texts, as labels keep them."""
        low, high = (None if p is None else format(p.normalize(), "f") for p in (self._low, self._high))
        return low, high

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selection) and other._bounds == self._bounds

    __hash__ = None  # type: ignore[assignment]  # compared by value, and made of decimals

    def __repr__(self) -> str:
        low, high = ("…" if p is None else format(p.normalize(), "f") for p in (self._low, self._high))
        span = f"{iso_text(self.start_ns)} – {iso_text(self.end_ns)}"
        return f"Selection({self.instrument.symbol!r}, {span}, {low} – {high})"


def selected(
    source: Any,
    instrument: Instrument,
    start: Moment | str,
    end: Moment | str,
    low: object = None,
    high: object = None,
) -> Selection:
    """Selection between two corners, given in real units and in any order.

    Raises
    ------
    WorkbenchError
        No times, no finite prices.
    """
    first, last = sorted((to_ns(start), to_ns(end)))
    prices = [None if p is None else _price(p, instrument) for p in (low, high)]
    return Selection(source, instrument, first, last, *_ordered(*prices))


def selected_on_page(source: Any, instrument: Instrument, content: dict[str, Any]) -> Selection:
    """Selection that a page asks for: times as decimal texts of ns, prices in ticks or null; corners in any order.

    Raises
    ------
    WorkbenchError
        Anything that is none of these.
    """
    first, last = sorted(_page_ns(content.get(name)) for name in ("start", "end"))
    prices = [_page_price(content.get(name), instrument) for name in ("low", "high")]
    return Selection(source, instrument, first, last, *_ordered(*prices))


def region_of(
    start_ns: int, end_ns: int, low: Decimal | None, high: Decimal | None, instrument: Instrument
) -> dict[str, Any]:
    """Corners in ms and ticks, as the page draws them."""
    ticks = [None if p is None else float(p / instrument.tick_size) for p in (low, high)]
    return {"left": start_ns / 1e6, "right": end_ns / 1e6, "low": ticks[0], "high": ticks[1]}


def duration_text(ns: int) -> str:
    """Duration in at most four digits: 250 ms, 12.3 s, 4 min 5 s, 2 h 3 min."""
    if ns < 999_500_000:
        return f"{ns / 1e6:.4g} ms"
    seconds = ns / 1e9
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _ordered(low: Decimal | None, high: Decimal | None) -> tuple[Decimal | None, Decimal | None]:
    return (high, low) if low is not None and high is not None and high < low else (low, high)


def _page_ns(value: object) -> int:
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 19:
        raise WorkbenchError(f"time {value!r:.60}", expected="ns as a decimal text", code="bad_time")
    return min(int(value), _LATEST_NS)


def _page_price(ticks: object, instrument: Instrument) -> Decimal | None:
    if ticks is None:
        return None
    known = isinstance(ticks, int | float) and not isinstance(ticks, bool) and math.isfinite(ticks)
    if not known:
        raise WorkbenchError(f"price {ticks!r:.60}", expected="ticks as a number, or null", code="bad_price")
    bounded = min(max(float(ticks), -_MOST_TICKS), _MOST_TICKS)  # type: ignore[arg-type]
    return round(bounded * SUBTICKS_PER_TICK) * (instrument.tick_size / SUBTICKS_PER_TICK)


def _price(value: object, instrument: Instrument) -> Decimal:
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        number = Decimal("nan")
    if not number.is_finite():
        raise WorkbenchError(f"price {value!r:.60}", expected="a finite number", code="bad_price")
    step = instrument.tick_size / SUBTICKS_PER_TICK
    fine = (number / step).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * step
    return fine if abs(fine - number) <= step / 1000 else number
