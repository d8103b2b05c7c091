"""From a desk's decision to Bookmap: kept in the journal first, then through the last gate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from workbench.bridge.mirror import ANSWER_NS
from workbench.bridge.result import Result

if TYPE_CHECKING:
    from workbench.bridge.desk import OrderDesk
    from workbench.bridge.outgoing import Outgoing
    from workbench.bridge.result import Moment


class Journal(Protocol):
    """Where decisions about orders are kept before anything is sent."""

    @property
    def used_ids(self) -> Mapping[str, str]:
        """Client order ids of earlier runs, with the hash of what was sent."""

    def look(self) -> Mapping[str, str]:
        """Client order ids that others took since the last look, with their hashes."""

    def write(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Keep entries, or raise OSError: then nothing is sent."""


OpenJournal = Callable[[str], Journal]


class OrderPath:
    """The one way of lines that trade.

    Parameters
    ----------
    outgoing : Outgoing
    open_journal : callable or None
        Called as ``open_journal(symbol)``. Without it, or when it raises OSError, nothing that trades is sent.
    say : callable
        Takes a sentence for the log.
    """

    def __init__(self, outgoing: Outgoing, open_journal: OpenJournal | None, say: Callable[[str], None]):
        self._outgoing, self._open_journal, self._say = outgoing, open_journal, say
        self._journals: dict[str, Journal] = {}
        self._afterwards: list[tuple[str, Callable[[], dict[str, Any]]]] = []

    def journal(self, symbol: str) -> Journal | None:
        """Journal of an instrument, opened once; None if there is none to be had."""
        if symbol not in self._journals and self._open_journal is not None:
            try:
                self._journals[symbol] = self._open_journal(symbol)
            except OSError as problem:
                self._say(f"{symbol}: no orders, their journal cannot be opened: {problem}")
        return self._journals.get(symbol)

    def follow(self, desk: OrderDesk, work: Callable[[], Result], now: Moment) -> Result:
        """Let a desk decide, keep what it decided, and queue what it wants to send.

        What Bookmap does not take within the time for its answer is called unknown by then, and is not sent late.
        """
        desk.know(self._taken_by_others(desk.instrument.symbol))
        result = work()
        if result.journal and not self._kept(desk.instrument.symbol, result):
            result = desk.withdraw(result, "the journal of orders cannot be written", now)
        self._afterwards += [(desk.instrument.symbol, make) for make in result.afterwards]
        self._outgoing.trade(result.lines, lambda at: desk.is_open(at) and at.mono - now.mono < ANSWER_NS)
        return result

    def note_market(self) -> None:
        """Write what was left for after the lines; nothing may have been read since, so that it is as it was then."""
        afterwards, self._afterwards = self._afterwards, []
        for symbol, make in afterwards:
            self._kept(symbol, Result(journal=[make()]))

    def _taken_by_others(self, symbol: str) -> Mapping[str, str]:
        journal = self._journals.get(symbol)
        try:
            return {} if journal is None else journal.look()
        except OSError as problem:
            self._say(f"{symbol}: the journal of orders cannot be read: {problem}")
            return {}

    def _kept(self, symbol: str, result: Result) -> bool:
        journal = self._journals.get(symbol)
        try:
            if journal is not None:
                journal.write(result.journal)
        except OSError as problem:
            self._say(f"{symbol}: orders are not sent, their journal cannot be written: {problem}")
            return False
        return journal is not None or not result.lines
