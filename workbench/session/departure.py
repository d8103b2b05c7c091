"""How sessions and engines part: who is still needed, and what to tell when an engine has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import FeedError

if TYPE_CHECKING:
    from workbench.feeds.discovery import Endpoint
    from workbench.protocol import messages

CONNECTED_TO = "connect "
"""How the source of a session begins that was opened with an address."""
BOOKMAP = "bookmap"


def departure(engine: Endpoint | None, source: str) -> FeedError | None:
    """What happened and what to do, once the engine's process has ended; None while it runs.

    Parameters
    ----------
    engine : Endpoint or None
        The engine that was started for sessions like this one; of others nobody knows whether they come back.
    source : str
        What the session was opened on.

    Notes
    -----
    No other engine takes its place unasked: that one would count events anew and know of none of this session's
    orders.
    """
    if engine is None or engine.running:
        return None
    again = source.removeprefix(CONNECTED_TO)
    is_connected = source == BOOKMAP or again != source
    how = f'open the session again with wb.connect("{again}")' if is_connected else "open the session again"
    return FeedError(f"the engine is gone: {how}", action="What was captured stays here", code="engine_gone")


def is_needed(engine: messages.Engine) -> bool:
    """Whether somebody else uses an engine, or it records."""
    return len(engine.clients) > 1 or any(r.get("state") == "recording" for r in engine.recordings)


def is_listed(engine: Endpoint | None) -> bool:
    """Whether an engine still says where it is."""
    return engine is not None and engine.path is not None and engine.path.exists()
