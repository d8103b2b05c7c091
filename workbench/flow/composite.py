"""Profiles of several sessions added up, and their nodes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import SUBTICKS_PER_TICK
from workbench.flow.batches import instrument_of
from workbench.flow.developing import volume_nodes
from workbench.flow.prints import TradesSource, prints_of, real_prices, real_sizes
from workbench.flow.profile import Method, ProfileBuilder, VolumeProfile

__all__ = ["composite_profile", "profile_nodes"]

_MOST_ROWS = 10_000_000


def composite_profile(
    sessions: Iterable[TradesSource],
    value_area: float = 0.70,
    method: Method = "two_row",
    row_ticks: int = 1,
    *,
    otc: bool = False,
) -> VolumeProfile:
    """Volume profile of several sessions together: the sum of their volumes by price.

    Parameters
    ----------
    sessions : iterable of sessions or recordings
        At least one, all on one grid of ticks and lots.
    value_area, method, row_ticks, otc
        As :func:`workbench.volume_profile` takes them.

    Returns
    -------
    VolumeProfile

    Raises
    ------
    WorkbenchError
        No session, different grids, or as :func:`workbench.volume_profile`.

    Notes
    -----
    Volume at a price is the sum over the sessions; point of control and value area are those of the sum, by the same
    tie rules. None of either without trades.

    References
    ----------
    J. P. Steidlmayer, *Market Profile* (CBOT, 1984).
    """
    builder: ProfileBuilder | None = None
    for session in sessions:
        theirs = instrument_of(session)
        builder = builder or ProfileBuilder(theirs, row_ticks, otc=otc)
        ours = builder.instrument
        if (ours.tick_size, ours.lot_size) != (theirs.tick_size, theirs.lot_size):
            raise WorkbenchError(
                f"{theirs.symbol!r} with ticks of {theirs.tick_size} and lots of {theirs.lot_size}",
                expected=f"the grid of the first session: {ours.tick_size} and {ours.lot_size}",
            )
        builder.update(prints_of(session, otc=otc))
    if builder is None:
        raise WorkbenchError("a composite of no session", expected="at least one session or recording")
    return builder.profile(value_area, method)


def profile_nodes(x: TradesSource, row_ticks: int = 1, reach: int = 3, *, otc: bool = False) -> pl.DataFrame:
    """High and low volume nodes of the profile of a session or recording.

    Parameters
    ----------
    x : session or recording
    row_ticks : int, optional
        Height of a row; rows are anchored at price 0.
    reach : int, optional
        So many rows on both sides must hold less (more).
    otc : bool, optional
        Whether off-book prints count.

    Returns
    -------
    DataFrame
        ``price`` (low edge), ``kind`` (``"high"`` or ``"low"``), ``volume`` of the row, by price. The rule is that of
        :func:`~workbench.flow.developing.volume_nodes`.

    Raises
    ------
    WorkbenchError
        Prices so far apart that rows cannot lie side by side.

    Notes
    -----
    A high node holds more than each of so many rows on both sides, a low one less. No rows without trades.

    References
    ----------
    J. P. Steidlmayer, *Market Profile* (CBOT, 1984).
    """
    builder = ProfileBuilder(instrument_of(x), row_ticks, otc=otc)
    builder.update(prints_of(x, otc=otc))
    if builder.height > _MOST_ROWS:
        raise WorkbenchError(
            f"{builder.height} rows", expected=f"at most {_MOST_ROWS}", action="Use a larger row_ticks"
        )
    table = builder.rows()
    first = int(table[0, 0]) if len(table) else 0
    lots = np.zeros(builder.height, np.int64)
    lots[table[:, 0] - first] = table[:, 1:].sum(axis=1)
    high, low = volume_nodes(lots, reach)
    nodes = sorted([*((at, "high") for at in high), *((at, "low") for at in low)])
    rows = np.array([at for at, _ in nodes], np.int64)
    edges = (rows + first) * (row_ticks * SUBTICKS_PER_TICK)
    return pl.DataFrame(
        [
            pl.Series("price", real_prices(edges, instrument_of(x)), pl.Float64),
            pl.Series("kind", [kind for _, kind in nodes], pl.String),
            pl.Series("volume", real_sizes(lots[rows], instrument_of(x)), pl.Float64),
        ]
    )
