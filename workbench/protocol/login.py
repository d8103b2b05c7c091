"""Who may use a feed: the mutual challenge, and the brake on guessing.

Both sides hold the secret of the discovery file; neither sends it. Each proves it over both nonces and the endpoint
that the client means to talk to, under a label of its own, so that a proof can be neither replayed, nor reflected, nor
relayed by someone who sits on another port.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import deque

from workbench.protocol.limits import LOGIN_DELAY_NS, LOGIN_FAILURE_WINDOW_NS, LOGIN_FAILURES


def server_proof(secret: str, client_nonce: str, server_nonce: str, endpoint: str) -> str:
    """What the server sends with ``CHALLENGE``; 64 hex digits."""
    return _proof("server", secret, client_nonce, server_nonce, endpoint)


def client_proof(secret: str, client_nonce: str, server_nonce: str, endpoint: str) -> str:
    """What the client sends with ``PROOF``; 64 hex digits."""
    return _proof("client", secret, client_nonce, server_nonce, endpoint)


def _proof(who: str, secret: str, client_nonce: str, server_nonce: str, endpoint: str) -> str:
    text = f"orderflow.v1\n{who}\n{client_nonce}\n{server_nonce}\n{endpoint}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def matches(given: str, right: str) -> bool:
    """Compare in constant time; text outside ASCII never matches."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


class LoginGuard:
    """Slows guessing down: after three failures within 10 s every answer waits 1 s. One per server."""

    def __init__(self) -> None:
        self._failures: deque[int] = deque(maxlen=LOGIN_FAILURES)

    def failed(self, now: int) -> int:
        """Count a failure at ``now`` (monotonic ns); returns how long its answer has to wait, ns."""
        self._failures.append(now)
        many = len(self._failures) == LOGIN_FAILURES
        return LOGIN_DELAY_NS if many and now - self._failures[0] < LOGIN_FAILURE_WINDOW_NS else 0

    def __repr__(self) -> str:
        return f"LoginGuard({len(self._failures)} failures)"
