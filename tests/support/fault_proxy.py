"""A TCP proxy on loopback that does to a connection what networks and frozen peers do."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

Garble = Callable[[bytes], bytes]


@dataclass
class Faults:
    """What is done to bytes on their way from the server to the client; changed at any time.

    Parameters
    ----------
    delay_s : float, seconds
        Before each packet is passed on.
    frozen : bool
        Half-open: connections stay, nothing passes in either direction.
    refuse : bool
        New connections are closed at once.
    garble : callable, optional
        Changes each packet.
    """

    delay_s: float = 0.0
    frozen: bool = False
    refuse: bool = False
    garble: Garble | None = None
    seen_from_client: bytearray = field(default_factory=bytearray)


class FaultProxy:
    """Stand between a client and ``target_port`` on 127.0.0.1; a context manager with its own thread."""

    def __init__(self, target_port: int):
        self.faults = Faults()
        self.connections = 0
        self.target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @property
    def uri(self) -> str:
        """Address of the proxy."""
        return f"ws://127.0.0.1:{self.port}/v1"

    def cut(self) -> None:
        """Reset every connection."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    async def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        await self._cut()
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.faults.refuse:
            writer.transport.abort()
            return
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, up_writer}
        try:
            await asyncio.gather(
                self._pass_on(reader, up_writer, self._to_server),
                self._pass_on(up_reader, writer, self._to_client),
            )
        finally:
            self._writers -= {writer, up_writer}
            writer.transport.abort()
            up_writer.transport.abort()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Garble
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                while self.faults.frozen:
                    await asyncio.sleep(0.01)
                if self.faults.delay_s:
                    await asyncio.sleep(self.faults.delay_s)
                writer.write(change(data))
                await writer.drain()
        writer.close()

    def _to_server(self, data: bytes) -> bytes:
        self.faults.seen_from_client += data
        return data

    def _to_client(self, data: bytes) -> bytes:
        return self.faults.garble(data) if self.faults.garble else data
