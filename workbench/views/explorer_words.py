"""A study in the words of the page, and a signal as the code of the next cell."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import polars as pl

from workbench.feeds.times import duration_ns
from workbench.flow import signals
from workbench.flow.signals.contract import Signal
from workbench.frames.moments import iso_text, to_ns
from workbench.lab.excerpt import Window
from workbench.lab.study import Study, Terms

__all__ = ["code_of", "spelled", "study_words"]

CARD: Final = ("gross", "net", "markout", "hit", "ic")


def study_words(study: Study) -> dict[str, Any]:
    """Return a study as plain numbers, null where they are not known.

    Returns
    -------
    dict
        ``events``; ``card``: one object for each horizon; ``path``: ``after``, ``mean``, ``low``, ``high``; ``trials``,
        ``psr``, ``dsr``, ``pbo``, ``half_life``; ``regimes``.
    """
    worth = study.worth
    return {
        "events": study.events,
        "card": [
            {name: _plain(value) for name, value in row.items()} for row in study.frame.iter_rows(named=True)
        ],
        "path": {
            "after": _list(study.path["after_s"]),
            **{name: _list(study.path[name]) for name in ("mean", "low", "high")},
        },
        "trials": worth.trials,
        **{name: _plain(getattr(worth, name)) for name in ("sharpe", "psr", "dsr", "pbo")},
        "half_life": _plain(study.ic_half_life_s),
        "regimes": [
            {name: _plain(value) for name, value in row.items()}
            for row in study.regimes.iter_rows(named=True)
        ],
    }


def code_of(signal: Signal, terms: Terms, path: str | None, window: Window | None = None) -> str:
    """Return the text of a cell that makes the signal and its study again.

    Parameters
    ----------
    signal : Signal
    terms : Terms
    path : str, optional
        Of the recording; None: a session, which the cell calls ``s``.
    window : str, timedelta or (start, end), optional
    """
    x = "s" if path is None else "r"
    opened = [] if path is None else [f"r = wb.open_recording({path!r})"]
    fresh = Terms()
    said = [f"{n}={getattr(terms, n)!r}" for n in Terms.__slots__ if getattr(terms, n) != getattr(fresh, n)]
    said += [] if window is None else [f"window={_window_text(window)}"]
    arguments = ", ".join(["signal", x, *said])
    return "\n".join([*opened, *_given(signal), f"signal = {spelled(signal)}", f"wb.study({arguments})"])


def spelled(signal: Signal) -> str:
    """Return the expression that makes a signal; parameters that are as they come are left out.

    Examples
    --------
    >>> import workbench as wb
    >>> spelled(wb.signals.Cooldown(wb.signals.BookImbalance(levels=3), rest_s=2))
    'wb.signals.Cooldown(wb.signals.BookImbalance(levels=3), rest_s=2.0)'
    """
    kind = type(signal)
    own = kind.__name__ in signals.__all__ and kind.__module__.startswith("workbench.")
    usual = {field.name: field.default for field in msgspec.structs.fields(kind.record)}
    said = [f"{n}={v!r}" for n, v in msgspec.structs.asdict(signal.params).items() if usual.get(n) != v]
    if signal.made_of is not None:
        call, given = signal.made_of
        return f"{call}({', '.join([given, *said])})"
    parts = [spelled(part) for part in signal.parts]
    return f"{'wb.signals.' if own else ''}{kind.__name__}({', '.join([*parts, *said])})"


def _given(signal: Signal) -> list[str]:
    """A line for the reader where something has no name by which the next cell could call it."""
    inside = [line for part in signal.parts for line in _given(part)]
    name = "" if signal.made_of is None else signal.made_of[1].partition(",")[0]
    if name in ("function", "values"):
        return [f"# {name}: what the signal was made of; it has no name of its own", *inside]
    return inside


def _window_text(window: Window) -> str:
    """A window as the expression that makes it, without names that the cell would have to import."""
    if isinstance(window, timedelta):
        return repr(f"{duration_ns(window)}ns")
    if isinstance(window, str):
        return repr(window)
    plain = [iso_text(to_ns(m)) if isinstance(m, datetime) else m for m in window]
    return f"({plain[0]!r}, {plain[1]!r})"


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def _list(values: pl.Series) -> list[float | None]:
    return [_plain(value) for value in values.to_list()]
