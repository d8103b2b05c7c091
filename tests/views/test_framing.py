"""Which prices a picture shows when nobody has chosen."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.views import framing
from workbench.views.raster import NO_TICK


@pytest.mark.parametrize(
    ("wanted", "ticks"),
    [(0.2, 1), (1, 1), (1.6, 2), (4, 5), (14, 10), (22, 20), (30, 25), (80, 100), (333, 250)],
)
def test_rows_are_round_numbers_of_ticks(wanted, ticks):
    """The nearest of 1, 2, 5, 10, 20, 25, 50, … by ratio."""
    assert framing.nice_ticks(wanted) == ticks


def test_a_dense_quiet_book_gets_rows_of_one_tick():
    """An index future whose mid moves a few ticks is shown tick by tick."""
    mids = np.array([100.5, 102.5, 101.5])
    assert framing.row_ticks(framing.visible_ticks(mids, reach=20)) == 1


def test_a_sparse_wide_book_gets_wider_rows():
    """A mid that ranges over 1,000 ticks needs rows of 10: 1.7 × 980 / 140 = 11.9."""
    mids = np.linspace(600_000, 601_000, 500)
    assert framing.row_ticks(framing.visible_ticks(mids, reach=100)) == 10


def test_columns_without_a_side_have_no_mid():
    """An empty side makes the mid unknown, not half of a sentinel."""
    best = np.array([[NO_TICK, 5], [4, 6]], dtype=np.int32)
    assert np.isnan(framing.mids(best)[0])
    assert framing.mids(best)[1] == 5


def test_rows_change_with_hysteresis():
    """Twice too fine or four times too coarse is worth a new picture, less is not."""
    assert framing.worth_changing(5, 10)
    assert not framing.worth_changing(10, 5)
    assert framing.worth_changing(20, 5)
