"""Core of the VWAP panel: price, and the averages and bands of any number of anchors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import numpy as np

from workbench.events import IntArray
from workbench.flow.prints import Prints, real_prices
from workbench.flow.vwap import Vwap
from workbench.views.live import Captured
from workbench.views.panel_buckets import FIRST, LAST, LEAST, MOST, Buckets, Values
from workbench.views.trade_feed import ROWS_AT_ONCE, Piece, TradeFeed

BUCKET_NS: Final = 100_000_000
_PRICE: Final = 4


@dataclass(frozen=True)
class Anchor:
    """Where an average begins: at a moment, at the first trade (None), or again each day (``days``)."""

    ns: int | None = None
    days: tzinfo | None = None


class VwapSeries:
    """Price and averages of one capture, bucket by bucket.

    Parameters
    ----------
    capture : Captured
    anchors : sequence of Anchor
    bands : sequence of float
    clock : function
        Text of a moment in ns, for the legend.
    version : int
    """

    bucket_ns = BUCKET_NS

    def __init__(
        self,
        capture: Captured,
        anchors: Sequence[Anchor],
        bands: Sequence[float],
        clock: Callable[[int], str],
        version: int = 0,
    ):
        self.version = version
        self.marks: list[dict[str, Any]] = []
        self._instrument = capture.instrument
        self._anchors, self._bands, self._clock = tuple(anchors), tuple(bands), clock
        moments = [anchor.ns for anchor in anchors if anchor.ns is not None]
        days = next((anchor.days for anchor in anchors if anchor.days is not None), None)
        self._feed = TradeFeed(capture, moments, days)
        self._averages = [Vwap(capture.instrument) for _ in anchors]
        price = [(0, rule) for rule in (FIRST, LEAST, MOST, LAST)]
        self._buckets = Buckets(BUCKET_NS, [*price, *((1 + i, LAST) for i in range(2 * len(anchors)))])

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
            self._begin(piece)
            self._buckets.feed(piece.prints.ts, self._values(piece.prints))
            self._buckets.coarsen()
        return not self._feed.behind

    def _begin(self, piece: Piece) -> None:
        for i, anchor in enumerate(self._anchors):
            if anchor.days is not None and piece.new_day:
                self._averages[i] = Vwap(self._instrument)
                self.marks.append({"ms": int(piece.prints.ts[0]) / 1e6, "kind": "anchor", "text": "new day"})
            elif anchor.ns in piece.moments and anchor.ns is not None:
                self.marks.append({"ms": anchor.ns / 1e6, "kind": "anchor", "text": self._name(anchor)})

    def _values(self, prints: Prints) -> Values:
        columns = [real_prices(prints.price, self._instrument)]
        first = int(prints.ts[0])
        for anchor, average in zip(self._anchors, self._averages):
            if anchor.ns is not None and first < anchor.ns:
                columns += [np.full(len(prints.ts), np.nan)] * 2
            else:
                columns += average.update(prints)
        return np.stack(columns, axis=1)

    def columns(self, column_ns: int, first: int, stop: int) -> tuple[IntArray, Values]:
        """Columns that traded; price (first, least, most, last), then average and σ of each anchor, the last ones."""
        return self._buckets.columns(column_ns, first, stop)

    def fitting(self, column_ns: int) -> int:
        """Whole buckets."""
        return max(1, round(column_ns / BUCKET_NS)) * BUCKET_NS

    def describe(self) -> dict[str, Any]:
        """Return the pane and the series in it."""
        series: list[dict[str, Any]] = []
        for i, anchor in enumerate(self._anchors):
            at = {"value": _PRICE + 2 * i, "sigma": _PRICE + 2 * i + 1}
            series.append(
                {
                    "name": self._name(anchor), "kind": "average", "pane": 0, "at": at, "unit": "price", "style": i + (i > 0),
                    "bands": list(self._bands), "role": "accent" if not i else "",
                }
            )  # fmt: skip
        at = {"first": 0, "least": 1, "most": 2, "last": 3}
        price = {
            "name": "last",
            "kind": "line",
            "pane": 0,
            "at": at,
            "unit": "price",
            "role": "last",
            "style": 0,
        }
        return {"panes": [{"name": "VWAP", "zero": False}], "series": [*series, price]}

    def _name(self, anchor: Anchor) -> str:
        if anchor.days is not None:
            return "VWAP of the day"
        return "VWAP" if anchor.ns is None else f"VWAP {self._clock(anchor.ns)}"
