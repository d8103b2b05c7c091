"""Names that are given in a sequence, or one of them alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.errors import WorkbenchError


def listed(what: str, given: Any, expected: str) -> tuple[str, ...]:
    """All names; a text that stands alone is one of them and no sequence of letters.

    Parameters
    ----------
    what : str
        What an error calls them.
    given : str or sequence of str
    expected : str
        For an error.

    Raises
    ------
    WorkbenchError
        None at all, or something else than text.

    Examples
    --------
    >>> listed("horizons", "1s", "times as '1s'")
    ('1s',)
    """
    names = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Iterable) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise WorkbenchError(f"{what}={given!r:.60}", expected=expected)
    return names


__all__ = ["listed"]
