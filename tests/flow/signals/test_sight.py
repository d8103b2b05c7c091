"""Sights: fewer levels seen out of more are what the events themselves would have shown."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.signals import INSTRUMENT, with_a_gap
from workbench.flow.signals.sight import Needs, sight_of


@pytest.mark.parametrize("levels", [1, 2, 5, 10])
def test_a_narrowed_sight_is_the_one_that_is_read(levels: int) -> None:
    """Same rows, states, ages and mids, across a gap too."""
    deep = sight_of([with_a_gap()], Needs(10), INSTRUMENT)
    read, found = sight_of([with_a_gap()], Needs(levels), INSTRUMENT), deep.narrowed(levels)
    for expected, given in zip(read.moments, found.moments):
        np.testing.assert_array_equal(given, expected)
    np.testing.assert_array_equal(found.age, read.age)
    np.testing.assert_array_equal(found.mid, read.mid)
    assert (len(found.age) < len(deep.age)) == (levels < 10)
