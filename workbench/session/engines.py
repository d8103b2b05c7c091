"""Which engine a session talks to: one that runs already, or one started for it."""

from __future__ import annotations

from typing import Final

from workbench.errors import FeedError
from workbench.feeds import discovery
from workbench.feeds.addresses import check_address
from workbench.feeds.bookmap import check_bridges
from workbench.feeds.client import FeedClient
from workbench.feeds.engines import spawn_engine
from workbench.feeds.specification import SourceSpec
from workbench.feeds.target import Target
from workbench.session.remote import EngineLine

BOOKMAP: Final = "bookmap"
BOOKMAP_SPEC: Final = SourceSpec(kind="bookmap")


def line_of(spec: SourceSpec, source: str) -> EngineLine:
    """Line through the engine that serves these events, started if none does.

    Parameters
    ----------
    spec : SourceSpec
    source : str
        Deterministic name, for the session's repr.

    Notes
    -----
    A kernel that was restarted finds the engine it left behind. An engine whose stream has ended is no use to
    somebody who asks for the stream again: then a new one is started.
    """
    running = discovery.find(spec.key)
    if running is not None:
        line = _joined(running, spec.speed, source)
        if line is not None:
            return line
    started = spawn_engine(spec)
    return EngineLine(Target.of(started), source, on_demand=started)


def _joined(running: discovery.Endpoint, speed: float, source: str) -> EngineLine | None:
    try:
        line = EngineLine(Target.of(running), source, on_demand=running)
    except FeedError:
        return None  # it has left since
    if line.state == "ended":
        line.close()
        return None
    if line.speed != speed and line.is_steerable:
        line.set_speed(speed)
    return line


def line_to(uri: str | None, token: str | None) -> EngineLine:
    """Line to a feed that runs already.

    Parameters
    ----------
    uri : str or None
        ``ws://…``, ``"bookmap"``, or None for the only feed there is.
    token : str or None
        Needed for feeds whose discovery file is not ours.

    Notes
    -----
    An engine of ours is used directly. Any other feed goes through an engine that relays it, so that it can be
    recorded while the kernel is busy. One engine joins all bridges inside Bookmap.
    """
    if uri == BOOKMAP or (uri is None and _is_all_bookmap()):
        return _line_to_bookmap()
    endpoint = _endpoint(uri)
    if endpoint is None and token is None:
        discovery.check_files(uri)
    if endpoint is not None and not _is_bridge(endpoint):
        return EngineLine(Target.of(endpoint))
    address = endpoint.uri if endpoint is not None else str(uri)
    secret = endpoint.secret if endpoint is not None else token
    check_address(address)
    by_hand = endpoint is None
    with FeedClient(Target(address, secret, by_hand=by_hand), lambda _: None, name="probe").open():
        pass  # a wrong address or token is told here, by the one who asked
    spec = SourceSpec(kind="upstream", options={"uri": address, "token": secret, "by_hand": by_hand})
    return line_of(spec, f"connect {address}")


def _endpoint(uri: str | None) -> discovery.Endpoint | None:
    if uri is None:
        return discovery.the_only(discovery.running_feeds())
    check_address(uri)
    return discovery.at_address(uri)


def _is_bridge(endpoint: discovery.Endpoint) -> bool:
    return endpoint.key == discovery.BRIDGE_KEY


def _is_all_bookmap() -> bool:
    """Whether nothing runs but bridges inside Bookmap, and maybe the engine that joins them."""
    running = discovery.running_feeds()
    return bool(running) and all(_is_bridge(e) or e.key == BOOKMAP_SPEC.key for e in running)


def _line_to_bookmap() -> EngineLine:
    if discovery.find(BOOKMAP_SPEC.key) is None:  # an engine that runs already waits for bridges to come back
        check_bridges()
    return line_of(BOOKMAP_SPEC, BOOKMAP)
