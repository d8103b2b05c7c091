"""The add-on as a process: one event loop, one thread, between Bookmap's socket and the feed.

Bookmap starts it as ``[python, "-X utf8", script, port]``, reads its standard output and error into its log, and shows
a popup when it ends with any code but 0. So every end that can be expected is quiet and ends with 0; starting it by
hand, or where nobody listens, ends with 2 and one sentence.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from workbench.bridge import facts
from workbench.bridge.addon import Addon, Published
from workbench.bridge.feed import Feed
from workbench.bridge.memory import keep_freed
from workbench.bridge.order_journal import OrderJournal, journal_path
from workbench.bridge.watch import DEGRADED_NS
from workbench.feeds.garbage import spare_old_objects
from workbench.feeds.server import Client
from workbench.feeds.signals import on_interrupt
from workbench.protocol import messages

HOST: Final = "127.0.0.1"
READ_BYTES: Final = 512 << 10
PEEK_BYTES: Final = 64 << 10
SYNC_S: Final = 1.0
FINISH_S: Final = 2.0
MIN_HEALTH_S: Final = 0.1
MIN_WAIT_S: Final = 0.005
"""What is due already waits so long, too: points that a blocked Bookmap does not take must not keep a core busy."""

_log = logging.getLogger("workbench.bridge")


def run(trading: bool = False, argv: Sequence[str] | None = None) -> NoReturn:
    """Be the add-on until Bookmap ends it; a script for Bookmap's editor calls nothing else.

    Parameters
    ----------
    trading : bool
        Offer the setting that lets orders through. It is off until somebody ticks it in Bookmap's panel.
    argv : sequence of str, optional
        Default ``sys.argv``; the first argument is the port on which Bookmap listens.

    Raises
    ------
    SystemExit
        Always: code 0 at every end that was to be expected, 2 when there is no Bookmap to talk to.
    """
    _prepare_output()
    sys.exit(main(trading, sys.argv if argv is None else argv))


def main(trading: bool, argv: Sequence[str]) -> int:
    """Run the bridge and return its exit code."""
    port = argv[1] if len(argv) > 1 else ""
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        _tell(
            "this script is started by Bookmap, which gives it a port. Build it in Bookmap's Python API editor"
        )
        return 2
    try:
        return asyncio.run(_Bridge(trading).serve(int(port)))
    except ConnectionRefusedError:
        _tell(f"nobody listens on {HOST}:{port}. This script is started by Bookmap")
        return 2
    except KeyboardInterrupt:  # between two moments in which the loop takes it
        return 0


def _tell(sentence: str) -> None:
    print(f"workbench bridge: {sentence}.", file=sys.stderr, flush=True)


def _prepare_output() -> None:
    """Make printing safe: Bookmap's "-X utf8" is one argument, so Python stays with the system's code page."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a test or a notebook may have put something else there
            stream.reconfigure(encoding="ascii", errors="backslashreplace")
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_OncePerSecond())
    logging.basicConfig(
        level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", handlers=[handler]
    )


class _OncePerSecond(logging.Filter):
    """Let one record through per second and count the others: Bookmap keeps every line in its own log."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0
        self._held = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is printed."""
        now = time.monotonic()
        if now < self._next:
            self._held += 1
            return False
        if self._held:
            record.msg = f"{record.getMessage()} ({self._held} more messages left out)"
            record.args = ()
        self._next, self._held = now + 1.0, 0
        return True


class _Link(asyncio.BufferedProtocol):
    """The socket to Bookmap: a fixed buffer, stamps at once."""

    def __init__(self, bridge: _Bridge):
        self._bridge = bridge
        self._buffer = memoryview(bytearray(READ_BYTES))
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket
        self._peeking: socket.socket
        self.writable = True
        self.read_at = time.monotonic_ns()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first line; whatever the system does not take at once blocks the ordinary ones."""
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=0)
        self._transport = transport
        self._socket = transport.get_extra_info("socket")
        self._peeking = self._socket.dup()
        self._peeking.setblocking(False)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next read goes."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Something was read."""
        wall, mono = time.time_ns(), time.monotonic_ns()
        self.read_at = mono
        self._bridge.take(bytes(self._buffer[:nbytes]), self._is_behind(nbytes), wall, mono)

    def waiting_bytes(self) -> int:
        """How much lies in the socket, up to 64 KiB: what came while this process was stopped or asleep."""
        try:
            return len(self._peeking.recv(PEEK_BYTES, socket.MSG_PEEK))
        except OSError:
            return 0

    def _is_behind(self, nbytes: int) -> bool:
        """Whether more waits: the read filled our buffer, or took all that the system's own could hold.

        Half of what the system says: the other half is its own book-keeping (Linux), or caution (elsewhere).
        """
        held = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        return nbytes == READ_BYTES or 2 * nbytes >= held

    def connection_lost(self, exc: Exception | None) -> None:
        """End: closed, reset, or broken."""
        self.writable = False
        self._peeking.close()
        self._bridge.end("Bookmap closed the connection" if exc is None else f"connection lost: {exc}")

    def pause_writing(self) -> None:
        """Bookmap reads too slowly: everything waits, and orders go first when it goes on, if they still may."""
        self.writable = False

    def resume_writing(self) -> None:
        """Everything written is on its way."""
        self.writable = True
        self._bridge.go_on()

    def write(self, data: bytes) -> None:
        """Write now."""
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()


class _Bridge:
    """Ties the link, the add-on's core and the feed together."""

    def __init__(self, trading: bool):
        self.addon = Addon(trading=trading, open_journal=self._open_journal)
        self._feed = Feed(trading, self._command, self._left)
        self._link = _Link(self)
        self._journals: list[_Journal] = []
        self._owners: dict[Client, str] = {}
        self._owner_count = 0
        self._health: dict[Client, asyncio.TimerHandle] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._sync: asyncio.TimerHandle | None = None
        self._ended = asyncio.Event()

    async def serve(self, port: int) -> int:
        """Connect, and work until the end."""
        self._loop = asyncio.get_running_loop()
        on_interrupt(lambda: self.end("interrupted"))
        await self._loop.create_connection(lambda: self._link, HOST, port)
        keep_freed()
        spare_old_objects()
        self.addon.connected()
        self.go_on()
        following = asyncio.create_task(self._feed.follow())
        try:
            await self._ended.wait()
        finally:
            await self._finish(following)
        return 0

    def take(self, data: bytes, full: bool, wall: int, mono: int) -> None:
        """Lines from Bookmap."""
        self._do(lambda: self.addon.receive(data, wall, mono, full=full))

    def end(self, reason: str) -> None:
        """Tell everyone that it is over, then leave; safe to call again."""
        if not self._ended.is_set():
            self._ended.set()
            self._do(lambda: self.addon.lost(reason, time.time_ns(), time.monotonic_ns()))

    def go_on(self) -> None:
        """Do everything the core wants done."""
        self._do(lambda: None)

    def _do(self, work: Callable[[], object]) -> None:
        """Let the core work, then do what it wants; nothing that fails may reach the event loop, which would hang up."""
        for step in (work, self._go_on):
            try:
                step()
            except Exception as problem:  # noqa: BLE001  (counted and told; what comes next is worked on all the same)
                self.addon.failures.take(problem, "a step of the loop", time.monotonic_ns())

    def _go_on(self) -> None:
        addon, wall, mono = self.addon, time.time_ns(), time.monotonic_ns()
        if self._link.writable:  # behind what the system has not taken, nothing could be called back any more
            self._link.write(addon.orders_to_send(wall, mono))
        addon.note_market()
        if self._link.writable:
            self._link.write(addon.lines_to_send(wall, mono))
        self._hand_on(addon.publications())
        self._feed.show(addon.attached)
        for message in addon.account_messages():
            self._feed.tell(message)
        for sentence in addon.log():
            _log.warning("%s", sentence)
        self._set_timer()
        if addon.finished:
            self.end(addon.finished)

    def _hand_on(self, published: Sequence[Published]) -> None:
        wall = time.time_ns()
        for instrument, batch, market in published:
            self._feed.publish(instrument, batch, market.book_state, wall)
        if published:
            self._feed.wake()

    # -- time ------------------------------------------------------------------------------------------------------

    def _set_timer(self) -> None:
        deadline = self.addon.deadline()
        due = None if deadline is None else max(deadline / 1e9, self._loop.time() + MIN_WAIT_S)
        if self._timer is not None:
            if due is not None and self._timer.when() <= due:
                return  # it looks again when it fires
            self._timer.cancel()
        self._timer = None if due is None else self._loop.call_at(due, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._do(lambda: self.addon.on_time(time.time_ns(), time.monotonic_ns()))

    # -- clients ---------------------------------------------------------------------------------------------------

    def _command(self, client: Client, command: messages.Command) -> None:
        wall, mono = time.time_ns(), time.monotonic_ns()
        match command:
            case messages.HealthQuery():
                self._ask_health(client, command)
            case messages.EngineQuery():
                client.send(self._feed.engine(facts.describe(self.addon, wall, mono), command.request_id))
            case _:
                self._look_into_the_socket(wall, mono)
                answer = self.addon.command(self._owner(client), command, wall, mono)
                self.go_on()
                client.send(answer)

    def _look_into_the_socket(self, wall: int, mono: int) -> None:
        """Before a command is carried out on what may be old: nothing was read for long, and much has come."""
        since = self._link.read_at
        if mono - since > DEGRADED_NS and (waiting := self._link.waiting_bytes()) == PEEK_BYTES:
            self._do(lambda: self.addon.found_waiting(waiting, since, wall, mono))

    def _left(self, client: Client) -> None:
        timer = self._health.pop(client, None)
        if timer is not None:
            timer.cancel()
        owner = self._owners.pop(client, None)
        if owner is not None:
            self._do(lambda: self.addon.owner_left(owner, time.time_ns(), time.monotonic_ns()))

    def _owner(self, client: Client) -> str:
        if client not in self._owners:
            self._owner_count += 1
            self._owners[client] = f"client {self._owner_count}"
        return self._owners[client]

    def _ask_health(self, client: Client, command: messages.HealthQuery) -> None:
        timer = self._health.pop(client, None)
        if timer is not None:
            timer.cancel()
        client.send(self._describe_health(command.request_id))
        if command.interval_ms:
            self._repeat_health(client, max(command.interval_ms / 1000, MIN_HEALTH_S))

    def _repeat_health(self, client: Client, every_s: float) -> None:
        self._health[client] = self._loop.call_later(every_s, self._tell_health, client, every_s)

    def _tell_health(self, client: Client, every_s: float) -> None:
        client.connection.send_latest("HEALTH", self._describe_health(None))
        client.wake()
        self._repeat_health(client, every_s)

    def _describe_health(self, request_id: messages.RequestId) -> messages.Health:
        described = facts.describe(self.addon, time.time_ns(), time.monotonic_ns())
        return self._feed.health(described, request_id)

    # -- end -------------------------------------------------------------------------------------------------------

    def _open_journal(self, symbol: str) -> OrderJournal:
        journal = _Journal(journal_path(symbol), self._journal_written)
        self._journals.append(journal)
        return journal

    def _journal_written(self) -> None:
        if self._sync is None and not self._ended.is_set():
            self._sync = self._loop.call_later(SYNC_S, self._sync_journals)

    def _sync_journals(self) -> None:
        self._sync = None
        for journal in self._journals:
            self._loop.run_in_executor(None, _sync, journal)  # milliseconds in which no order could leave

    async def _finish(self, following: asyncio.Task[None]) -> None:
        self.end("the bridge ended")
        for timer in (self._timer, self._sync, *self._health.values()):
            if timer is not None:
                timer.cancel()
        self._link.close()
        following.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINISH_S):
                await self._feed.close()
        for journal in self._journals:
            _sync(journal)
            journal.close()


class _Journal(OrderJournal):
    """Says that it was written to, so that somebody forces it to the device."""

    def __init__(self, path: Path, on_write: Callable[[], None]):
        self._on_write = on_write
        super().__init__(path)

    def write(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Append entries."""
        super().write(entries)
        self._on_write()


def _sync(journal: OrderJournal) -> None:
    with contextlib.suppress(OSError):  # what was written is with the system already
        journal.sync()
