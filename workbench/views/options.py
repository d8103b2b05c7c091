"""Options that every view has, checked: what is misspelt is refused where it was written, not drawn as something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from workbench.errors import WorkbenchError
from workbench.flow.days import zone_of

__all__ = ["check_options"]

THEME_NAMES: Final = ("dark", "light", "auto")
_LEAST_PX, _MOST_PX = 60, 8192


def check_options(options: Mapping[str, Any]) -> None:
    """Check ``theme``, ``height`` and ``zone``, those that are given.

    Parameters
    ----------
    options : mapping

    Raises
    ------
    WorkbenchError
        One of them is unknown or out of range: says which, and what is expected.

    Examples
    --------
    >>> check_options({"theme": "dark", "height": 480, "zone": ""})
    >>> check_options({"theme": "pink"})
    Traceback (most recent call last):
    workbench.errors.WorkbenchError: theme 'pink'; expected one of dark, light, auto
    """
    theme = options.get("theme", "dark")
    if theme not in THEME_NAMES:
        raise WorkbenchError(
            f"theme {theme!r}", expected=f"one of {', '.join(THEME_NAMES)}", code="bad_theme"
        )
    height = options.get("height", _LEAST_PX)
    if isinstance(height, bool) or not isinstance(height, int) or not _LEAST_PX <= height <= _MOST_PX:
        expected = f"whole pixels from {_LEAST_PX} to {_MOST_PX}"
        raise WorkbenchError(f"height {height!r}", expected=expected, code="bad_height")
    zone = options.get("zone")
    if zone:
        zone_of(zone)
