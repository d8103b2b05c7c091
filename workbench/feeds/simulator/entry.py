"""The kernel that Python calls, cached on disk until any source of the market changes."""

from __future__ import annotations

from numba import from_dtype, types

from workbench.book.jit import kernel
from workbench.feeds.simulator.actions import act
from workbench.feeds.simulator.hand import perform
from workbench.feeds.simulator.kernel import due, fill, open_market, schedule, settling, write_snapshot
from workbench.feeds.simulator.state import MARKET, Market

_FOUND, _RUN, _SNAPSHOT, _PERFORM = range(4)


@kernel(types.int64(from_dtype(MARKET), types.int64, types.int64, types.int64))
def _operate(m: Market, what: int, ns: int, price: int) -> int:
    # One entry with one loop: the compiler works through all that is called, once for each place that calls it.
    if what == _SNAPSHOT:
        return write_snapshot(m, ns)
    if what == _FOUND:
        fill(m, price)
    m.rows = 0
    if what == _PERFORM:
        return perform(m, ns)
    while settling(m) if what == _FOUND else due(m, ns):
        act(m)
        schedule(m)
    if what == _FOUND:
        open_market(m, ns)
    return int(m.rows)


def found_market(m: Market, price: int, start_ns: int) -> None:
    """Fill a new book round a price and let it settle before anybody looks."""
    _operate(m, _FOUND, start_ns, price)


def run(m: Market, until_ns: int) -> int:
    """Let the market go on until a time, or until the buffer is full; returns the rows written."""
    return _operate(m, _RUN, until_ns, 0)


def snapshot(m: Market, ts_ns: int) -> int:
    """Write the whole book between ``CLEAR`` and ``SNAPSHOT_END``; returns the rows written."""
    return _operate(m, _SNAPSHOT, ts_ns, 0)


def carry_out(m: Market, ts_ns: int) -> int:
    """Do what the fields ``hand_…`` of a market say; returns the rows written."""
    return _operate(m, _PERFORM, ts_ns, 0)
