"""Bounds on the money of a paper account as a whole: what all instruments have lost together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Final

from workbench.trading.desk import Desk
from workbench.trading.paper import TICK_NS, Paper
from workbench.trading.paper_terms import PaperTerms

NEVER_LOOKED: Final = -1


class AccountMoney:
    """Looks at the sum of all desks, whenever all of them are at the same time.

    Parameters
    ----------
    terms : PaperTerms
    fresh : bool, optional
        The account begins with this process: its peak with its cash. Otherwise the peak begins with the money there is.

    Notes
    -----
    Times of looking depend on the stream alone (each 0.1 s while anything is open or under way), so a replay looks, and finds,
    the same. The loss of a day counts from the beginning of the day, over restarts; the peak from the beginning of this process.
    """

    def __init__(self, terms: PaperTerms, *, fresh: bool = True):
        self._terms, self._at = terms, NEVER_LOOKED
        self._peak = Fraction(terms.cash) if fresh else None

    def ticks(self, papers: Mapping[str, Paper], end: int) -> Iterator[int]:
        """Times up to ``end`` at which to look; all desks are to be brought there first."""
        while True:
            if self._at == NEVER_LOOKED or all(paper.idle for paper in papers.values()):
                self._at = end // TICK_NS * TICK_NS  # nothing changes until something is asked for
            if self._at + TICK_NS > end:
                return
            self._at += TICK_NS
            yield self._at

    def lost(self, desks: Iterable[Desk]) -> str:
        """Why the money lost says that positions may only be reduced; an empty text: it does not."""
        desks = list(desks)
        cash = Fraction(self._terms.cash)
        equity = cash + sum((desk.equity() - cash for desk in desks), Fraction(0))
        began = cash + sum((Fraction(desk.ledger.day_start) - cash for desk in desks), Fraction(0))
        self._peak = equity if self._peak is None else max(self._peak, equity)
        for code, since, bound in (
            ("ACCOUNT_DAILY_LOSS_LIMIT", began, self._terms.daily_loss),
            ("ACCOUNT_DRAWDOWN_LIMIT", self._peak, self._terms.drawdown),
        ):
            if bound is not None and since - equity >= Fraction(bound):
                return f"{code}: {float(since - equity):.2f} lost from {float(since):.2f} in all; at most {bound}"
        return ""
