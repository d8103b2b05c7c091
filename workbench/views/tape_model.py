"""Core of the tape: the newest rows that a filter lets through, older ones when the page looks back, exact sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from workbench.views.first_look import time_is_up
from workbench.views.live import Captured, Message
from workbench.views.tape_orders import LOTS, ORDER, SIDE, OrderRows, Rows, TapeFilter

__all__ = ["TapeModel"]

AT_ONCE: Final = 1 << 18
"""Trades taken in per pull: about 20 ms."""
MOST_NEW: Final = 200
"""Rows sent at once; of a larger burst the newest, with the number left out. Scrolling back shows them all."""
BLOCK: Final = 4096
MOST_SEARCHED: Final = 1 << 20
PERCENTILE_OF: Final = 4096
MOST_DETAILS: Final = 500


class TapeModel:
    """Tape of one capture.

    Parameters
    ----------
    capture : Captured
    let : TapeFilter
    aggregate : bool
    rows : int
        Rows of a full message.
    big : float or None, lots
        Orders of at least so much are marked; None: the largest 1 % of the last 4096 or so.
    """

    def __init__(self, capture: Captured, let: TapeFilter, aggregate: bool, rows: int, big: float | None):
        self._capture, self._rows, self._wanted_big = capture, rows, big
        self._let = self._wanted_let = let
        self._orders = OrderRows(capture, aggregate)
        self._restart()

    def _restart(self) -> None:
        self._summed = 0
        self._sums = np.zeros(4)
        self._told = 0
        self._told_lots = 0.0
        self._big, self._learned = self._wanted_big, 0
        self._head: dict[str, Any] = {}

    def filter(self, let: TapeFilter) -> None:
        """Let other orders through; the next message is full."""
        self._wanted_let = let  # the sender's thread takes it over: this may be another one

    def catch_up(self) -> None:
        """Take in everything that came so far, however much that is; on a first look what there is time for."""
        while not self._orders.follow(AT_ONCE) and not time_is_up():
            pass

    def pull(self, wants: Sequence[dict[str, Any]], full: bool, now_ns: int) -> Message | None:
        """Rows that are new, or the newest ones; None: nothing changed."""
        if self._is_changed():
            self._restart()
            full = True
        up_to_date = self._orders.follow(AT_ONCE)
        full = full or not self._told
        head = self._facts(up_to_date)
        rows, skipped = self._newest() if full else self._fresh()
        news = {name: value for name, value in head.items() if full or self._head.get(name, ...) != value}
        if not len(rows) and not news and not full:
            return None
        self._head = head
        return {"k": "tape", "full": full, "skipped": skipped, **news}, [rows]

    def _is_changed(self) -> bool:
        outdated, changed = self._orders.is_outdated(), self._wanted_let is not self._let
        if outdated:
            self._orders.restart()
        self._let = self._wanted_let
        return outdated or changed

    def _facts(self, up_to_date: bool) -> dict[str, Any]:
        # the last order may go on, so it is not summed yet: what is said of it alone is said beside the sums
        self._sum(self._orders.count - 1)
        sums = self._sums + self._last_sums()
        if self._wanted_big is None:
            self._learn_big()
        names = ("count", "bought", "sold", "unknown")
        return {**dict(zip(names, sums.tolist())), "big": self._big, "warming": not up_to_date}

    def _last_sums(self) -> Any:
        last = self._orders.count - 1
        return _sums(self._passing(last, last + 1)) if last >= self._summed else np.zeros(4)

    def _sum(self, stop: int) -> None:
        searched = 0
        while self._summed < stop and searched < AT_ONCE:
            end = min(stop, self._summed + BLOCK)
            self._sums += _sums(self._passing(self._summed, end))
            searched += end - self._summed
            self._summed = end

    def _learn_big(self) -> None:
        count = self._orders.count
        if count and (self._big is None or count >= 2 * self._learned):
            lots = self._orders.rows(count - PERCENTILE_OF, count)[:, LOTS]
            self._big, self._learned = float(np.percentile(lots, 99)), count

    def _passing(self, first: int, stop: int) -> Rows:
        rows = self._orders.rows(first, stop)
        return rows[self._let.passes(rows)]

    def _newest(self) -> tuple[Rows, int]:
        self._note_told()
        return self.before(self._orders.count, self._rows)[0], 0

    def _fresh(self) -> tuple[Rows, int]:
        """What came since, with the last order told again if it went on."""
        first, count = self._told - 1, self._orders.count
        again = self._orders.rows(first, first + 1)
        if count == self._told and float(again[0, LOTS]) == self._told_lots:
            return again[:0], 0
        rows, _ = self.before(count, MOST_NEW, first)
        skipped = 0
        if len(rows) == MOST_NEW and rows[0, ORDER] > first:
            skipped = int(rows[0, ORDER]) - first
        self._note_told()
        return rows, skipped

    def _note_told(self) -> None:
        count = self._told = self._orders.count
        self._told_lots = float(self._orders.rows(count - 1, count)[0, LOTS]) if count else 0.0

    def before(self, order: int, most: int, first: int = 0) -> tuple[Rows, int]:
        """Last ``most`` orders before ``order`` that pass, oldest first, and from where on all were looked at."""
        found: list[Rows] = []
        stop, have, least = min(order, self._orders.count), 0, max(first, order - MOST_SEARCHED)
        while stop > least and have < most:
            start = max(least, stop - BLOCK)
            found.insert(0, self._passing(start, stop))
            have, stop = have + len(found[0]), start
        rows = np.concatenate([self._orders.rows(0, 0), *found])[-most:]
        return rows, int(rows[0, ORDER]) if have > most else stop

    def older(self, order: int, most: int) -> Message:
        """Answer a page that scrolled back: rows before ``order``."""
        rows, reached = self.before(order, most)
        return {"k": "older", "before": order, "reached": reached}, [rows]

    def detail(self, order: int) -> Message:
        """Answer a page that opened an order: its prints."""
        return {"k": "detail", "order": order}, [self._orders.details(order, MOST_DETAILS)]


def _sums(rows: Rows) -> Any:
    lots, side = rows[:, LOTS], rows[:, SIDE]
    return np.array([len(rows), *(float(lots[side == s].sum()) for s in (1, -1, 0))])
