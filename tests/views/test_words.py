"""Words of a page that may be anything."""

from __future__ import annotations

import math

import pytest

from workbench.views.words import finite


@pytest.mark.parametrize("said", ["3", None, True, math.nan, math.inf, -math.inf, 10**400, [1], {"x": 1}])
def test_what_is_no_finite_number_is_none(said: object) -> None:
    """Texts, flags, lists, infinities and numbers beyond a double are no numbers."""
    assert finite(said) is None


def test_numbers_are_numbers() -> None:
    """Whole or not."""
    assert (finite(3), finite(-2.5)) == (3.0, -2.5)
