"""A feed server on a real socket, in a thread of the test's own process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from workbench.feeds.server import FeedServer

_T = TypeVar("_T")


class LoopThread:
    """Runs ``self.server`` in an event loop of its own; :meth:`publish` brings the first rows. A context manager."""

    server: FeedServer

    def __init__(self, name: str):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)

    def publish(self, count: int) -> None:
        """Move the market on."""
        raise AssertionError(f"{type(self).__name__} serves nothing")

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.server.start(), self._loop).result(10)
        self.publish(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server; doing it again is no error."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self.server.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def call(self, work: Callable[[], _T]) -> _T:
        """Do something in the loop's thread."""

        async def wrapped() -> _T:
            return work()

        return asyncio.run_coroutine_threadsafe(wrapped(), self._loop).result(30)
