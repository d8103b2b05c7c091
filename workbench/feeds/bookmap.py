"""Bookmap as a source: all bridges that run inside it, joined, whatever of them comes and goes."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from workbench.errors import DiscoveryError, FeedError, ProtocolError
from workbench.events import EventBatch, Instrument
from workbench.feeds.bridge_link import BridgeLink
from workbench.feeds.discovery import BRIDGE_KEY, Endpoint, check_files, running_feeds
from workbench.feeds.feed_folder import FeedFolder
from workbench.feeds.inflow import Inflow
from workbench.feeds.lane import Lane
from workbench.feeds.relay import ENDED
from workbench.feeds.requests import Answer
from workbench.protocol import messages

LOOK_S: Final = 0.2
HEALTH_S: Final = 1.0
CONNECT_TIMEOUT_S: Final = 10.0
MAX_LISTENED: Final = 64
OTHERS_S: Final = 1.5
"""Once one bridge has told its instruments the others get so long: one that hangs must not hold up the rest."""

_log = logging.getLogger("workbench.feeds.bookmap")


class BookmapSource:
    """Live events of every instrument that Bookmap's add-on serves. Make one with :meth:`connect`.

    Attributes
    ----------
    instruments : tuple of Instrument
        Grows while it runs, never shrinks: an instrument that vanished may come back, and its stream goes on.

    Notes
    -----
    A thread looks for bridges; each has a reader thread of its own. Every instrument is one stream with numbers of its
    own, whatever bridge serves it: see :class:`workbench.feeds.lane.Lane`. Of several bridges for one instrument one is
    used, the others stand by.
    """

    name = "bookmap"
    live = True
    exhausted = False
    end_ns = None

    def __init__(self) -> None:
        self.start_ns = time.time_ns()
        self._inflow = Inflow(self.start_ns, self._ask_anew)
        self._lock = threading.RLock()
        self._folder = FeedFolder()
        self._links: dict[tuple[str, str], BridgeLink] = {}
        self._lanes: dict[str, Lane] = {}
        self._used: dict[str, BridgeLink] = {}
        self._refused: dict[str, str] = {}
        self._open: dict[tuple[str, str], messages.Order] = {}
        self._listened: dict[str, dict[tuple[str, str], messages.Listen]] = {}
        self._told: list[messages.AccountMessage] = []
        self._tell: Callable[[messages.AccountMessage], object] = self._told.append
        self._chooses = False
        self._closing = threading.Event()
        self._news = threading.Condition(self._lock)
        self._trouble = ""
        self._health_at = 0.0
        self._watcher = threading.Thread(target=self._watch, name="workbench-bridges", daemon=True)

    @classmethod
    def connect(cls, timeout: float = CONNECT_TIMEOUT_S) -> BookmapSource:
        """Find the bridges that run, and wait until they have told their instruments.

        Raises
        ------
        DiscoveryError
            None runs; the message says what to do.
        FeedError
            None of those that run told an instrument in time.
        """
        check_bridges()
        source = cls()
        source._look()
        source._watcher.start()
        with source._news:
            source._news.wait_for(source._any_told, timeout)
            source._news.wait_for(source._all_told, min(timeout, OTHERS_S))
            # only now: of those that run already the best is used from the first row on
            source._chooses = True
            for link in source._links.values():
                source._choose_for(link)
        if not source._lanes:
            reasons = "; ".join(str(bridge["reason"]) for bridge in source._bridges()) or "none was left"
            source.close()
            raise FeedError(f"no bridge in Bookmap told an instrument: {reasons}", action=TO_DO)
        return source

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Streams of this source so far."""
        with self._lock:
            return tuple(lane.instrument for lane in self._lanes.values())

    @property
    def position_ns(self) -> int:
        """Time of the newest row that was handed on."""
        return self._inflow.position_ns

    @property
    def state(self) -> str:
        """``stale`` while no instrument is heard, else ``live``."""
        with self._lock:
            lanes = self._lanes.values()
            return "live" if any(lane.state == "live" and not lane.trouble for lane in lanes) else "stale"

    def advance(self, until_ns: int, max_events: int | None = None) -> list[tuple[str, EventBatch]]:
        """Everything that arrived; ``until_ns`` is the wall clock's business here."""
        return self._inflow.take(max_events)

    def seek(self, ts_ns: int) -> None:
        """Refused: what happens in Bookmap has no other time than now."""
        raise FeedError("a live feed cannot be sought", code="not_replayable")

    def resync(self, symbol: str, reason: str) -> None:
        """Ask for the book of an instrument anew."""
        link = self._used.get(symbol)
        if link is not None:
            link.resync(symbol, reason)

    def listen(self, tell: Callable[[messages.AccountMessage], object]) -> None:
        """Hand every account message on, from any thread; those that came before at once."""
        with self._lock:
            self._tell = tell
            for message in self._told:
                tell(message)
            self._told.clear()

    def ask(self, symbol: str, command: messages.Command) -> Answer:
        """Send a command to the bridge of an instrument; never blocks, never waits for a bridge to come back.

        Raises
        ------
        FeedError
            ``disconnected``: nothing was sent. ``unknown_instrument``.
        """
        with self._lock:
            lane, link = self._lanes.get(symbol), self._used.get(symbol)
        if lane is None:
            raise FeedError(
                f"unknown instrument {symbol!r}; have {list(self._lanes)}", code="unknown_instrument"
            )
        if link is None or not link.is_connected:
            raise _disconnected(symbol, lane.reason or "no bridge serves it")
        if lane.state != "live" and isinstance(command, messages.PlaceOrder | messages.ReplaceOrder):
            raise _disconnected(symbol, lane.reason or "its book is not there yet")
        try:
            answer = link.ask(command)
        except FeedError as problem:
            raise _disconnected(symbol, str(problem)) from None
        if isinstance(command, messages.Listen):
            self._listened.setdefault(symbol, {})[command.provider, command.generator] = command
        return answer

    @property
    def facts(self) -> dict[str, Any]:
        """What the bridges have to say of themselves, for ``HEALTH``."""
        bridges = self._bridges()
        with self._lock:
            stale = [f"{symbol}: {lane.trouble}" for symbol, lane in self._lanes.items() if lane.trouble]
            reasons = [*self._refused.values(), *stale, *filter(None, [self._trouble])]
        return {
            "state": self.state,
            "bridges": bridges,
            "bad_messages": sum(bridge["bad_messages"] for bridge in bridges),
            "reason": "; ".join(reasons),
        }

    def close(self) -> None:
        """Leave all bridges."""
        self._closing.set()
        if self._watcher.is_alive():
            self._watcher.join()
        with self._lock:
            links = list(self._links.values())
            self._links.clear()
            self._used.clear()
        for link in links:
            link.close()

    # -- reader threads --------------------------------------------------------------------------------------------

    def take_rows(self, link: BridgeLink, symbol: str, batch: EventBatch) -> None:
        """Rows of a link; those of one that is not used any more are left out."""
        with self._lock:
            if self._used.get(symbol) is not link:
                return
            complete = self._lanes[symbol].take(batch)
        if not complete:
            link.resync(symbol, "subscribed in the middle of a snapshot")

    def take_account(self, link: BridgeLink, message: messages.AccountMessage) -> None:
        """Hand on a message of the account, of the bridge in use."""
        symbol = getattr(message, "symbol", "")
        with self._lock:
            if not symbol or self._used.get(symbol) is link:
                self._note_order(message)
                self._tell(message)

    def instruments_told(self, link: BridgeLink) -> None:
        """Take in the instruments of a bridge."""
        with self._news:
            if self._chooses and link in self._links.values():
                self._choose_for(link)
            self._news.notify_all()

    def state_changed(self, link: BridgeLink) -> None:
        """A bridge falls silent, or is heard again."""
        with self._news:
            if not link.is_connected or link.state == "stale":
                for symbol in self._of(link):
                    self._lanes[symbol].silent(f"nothing is heard from the bridge ({link.state})")
                    if not link.is_connected:
                        self._tell_no_trading(symbol, "the connection to the bridge is lost")
            self._news.notify_all()

    # -- which bridge serves what ----------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._closing.wait(LOOK_S):
            try:
                self._look()
                self._trouble = ""
            except Exception as problem:  # noqa: BLE001  (told in facts; the next look may find the folder again)
                if str(problem) != self._trouble:
                    _log.warning("looking for bridges failed: %r", problem)
                self._trouble = str(problem)

    def _look(self) -> None:
        found = self._folder.changed()
        if found is not None:
            self._meet([endpoint for endpoint in found if endpoint.key == BRIDGE_KEY])
        for key, link in list(self._links.items()):
            if link.is_gone:
                self._drop(key, "the bridge has ended")
        if time.monotonic() >= self._health_at:
            self._health_at = time.monotonic() + HEALTH_S
            for link in list(self._links.values()):
                link.ask_health()

    def _meet(self, endpoints: list[Endpoint]) -> None:
        known = {(endpoint.identity, endpoint.uri): endpoint for endpoint in endpoints}
        for key in [key for key in self._links if key not in known]:
            self._drop(key, "the bridge has left")
        for key, endpoint in known.items():
            if key in self._links:
                self._links[key].follow(endpoint)
            else:
                link = BridgeLink(endpoint, self)
                with self._lock:
                    self._links[key] = link
                link.start()

    def _drop(self, key: tuple[str, str], reason: str) -> None:
        with self._news:
            link = self._links.pop(key)
            for symbol in self._of(link):
                self._leave(symbol, reason)
                self._choose(symbol)
            self._news.notify_all()
        link.close()  # not under the lock: its reader thread may wait for that

    def _of(self, link: BridgeLink) -> list[str]:
        return [symbol for symbol, used in self._used.items() if used is link]

    def _choose_for(self, link: BridgeLink) -> None:
        for symbol in dict.fromkeys((*(link.instruments or {}), *self._of(link))):
            self._choose(symbol)

    def _choose(self, symbol: str) -> None:
        """Let the best bridge serve an instrument."""
        offering = [link for link in self._links.values() if symbol in (link.instruments or {})]
        best = min((link for link in offering if self._fits(link, symbol)), key=_rank, default=None)
        if best is None and symbol in self._refused:
            self._lanes[symbol].forget_book()
        if best is self._used.get(symbol):
            return
        self._leave(symbol, "another bridge takes over" if best else "the bridge no longer serves it")
        if best is not None:
            self._used[symbol] = best
            best.subscribe(symbol)
            self._listen_again(symbol, best)

    def _listen_again(self, symbol: str, link: BridgeLink) -> None:
        """A bridge that was started anew knows nothing of the add-ons that somebody listens to."""
        for command in list(self._listened.get(symbol, {}).values())[-MAX_LISTENED:]:
            with contextlib.suppress(FeedError):  # gone again: the next one is asked
                link.ask(command)

    def _leave(self, symbol: str, reason: str) -> None:
        link = self._used.pop(symbol, None)
        if link is not None:
            with contextlib.suppress(FeedError):  # not connected: then it disarms by itself
                link.ask(messages.Disarm(symbol=symbol, reason=reason))
            link.unsubscribe(symbol)
            self._lanes[symbol].gone(reason)
            self._tell_no_trading(symbol, reason)

    def _fits(self, link: BridgeLink, symbol: str) -> bool:
        """Whether an instrument of a bridge is the one of the stream; the first one makes the stream."""
        instrument = (link.instruments or {})[symbol]
        lane = self._lanes.get(symbol)
        if lane is None:
            self._lanes[symbol] = Lane(instrument, lambda batch: self._inflow.put(symbol, batch))
            return True
        try:
            lane.check(instrument)
        except ProtocolError as problem:
            link.problem = self._refused[symbol] = str(problem)
            return False
        self._refused.pop(symbol, None)
        return True

    def _ask_anew(self, symbol: str) -> None:
        """After a gap the book is not known: a new subscription begins with it."""
        link = self._used.get(symbol)
        if link is not None:
            link.unsubscribe(symbol)
            link.subscribe(symbol)

    def _note_order(self, message: messages.AccountMessage) -> None:
        if isinstance(message, messages.Order):
            key = message.symbol, message.client_order_id or f"#{message.order_id}"
            self._open.pop(key, None)
            if message.status not in ENDED:
                self._open[key] = message

    def _tell_no_trading(self, symbol: str, reason: str) -> None:
        """Say that nothing can be sent any more, and that what works may have been filled or be gone."""
        for key, order in list(self._open.items()):
            if order.symbol == symbol and not order.unknown:
                why, now = f"UNKNOWN: {reason}; look in Bookmap", max(time.time_ns(), order.ts)
                self._open[key] = msgspec.structs.replace(order, unknown=True, reason=why, ts=now)
                self._tell(self._open[key])
        self._tell(messages.Trading(symbol=symbol, ts=time.time_ns(), reason=reason))

    def _any_told(self) -> bool:
        return any(link.instruments for link in self._links.values()) or self._all_told()

    def _all_told(self) -> bool:
        return all(link.instruments is not None or link.is_gone for link in self._links.values())

    def _bridges(self) -> list[dict[str, Any]]:
        with self._lock:
            links = sorted(self._links.values(), key=_rank)
            used = {id(link) for link in self._used.values()}
        return [link.describe() | {"used": id(link) in used} for link in links]


APPEARING_S: Final = 3.0
"""A bridge listens some ten milliseconds after Bookmap has attached an instrument."""
TO_DO: Final = (
    "Start the add-on in Bookmap and enable it for an instrument; `workbench bridge install` writes it, "
    "`workbench doctor` checks every step"
)


def check_bridges() -> None:
    """Refuse to go on when no bridge runs; one that was started just now is given a moment to say where it is.

    Raises
    ------
    DiscoveryError
        None, or one whose discovery file others may read; the message says what to do.
    """
    give_up = time.monotonic() + APPEARING_S
    while not any(endpoint.key == BRIDGE_KEY for endpoint in running_feeds()):
        if time.monotonic() >= give_up:
            check_files()  # one that must not be used is not none
            raise DiscoveryError("no bridge runs inside Bookmap", action=TO_DO, code="no_feed")
        time.sleep(LOOK_S)


def _rank(link: BridgeLink) -> tuple[bool, int, str]:
    return link.rank


def _disconnected(symbol: str, reason: str) -> FeedError:
    return FeedError(
        f"{symbol!r} is not connected to Bookmap: {reason}",
        action="Nothing was sent. Wait until the feed is live, then ask again",
        code="disconnected",
    )
