"""Forward moves by hand: where an entry is, what it costs, what is not known."""

from __future__ import annotations

import numpy as np

from tests.support.touches import INSTRUMENT, random_states, states
from workbench.flow.signals.sight import Needs, sight_of
from workbench.lab.forward import Mids, forward, paths
from workbench.lab.points import Points

NAN = np.nan
# mids 100.5, 101.5, 102, 101.5, 104.5 at 10, 20, 30, 40, 50 ns; the spread is 2 at 30 ns, else 1
BOOKS = [(100, 5, 101, 5), (101, 5, 102, 5), (101, 5, 103, 5), (101, 6, 102, 5), (104, 5, 105, 5)]
TIMES = [10, 20, 30, 40, 50]


def market(levels=BOOKS, times=TIMES) -> Mids:  # type: ignore[no-untyped-def]
    """The market of books given as best prices and sizes."""
    return Mids.of(sight_of([states(levels, times)], Needs(1), INSTRUMENT))


def rows_at(of: Mids, *times: int) -> np.ndarray:
    """Last row at each time."""
    return np.searchsorted(of.ts, times, "right") - 1


def test_entry_is_the_first_state_strictly_after() -> None:
    """Known at 10, entered at 20 (101.5); 20 ns later it is 101.5, 30 ns later 104.5; extremes 102 and 101.5."""
    m = market()
    after = forward(m, rows_at(m, 10), np.array([10, 20, 30]))
    assert m.ts[after.row].tolist() == [20]
    np.testing.assert_array_equal(after.move, [[0.5, 0.0, 3.0]])
    np.testing.assert_array_equal(after.high, [[0.5, 0.5, 3.0]])
    np.testing.assert_array_equal(after.low, [[0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(
        after.paid, [[1.5, 1.0, 1.0]]
    )  # (1 + 2) / 2 where the exit meets the wide spread


def test_latency_moves_the_entry() -> None:
    """Known at 10, 10 ns on the way: the order meets the first state after 20, which is that of 30."""
    m = market()
    after = forward(m, rows_at(m, 10), np.array([10]), latency_ns=10)
    assert m.ts[after.row].tolist() == [30]
    np.testing.assert_array_equal(after.move, [[-0.5]])
    assert m.ts[forward(m, rows_at(m, 10), np.array([10]), latency_ns=9).row].tolist() == [20]


def test_nothing_is_known_beyond_the_end() -> None:
    """From the last state there is no entry, and no move to a time after it."""
    m = market()
    after = forward(m, rows_at(m, 50, 40, 30), np.array([5]))
    assert (after.row >= 0).tolist() == [False, True, True]
    np.testing.assert_array_equal(after.move, [[NAN], [NAN], [0.0]])


def test_nothing_is_known_across_a_gap() -> None:
    """A GAP between signal and entry, or between entry and horizon, leaves nothing to measure."""
    m = market([*BOOKS[:2], None, *BOOKS[2:], BOOKS[0]], [10, 20, 25, 30, 40, 50, 60])
    after = forward(m, rows_at(m, 10, 20, 30), np.array([10]))
    assert (after.row >= 0).tolist() == [True, False, True]
    np.testing.assert_array_equal(after.move, [[NAN], [NAN], [3.0]])


def test_one_sided_states_have_no_mid() -> None:
    """No entry where nobody offers."""
    m = market([BOOKS[0], (101, 5, 0, 0), BOOKS[2]], [10, 20, 30])
    assert forward(m, rows_at(m, 10), np.array([1])).row.tolist() == [-1]


def test_extremes_agree_with_a_plain_search() -> None:
    """Over blocks of 32 and of 1024 rows as row by row."""
    rng = np.random.default_rng(5)
    levels = random_states(rng, 4000, gaps=0.0005)
    times = np.cumsum(rng.integers(1, 5, 4000)).tolist()
    m = market(levels, times)
    rows, horizons = np.arange(0, len(m.ts), 37), np.array([40, 900, 6000])
    after = forward(m, rows, horizons)
    for e, (row, start) in enumerate(zip(rows, after.row)):
        for h, horizon in enumerate(horizons):
            end = m.ts[start] + horizon
            stop = int(np.searchsorted(m.ts, end, "right")) - 1
            whole = start >= 0 and end <= m.ts[-1] and m.age[stop] >= m.ts[stop] - m.ts[start]
            if not whole or np.isnan(m.mid[stop]):
                assert np.isnan(after.move[e, h])
                continue
            between = m.mid[start : stop + 1]
            seen = (after.move[e, h], after.high[e, h], after.low[e, h])
            assert seen == tuple(
                np.array([m.mid[stop], np.nanmax(between), np.nanmin(between)]) - m.mid[start]
            )
            assert m.ts[start] > m.ts[row]


def test_paths_by_hand() -> None:
    """Around 30 (102): 20 ns before 100.5, 10 ns after 101.5, 20 ns after 104.5; nothing beyond the ends."""
    m = market()
    around = paths(m, rows_at(m, 30, 50), np.array([-20, 0, 10, 20]))
    np.testing.assert_array_equal(around, [[-1.5, 0.0, -0.5, 2.5], [-2.5, 0.0, NAN, NAN]])


def test_points_are_spread_over_time() -> None:
    """Each state once, and the move after it."""
    m = market()
    points = Points.of(m, np.array([10]))
    assert np.all(np.diff(points.rows) > 0)
    np.testing.assert_array_equal(points.moves, forward(m, points.rows, np.array([10])).move)
    assert len(Points.of(market([BOOKS[0]], [10]), np.array([10])).rows) <= 2


def test_the_way_of_the_mid() -> None:
    """1 + 0.5 + 0.5 + 3 ticks; a gap adds nothing."""
    assert market().travelled[-1] == 5.0
    assert market([*BOOKS[:2], None, *BOOKS[2:]], [10, 20, 25, 30, 40, 50]).travelled[-1] == 4.5
