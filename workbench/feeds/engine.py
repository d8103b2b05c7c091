"""The engine: owns the source, paces it, keeps the books, records, and serves every client.

One event loop owns all state. Three threads help it: one in which the source computes or reads its next events, one
that writes recordings, one that finishes them. A client that hangs, a slow disk or a busy kernel never delays anybody else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from workbench.errors import DiscoveryError, FeedError, WorkbenchError
from workbench.events import EventBatch, Instrument
from workbench.feeds.addresses import Listening
from workbench.feeds.commands import HEALTH_TICK_S, Commands
from workbench.feeds.crossing import CrossedBooks
from workbench.feeds.discovery import Endpoint, new_secret, publish, renew, withdraw
from workbench.feeds.market import Market
from workbench.feeds.pacing import Pace
from workbench.feeds.paper_route import route_of
from workbench.feeds.processes import process_start
from workbench.feeds.recording_thread import RecordingThread
from workbench.feeds.relay import Relay, note_of
from workbench.feeds.repeating import repeat
from workbench.feeds.running import Running
from workbench.feeds.seeks import SeekMarks
from workbench.feeds.server import Access, Client, FeedServer
from workbench.feeds.source import Platform
from workbench.protocol import messages

if TYPE_CHECKING:
    from workbench.feeds.source import Source
    from workbench.feeds.specification import EngineSpec

TICK_S: Final = 0.02
WATCH_S: Final = 0.1
CHUNK_EVENTS: Final = 16_384
FOREVER_NS: Final = (1 << 62) - 1
ROOM_POLL_S: Final = 0.002
STOP_TIMEOUT_S: Final = 60.0
FIRST_CLIENT_S: Final = 30.0
"""Whoever started the engine gets so long to connect, however short the grace is."""

_log = logging.getLogger("workbench.feeds.engine")
_T = TypeVar("_T")


class Engine:
    """One running feed.

    Parameters
    ----------
    source : Source
    spec : EngineSpec

    Attributes
    ----------
    markets : dict of str to Market
    server : FeedServer
    recordings : RecordingThread
    pace : Pace
    paper : PaperRoute or None
        The way to the paper desks, where there is no platform behind the source.
    relay : Relay or PaperRoute
        The way of orders: to the platform, or to the paper desks.
    endpoint : Endpoint or None
        Once :meth:`start` has returned.
    """

    def __init__(self, source: Source, spec: EngineSpec):
        self.source, self.spec = source, spec
        self.live = bool(getattr(source, "live", False))
        self.markets = {i.symbol: Market(i, n) for n, i in enumerate(source.instruments, start=1)}
        self._seek_marks = SeekMarks()
        self.pace = Pace(source.start_ns, time.monotonic_ns(), spec.source.speed)
        self.endpoint: Endpoint | None = None
        self.started_ns = time.time_ns()
        self.waiting = spec.wait_for_subscriber and not self.live  # what happens elsewhere does not wait
        self.failure: WorkbenchError | None = None
        self._commands = Commands(self)
        self._secret = new_secret()
        self._platform = source if isinstance(source, Platform) else None
        access = Access(self._secret, open_access=spec.open_access, armed=True)  # who gets orders decides
        self._streams = {symbol: market.stream for symbol, market in self.markets.items()}
        self.server = FeedServer(
            self._streams,
            access,
            Listening(port=spec.port),
            self._commands.take,
            self._on_clients,
            "workbench engine",
            on_leave=self._on_leave,
        )
        self.paper = None
        if self._platform is None:
            self.paper = route_of(spec.source, self.markets, self.tell_account, live=self.live)
        self.relay = self.paper or self._new_relay()
        self.recordings = RecordingThread(self._on_recording_failure)
        self.crossed = CrossedBooks(self.markets)
        self._source_thread = ThreadPoolExecutor(1, thread_name_prefix="workbench-source")
        self._source_lock = asyncio.Lock()
        self._runnable = asyncio.Event()
        self._stopping = asyncio.Event()
        self._leave_timer: asyncio.TimerHandle | None = None
        self._was_used = False

    @property
    def state(self) -> str:
        """``waiting`` for a first subscriber, ``live``, ``stale``, ``paused``, ``ended``."""
        if self.waiting:
            return "waiting"
        if self.live:
            return str(getattr(self.source, "state", "live"))
        if self.source.exhausted:
            return "ended"
        return "paused" if self.pace.paused else "live"

    async def start(self) -> Endpoint:
        """Listen, and tell so by the discovery file.

        Raises
        ------
        FeedError
            The port is taken.
        """
        self._loop = asyncio.get_running_loop()
        if self._platform is not None:
            self._platform.listen(lambda m: self._loop.call_soon_threadsafe(self.tell_account, m))
        # the opening books; also loads what the first events need
        await self._advance_to(self.source.start_ns)
        await self.server.start()
        pid = os.getpid()
        endpoint = Endpoint(
            identity=self.spec.identity,
            uri=self.server.uri,
            secret=self._secret,
            pid=pid,
            process_start=process_start(pid) or "",
            source=self.source.name,
            key=self.spec.source.key,
            symbols=tuple(self.markets),
            started_ns=self.started_ns,
        )
        self.endpoint = publish(endpoint)
        self._on_clients()
        return self.endpoint

    async def run(self) -> None:
        """Serve until :meth:`stop` is called, or until the last client has gone."""
        assert self.endpoint is not None
        driving = asyncio.create_task(self._drive())
        telling = asyncio.create_task(repeat(self._commands.tell_health, HEALTH_TICK_S, "telling health"))
        watching = asyncio.create_task(repeat(self._watch_books, WATCH_S, "watching books"))
        ending = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({driving, ending}, return_when=asyncio.FIRST_COMPLETED)
            if driving.done():
                self._source_failed(driving.exception())
                await ending
        finally:
            async with self._source_lock:  # rows on their way from the source are handed on first
                for task in (driving, telling, watching, ending):
                    task.cancel()
            await self._finish()

    def stop(self) -> None:
        """Finish recordings, say goodbye to the clients and leave; safe to call again."""
        self._stopping.set()

    async def pause(self) -> None:
        """Stand still in virtual time; what was under way has been published when this returns."""
        async with self._source_lock:
            self._stand_still()

    def _stand_still(self) -> None:
        self.pace.pause(self.source.position_ns, time.monotonic_ns())
        self._runnable.clear()

    def resume(self) -> None:
        """Go on."""
        self.pace.resume(time.monotonic_ns())
        self._update_runnable()

    def change_speed(self, speed: float) -> None:
        """Go on with another speed."""
        self.pace.change(speed, self.source.position_ns, time.monotonic_ns())

    async def seek(self, ts_ns: int) -> None:
        """Go to another time; the books of then are published at once."""
        async with self._source_lock:
            with contextlib.nullcontext() if self.paper is None else self.paper.moving():
                await self._in_source_thread(self.source.seek, ts_ns)
            self._seek_marks.expect(self.markets)
            await self._advance_to(self.source.position_ns)
            self.pace.anchor(self.source.position_ns, time.monotonic_ns())
        self._update_runnable()

    async def step(self, length_ns: int) -> None:
        """Move virtual time by hand, then stand still."""
        async with self._source_lock:
            self._stand_still()
            await self._advance_to(self.source.position_ns + length_ns)
            self._stand_still()

    # -- virtual time ----------------------------------------------------------------------------------------------

    async def _drive(self) -> None:
        while True:
            await self._runnable.wait()
            began = time.monotonic()
            async with self._source_lock:
                if not self._runnable.is_set():
                    continue
                handed = await self._advance(self._target())
            if self.source.exhausted:
                self._runnable.clear()
            if handed >= CHUNK_EVENTS or self.pace.unlimited:
                await self._room()
            else:
                await asyncio.sleep(max(0.0, TICK_S - (time.monotonic() - began)))

    def _target(self) -> int:
        if self.live:
            return FOREVER_NS
        target = self.pace.target(time.monotonic_ns())
        return FOREVER_NS if target is None else target

    async def _advance_to(self, until_ns: int) -> None:
        """Hand on everything up to a moment: a book of many orders takes more than one chunk."""
        while await self._advance(until_ns) >= CHUNK_EVENTS:
            await self._room()

    async def _advance(self, until_ns: int) -> int:
        batches = await self._in_source_thread(self.source.advance, until_ns, CHUNK_EVENTS)
        self._meet_instruments()
        now = time.time_ns()
        for symbol, batch in batches:
            self._publish(symbol, batch, now)
        handed = sum(len(batch) for _, batch in batches)
        if self.paper is not None:
            ended = self.source.exhausted
            self.paper.advance(self.source.position_ns, whole=ended or handed < CHUNK_EVENTS)
            if ended:
                self.paper.finish()
        if batches:
            self.server.wake()
        return handed

    def _publish(self, symbol: str, batch: EventBatch, now: int) -> None:
        if len(batch):
            if not self.live:  # what happens elsewhere is handed on as it came
                batch = self._seek_marks.mark(symbol, batch)
            market = self.markets[symbol]
            # Recorded first: after an overflow a recording goes on with the book before these rows.
            self.recordings.append(symbol, batch, opening=market.opening if self.live else None)
            market.publish(batch, now)
            if self.paper is not None:
                self.paper.take(symbol, batch)

    def _meet_instruments(self) -> None:
        """Serve instruments that appeared in a source that grows, and tell everyone."""
        if self._platform is None or len(self.source.instruments) == len(self.markets):
            return
        new = [i for i in self.source.instruments if i.symbol not in self.markets]
        for instrument in new:
            self._serve(instrument)
        if self.endpoint is not None:
            self._commands.tell_instruments(new)
            self._renew_file(self.endpoint)

    def _renew_file(self, endpoint: Endpoint) -> None:
        try:
            self.endpoint = renew(replace(endpoint, symbols=tuple(self.markets)))
        except (DiscoveryError, OSError) as problem:  # what it says is out of date, and nothing worse
            _log.warning("the discovery file stays as it was: %s", problem)

    def _serve(self, instrument: Instrument) -> None:
        market = Market(instrument, len(self.markets) + 1)
        self.markets[instrument.symbol] = market
        self._streams[instrument.symbol] = market.stream

    async def _room(self) -> None:
        """Wait until nobody who must not lose anything is behind; a live source cannot wait."""
        while not self.live and (self.recordings.full or not self.server.caught_up):
            await asyncio.sleep(ROOM_POLL_S)
        await asyncio.sleep(0)

    async def _in_source_thread(self, work: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._source_thread, work, *arguments)

    def tell_account(self, message: messages.AccountMessage) -> None:
        """Tell clients and recordings what is news of the account."""
        self.relay.heard(message)
        if self.server.tell(message):
            self.recordings.note(*note_of(message))

    def _new_relay(self) -> Relay:
        assert self._platform is not None
        here, account = (lambda client: client in self.server.clients), self.server.account
        return Relay(self._platform, lambda: list(self.markets), account, self.tell_account, here)

    def _on_leave(self, client: Client) -> None:
        self.relay.left(client)

    def _watch_books(self) -> None:
        if self.paper is not None:
            self.paper.look_for_kill()
            self.paper.sync()
            self.check_leaving()
        for symbol in self.crossed.look(time.monotonic_ns()):
            self._resync(symbol, self.crossed.texts[symbol])

    def _resync(self, symbol: str, reason: str) -> None:
        """Ask a live source anew for a book; what is recorded or simulated has no other."""
        _log.warning("%s: %s", symbol, reason)
        resync = getattr(self.source, "resync", None)
        if resync is not None:
            with contextlib.suppress(FeedError):  # the connection has ended: there is nobody to ask
                resync(symbol, reason)
                self.crossed.resyncs += 1

    def _source_failed(self, problem: BaseException | None) -> None:
        # The feed stays up, so that recordings are finished and clients learn why nothing comes any more.
        self.failure = (
            problem
            if isinstance(problem, WorkbenchError)
            else WorkbenchError(f"the source ended: {problem!r}")
        )
        _log.error("the source ended: %r", problem)

    # -- life ------------------------------------------------------------------------------------------------------

    def _update_runnable(self) -> None:
        if self.waiting or self.pace.paused or self.source.exhausted:
            self._runnable.clear()
        else:
            self._runnable.set()

    def _on_clients(self) -> None:
        if self.waiting and (not self.spec.wait_for_subscriber or self._has_subscriber()):
            self.waiting = False
            head_start_ns = int(self.spec.head_start_s * 1e9)
            self.pace.anchor(self.source.position_ns + head_start_ns, time.monotonic_ns())
        self._update_runnable()
        self.check_leaving()

    def check_leaving(self) -> None:
        """Start or stop counting the seconds until the engine leaves, by what clients and recordings do now."""
        if self.spec.grace_s is None:
            return
        works = self.paper is not None and self.paper.works_alone
        needed = bool(self.server.clients) or self.recordings.active or works
        self._was_used = self._was_used or needed
        if needed and self._leave_timer is not None:
            self._leave_timer.cancel()
            self._leave_timer = None
        elif not needed and self._leave_timer is None:
            grace = self.spec.grace_s if self._was_used else max(self.spec.grace_s, FIRST_CLIENT_S)
            self._leave_timer = asyncio.get_running_loop().call_later(grace, self._leave)

    def _has_subscriber(self) -> bool:
        return any(client.subscriptions for client in self.server.clients)

    def _leave(self) -> None:
        self._leave_timer = None
        self.stop()

    def _on_recording_failure(self, recording: Running) -> None:
        self._loop.call_soon_threadsafe(self._commands.tell_failure, recording)

    async def _finish(self) -> None:
        await self.relay.stop()
        try:
            async with self._source_lock:
                if self.live and self.failure is None:
                    await self._advance_to(FOREVER_NS)  # what has arrived by now
                closed = self.recordings.close("engine stopped")
                await asyncio.wait_for(asyncio.wrap_future(closed), STOP_TIMEOUT_S)
        except TimeoutError:
            _log.error("recordings not finished within %g s: they open from their journals", STOP_TIMEOUT_S)
        finally:
            await self._let_go()

    async def _let_go(self) -> None:
        await self.server.stop()
        close = getattr(self.source, "close", None)
        if close is not None:
            await self._in_source_thread(close)
        self._source_thread.shutdown()
        if self.endpoint is not None:
            withdraw(self.endpoint)
