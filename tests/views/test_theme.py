"""Colours: complete, the same roles in both themes, legible."""

from __future__ import annotations

import numpy as np
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


# What protanopes and deuteranopes see of linear RGB: Machado, Oliveira, Fernandes 2009, doi:10.1109/TVCG.2009.113.
BLIND = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def lab(colour: str, seen: np.ndarray) -> np.ndarray:
    """CIE L*a*b* (D65) of a colour as somebody sees it."""
    share = np.array(rgb(colour)) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    x = np.array(xyz) @ np.clip(seen @ linear, 0, 1) / [0.95047, 1, 1.08883]
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", sorted(BLIND))
@pytest.mark.parametrize("name", sorted(THEMES))
@pytest.mark.parametrize("pair", [("bid", "ask"), ("buy", "sell")])
def test_sides_differ_for_eyes_that_mix_up_red_and_green(name, kind, pair):
    """Bubbles and best prices have no room for words: ΔE of 20 and more is told apart at a glance."""
    one, other = (lab(THEMES[name][role], np.array(BLIND[kind])) for role in pair)
    assert np.linalg.norm(one - other) >= 20


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
