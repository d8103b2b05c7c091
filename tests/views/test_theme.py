"""Colours: complete, the same roles in both themes, legible."""

from __future__ import annotations

import pytest

from workbench.errors import WorkbenchError
from workbench.views.theme import COLOUR_MAPS, THEMES, colour_table, palette, rgb


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", sorted(THEMES))
def test_texts_are_legible(name):
    """WCAG AA: 4.5 to 1 for texts on background and panel, 3 to 1 for lines and bars."""
    colours = THEMES[name]
    for role in ("text", "faint", "warn", "ask"):
        assert contrast(colours[role], colours["background"]) >= 4.5, role
        assert contrast(colours[role], colours["panel"]) >= 4.5, role
    for role in ("bid", "ask", "buy", "sell", "last", "accent"):
        assert contrast(colours[role], colours["background"]) >= 3, role


def test_both_themes_have_the_same_roles():
    """A view can name any role without asking which theme it is in."""
    assert set(THEMES["dark"]) == set(THEMES["light"])


@pytest.mark.parametrize("name", sorted(COLOUR_MAPS))
@pytest.mark.parametrize("theme", sorted(THEMES))
def test_no_size_looks_like_the_background(name, theme):
    """Entry 0 of every colour map is the theme's background."""
    assert palette(name, theme)[0] == THEMES[theme]["background"]
    assert tuple(colour_table(name, theme)[0]) == rgb(THEMES[theme]["background"])


@pytest.mark.parametrize("theme", sorted(THEMES))
def test_the_colour_blind_safe_map_is_ordered_by_lightness(theme):
    """From the second anchor on, cividis only grows lighter (dark theme) or darker (light theme)."""
    steps = [luminance(colour) for colour in palette("cividis", theme)[1:]]
    assert steps == sorted(steps, reverse=theme == "light")


def test_unknown_names_are_refused_with_the_known_ones():
    """A misspelt colour map or theme names the choices."""
    with pytest.raises(WorkbenchError, match="colour map 'jet'; expected one of"):
        palette("jet", "dark")
    with pytest.raises(WorkbenchError, match="theme 'sepia'; expected one of"):
        palette("cividis", "sepia")
