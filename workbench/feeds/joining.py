"""Small frames that arrived together, as one batch: whoever takes them pays per batch, not per event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from workbench.events import EventBatch
from workbench.protocol.client import ClientNotice
from workbench.protocol.notices import MarketData

MAX_JOINED_ROWS: Final = 65_536


def joined(notices: Iterable[ClientNotice]) -> Iterator[ClientNotice]:
    """Same notices, with neighbouring market data of one instrument joined where its numbers follow each other.

    Parameters
    ----------
    notices : iterable of ClientNotice

    Yields
    ------
    ClientNotice
        In the same order. Filtered data (with a ``sequence`` of its own) and gaps stay as they are.
    """
    run: list[MarketData] = []
    rows = 0
    for notice in notices:
        if run and not _follows(run[-1], notice, rows):
            yield _as_one(run)
            run, rows = [], 0
        if isinstance(notice, MarketData):
            run.append(notice)
            rows += len(notice.batch)
        else:
            yield notice
    if run:
        yield _as_one(run)


def _follows(before: MarketData, notice: ClientNotice, rows: int) -> bool:
    if not isinstance(notice, MarketData) or notice.symbol != before.symbol or rows > MAX_JOINED_ROWS:
        return False
    if before.sequence is not None or notice.sequence is not None:
        return False
    # a gap that skips numbers must stay the last row of its batch
    return before.batch.first_sequence + len(before.batch) == notice.batch.first_sequence


def _as_one(run: list[MarketData]) -> MarketData:
    if len(run) == 1:
        return run[0]
    return MarketData(run[0].symbol, EventBatch.concatenate(d.batch for d in run), None, run[-1].send_ns)
