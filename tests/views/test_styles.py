"""Style sheets: all of them stand on one page, so none may reach into another view; colours come from the theme."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workbench.views.esm import source
from workbench.views.theme import THEMES

FOLDER = Path(__file__).parents[2] / "workbench" / "views"
SHEETS = sorted(path.name for path in FOLDER.glob("*.css"))
OF_ONE_VIEW = {
    "heatmap.css": ".ow-heatmap",
    "heat_marks.css": ".ow-heatmap",
    "ladder.css": ".ow-ladder",
    "panel.css": ".ow-panel",
    "tape.css": ".ow-tape-view",
    "health.css": ".ow-health",
}


def selectors(name: str) -> list[str]:
    """Selectors of a sheet, one each; those inside of keyframes are left out."""
    text = re.sub(r"/\*.*?\*/", "", source(name), flags=re.DOTALL)
    text = re.sub(r"@keyframes [^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", text)
    lists = [found.strip() for found in re.findall(r"([^{}]+)\{", text)]
    return [one.strip() for found in lists if not found.startswith("@") for one in _split(found)]


def _split(text: str) -> list[str]:
    """Parts between the commas that stand in no parentheses."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


@pytest.mark.parametrize(("name", "root"), OF_ONE_VIEW.items())
def test_a_views_own_rules_reach_no_other_view(name, root):
    """Every selector begins with the class of the view's root."""
    assert [selector for selector in selectors(name) if not selector.startswith(root)] == []


@pytest.mark.parametrize("name", SHEETS)
def test_rules_name_only_our_own_classes(name):
    """No rule begins with an element: it would dress the notebook around the views."""
    assert [selector for selector in selectors(name) if not selector.startswith(".ow-")] == []


@pytest.mark.parametrize("name", SHEETS)
def test_every_colour_of_a_sheet_is_a_role_of_both_themes(name):
    """A variable without a value would draw in the page's own colour."""
    used = set(re.findall(r"var\(--ow-([a-z_]+)\)", source(name)))
    assert [role for role in sorted(used) if not all(role in theme for theme in THEMES.values())] == []
