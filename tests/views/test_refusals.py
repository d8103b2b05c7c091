"""What means nothing is refused where it was written, whichever view it was written for."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.errors import WorkbenchError


@pytest.fixture(scope="module")
def session():
    s = wb.simulate(seed=7, inline=True)
    s.advance("5s")
    yield s
    s.close()


@pytest.mark.parametrize("bars", ["a", -4, True, 2.5])
def test_divergence_is_a_number_of_bars(session, bars) -> None:
    """Words, negative numbers and truth values are no number of bars; the refusal names the argument."""
    with pytest.raises(WorkbenchError, match="divergence"):
        wb.Cvd(session, divergence=bars)


def test_settings_of_a_workspace_belong_to_views_that_it_shows(session) -> None:
    """A misspelt view would lose its settings without a word."""
    with pytest.raises(WorkbenchError, match=r"'Tapee'.*Tape"):
        wb.Workspace(session, settings={"Tapee": {}})


def test_a_fixed_profile_has_a_span_that_runs_forward(session) -> None:
    """Neither no span nor one that ends before it begins can be summed."""
    with pytest.raises(WorkbenchError, match="without a span"):
        wb.Profile(session, kind="fixed")
    with pytest.raises(WorkbenchError, match="before the end"):
        wb.Profile(session, start=5, end=3)
