"""Which feed a client means, and which refusals are final."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from workbench.errors import AuthenticationError, DiscoveryError, FeedError, WorkbenchError
from workbench.feeds.discovery import Endpoint, at_address
from workbench.protocol import limits

if TYPE_CHECKING:
    from workbench.protocol.notices import Close


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect and what proves us there.

    Parameters
    ----------
    uri : str
    secret : str or None
        Not part of the repr, and never sent unless ``by_hand``.
    endpoint : str
        As in the discovery file; empty for an address given by hand.
    history : str
        Where the secret comes from, for messages.
    by_hand : bool
        The secret was given by hand, for a feed that may know no challenge: to such a one it is sent.
    """

    uri: str
    secret: str | None = None
    endpoint: str = ""
    history: str = ""
    by_hand: bool = False

    @classmethod
    def of(cls, endpoint: Endpoint) -> Target:
        """Target of a discovery file."""
        history = f"file {endpoint.path} is from {_clock(endpoint.started_ns)}"
        return cls(endpoint.uri, endpoint.secret, endpoint.uri, history)

    @property
    def address(self) -> str:
        """Host and port."""
        return urlsplit(self.uri).netloc

    def __repr__(self) -> str:
        return f"Target({self.uri}{', with token' if self.secret else ''})"


def fatal_error(closing: Close, state: str, target: Target) -> WorkbenchError | None:
    """Error that trying again cannot heal, or None."""
    if closing.code == limits.CLOSE_PROTOCOL:
        return FeedError(closing.reason, code="version")
    hung_up = state == "waiting" and target.by_hand and closing.code == limits.CLOSE_POLICY
    if state != "refused" and not hung_up:
        return None
    not_ours = "bridge I started" in closing.reason
    return token_rejected(target, closing.reason if not_ours else "it does not accept this token")


def token_rejected(target: Target, reason: str) -> AuthenticationError:
    """Error for a feed that does not take our token, or that we do not take for ours."""
    history = target.history or "token given by hand"
    return AuthenticationError(
        f"token rejected by bridge on {target.address} ({history}, bridge started {_started(target)}: "
        f"restart or reload): {reason}",
        action="Reload the discovery file or restart the feed; `workbench engines` lists what runs",
    )


def _started(target: Target) -> str:
    """When whoever listens there now began, as far as a discovery file of ours tells."""
    try:
        running = at_address(target.uri)
    except DiscoveryError:
        running = None
    return "at a time unknown here" if running is None else _clock(running.started_ns)


def _clock(ns: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(ns / limits.SECOND_NS))
