"""Bridges as an engine sees them: a feed with a discovery file, of a process that can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType

from tests.support.serving import ServedFeed
from tests.support.synthetic import SyntheticSource
from workbench.events import EventBatch, EventKind, Instrument, Status
from workbench.feeds import discovery
from workbench.feeds.discovery import BRIDGE_KEY, Endpoint, new_identity, new_secret
from workbench.feeds.processes import process_start
from workbench.feeds.server import Access, Client
from workbench.protocol import messages
from workbench.protocol.messages import Command

Answering = Callable[[Client, Command], None]


class ServedBridge(ServedFeed):
    """A served feed that engines find. A context manager; :meth:`crash` is how Bookmap ends it.

    Parameters
    ----------
    symbol : str
    tick : str
    trading : bool
        What its name says.
    mortal : bool
        Its discovery file names a process of its own, which :meth:`crash` kills.
    answering : callable, optional
        ``answering(client, command)`` instead of ``DONE``.
    started_ns : int
        As its file says.
    """

    def __init__(
        self,
        symbol: str = "ES",
        *,
        tick: str = "0.25",
        trading: bool = False,
        mortal: bool = False,
        answering: Answering | None = None,
        started_ns: int = 1,
        source: SyntheticSource | None = None,
    ):
        secret = new_secret()
        source = source or SyntheticSource((symbol,))
        source.instruments = (Instrument(symbol, tick),)
        super().__init__(access=Access(secret, armed=trading), source=source)
        self.symbol, self._trading, self._started_ns = symbol, trading, started_ns
        self._answering = answering
        self._process = _sleeper() if mortal else None
        self._secret = secret
        self.endpoint: Endpoint

    def __enter__(self) -> ServedBridge:
        super().__enter__()
        pid = self._process.pid if self._process else os.getpid()
        self.endpoint = discovery.publish(
            Endpoint(
                identity=new_identity(),
                uri=self.uri,
                secret=self._secret,
                pid=pid,
                process_start=process_start(pid) or "",
                source=f"bookmap bridge {self.symbol}" + " (trading)" * self._trading,
                key=BRIDGE_KEY,
                symbols=(self.symbol,),
                started_ns=self._started_ns,
            )
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        discovery.withdraw(self.endpoint)
        self.crash()

    def crash(self) -> None:
        """End at once; the discovery file of a mortal one stays behind."""
        self.stop()
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def tell(self, message: messages.AccountMessage) -> None:
        """Tell a message of the account."""
        self.call(lambda: self.server.tell(message))

    def say(self, status: Status) -> None:
        """Tell in the stream how the source is."""
        self.call(lambda: self._say(status))

    def _say(self, status: Status) -> None:
        market = self.markets[self.symbol]
        row = EventBatch.of(market.next_sequence, ts=market.last_ts, kind=EventKind.STATUS, size=int(status))
        market.publish(row, time.time_ns())
        self.server.wake()

    def heard(self, kind: type[Command]) -> list[Command]:
        """Commands of a kind that came."""
        return [command for command in list(self.commands) if isinstance(command, kind)]

    def renew(self, **changes: object) -> None:
        """Write the discovery file anew."""
        self.endpoint = discovery.renew(replace(self.endpoint, **changes))  # type: ignore[arg-type]

    def _take(self, client: Client, command: Command) -> None:
        if isinstance(command, messages.HealthQuery):
            client.send(messages.Health(ts=1, sources=[{"backlog": 3}], request_id=command.request_id))
        elif self._answering is None:
            super()._take(client, command)
        else:
            self.commands.append(command)
            self._answering(client, command)


def _sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
