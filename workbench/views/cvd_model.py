"""Core of the CVD panel: deltas by size filter, begun again where asked, and their divergence from price."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final, Literal

import numpy as np

from workbench.events import Instrument, IntArray
from workbench.flow.cvd import Cvd, SizeFilter, size_bounds
from workbench.flow.divergence import Divergence
from workbench.flow.prints import Prints, real_prices, real_sizes
from workbench.views.live import Captured
from workbench.views.panel_buckets import FIRST, LAST, LEAST, MOST, SUM, Buckets, Values
from workbench.views.panel_gaps import gap_times
from workbench.views.reading import reading_of
from workbench.views.trade_feed import ROWS_AT_ONCE, TradeFeed

Mode = Literal["cvd", "delta", "split"]
MODES: Final = ("cvd", "delta", "split")
_FINEST_NS: Final = 100_000_000
_PRICE: Final = 4  # first, least, most, last


@dataclass(frozen=True)
class CvdSettings:
    """What a CVD panel shows."""

    sizes: tuple[SizeFilter, ...]
    resets: tuple[int, ...]
    days: tzinfo | None
    mode: Mode
    bar_ns: int
    divergence: int


class CvdSeries:
    """Deltas of one capture, bucket by bucket.

    Parameters
    ----------
    capture : Captured
    settings : CvdSettings
    version : int
    """

    def __init__(self, capture: Captured, settings: CvdSettings, version: int = 0):
        self.version = version
        self.bucket_ns = math.gcd(_FINEST_NS, settings.bar_ns)
        self.marks: list[dict[str, Any]] = []
        self._settings = settings
        self._capture = capture
        self._instrument: Instrument = capture.instrument
        self._gaps_seen = 0
        self._gap_bars: list[int] = []  # not compared yet
        self._feed = TradeFeed(capture, list(settings.resets), settings.days)
        self._bounds = [size_bounds(sizes, capture.instrument) for sizes in settings.sizes]
        sides = (1, -1) if settings.mode == "split" else (0,)
        self._deltas = [
            Cvd(capture.instrument, sizes=sizes, aggressor=side) for sizes in settings.sizes for side in sides
        ]
        price = [(0, rule) for rule in (FIRST, LEAST, MOST, LAST)]
        lines = [(1 + i, rule) for i in range(len(self._deltas)) for rule in (FIRST, LEAST, MOST, LAST)]
        volumes = [(1 + len(self._deltas) + i, SUM) for i in range(2 * len(settings.sizes))]
        self._buckets = Buckets(
            self.bucket_ns, [*price, *lines, *volumes], settings.bar_ns if settings.mode == "delta" else None
        )
        self._divergence = Divergence(settings.divergence) if settings.divergence else None
        self._compared: int | None = None  # first bar that divergence has not seen

    @property
    def progress(self) -> int:
        """Trades taken in."""
        return self._feed.seen

    @property
    def span_ns(self) -> tuple[int, int] | None:
        """Time of the first and of the newest bucket."""
        return (self._buckets.first_ns, self._buckets.last_ns) if len(self._buckets) else None

    def follow(self) -> bool:
        """Take in a bounded number of trades."""
        for piece in self._feed.pieces(ROWS_AT_ONCE):
            ts = piece.prints.ts
            if piece.first:
                self._compared = int(ts[0]) // self._settings.bar_ns
            elif piece.moments or piece.new_day:
                self._reset(piece.moments[-1] if piece.moments else int(ts[0]), int(ts[0]))
            self._buckets.feed(ts, self._values(piece.prints))
            self._compare()
            self._buckets.coarsen()
        return not self._feed.behind

    def _reset(self, moment: int, ts: int) -> None:
        self.marks.append({"ms": moment / 1e6, "kind": "reset", "text": "CVD begins again"})
        for delta in self._deltas:
            delta.reset()
        if self._divergence is not None:
            self._divergence.restart()
            self._compared = ts // self._settings.bar_ns + 1  # a bar cut by a reset is no bar

    def _values(self, prints: Prints) -> Values:
        sizes = real_sizes(prints.size, self._instrument)
        columns = [real_prices(prints.price, self._instrument)]
        columns += [delta.update(prints) for delta in self._deltas]
        for least, below in self._bounds:
            inside = (prints.size >= least) & (prints.size < below)
            columns += [np.where(inside & (prints.side == side), sizes, 0.0) for side in (1, -1)]
        return np.stack(columns, axis=1)

    def _compare(self) -> None:
        """Look for divergence in the bars that were closed since."""
        if self._divergence is None or self._compared is None or self._settings.mode == "split":
            return
        bar_ns = self._settings.bar_ns
        open_bar = self._buckets.last_ns // bar_ns
        if open_bar <= self._compared:
            return
        numbers, values = self._buckets.columns(bar_ns, self._compared, open_bar)
        self._compared = open_bar
        extremes = values[:, [2, 1, _PRICE + 2, _PRICE + 1]]  # most and least of price, of the first delta
        sides = self._divergence.update_between(numbers, extremes, self._lost_before(open_bar))
        for at in np.flatnonzero(sides):
            self.marks.append(_divergence_mark(int(numbers[at]), int(sides[at]), extremes[at], bar_ns))

    def _lost_before(self, open_bar: int) -> IntArray:
        """Bars before the open one that a gap lies in, or whose last trade was the one before a gap; each once."""
        reading, trades = reading_of(self._capture), self._capture.trades
        times = gap_times(self._capture, self._gaps_seen)
        if reading is not None:  # trades before the later gaps are to come
            times = [ts for ts in times if trades.row_at(ts) < len(trades)]
        self._gaps_seen += len(times)
        rows = [trades.row_at(ts) - 1 for ts in times]
        before = [int(piece[0][0]) for row in rows if row >= 0 for piece in trades.chunks(row, row + 1)]
        self._gap_bars += [ts // self._settings.bar_ns for ts in (*times, *before)]
        found: IntArray = np.unique(np.array([bar for bar in self._gap_bars if bar < open_bar], np.int64))
        self._gap_bars = [bar for bar in self._gap_bars if bar >= open_bar]
        return found

    def columns(self, column_ns: int, first: int, stop: int) -> tuple[IntArray, Values]:
        """Columns that traded; price first, then each delta (first, least, most, last), then volumes by filter."""
        return self._buckets.columns(column_ns, first, stop)

    def fitting(self, column_ns: int) -> int:
        """Whole bars where delta is shown, else whole buckets."""
        step = self._settings.bar_ns if self._settings.mode == "delta" else self.bucket_ns
        return max(1, round(column_ns / step)) * step

    def describe(self) -> dict[str, Any]:
        """Return the panes and the series in them."""
        names = filter_names(self._settings.sizes)
        delta = self._settings.mode == "delta"
        series = [_price()]
        volumes = _PRICE + 4 * len(self._deltas)
        for i, name in enumerate(names):
            if delta:
                at = {"buy": volumes + 2 * i, "sell": volumes + 2 * i + 1}
                series.append({"name": name, "kind": "bars", "pane": 0, "at": at, "unit": "size", "style": i})
            elif self._settings.mode == "split":
                series += [
                    _line(f"{name} bought", 2 * i, "buy", i),
                    _line(f"{name} sold", 2 * i + 1, "sell", i),
                ]
            else:
                series.append(_line(name, i, "accent" if not i else "", i))
        return {"panes": [{"name": "Δ" if delta else "CVD", "zero": True}], "series": series}


def filter_names(sizes: Sequence[SizeFilter]) -> list[str]:
    """What the legend calls each filter: ``all``, ``< 1``, ``1–10``, ``≥ 10``."""
    texts = []
    for lower, upper in sizes:
        if upper is None:
            texts.append("all" if not lower else f"≥ {lower:g}")
        else:
            texts.append(f"< {upper:g}" if not lower else f"{lower:g}–{upper:g}")
    return texts


def _line(name: str, index: int, role: str, style: int) -> dict[str, Any]:
    base = _PRICE + 4 * index
    at = {"first": base, "least": base + 1, "most": base + 2, "last": base + 3}
    return {
        "name": name, "kind": "line", "pane": 0, "at": at, "unit": "size", "signed": True, "role": role, "style": style,
    }  # fmt: skip


def _price() -> dict[str, Any]:
    at = {"first": 0, "least": 1, "most": 2, "last": 3}
    return {
        "name": "price", "kind": "line", "pane": 0, "at": at, "unit": "price", "role": "faint", "own": True, "style": 0,
    }  # fmt: skip


def _divergence_mark(bar: int, side: int, extremes: Values, bar_ns: int) -> dict[str, Any]:
    bearish = side < 0
    text = "price made a new high, CVD did not" if bearish else "price made a new low, CVD did not"
    return {
        "ms": bar * bar_ns / 1e6,
        "until_ms": (bar + 1) * bar_ns / 1e6,
        "kind": "bearish" if bearish else "bullish",
        "value": float(extremes[2 if bearish else 3]),
        "price": float(extremes[0 if bearish else 1]),
        "text": text,
    }
