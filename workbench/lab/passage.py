"""Rows on their way into an engine, in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.trading import slots
from workbench.trading.matcher import Matcher
from workbench.trading.rows import Rows, rows_until

if TYPE_CHECKING:
    from workbench.lab.desk_venue import DeskVenue


class Passage:
    """Rows of a market, handed to an engine as time goes on.

    Parameters
    ----------
    matcher : Matcher or DeskVenue
    rows : Rows
        At the venue's times.
    view : Rows, optional
        The same as a strategy sees them, where that is later.

    Attributes
    ----------
    seen : int
        Rows that the strategy has seen.
    """

    def __init__(self, matcher: Matcher | DeskVenue, rows: Rows, view: Rows | None):
        self._matcher, self._rows, self._view = matcher, rows, view
        self._row = self.seen = 0

    def to(self, until: int, *strategy: Any) -> None:
        """Take in everything up to a time, ns; a compiled strategy steps on the way."""
        rows, self._row = rows_until(self._rows, self._row, until)
        if self._view is None:
            self.seen = self._row
            self._matcher.advance(rows, until, None, *strategy)
            return
        view, self.seen = rows_until(self._view, self.seen, until)
        self._matcher.advance(rows, until, view, *strategy)

    def rest(self, until: int) -> None:
        """Take in all that is left, and let happen what is due by a time, ns."""
        view = None if self._view is None else rows_until(self._view, self.seen, slots.NEVER)[0]
        self._matcher.advance(rows_until(self._rows, self._row, slots.NEVER)[0], until, view)


__all__ = ["Passage"]
