"""What planted participants did: the known truth, one record per event."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from workbench.events import Instrument

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Planted:
    """One event that was planted and has come to its end.

    Attributes
    ----------
    kind : str
        As of :class:`~workbench.feeds.simulator.planting.Plant`.
    start_ns, end_ns : int
        First and last act; what it takes to recognise it lies between them.
    side : int
        +1 or −1, of the resting side or of the aggressor, see Plant.
    price, price_end : int, ticks
        Where it began and where it ended (sweeps, stop runs, layering, moved walls).
    size : int, lots
        What was really shown, hidden and shown, or taken.
    count : int
        Refills of an iceberg, levels of a sweep or of layering, orders of a stop run.
    fate : str
        ``filled``, ``consumed``, ``pulled``, ``moved``, or ``failed``: the market did not let it happen as scripted
        (an iceberg never refilled, a spoof order that was hit).
    order_id : int
        First order; 0 for aggressors.
    """

    kind: str
    start_ns: int
    end_ns: int
    side: int
    price: int
    price_end: int
    size: int
    count: int
    fate: str
    order_id: int


_COLUMNS: Final = (
    "symbol",
    "kind",
    "start",
    "end",
    "side",
    "price",
    "price_end",
    "size",
    "count",
    "fate",
    "order_id",
)


def planted_frame(records: Iterable[tuple[Instrument, Planted]]) -> pl.DataFrame:
    """Events in order of their start, in real units, with ``symbol``, ``start`` and ``end`` (UTC)."""
    import polars as pl

    rows = [
        {
            **asdict(record),
            "symbol": instrument.symbol,
            "price": float(record.price * instrument.tick_size),
            "price_end": float(record.price_end * instrument.tick_size),
            "size": float(record.size * instrument.lot_size),
        }
        for instrument, record in records
    ]
    time = pl.Datetime("ns", "UTC")
    schema = {
        "symbol": pl.String, "kind": pl.String, "start_ns": pl.Int64, "end_ns": pl.Int64, "side": pl.Int8,
        "price": pl.Float64, "price_end": pl.Float64, "size": pl.Float64, "count": pl.Int64, "fate": pl.String,
        "order_id": pl.Int64,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    times = [pl.col(f"{name}_ns").cast(time).alias(name) for name in ("start", "end")]
    return frame.sort("start_ns", "symbol").with_columns(times).select(_COLUMNS)
