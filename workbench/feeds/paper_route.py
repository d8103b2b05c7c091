"""Orders of an engine's clients on their way to its paper desks, and what ends them from outside.

A command gets the stream's own time when it comes in, and is carried out when everything up to then has happened. What a
client placed is taken back when it goes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

import msgspec

from workbench.errors import EngineError
from workbench.events import EventBatch
from workbench.feeds.checked_lines import state_directory
from workbench.feeds.kill_file import look_for_kill, refuse_to_arm
from workbench.feeds.paper_floor import PaperFloor, as_answer
from workbench.feeds.relay import ANSWER_S, UNKNOWN_OUTCOME, RelayedCommand
from workbench.protocol import messages
from workbench.trading import paper_commands as ask
from workbench.trading.paper_terms import PaperTerms

if TYPE_CHECKING:
    from workbench.feeds.market import Market
    from workbench.feeds.server import Client
    from workbench.feeds.specification import SourceSpec

SETTLE_NS: Final = 100_000_000
"""Rows of a live feed that are older than this have come."""
SYNC_S: Final = 1.0
DISCONNECTED: Final = "DISCONNECTED: the session that placed it has gone"


class PaperRoute:
    """Carries commands of clients to paper desks. Everything is called in the engine's event loop.

    Parameters
    ----------
    floor : PaperFloor
    symbols : callable
        ``symbols()``: the instruments there are.
    live : bool
        The stream happens elsewhere: its time is that of its newest row, and goes on by this machine's clock.
    """

    def __init__(self, floor: PaperFloor, symbols: Callable[[], Sequence[str]], *, live: bool):
        self.floor, self._symbols, self._live = floor, symbols, live
        self._placed: dict[Client, list[tuple[str, str]]] = {}
        self._position, self._heard_at = 0, time.monotonic_ns()
        self._ends: dict[str, int] = {}
        self._sync_thread = ThreadPoolExecutor(1, thread_name_prefix="workbench-paper-sync")
        self._syncing: Future[None] | None = None
        self._synced_at = 0.0

    # -- the stream ------------------------------------------------------------------------------------------------

    def take(self, symbol: str, batch: EventBatch) -> None:
        """Take in rows that were handed on."""
        if len(batch):
            self.floor.take(symbol, batch)
            last = int(batch.ts[-1])
            self._ends[symbol] = last - 1  # more rows of this time may come
            if self._live:
                self._position, self._heard_at = max(last, self._position), time.monotonic_ns()

    def advance(self, position: int, *, whole: bool) -> None:
        """Let happen what is complete.

        Parameters
        ----------
        position : int, ns
            How far the source has come; of no account for a live one.
        whole : bool
            Everything up to there was handed on.
        """
        if self._live:
            settled = self.now - SETTLE_NS
            self.floor.advance({s: max(self._ends.get(s, 0), settled) for s in self.floor.papers})
        else:
            self._position = position
            complete = dict.fromkeys(self.floor.papers, position) if whole else self._ends
            self.floor.advance(complete)

    def finish(self) -> None:
        """The source has handed on all that it has."""
        self.floor.finish()

    def moving(self) -> AbstractContextManager[None]:
        """Let time be moved; a WorkbenchError where orders or positions are open."""
        return self.floor.moving()

    @property
    def now(self) -> int:
        """The stream's time, ns."""
        return self._position + (time.monotonic_ns() - self._heard_at if self._live else 0)

    @property
    def works_alone(self) -> bool:
        """Whether orders are to work on while nobody is connected."""
        return self.floor.at_work and not self.floor.terms.cancel_on_disconnect

    # -- clients ---------------------------------------------------------------------------------------------------

    async def carry_out(self, client: Client, command: RelayedCommand) -> messages.Message:
        """Carry out a command and return its answer.

        Raises
        ------
        WorkbenchError
            As the desk answered.
        """
        symbols = self.floor.addressed(command, self._symbols())
        refuse_to_arm(command)
        if isinstance(command, messages.PlaceOrder):
            self._placed.setdefault(client, []).append((command.symbol, command.client_order_id))
        clicked = getattr(command, "clicked", None)
        age = None if clicked is None else max(time.time_ns() - clicked, 0)
        answers = [self.floor.ask(symbol, command, self.now, age) for symbol in symbols]
        self._hurry(symbols)
        try:
            replies = [await asyncio.wait_for(asyncio.wrap_future(a), ANSWER_S) for a in answers]
        except TimeoutError:
            raise EngineError(
                f"{command.__struct_config__.tag}: no answer within {ANSWER_S:g} s of the stream",
                action="The same client_order_id never makes a second order",
                code=UNKNOWN_OUTCOME,
            ) from None
        return as_answer(replies[0] if replies else messages.Done(), command.request_id)

    def heard(self, message: messages.AccountMessage) -> None:
        """Take notice of an account message: it came from here."""

    def left(self, client: Client) -> None:
        """Take back what a client that has gone had placed; exits that brackets placed stay."""
        placed = self._placed.pop(client, [])
        if not self.floor.terms.cancel_on_disconnect:
            return
        for symbol, name in placed:
            if symbol in self.floor.papers:
                self.floor.papers[symbol].forget(name)
            order = (
                self.floor.papers[symbol].desk.ledger.orders.get(name)
                if symbol in self.floor.papers
                else None
            )
            if order is not None and order.open:
                self.floor.papers[symbol].schedule(ask.Cancel(name, DISCONNECTED), self.now)
        self._hurry(list(self.floor.papers))

    def look_for_kill(self) -> None:
        """Halt everything if the file ``KILL`` is there."""
        look_for_kill(self.floor)

    def sync(self) -> None:
        """Force the account's files to the device each second, in a thread: no order waits for a disk."""
        if self._syncing is not None and self._syncing.done():
            problem, self._syncing = self._syncing.exception(), None
            if isinstance(problem, OSError):
                self.floor.lose(problem)
        now = time.monotonic()
        if self.floor.files and self._syncing is None and now - self._synced_at >= SYNC_S:
            self._synced_at = now
            self._syncing = self._sync_thread.submit(self.floor.sync)

    async def stop(self) -> None:
        """Close the account's files."""
        self._sync_thread.shutdown(wait=True)
        self.floor.close()

    def _hurry(self, symbols: Sequence[str]) -> None:
        """Carry out at once what is due, also while time stands still."""
        if not self._live:
            complete = {s: self.floor.papers[s].now for s in symbols if s in self.floor.papers}
            self.floor.advance(complete)


def route_of(
    source: SourceSpec,
    markets: Mapping[str, Market],
    tell: Callable[[messages.AccountMessage], object],
    *,
    live: bool,
) -> PaperRoute:
    """Route of an engine. The account of a simulation or replay begins anew as its time does, unless it has a name."""
    terms = source.paper or PaperTerms()
    account = terms.account or (source.key if live else "")
    floor = PaperFloor(
        msgspec.structs.replace(terms, account=account),
        lambda symbol: markets[symbol].instrument,
        tell,
        state_directory() if account else None,
    )
    return PaperRoute(floor, lambda: list(markets), live=live)
