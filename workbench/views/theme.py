"""Colours of every view, live and static, dark and light: the one place they are written down.

The same tables colour the canvas (as widget state), the PNG fallback (Pillow) and the Plotly twins.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from workbench.errors import WorkbenchError

__all__ = [
    "COLOUR_MAPS",
    "THEMES",
    "ColourMap",
    "ThemeName",
    "colour_table",
    "palette",
    "rgb",
    "still_theme",
    "theme",
]

ThemeName = Literal["dark", "light"]
ColourMap = Literal["bookmap", "cividis", "grey"]
Rgb = tuple[int, int, int]

THEMES: Final[dict[str, dict[str, str]]] = {
    "dark": {
        "background": "#070b12",
        "panel": "#0d131d",
        "grid": "#1c2635",
        "text": "#c9d4e3",
        "faint": "#7d8ba0",
        "bid": "#25d3b0",
        "ask": "#ff5c6c",
        "buy": "#2fe0b4",
        "sell": "#ff4d67",
        "last": "#ffd34d",
        "accent": "#4aa8ff",
        "area": "#16314d",
        "gap": "#6b7689",
        "warn": "#ffb454",
        "violet": "#b794ff",
    },
    "light": {
        "background": "#fbfcfe",
        "panel": "#f1f4f8",
        "grid": "#d9e0ea",
        "text": "#1d2733",
        "faint": "#5c6877",
        "bid": "#008f74",
        "ask": "#c21d33",
        "buy": "#00967a",
        "sell": "#c91f36",
        "last": "#b07800",
        "accent": "#0b63c4",
        "area": "#dbe9f8",
        "gap": "#8a94a3",
        "warn": "#9a5500",
        "violet": "#6b3fc0",
    },
}

# Anchors from no size to the largest. "bookmap" is the order traders know: black, blue, cyan, yellow, orange, red,
# white. "cividis" (Nunez, Anderton, Renslow 2018, doi:10.1371/journal.pone.0199239) is uniform in lightness and
# reads the same with and without colour-vision deficiency. The light variants start at the paper and grow darker.
COLOUR_MAPS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "bookmap": {
        "dark": (
            "#070b12", "#0a1a3a", "#0d2f73", "#0f52b8", "#1585d8", "#24bfe0", "#7fe3c4",
            "#f4ec5a", "#ffb52e", "#ff7a1f", "#f2301d", "#ffe9e2",
        ),
        "light": (
            "#fbfcfe", "#e3eefb", "#bcd9f6", "#86bdf0", "#4a9be6", "#2aa6c4", "#5cc08a",
            "#e6c619", "#f29a1d", "#ea6417", "#cf1f1f", "#5c0712",
        ),
    },
    "cividis": {
        "dark": (
            "#070b12", "#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678",
            "#a59c74", "#c3b369", "#e1cc55", "#fee838",
        ),
        "light": (
            "#fbfcfe", "#fee838", "#e1cc55", "#c3b369", "#a59c74", "#8a8678", "#707173",
            "#575d6d", "#3b496c", "#123570", "#00224e",
        ),
    },
    "grey": {
        "dark": ("#070b12", "#161c26", "#2b323d", "#4a515c", "#737a85", "#a5abb4", "#d4d8dd", "#ffffff"),
        "light": ("#fbfcfe", "#e4e8ee", "#c9cfd8", "#a4acb8", "#7a8390", "#525b68", "#2d343f", "#0b0f15"),
    },
}  # fmt: skip


def theme(name: str) -> dict[str, str]:
    """Colours of one theme as ``#rrggbb`` by role (``background``, ``text``, ``bid``, ``ask``, ``buy``, …)."""
    if name not in THEMES:
        raise WorkbenchError(f"theme {name!r}", expected=f"one of {sorted(THEMES)}", code="bad_theme")
    return THEMES[name]


def still_theme(name: str) -> str:
    """Theme of still pictures, which have no page to ask what ``"auto"`` means: dark then."""
    return "dark" if name == "auto" else name


def rgb(colour: str) -> Rgb:
    """Red, green and blue, 0–255, of ``#rrggbb``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def palette(name: str, theme_name: str) -> tuple[str, ...]:
    """Anchor colours of one colour map, from no size to the largest."""
    if name not in COLOUR_MAPS:
        expected = f"one of {list(get_args(ColourMap))}"
        raise WorkbenchError(f"colour map {name!r}", expected=expected, code="bad_colour_map")
    theme(theme_name)
    return COLOUR_MAPS[name][theme_name]


def colour_table(name: str, theme_name: str, length: int = 256) -> npt.NDArray[np.uint8]:
    """Colour map as a table, uint8, shape (length, 3); entry 0 is the background."""
    anchors = np.array([rgb(colour) for colour in palette(name, theme_name)], dtype=np.float64)
    position = np.linspace(0, len(anchors) - 1, length)
    channels = [np.interp(position, np.arange(len(anchors)), anchors[:, c]) for c in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)
