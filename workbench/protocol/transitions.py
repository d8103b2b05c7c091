"""The three state machines as tables; the diagrams in ``docs/protocol.md`` are drawn from them.

State and event give the next state. A pair that is not in its table changes nothing; a message that would cause it is
refused.
"""

from __future__ import annotations

from typing import Final

Table = dict[tuple[str, str], str]

SERVER: Final[Table] = {
    ("new", "open access"): "ready",
    ("new", "hello"): "challenged",
    ("new", "right token"): "ready",
    ("new", "wrong token"): "refusing",
    ("new", "too late"): "closed",
    ("new", "close"): "closed",
    ("challenged", "right proof"): "ready",
    ("challenged", "wrong proof"): "refusing",
    ("challenged", "too late"): "closed",
    ("challenged", "close"): "closed",
    ("refusing", "delay over"): "closed",
    ("refusing", "close"): "closed",
    ("ready", "hello"): "ready",
    ("ready", "right token"): "ready",
    ("ready", "right proof"): "ready",
    ("ready", "wrong token"): "refusing",
    ("ready", "wrong proof"): "refusing",
    ("ready", "silence"): "closed",
    ("ready", "stalled"): "closed",
    ("ready", "close"): "closed",
}
"""A connection, at the server."""

CLIENT: Final[Table] = {
    ("offline", "opened, holding a secret"): "greeting",
    ("offline", "opened, holding none"): "waiting",
    ("offline", "close"): "closed",
    ("greeting", "right challenge"): "proving",
    ("greeting", "no challenge"): "waiting",
    ("greeting", "wrong challenge"): "refused",
    ("greeting", "welcome"): "refused",
    ("proving", "welcome"): "ready",
    ("waiting", "welcome"): "ready",
    ("greeting", "rejected"): "refused",
    ("proving", "rejected"): "refused",
    ("waiting", "rejected"): "refused",
    ("greeting", "silence"): "closed",
    ("proving", "silence"): "closed",
    ("waiting", "silence"): "closed",
    ("ready", "late heartbeat"): "stale",
    ("stale", "sign of life"): "ready",
    ("stale", "silence"): "closed",
    ("ready", "welcome"): "ready",
    ("stale", "welcome"): "ready",
    **{
        (state, event): following
        for state in ("greeting", "proving", "waiting", "ready", "stale", "refused", "closed")
        for event, following in (("lost", "offline"), ("close", "closed"))
        if (state, event) not in {("refused", "close"), ("closed", "close")}
    },
}
"""A connection, at the client."""

SUBSCRIPTION: Final[Table] = {
    ("waiting", "subscribed"): "live",
    ("waiting", "subscribed, snapshot follows"): "syncing",
    ("waiting", "refused"): "refused",
    ("syncing", "subscribed"): "live",
    ("syncing", "subscribed, snapshot follows"): "syncing",
    ("syncing", "snapshot"): "live",
    ("syncing", "connection lost"): "waiting",
    ("live", "subscribed"): "live",
    ("live", "subscribed, snapshot follows"): "syncing",
    ("live", "snapshot"): "live",
    ("live", "loss"): "syncing",
    ("live", "connection lost"): "waiting",
    ("refused", "connection lost"): "waiting",
}
"""One subscription, at the client."""
