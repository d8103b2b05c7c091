"""What other add-ons of Bookmap broadcast: who is there, whom we listen to, and what they said.

An event names its generator only; the provider is known from the subscription, or from the list of providers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from workbench.bridge import wire
from workbench.errors import ProtocolError
from workbench.protocol.messages import Broadcast, Listen

if TYPE_CHECKING:
    from workbench.bridge.lines import Lines

MAX_SUBSCRIPTIONS: Final = 64
MAX_BYTES: Final = 64 << 10
"""Of one object, as JSON; the feed takes a message of 1 MiB, and keeps thousands of them for those who come late."""
MAX_DEPTH: Final = 12
MAX_NAMES: Final = 100

_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')


class Broadcasts:
    """Subscriptions to other add-ons, and the labels of what comes.

    Parameters
    ----------
    lines : Lines
    """

    def __init__(self, lines: Lines):
        self.providers: dict[str, list[Any]] = {}
        self._lines = lines
        self._asked: set[tuple[str, str]] = set()
        self._provider_of: dict[str, str] = {}
        self._last_ts = 0

    @property
    def subscriptions(self) -> list[tuple[str, str]]:
        """Provider and generator (empty: the provider only) of everything asked for."""
        return sorted(self._asked)

    def listen(self, command: Listen) -> list[bytes]:
        """Lines that subscribe; none for what was asked for before, because each request adds a listener.

        Raises
        ------
        ProtocolError, LineError
            Too many subscriptions; a name that fits on no line.
        """
        key = (command.provider, command.generator)
        if key in self._asked:
            return []
        if len(self._asked) >= MAX_SUBSCRIPTIONS:
            raise ProtocolError(f"more than {MAX_SUBSCRIPTIONS} subscriptions to add-ons", code="too_many")
        line = self._lines.subscribe_generator(command.provider, command.generator or None, command.filtered)
        self._asked.add(key)
        if command.generator:
            self._provider_of[command.generator] = command.provider
        return [line]

    def forget(self) -> None:
        """Bookmap ended the add-on: whoever listens must ask again."""
        self._asked.clear()

    def event(self, message: wire.Broadcasting | wire.BroadcastSettings, symbol: str, ts: int) -> Broadcast:
        """Label what an add-on said."""
        return Broadcast(
            symbol=symbol,
            ts=self._stamp(ts),
            provider=self._provider_of.get(message.generator, ""),
            generator=message.generator,
            data=_bounded(message.plain),
            kind="settings" if isinstance(message, wire.BroadcastSettings) else "event",
        )

    def status(self, message: wire.Providers, symbol: str, ts: int) -> Broadcast:
        """Keep who is there, and tell."""
        self.providers = message.plain
        return Broadcast(
            symbol=symbol,
            ts=self._stamp(ts),
            provider="",
            generator="",
            data=_bounded(message.plain),
            kind="providers",
        )

    def _stamp(self, ts: int) -> int:
        """Time of a broadcast, each its own: the same words said twice are told from words that are told again."""
        self._last_ts = max(ts, self._last_ts + 1)
        return self._last_ts


def _bounded(plain: dict[str, Any]) -> dict[str, Any]:
    """Return the object itself, or what it was, if it is too much for a message of the feed."""
    text = msgspec.json.encode(plain)
    if len(text) <= MAX_BYTES and _depth(text) <= MAX_DEPTH:
        return plain
    names = [name[:MAX_NAMES] for name in list(plain)[:MAX_NAMES]]
    return {"left_out_bytes": len(text), "names": names}


def _depth(text: bytes) -> int:
    """How deep JSON is nested."""
    deepest = depth = 0
    for character in _STRING.sub(b"", text):
        depth += (character in b"[{") - (character in b"]}")
        deepest = max(deepest, depth)
    return deepest
