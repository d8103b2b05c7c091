"""One side of the bridge's level book is a plain dict, only faster."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.bridge.levels import WINDOW_TICKS, Levels

_LOW, _HIGH = -(2**31), 2**31 - 1
_EDGES = [_LOW, _LOW + 1, _HIGH - 1, _HIGH, WINDOW_TICKS - 1, WINDOW_TICKS, WINDOW_TICKS + 1, -1]
_prices = st.one_of(st.integers(-3, 3), st.sampled_from(_EDGES), st.integers(_LOW, _HIGH))
_columns = st.lists(st.lists(st.tuples(_prices, st.integers(0, 3)), max_size=8), max_size=6)


def write(levels: Levels, rows: list[tuple[int, int]]) -> None:
    """Write rows as columns."""
    prices, sizes = zip(*rows) if rows else ((), ())
    levels.write(np.array(prices, np.int32), np.array(sizes, np.int64))


def told(levels: Levels, limit: int | None = None) -> list[tuple[int, int]]:
    """Prices and sizes, best first."""
    return list(zip(*(column.tolist() for column in levels.best(limit))))


@given(_columns, st.sampled_from([1, -1]), st.sampled_from([None, 1, 3]))
def test_columns_mean_what_single_changes_mean(
    columns: list[list[tuple[int, int]]], side: int, limit: int | None
) -> None:
    """The last size of a price stays, zero removes it, and all prices of 32 bits are apart."""
    levels, single, expected = Levels(side), Levels(side), dict[int, int]()
    for rows in columns:
        write(levels, rows)
        for price, size in rows:
            single[price] = size
            expected[price] = size
        ordered = sorted(((p, s) for p, s in expected.items() if s), reverse=side > 0)
        assert told(levels, 1) == told(single, 1) == ordered[:1]
    ordered = sorted(((p, s) for p, s in expected.items() if s), reverse=side > 0)
    assert told(levels, limit) == told(single, limit) == ordered[:limit]
    assert all(levels[price] == size for price, size in expected.items())


def test_the_window_follows_the_market() -> None:
    """After a move far away, levels on both ends are still there, and the new market is in the window."""
    levels = Levels(1)
    write(levels, [(10, 1)])
    write(levels, [(10**6 + tick, 2) for tick in range(100)])
    assert told(levels, 1) == [(10**6 + 99, 2)]
    assert told(levels)[-1] == (10, 1)
    write(levels, [(10**6 + 99, 0), (10, 0)])
    assert told(levels, 1) == [(10**6 + 98, 2)]
    assert levels[10] == levels[10**6 + 99] == 0


def test_columns_have_the_protocols_types() -> None:
    """int32 ticks and int64 lots, also of an empty side, and not views of what changes."""
    levels = Levels(-1)
    prices, sizes = levels.best()
    assert (prices.dtype, sizes.dtype, len(prices)) == (np.int32, np.int64, 0)
    write(levels, [(5, 1)])
    kept = levels.best()[1]
    write(levels, [(5, 2)])
    assert kept.tolist() == [1]
