"""An engine on its own event loop in a thread of the test's process: all of it but the process."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import TracebackType

from tests.support.collecting import Collected
from workbench.feeds.client import FeedClient, Target
from workbench.feeds.discovery import Endpoint, new_identity
from workbench.feeds.engine import Engine
from workbench.feeds.source import Source
from workbench.feeds.specification import EngineSpec, SourceSpec
from workbench.protocol import messages
from workbench.trading.paper_terms import PaperTerms


class RunningEngine:
    """A context manager; the runtime directory must be set."""

    def __init__(
        self,
        source: Source,
        *,
        speed: float = 1.0,
        grace_s: float | None = None,
        wait_for_subscriber: bool = True,
        paper: PaperTerms | None = None,
    ):
        spec = SourceSpec(kind="custom", options={"name": source.name}, speed=speed, paper=paper)
        self._spec = EngineSpec(
            source=spec, identity=new_identity(), grace_s=grace_s, wait_for_subscriber=wait_for_subscriber
        )
        self._source = source
        self._ready = threading.Event()
        self.endpoint: Endpoint
        self.engine: Engine
        self.thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="engine", daemon=True)

    def __enter__(self) -> RunningEngine:
        self.thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.thread.is_alive():
            self._loop.call_soon_threadsafe(self.engine.stop)
        self.thread.join(60)
        assert not self.thread.is_alive()

    def client(self, collected: Collected | None = None) -> FeedClient:
        """Open a client."""
        return FeedClient(Target.of(self.endpoint), (collected or Collected()).take, "test").open()

    def cut(self) -> None:
        """Cut every connection, as a network does."""
        self._loop.call_soon_threadsafe(
            lambda: [client.abort() for client in list(self.engine.server.clients)]
        )

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.engine = Engine(self._source, self._spec)
        self.endpoint = await self.engine.start()
        self._ready.set()
        await self.engine.run()


def record(client: FeedClient, out: Path, **options: object) -> messages.Recording:
    """Let the engine record."""
    answer = client.request(messages.Record(out=str(out), **options))  # type: ignore[arg-type]
    assert isinstance(answer, messages.Recording)
    return answer


def health(client: FeedClient) -> messages.Health:
    """What the engine says of itself."""
    answer = client.request(messages.HealthQuery())
    assert isinstance(answer, messages.Health)
    return answer
