"""The book at fixed intervals and nothing between: what a backtest on snapshots sees."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from workbench.events import Array, EventBatch, EventKind

_LEVEL: Final = ("round", "life", "side", "price")
"""A level belongs to a round (snapshot) and to a life of the book, which ends at CLEAR and GAP."""
_CLEARED, _REMOVED, _CHANGED, _WHOLE = range(4)


def snapshots_of(batch: EventBatch, every_ns: int) -> EventBatch:
    """Rows that tell the whole book anew at each interval: what changed since the last one, at one time.

    Parameters
    ----------
    batch : EventBatch
        In time order.
    every_ns : int, ns

    Returns
    -------
    EventBatch
        DEPTH, CLEAR and SNAPSHOT_END rows; no trades, no orders. Removals come before the rest, so that the book is
        crossed at no row.

    Notes
    -----
    Snapshots lie at whole intervals after the first row, each with everything up to its time. The book is not known at a
    snapshot that falls between a GAP or CLEAR and the end of the next snapshot of the venue.
    """
    if not len(batch):
        return EventBatch.empty()
    ts, kind = np.maximum.accumulate(batch.ts), batch.kind
    first = int(ts[0])
    rounds = -((first - ts) // every_ns)
    life = np.cumsum((kind == EventKind.CLEAR) | (kind == EventKind.GAP))
    last = np.append(np.flatnonzero(np.diff(rounds)), len(rounds) - 1)
    in_force = np.repeat(life[last], np.diff(np.append(-1, last)))
    rows = pl.concat([_changes(batch, rounds, life, in_force), _marks(kind, rounds, life, in_force)])
    rows = rows.sort("round", "rank", maintain_order=True)
    columns: dict[str, Any] = {name: rows[name].to_numpy() for name in ("kind", "side", "price", "size")}
    return EventBatch.of(ts=first + rows["round"].to_numpy() * every_ns, **columns)


def _changes(batch: EventBatch, rounds: Array, life: Array, in_force: Array) -> pl.DataFrame:
    """Last size of each level in each round, where it is another than the one told before."""
    kept = (batch.kind == EventKind.DEPTH) & (life == in_force)
    columns = {"round": rounds, "life": life, "side": batch.side, "price": batch.price, "size": batch.size}
    table = pl.DataFrame({name: np.asarray(values[kept], np.int64) for name, values in columns.items()})
    told = table.group_by(_LEVEL, maintain_order=True).last()
    before = pl.col("size").shift().over("life", "side", "price").fill_null(0)
    rank = pl.when(pl.col("size") == 0).then(pl.lit(_REMOVED)).otherwise(pl.lit(_CHANGED))
    depth = pl.lit(int(EventKind.DEPTH), pl.Int64)
    return told.filter(pl.col("size") != before).select(
        "round", rank.cast(pl.Int64).alias("rank"), depth.alias("kind"), "side", "price", "size"
    )


def _marks(kind: Array, rounds: Array, life: Array, in_force: Array) -> pl.DataFrame:
    """A CLEAR where a new life of the book is in force, a SNAPSHOT_END where it was whole for the first time."""
    begins = np.flatnonzero(np.diff(np.append(0, in_force)))
    whole = np.flatnonzero((kind == EventKind.SNAPSHOT_END) & (life == in_force))
    whole = whole[np.unique(life[whole], return_index=True)[1]]
    found = [(begins, _CLEARED, EventKind.CLEAR), (whole, _WHOLE, EventKind.SNAPSHOT_END)]
    return pl.concat(
        pl.DataFrame({"round": rounds[rows]}, schema={"round": pl.Int64}).with_columns(
            rank=pl.lit(rank, pl.Int64),
            kind=pl.lit(int(what), pl.Int64),
            **{name: pl.lit(0, pl.Int64) for name in ("side", "price", "size")},
        )
        for rows, rank, what in found
    )


__all__ = ["snapshots_of"]
