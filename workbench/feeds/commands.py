"""What clients may ask of an engine: record, steer virtual time, report health, leave."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench import __version__
from workbench.errors import EngineError, WorkbenchError
from workbench.events import Instrument
from workbench.feeds.discovery import new_identity
from workbench.feeds.pacing import MAX, parse_speed
from workbench.feeds.relay import note_of
from workbench.feeds.running import Running
from workbench.protocol import messages

if TYPE_CHECKING:
    from workbench.feeds.engine import Engine
    from workbench.feeds.server import Client

HEALTH_TICK_S: Final = 0.1
MIN_HEALTH_INTERVAL_S: Final = 0.1
STATES: Final = (messages.Order, messages.Position, messages.Balance, messages.Trading)
"""Account messages that hold until the next one: a recording begins with them."""

_log = logging.getLogger("workbench.feeds.engine")


class Commands:
    """Carries out the commands of an engine's clients; every command gets exactly one answer."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._tasks: set[asyncio.Task[None]] = set()
        self._health_every: dict[Client, float] = {}
        self._health_due: dict[Client, float] = {}
        self._rates: dict[str, tuple[float, int, float]] = {}
        self._of_all: set[str] = set()

    def take(self, client: Client, command: messages.Command) -> None:
        """Carry out a command in the background."""
        task = asyncio.create_task(self._answer(client, command))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def tell_health(self) -> None:
        """Send ``HEALTH`` to everyone who asked for it again and again, and whose time has come."""
        now = time.monotonic()
        self._measure(now)
        connected = set(self._engine.server.clients)
        for asked in (self._health_every, self._health_due):
            for client in [c for c in asked if c not in connected]:
                del asked[client]
        for client, interval in self._health_every.items():
            if now >= self._health_due.get(client, 0.0):
                self._health_due[client] = now + interval
                client.connection.send_latest("HEALTH", self._health(None))
                client.wake()

    def tell_failure(self, recording: Running) -> None:
        """Tell everyone that a recording stopped by itself."""
        for client in self._engine.server.clients:
            client.send(_recording_message(recording, None))
        self._engine.check_leaving()

    def tell_instruments(self, new: Sequence[Instrument]) -> None:
        """Tell everyone of all instruments, and record the new ones where all were to be recorded."""
        listed = [market.instrument.to_dict() for market in self._engine.markets.values()]
        for client in self._engine.server.clients:
            client.send(messages.Instruments(instruments=listed))
        for name, recording in self._engine.recordings.running.items():
            if name in self._of_all and recording.state == "recording":
                for instrument in new:
                    self._record_too(name, instrument)

    def _record_too(self, name: str, instrument: Instrument) -> None:
        recordings, symbol = self._engine.recordings, instrument.symbol
        added = recordings.add(name, symbol, instrument, [])
        for message in self._engine.server.account.known(symbol):  # what was told before its first row
            _, table, ts, kind, plain = note_of(message)
            recordings.note(symbol, table, ts, kind, plain, name=name)
        task = asyncio.create_task(self._tell_recording(asyncio.wrap_future(added)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_recording(self, added: asyncio.Future[Running]) -> None:
        told = _recording_message(await added, None)
        for client in self._engine.server.clients:
            client.send(told)

    async def _answer(self, client: Client, command: messages.Command) -> None:
        try:
            client.send(await self._carry_out(client, command))
        except (WorkbenchError, OSError) as problem:
            code = problem.code if isinstance(problem, WorkbenchError) else "failed"
            client.connection.send_error(code, str(problem), command.request_id)
        except Exception as problem:  # noqa: BLE001  (one command must not end the engine; the client is told)
            _log.exception("command failed")
            client.connection.send_error(
                "internal", f"{type(problem).__name__}: {problem}", command.request_id
            )
        client.wake()

    async def _carry_out(self, client: Client, command: messages.Command) -> messages.Message:
        match command:
            case messages.HealthQuery():
                return self._health_for(client, command)
            case messages.EngineQuery():
                return self._describe(command.request_id)
            case messages.Record():
                return await self._record(command)
            case messages.StopRecording():
                return await self._stop_recording(command)
            case messages.Replay():
                return await self._steer(command)
            case messages.Shutdown():
                asyncio.get_running_loop().call_later(0.05, self._engine.stop)
                return messages.Done(request_id=command.request_id)
            case _:
                return await self._engine.relay.carry_out(client, command)

    # -- recording -------------------------------------------------------------------------------------------------

    async def _record(self, command: messages.Record) -> messages.Message:
        engine = self._engine
        symbols = command.symbols or list(engine.markets)
        unknown = [s for s in symbols if s not in engine.markets]
        if unknown:
            raise EngineError(
                f"unknown instrument {unknown[0]!r}; have {list(engine.markets)}", code="unknown_instrument"
            )
        if not Path(command.out).is_absolute():
            raise EngineError(f"directory {command.out!r}", expected="an absolute path", code="relative_path")
        openings = {
            s: (engine.markets[s].instrument, engine.markets[s].opening(history=command.history))
            for s in symbols
        }
        source = {"name": engine.source.name, "kind": engine.spec.source.kind}
        name = new_identity()
        started = engine.recordings.start(name, Path(command.out), openings, source)
        if not command.symbols:
            self._of_all.add(name)
        for message in engine.server.account.known():
            if command.history or isinstance(message, STATES):
                engine.recordings.note(*note_of(message), name=name)
        engine.check_leaving()
        return _recording_message(await asyncio.wrap_future(started), command.request_id)

    async def _stop_recording(self, command: messages.StopRecording) -> messages.Message:
        recordings = self._engine.recordings
        names = (
            [command.recording]
            if command.recording
            else [name for name, r in recordings.running.items() if r.state == "recording"]
        )
        if not names:
            raise EngineError("nothing is being recorded", code="not_recording")
        try:
            stopped = [await asyncio.wrap_future(recordings.stop(name)) for name in names]
        finally:
            self._engine.check_leaving()
        return _recording_message(stopped[-1], command.request_id)

    # -- virtual time ----------------------------------------------------------------------------------------------

    async def _steer(self, command: messages.Replay) -> messages.Message:
        engine = self._engine
        if engine.live:
            raise EngineError("a live feed has no virtual time to steer", code="not_replayable")
        if command.action == "seek" and engine.recordings.active:
            raise EngineError(
                "cannot seek while recording", action="Stop the recording first", code="recording"
            )
        await self._steering(command)()
        return messages.Done(request_id=command.request_id)

    def _steering(self, command: messages.Replay) -> Callable[[], Awaitable[None]]:
        engine = self._engine

        async def at_once(work: Callable[[], None]) -> None:
            work()

        match command.action:
            case "pause":
                return engine.pause
            case "resume":
                return lambda: at_once(engine.resume)
            case "speed":
                speed = MAX if command.value == 0 else parse_speed(command.value)
                return lambda: at_once(lambda: engine.change_speed(speed))
            case "seek":
                return lambda: engine.seek(_whole(command))
            case "step":
                return lambda: engine.step(_whole(command))

    # -- facts -----------------------------------------------------------------------------------------------------

    def _health_for(self, client: Client, command: messages.HealthQuery) -> messages.Message:
        if command.interval_ms:
            self._health_every[client] = max(command.interval_ms / 1000, MIN_HEALTH_INTERVAL_S)
        else:
            self._health_every.pop(client, None)
        return self._health(command.request_id)

    def _health(self, request_id: messages.RequestId) -> messages.Health:
        engine = self._engine
        counts = {symbol: market.events for symbol, market in engine.markets.items()}
        return messages.Health(
            ts=time.time_ns(),
            state="failed" if engine.failure else engine.state,
            sources=[self._source()],
            clients=[client.describe() for client in engine.server.clients],
            recordings=[r.describe() for r in engine.recordings.running.values()],
            rates={symbol: rate for symbol, (_, _, rate) in self._rates.items()},
            backlog={"recording": engine.recordings.pending_rows, "dropped": engine.recordings.dropped_rows},
            disk=_disk(engine.recordings.running.values()),
            counts=counts,
            position=engine.source.position_ns,
            speed=0.0 if engine.pace.unlimited else engine.pace.speed,
            request_id=request_id,
        )

    def _describe(self, request_id: messages.RequestId) -> messages.Engine:
        engine = self._engine
        return messages.Engine(
            name=engine.server.name,
            pid=os.getpid(),
            version=__version__,
            started=engine.started_ns,
            endpoint=engine.server.uri,
            sources=[self._source()],
            clients=[client.describe() for client in engine.server.clients],
            recordings=[r.describe() for r in engine.recordings.running.values()],
            request_id=request_id,
        )

    def _source(self) -> dict[str, Any]:
        source = self._engine.source
        facts: dict[str, Any] = getattr(source, "facts", {})
        return {
            "name": source.name,
            "kind": self._engine.spec.source.kind,
            "symbols": list(self._engine.markets),
            "start": source.start_ns,
            "end": source.end_ns,
            "live": self._engine.live,
            "orders": "platform" if self._engine.paper is None else "paper",
            "first": {s: market.stream.start_sequence for s, market in self._engine.markets.items()},
            "next": {s: market.next_sequence for s, market in self._engine.markets.items()},
            "crossed": dict(self._engine.crossed.texts),
            "resyncs": self._engine.crossed.resyncs,
            **facts,
            "reason": str(self._engine.failure or facts.get("reason", "")),
        }

    def _measure(self, now: float) -> None:
        for symbol, market in self._engine.markets.items():
            since, events, rate = self._rates.get(symbol, (now, market.events, 0.0))
            if now - since >= 1.0:
                since, events, rate = now, market.events, (market.events - events) / (now - since)
            self._rates[symbol] = (since, events, rate)


def _whole(command: messages.Replay) -> int:
    if command.value is None or command.value != int(command.value):
        raise EngineError(f"{command.action} to {command.value!r}", expected="whole ns")
    return int(command.value)


def _disk(recordings: Any) -> dict[str, Any]:
    free: dict[str, Any] = {}
    for path in [path for r in recordings if r.state == "recording" for path in r.paths.values()]:
        with contextlib.suppress(OSError):  # the folder was removed: the recorder will say so
            free[path] = shutil.disk_usage(path).free
    return free


def _recording_message(recording: Running, request_id: messages.RequestId) -> messages.Recording:
    return messages.Recording(
        state=recording.state,
        recording=recording.name,
        paths=recording.paths,
        acknowledged=recording.acknowledged,
        reason=recording.reason,
        request_id=request_id,
    )
