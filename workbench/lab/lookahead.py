"""Does a signal look ahead? One call cuts the future off and sees whether the past changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.flow.batches import event_batches
from workbench.flow.signals.contract import Scores, Signal, joined

_UNEVEN_ROWS = 997
_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True)
class LookaheadReport:
    """What :func:`check_lookahead` found.

    Attributes
    ----------
    clean : bool
    text : str
        One sentence; for a signal that is not clean, the first row that differs.
    sequence : int or None
        Number of the event of that row.
    """

    clean: bool
    text: str
    sequence: int | None = None

    def __bool__(self) -> bool:
        return self.clean

    def __repr__(self) -> str:
        return f"LookaheadReport({'clean' if self.clean else 'NOT CLEAN'}: {self.text})"


def check_lookahead(signal: Signal, x: Any, *, cuts: int = 8) -> LookaheadReport:
    """Run a signal on streams that end early and in pieces of another size; every row that was told must stay.

    Parameters
    ----------
    signal : Signal
        Of any kind: ours, composed, or your own.
    x : session or recording
    cuts : int, optional
        Moments at which the future is cut off, spread evenly.

    Returns
    -------
    LookaheadReport
        True as a condition when the signal is clean.

    Notes
    -----
    Scores are compared to 1e-12, sides and rows exactly. A signal that needs more of the past than it said is found by
    the pieces, one that looks ahead by the cuts. No finite number of cuts proves the absence of either.
    """
    given: Any = cuts
    if not isinstance(given, int) or given < 1:
        raise WorkbenchError(f"cuts {cuts!r:.40}", expected="a whole number, at least 1")
    batches = [batch for batch in event_batches(x) if len(batch)]
    instrument = getattr(x, "instrument", None)
    whole = _run(signal.fresh(instrument), batches, close=True)
    total = sum(map(len, batches))
    uneven = min(_UNEVEN_ROWS, max(map(len, batches), default=1) // 3 + 1)
    for rows in [total, *np.linspace(0, total, cuts + 2)[1:-1].astype(int).tolist()]:
        pieces = list(_first(batches, rows, uneven if rows == total else total))
        told = _run(signal.fresh(instrument), pieces, close=rows == total)
        at = _difference(told, whole)
        if at is not None:
            how = "in smaller pieces" if rows == total else f"without what came after {rows:,} events"
            return _differs(told, whole, at, how)
    return LookaheadReport(True, f"{len(whole.ts):,} rows stayed as they were under {cuts} cuts")


def _run(signal: Signal, batches: Iterable[EventBatch], *, close: bool) -> Scores:
    pieces = [signal.update(batch) for batch in batches]
    if close or not pieces:
        pieces.append(signal.close())
    return joined(pieces)


def _first(batches: list[EventBatch], rows: int, size: int) -> Iterable[EventBatch]:
    for batch in batches:
        kept = batch[: max(min(rows, len(batch)), 0)]
        rows -= len(batch)
        for start in range(0, len(kept), size):
            yield kept[start : start + size]


def _difference(told: Scores, whole: Scores) -> int | None:
    count = min(len(told.ts), len(whole.ts))
    differs = np.zeros(count, bool)
    for name in Scores._fields:
        a, b = getattr(told, name)[:count], getattr(whole, name)[:count]
        if a.dtype.kind == "f":
            differs |= ~np.isclose(a, b, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
        else:
            differs |= a != b
    if differs.any():
        return int(np.argmax(differs))
    return count if len(told.ts) > count else None


def _differs(told: Scores, whole: Scores, at: int, how: str) -> LookaheadReport:
    sequence = int(told.sequence[at])
    then = "no row" if at >= len(whole.ts) else f"score {whole.score[at]:g}, side {whole.side[at]}"
    found = f"score {told.score[at]:g}, side {told.side[at]}"
    return LookaheadReport(
        False, f"row {at:,} (event {sequence:,}) was {found} {how}, and {then} with all events", sequence
    )


__all__ = ["LookaheadReport", "check_lookahead"]
