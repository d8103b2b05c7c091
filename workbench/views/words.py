"""Words of a page, which may be anything: read as what they are, or as nothing."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["finite"]


def finite(value: Any) -> float | None:
    """Return a finite number as it is, anything else as None.

    Examples
    --------
    >>> finite(3), finite(float("nan")), finite(True), finite("3"), finite(10**400)
    (3.0, None, None, None, None)
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
