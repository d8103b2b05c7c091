"""Signals put together, by hand."""

from __future__ import annotations

import workbench as wb
from tests.support.touches import Recorded, states
from workbench.flow.signals.contract import Signal

S = wb.signals
BOOKS = [(100, 9, 101, 1), (100, 7, 101, 3), (100, 5, 101, 5), (100, 2, 101, 8), (100, 9, 101, 1)]
STRICT, LOOSE = S.BookImbalance(enter=0.7, leave=0.7), S.BookImbalance(enter=0.3, leave=0.3)


def sides(signal: Signal, times: list[int] | None = None) -> list[int]:
    """Sides at the five books, whose imbalances are 0.8, 0.4, 0, −0.6 and 0.8."""
    return signal.over(Recorded([states(BOOKS, times)]))["side"].to_list()[-5:]


def test_parts_by_hand() -> None:
    """What the parts say, which all the rest follows from."""
    assert sides(STRICT) == [1, 0, 0, 0, 1]
    assert sides(LOOSE) == [1, 1, 0, -1, 1]


def test_and_or_unless_and_reverse() -> None:
    """All agree; any and none against it; the first while the second is silent; the opposite."""
    assert sides(STRICT & LOOSE) == [1, 0, 0, 0, 1]
    assert sides(STRICT | LOOSE) == [1, 1, 0, -1, 1]
    assert sides(LOOSE | ~LOOSE) == [0, 0, 0, 0, 0]
    assert sides(S.Unless(LOOSE, STRICT)) == [0, 1, 0, -1, 0]
    assert sides(~LOOSE) == [-1, -1, 0, 1, -1]


def test_threshold_takes_the_score_alone() -> None:
    """|0.8|, |0.8| and |−0.6| reach 0.5; 0.4 does not leave it where 0.3 is the end."""
    assert sides(S.Threshold(STRICT, enter=0.5)) == [1, 0, 0, -1, 1]
    assert sides(S.Threshold(STRICT, enter=0.5, leave=0.3)) == [1, 1, 0, -1, 1]


def test_cooldown_speaks_once_and_rests() -> None:
    """Buy at 1 s, then silent; sell at 4 s is too early after it for a rest of 3.5 s, the buy at 5 s is not."""
    times = [k * 1_000_000_000 for k in range(1, 6)]
    assert sides(S.Cooldown(LOOSE, rest_s=3.5), times) == [1, 0, 0, 0, 1]
    assert sides(S.Cooldown(LOOSE, rest_s=0.5), times) == [1, 0, 0, -1, 1]


def test_unknown_parts() -> None:
    """Both are unknown where one is; either is what the known one says."""
    cold = S.OfiMomentum(half_life_s=100.0)
    both, either = ((cold & LOOSE), (cold | LOOSE))
    assert both.over(Recorded([states(BOOKS)]))["score"].is_null().all()
    assert sides(both) == [0] * 5
    assert sides(either) == sides(LOOSE)
