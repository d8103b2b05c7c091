"""What the running bridges say of themselves, for ``bridge status`` and ``doctor``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from workbench.feeds.discovery import Endpoint
    from workbench.protocol.messages import Health


_LOCKS: Final = {
    "permitted": '"Allow orders from notebooks" is not ticked in Bookmap',
    "armed": "no notebook has armed",
}


@dataclass(frozen=True, slots=True)
class Bridge:
    """One running bridge.

    Attributes
    ----------
    symbols : tuple of str
    port : int
        Of the feed that it serves (not Bookmap's).
    pid : int
    facts : dict
        As it describes itself (``sources[0]`` of ``HEALTH``); empty when it does not answer.
    """

    symbols: tuple[str, ...]
    port: int
    pid: int
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """``live``, ``stale``, ``waiting``, ``ended`` or ``not answering``."""
        return str(self.facts.get("state", "not answering"))

    @property
    def trading(self) -> bool:
        """Whether it is the script that can send orders."""
        return bool(self.facts.get("trading"))

    @property
    def instruments(self) -> dict[str, dict[str, Any]]:
        """Facts of each instrument, by symbol."""
        return dict(self.facts.get("instruments") or {})

    @property
    def unanswered(self) -> list[str]:
        """Kinds of data that Bookmap never confirmed."""
        return sorted(
            {str(kind) for facts in self.instruments.values() for kind in facts.get("unanswered") or ()}
        )

    @property
    def speed(self) -> float | None:
        """Seconds of data per second, of the instrument that tells one."""
        speeds = [(facts.get("clock") or {}).get("speed") for facts in self.instruments.values()]
        return next((float(speed) for speed in speeds if speed is not None), None)

    @property
    def intervals(self) -> int:
        """Intervals of 0.1 s since it was attached, the most of any instrument."""
        clocks = (facts.get("clock") or {} for facts in self.instruments.values())
        return max((int(clock.get("intervals") or 0) for clock in clocks), default=0)

    @property
    def orders_open(self) -> bool:
        """Whether orders would leave now: both locks are open, somewhere."""
        return any(facts.get("orders_open") for facts in self.instruments.values())

    @property
    def shut(self) -> list[str]:
        """What keeps orders from leaving, in words; of an instrument whose orders are locked."""
        for facts in self.instruments.values():
            locks = facts.get("locks") or {}
            if not facts.get("orders_open"):
                return [words for lock, words in _LOCKS.items() if locks.get(lock) is False]
        return []

    def describe(self) -> dict[str, Any]:
        """Facts for ``--json``."""
        return {
            "symbols": self.symbols,
            "port": self.port,
            "pid": self.pid,
            "state": self.state,
            "trading": self.trading,
            "orders_open": self.orders_open,
            "shut": self.shut,
            "backlog": self.facts.get("backlog") or {},
            "clock": {"intervals": self.intervals, "speed": self.speed},
            "unanswered": self.unanswered,
            "facts": self.facts,
        }


def running_bridges() -> list[Bridge]:
    """Ask every running bridge of this user."""
    from workbench.feeds.discovery import BRIDGE_KEY, running_feeds

    return [_asked(endpoint) for endpoint in running_feeds() if endpoint.key == BRIDGE_KEY]


def health_of(endpoint: Endpoint, name: str) -> Health | None:
    """Health of a running feed; None when it does not answer."""
    from workbench.errors import EngineError, FeedError
    from workbench.feeds.errand import Errand
    from workbench.feeds.target import Target
    from workbench.protocol import messages

    try:
        with Errand(Target.of(endpoint), name) as errand:
            health = errand.request(messages.HealthQuery())
    except (FeedError, EngineError):
        return None
    assert isinstance(health, messages.Health)
    return health


def _asked(endpoint: Endpoint) -> Bridge:
    health = health_of(endpoint, "workbench bridge status")
    facts = dict(health.sources[0]) if health is not None and health.sources else {}
    return Bridge(endpoint.symbols, urlsplit(endpoint.uri).port or 0, endpoint.pid, facts)
