"""Warming: every part that the launcher compiles in advance really runs."""

from __future__ import annotations

import pytest

from workbench import warm


@pytest.mark.parametrize("part", warm.PARTS)
def test_each_part_comes_through(part: str) -> None:
    """A part compiles what it names, without a screen and without a network, and leaves nothing open."""
    assert warm.main([part]) == 0
