"""Latencies as they are given to backtests: texts as nanoseconds, none at all among them."""

from __future__ import annotations

from typing import Any

from workbench.flow.bar_rule import interval_ns


def delays_read(latency: Any) -> Any:
    """Texts of a latency, or of a pair, in ns; everything else as it is.

    Parameters
    ----------
    latency : str, int (ns), array of int, pair of them, or Latency

    Raises
    ------
    WorkbenchError
        A text that is no time.

    Examples
    --------
    >>> delays_read(("0ms", "2ms"))
    (0, 2000000)
    """
    if isinstance(latency, tuple):
        return tuple(map(delays_read, latency))
    return interval_ns(latency, or_none=True) if isinstance(latency, str) else latency


__all__ = ["delays_read"]
