"""The stand-in: Bookmap with one instrument, one add-on, and a hand on every switch."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

from workbench.errors import FeedError
from workbench.events import Instrument
from workbench.feeds.pacing import parse_speed
from workbench.feeds.times import Moment, moment_ns
from workbench.testing.addon_process import AddonProcess
from workbench.testing.connection import Connection
from workbench.testing.encoder import Provider
from workbench.testing.observation import Observation
from workbench.testing.panel import SettingValue
from workbench.testing.platform import Platform
from workbench.testing.player import Player
from workbench.testing.tape import Playable, Tape

PATIENCE_S: Final = 30.0
_ACCEPT_S: Final = 0.05
_FLUSH_S: Final = 1.0
_ROOM_BYTES: Final = 1 << 23
_T = TypeVar("_T")


class BookmapStandIn(Observation):
    """Play Bookmap's side of the wire from a recording, the simulator or any source.

    Parameters
    ----------
    source : Source, Recording, path of a recording, or batches of events
    symbol : str, optional
        Which instrument; needed where the source has several. Bookmap runs one add-on for each.
    instrument : Instrument, optional
        What batches are of.
    speed : float or "max"
        Data seconds per second.
    line_ending : {"\\n", "\\r\\n"}
        The second is Windows'.
    script : path, optional
        The add-on; started by :meth:`attach` as Bookmap does. Without it :meth:`attach` waits for whoever connects to
        :attr:`port`.
    python : str
        What runs the script: the "custom runtime".
    env : mapping, optional
        The script's environment; by default this process's own.
    trading : bool
        Whether the add-on was built as a trading strategy.
    provider : {"both", "depth", "mbo"}
    simulate_fills : bool
        Match orders against the stream; otherwise they rest until :meth:`fill`.
    interval_clock : {"data", "wall"}
        What the 0.1 s interval is counted in; which one Bookmap follows in a replay is not known.
    write_per_line : bool
        One system call per line, as Bookmap does.
    health_check_s : float, s
        How often Bookmap looks whether the add-on lives.
    **habits
        ``resize_means``, ``snapshot_before_response``, ``features``: see :class:`~workbench.testing.platform.Platform`.

    Examples
    --------
    >>> from workbench.feeds.simulator import Simulator
    >>> with BookmapStandIn(Simulator(seed=7), script="bridge.py") as bm:  # doctest: +SKIP
    ...     bm.attach()
    ...     bm.play(until="10s")
    ...     bm.wait(lambda bm: bm.finished)
    ...     bm.detach()
    """

    def __init__(
        self,
        source: Playable,
        symbol: str | None = None,
        *,
        instrument: Instrument | None = None,
        speed: float | str = 1.0,
        line_ending: Literal["\n", "\r\n"] = "\n",
        script: str | os.PathLike[str] | None = None,
        python: str = sys.executable,
        env: Mapping[str, str] | None = None,
        trading: bool = False,
        provider: Provider = "both",
        simulate_fills: bool = True,
        interval_clock: Literal["data", "wall"] = "data",
        write_per_line: bool = False,
        health_check_s: float = 3.0,
        **habits: Any,
    ):
        self.tape = Tape(source, symbol, instrument=instrument)
        self.platform = Platform(
            self.tape.instrument,
            provider=provider,
            end=line_ending,
            trading=trading,
            simulate_fills=simulate_fills,
            **habits,
        )
        self.popups: list[str] = []
        self.addon: AddonProcess | None = None
        self._script = None if script is None else Path(script)
        self._python, self._env, self._health_check_s = python, env, health_check_s
        self._write_per_line = write_per_line
        self._changed = threading.Condition(threading.RLock())
        self._connection: Connection | None = None
        self._timers: list[threading.Timer] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        played = (self.tape, self.platform, self._changed)
        self._player = Player(*played, self._pump, self._has_room, parse_speed(speed), interval_clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "attached" if self.attached else "not attached"
        return f"<BookmapStandIn {self.alias} on port {self.port}: {state}, {len(self.received)} lines from the add-on>"

    @property
    def port(self) -> int:
        """Where the add-on is to connect, on 127.0.0.1; Bookmap itself listens on every interface."""
        return int(self._server.getsockname()[1])

    @property
    def connected(self) -> bool:
        """Whether the add-on's connection is open."""
        return self._connection is not None and not self._connection.closed

    @property
    def position_ns(self) -> int:
        """Data time, ns since the epoch."""
        return self._player.position_ns

    @property
    def finished(self) -> bool:
        """Whether everything that was to be played is played and written."""
        return self._player.finished and (self._connection is None or not self._connection.waiting_bytes)

    def wait(self, predicate: Callable[[BookmapStandIn], _T], timeout_s: float = PATIENCE_S) -> _T:
        """Return the first true value of ``predicate(self)``.

        Raises
        ------
        TimeoutError
            None came in time; the message says how things stand.
        """
        give_up = time.monotonic() + timeout_s
        with self._changed:
            while not (value := predicate(self)):
                left = give_up - time.monotonic()
                if left <= 0:
                    raise TimeoutError(self._situation(timeout_s))
                self._changed.wait(min(left, 0.05))  # what happens outside of us notifies nobody
        return value

    # What a user of Bookmap does

    def attach(self, *, pips: float | None = None, timeout_s: float = PATIENCE_S) -> None:
        """Enable the add-on for the instrument: start it, take its connection, wait until it is initialised.

        Raises
        ------
        FeedError
            The add-on did not connect, or did not say that it is initialised.
        """
        if self._script is not None:
            self._start_addon(self._script)
        sock = self._accept(timeout_s)
        with self._changed:  # nothing that the add-on says is heard before it is greeted
            self._player.open()
            self._connection = Connection(
                sock, self._take_lines, self._notify, write_per_line=self._write_per_line
            )
            self.platform.connect(pips=pips)
            self._pump()
        try:
            self.wait(lambda bm: bm.attached or bm.deaf or bm.mute or not bm.connected, timeout_s)
        except TimeoutError as problem:
            raise FeedError("the add-on did not finish its initialisation", expected=str(problem)) from None
        if not self.attached:
            raise FeedError("the add-on's initialisation will never end", expected=self._situation(timeout_s))

    def play(self, until: Moment | None = None) -> None:
        """Let data time run, up to a moment (``"10s"`` counts from the start) or on and on; returns at once."""
        self._player.play(None if until is None else moment_ns(until, self.tape.start_ns))

    def pause(self) -> None:
        """Stop data time."""
        self._player.pause()

    def rewind(self, *, timeout_s: float = PATIENCE_S) -> None:
        """Begin again: Bookmap detaches, and attaches a new process."""
        self.pause()
        self.detach()
        self._player.rewind()
        self.attach(timeout_s=timeout_s)

    def set(self, name: str, value: SettingValue) -> None:
        """Change a setting in the panel and press Apply; a setting that reloads starts the add-on anew."""
        with self._changed:
            self.platform.apply_setting(name, value)
            self._pump()
        if self.platform.reload_wanted:
            self.detach()
            self.attach()

    def fill(self, order_id: str, size: int | None = None, ticks: int | None = None) -> None:
        """Execute an order by hand: all that is left, at its own price, unless told otherwise."""
        with self._changed:
            self.platform.fill(order_id, size, ticks)
            self._pump()

    def offer(self, provider: str, *generators: str) -> None:
        """Another add-on that broadcasts is switched on."""
        with self._changed:
            self.platform.offer(provider, list(generators))
            self._pump()

    def broadcast(self, provider: str, generator: str, event: object, *, settings: bool = False) -> bool:
        """Another add-on broadcasts; False when ours did not subscribe to it."""
        with self._changed:
            heard = self.platform.broadcast(provider, generator, event, settings=settings)
            self._pump()
        return heard

    def send(self, *fields: str | int) -> None:
        """Send a line of any fields."""
        with self._changed:
            self.platform.send(*fields)
            self._pump()

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        connection = self._connection
        if connection is not None:
            connection.send(data)

    # How it ends

    def detach(self, *, last: bool = True, grace_s: float = 0.0) -> None:
        """Disable the add-on: 7, and if this was the last instrument 16, and the end of the process without a wait.

        Parameters
        ----------
        last : bool
        grace_s : float, s
            Let the add-on end by itself for so long; Bookmap does not.
        """
        with self._changed:
            self.platform.detach(last=last)
            self._pump()
        if not last:
            return
        if self._connection is not None:
            self._connection.flush(_FLUSH_S)
        if self.addon is not None:
            with contextlib.suppress(TimeoutError):
                self.wait(lambda bm: bm.addon is None or bm.addon.exit_code is not None, grace_s)
            self.addon.destroy()
            self._hang_up()

    def quit(self) -> None:
        """Close Bookmap: everything is detached, then its end of the connection closes."""
        if self.platform.announced:
            self.detach()
        self._hang_up()

    def crash(self, *, reset: bool = False) -> None:
        """Bookmap dies: the connection ends without a word, or with a reset; the add-on's process is left alone."""
        self._player.pause()
        self._hang_up(reset=reset)
        with self._changed:
            self.platform.attached = self.platform.announced = False

    def freeze(self) -> None:
        """Bookmap hangs: nothing is read or written, and the connection stays open."""
        if self._connection is not None:
            self._connection.freeze()

    def thaw(self) -> None:
        """It goes on."""
        if self._connection is not None:
            self._connection.thaw()

    def close(self) -> None:
        """Let go of everything: threads, sockets, and the add-on if it was started here."""
        self._player.close()
        for timer in self._timers:
            timer.cancel()
        if self.addon is not None:
            self.addon.destroy()
        self._hang_up()
        self._server.close()

    # Inside

    def _start_addon(self, script: Path) -> None:
        if self.addon is not None:
            self.addon.destroy()
        self.addon = AddonProcess(
            self._python,
            script,
            self.port,
            env=self._env,
            on_exit=self._addon_ended,
            health_check_s=self._health_check_s,
        )

    def _addon_ended(self, code: int) -> None:
        with self._changed:
            if code and self.addon is not None:
                self.popups.append(f"exit code {code}\n{self.addon.last_errors}")
            self.platform.log.append(f"add-on ended with {code}: instance stopped")
            self.platform.attached = self.platform.announced = False
            self._changed.notify_all()
        self._hang_up()

    def _accept(self, timeout_s: float) -> socket.socket:
        self._hang_up()
        give_up = time.monotonic() + timeout_s
        self._server.settimeout(_ACCEPT_S)
        while True:
            with contextlib.suppress(TimeoutError):
                sock, _ = self._server.accept()
                sock.settimeout(None)
                return sock
            ended = self.addon is not None and self.addon.exit_code is not None
            if ended or time.monotonic() > give_up:
                raise FeedError("no add-on connected", expected=self._situation(timeout_s))

    def _take_lines(self, lines: list[str]) -> None:
        with self._changed:
            for raw in lines:
                self.platform.receive(raw)
            self._pump()

    def _pump(self) -> None:
        with self._changed:
            for data in self.platform.take():
                self.send_raw(data)
            if self.platform.late:
                late, self.platform.late = self.platform.late, []
                self._later(self.platform.faults.delay_s, b"".join(late))
            self._changed.notify_all()

    def _later(self, delay_s: float, data: bytes) -> None:
        timer = threading.Timer(delay_s, self.send_raw, [data])
        timer.daemon = True
        self._timers = [one for one in self._timers if one.is_alive()] + [timer]
        timer.start()

    def _has_room(self) -> bool:
        return self._connection is None or self._connection.waiting_bytes < _ROOM_BYTES

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _hang_up(self, *, reset: bool = False) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close(reset=reset)
            connection.join(PATIENCE_S)

    def _situation(self, timeout_s: float) -> str:
        errors = self.addon.last_errors if self.addon is not None else ""
        newest = [sent.raw[:80] for sent in self.received[-5:]]
        return f"not in {timeout_s:g} s; {self!r}; newest lines {newest}; log {self.log[-3:]}; add-on says: {errors}"
