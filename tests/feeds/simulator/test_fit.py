"""The simulated flow stays within the tolerances that the documentation states."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.feeds.simulator.fit import TARGETS, Fitted, Target, fit, fit_table

PAGE = Path(__file__).parents[3] / "docs" / "simulator.md"


@pytest.mark.parametrize("profile", sorted(TARGETS))
def test_every_figure_is_within_its_tolerance_and_the_page_shows_it(profile: str) -> None:
    """The mean over the seeds is accepted for each figure, and docs/simulator.md holds this very table."""
    rows = fit(profile)
    assert [r.target.figure for r in rows if not r.good] == []
    assert fit_table(rows) in PAGE.read_text(encoding="utf-8")


def test_tolerances_are_factors_or_margins() -> None:
    """A factor works both ways; a margin serves figures near zero."""
    assert Target("x", 10, 2).accepts(5)
    assert not Target("x", 10, 2).accepts(21)
    assert Target("x", 0.01, 0, 0.05).accepts(-0.03)
    assert "**off**" in fit_table([Fitted(Target("x", 10, 2), 4.0)])
