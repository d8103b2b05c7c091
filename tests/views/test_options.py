"""Options that every view has are checked where they are written."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.support.view_events import shown
from workbench.errors import WorkbenchError
from workbench.views.options import check_options
from workbench.views.workspace import VIEWS, Workspace


@pytest.mark.parametrize("name", VIEWS)
def test_no_view_takes_a_theme_that_is_none(name):
    """A misspelt theme is refused with the right ones, in every view."""
    view = getattr(import_module(f"workbench.views.{VIEWS[name]}"), name)
    with pytest.raises(WorkbenchError, match="theme 'pink'; expected one of dark, light, auto"):
        view(shown(), theme="pink")


@pytest.mark.parametrize("name", ["Heatmap", "Profile", "Footprint", "Cvd", "Vwap", "DepthOverTime"])
def test_zones_and_heights_that_are_none_are_refused(name):
    """A zone that does not exist, a height that is text, negative or no whole number."""
    view = getattr(import_module(f"workbench.views.{VIEWS[name]}"), name)
    with pytest.raises(WorkbenchError, match="zone 'Mars/X'; expected an IANA name"):
        view(shown(), zone="Mars/X")
    for height in ("big", -3, 0, True, 1e9):
        with pytest.raises(WorkbenchError, match="expected whole pixels from 60"):
            view(shown(), height=height)


def test_a_workspace_refuses_before_it_builds_anything():
    """As its views do, with the same words."""
    for wrong in ({"theme": "pink"}, {"height": "big"}, {"zone": "Mars/X"}):
        with pytest.raises(WorkbenchError, match="expected"):
            Workspace(shown(), **wrong)


def test_options_that_are_not_given_are_not_asked_for():
    """Views without a height or a zone."""
    check_options({})
    check_options({"theme": "auto", "zone": None})
