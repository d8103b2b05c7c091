"""Sizes against arithmetic by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest

from workbench.errors import WorkbenchError
from workbench.trading.sizing import fixed, fixed_fractional, kelly, kelly_fraction, volatility_target


def test_kelly_of_the_worked_bet() -> None:
    """(1.2 · 0.55 − 0.45) / 1.2 = 0.21 / 1.2 = 0.175; a bet that loses on average takes nothing."""
    assert math.isclose(kelly_fraction(0.55, 1.2), 0.175, rel_tol=1e-12)
    assert kelly_fraction(0.4, 1.0) == 0.0


def test_kelly_is_capped_at_half_and_by_the_loss_allowed() -> None:
    """100 000 · 0.0875 / 100 = 87.5, so 87; 2 000 of loss allowed are 20 lots; more than half is refused."""
    assert kelly(100_000, 0.55, 120, 100) == 87
    assert kelly(100_000, 0.55, 120, 100, part=0.25) == 43
    assert kelly(100_000, 0.55, 120, 100, max_loss=2_000) == 20
    assert kelly(100_000, 0.55, 120, 100, max_loss=-5) == 0
    with pytest.raises(WorkbenchError, match=r"at most 0\.5"):
        kelly(100_000, 0.55, 120, 100, part=0.6)


def test_a_volatility_target_scales_with_what_moves() -> None:
    """100 000 · 0.01 / 0.02 / 5 000 = 10; twice the volatility is half of it; unknown volatility is nothing."""
    assert volatility_target(100_000, 0.01, 0.02, 5_000) == 10
    assert volatility_target(100_000, 0.01, 0.04, 5_000) == 5
    assert volatility_target(100_000, 0.01, math.nan, 5_000) == 0
    assert volatility_target(-1, 0.01, 0.02, 5_000) == 0


def test_a_fixed_fraction_is_what_the_stop_costs() -> None:
    """1 % of 50 000 is 500; eight ticks of 12.50 are 100: five lots, and never rounded up."""
    assert fixed_fractional(50_000, 0.01, 8, 12.5) == 5
    assert fixed_fractional(59_999, 0.01, 8, 12.5) == 5
    assert fixed_fractional(0, 0.01, 8, 12.5) == 0
    assert fixed(3) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: fixed(0),
        lambda: fixed(True),
        lambda: kelly_fraction(1.2, 1),
        lambda: kelly_fraction(0.5, 0),
        lambda: fixed_fractional(1, 2, 1, 1),
        lambda: fixed_fractional(1, 0.1, 0, 1),
        lambda: volatility_target(1, math.nan, 1, 1),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: Callable[[], object]) -> None:
    """Zero sizes, chances above one and parts above the whole name the value and what was expected."""
    with pytest.raises(WorkbenchError, match="expected"):
        wrong()


def test_numbers_of_any_kind_and_bounds_that_are_none() -> None:
    """Of numpy and exact decimals as they come; a bound that is not a number bounds nothing, and is refused."""
    assert fixed(np.int64(3)) == 3
    assert fixed_fractional(50_000, 0.01, 8, Decimal("12.5")) == 5  # type: ignore[arg-type]
    with pytest.raises(WorkbenchError, match="max_loss=nan"):
        kelly(100_000, 0.55, 120, 100, max_loss=float("nan"))
