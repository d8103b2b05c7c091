"""Which feed a client means, and which refusals are final."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from workbench.errors import AuthenticationError, FeedError, WorkbenchError
from workbench.feeds.discovery import Endpoint
from workbench.protocol import limits
from workbench.protocol.notices import Close


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect and what proves us there.

    Parameters
    ----------
    uri : str
    secret : str or None
        Not part of the repr, and never sent.
    endpoint : str
        As in the discovery file; empty for an address given by hand.
    history : str
        Where the secret comes from, for messages.
    """

    uri: str
    secret: str | None = None
    endpoint: str = ""
    history: str = ""

    @classmethod
    def of(cls, endpoint: Endpoint) -> Target:
        """Target of a discovery file."""
        started = time.strftime("%H:%M:%S", time.localtime(endpoint.started_ns / limits.SECOND_NS))
        history = f" (file {endpoint.path} is of a feed started {started})"
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
    if state != "refused":
        return None
    who = "could not prove that it holds the token" if "prove" in closing.reason else closing.reason
    return AuthenticationError(
        f"token rejected: {target.address} is not the bridge I started, or it was started anew ({who})"
        f"{target.history}",
        action="Reload the discovery file or restart the feed; `workbench engines` lists what runs",
    )
