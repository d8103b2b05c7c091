"""Kaplan–Meier: an oracle by hand, and lives one by one."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import WorkbenchError
from workbench.flow.survival import Survival, kaplan_meier


def test_oracle() -> None:
    """Freireich's 6-MP arm, first steps: 21 at risk, 3 end at 6; 17 at 7; 15 at 10; 12 at 13; 11 at 16; 7, 6."""
    weeks = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    ended = [True] * 9 + [False] * 12
    curve = kaplan_meier(weeks, ended)
    assert curve.time.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    # 18/21 = .857, · 16/17 = .807, · 14/15 = .753, · 11/12 = .690, · 10/11 = .627, · 6/7 = .538, · 5/6 = .448
    assert curve.survival == pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4)


def test_rest() -> None:
    """Lives of 1, 2, 3 and 6: what lasted 1 has (1 + 2 + 5)/3 left on average; half of them end at 3, 2 later."""
    curve = kaplan_meier([1, 2, 3, 6], [True] * 4)
    assert curve.remaining(1) == pytest.approx(8 / 3)
    assert curve.remaining(0) == pytest.approx(3.0)
    assert curve.half_remaining(1) == 2.0
    assert np.isnan(curve.remaining(6))
    assert np.isnan(curve.half_remaining(6))


def test_nothing_known() -> None:
    """Without an end that was seen there is no estimate."""
    assert np.isnan(kaplan_meier([], []).remaining(0))
    assert np.isnan(kaplan_meier([4.0], [False]).remaining(1))


def test_one_by_one_equals_at_once() -> None:
    """The streaming face has the curve of the last lives it remembers."""
    rng = np.random.default_rng(3)
    lasted, ended = rng.integers(1, 20, 60).astype(float), rng.random(60) < 0.7
    stream = Survival(memory=25)
    for life in zip(lasted, ended):
        stream.add(*life)
    for one, other in zip(stream.curve, kaplan_meier(lasted[-25:], ended[-25:])):
        np.testing.assert_array_equal(one, other)


def test_bad_input_is_refused() -> None:
    """Lengths must agree, times be 0 or more, memory hold something."""
    for call in (
        lambda: kaplan_meier([1.0], [True, False]),
        lambda: kaplan_meier([-1.0], [True]),
        lambda: kaplan_meier([float("nan")], [True]),
        lambda: Survival(0),
    ):
        with pytest.raises(WorkbenchError):
            call()
