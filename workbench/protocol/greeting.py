"""How a client and a feed prove to each other that they hold one secret, from the client's side."""

from __future__ import annotations

from workbench.protocol import limits, messages
from workbench.protocol.login import client_proof, matches, server_proof

__all__ = ["Greeting"]


class Greeting:
    """What a client says first, and what it makes of the answers.

    Parameters
    ----------
    secret : str or None
        Proved by the mutual challenge; None for a feed that is open to all.
    endpoint : str
        As in the discovery file, to bind the proof to it.
    client : str
        Name shown to the feed.
    by_hand : bool
        The secret was given by hand: it is sent by ``LOGIN`` where the feed knows no challenge.

    Attributes
    ----------
    login_at : int, monotonic ns
        Until when a challenge is waited for.
    welcomed_early : bool
        The feed let us in before it proved anything; ours still answers ``HELLO`` by its proof.
    """

    def __init__(self, secret: str | None, endpoint: str, client: str, *, by_hand: bool):
        self._secret = secret
        self._endpoint = endpoint
        self._client = client
        self._knows_challenge: bool | None = None
        self._nonce = ""
        self.by_hand = by_hand and secret is not None
        self.login_at = 0
        self.welcomed_early = False

    @property
    def has_secret(self) -> bool:
        """Whether there is something to prove."""
        return self._secret is not None

    @property
    def waits(self) -> bool:
        """Whether something has to happen at :attr:`login_at`."""
        return self.welcomed_early or (self.by_hand and not self._knows_challenge)

    def begin(self, nonce: bytes, now: int) -> None:
        """Begin anew, on a new connection."""
        self._nonce = nonce.hex()
        self.login_at = now + limits.CHALLENGE_NS
        self.welcomed_early = False

    def hung_up(self) -> None:
        """The feed answered ``HELLO`` by hanging up: it may know no challenge."""
        if self.by_hand and self._knows_challenge is None:
            self._knows_challenge = False

    def hello(self) -> messages.Hello | None:
        """First message; None to a feed that is known to know no challenge."""
        if self.by_hand and self._knows_challenge is False:
            return None
        return messages.Hello(nonce=self._nonce, client=self._client, endpoint=self._endpoint)

    def proof(self, challenge: messages.Challenge) -> messages.Proof | None:
        """Answer to a challenge; None where the feed could not prove that it holds the secret."""
        assert self._secret is not None, "only asked where there is something to prove"
        self._knows_challenge = True
        right = server_proof(self._secret, self._nonce, challenge.nonce, self._endpoint)
        if not matches(challenge.proof, right):
            return None
        return messages.Proof(proof=client_proof(self._secret, self._nonce, challenge.nonce, self._endpoint))

    def login(self) -> messages.Login | None:
        """The secret itself, for a feed that knows no challenge and whose secret was given by hand; else None."""
        if not self.by_hand or self._knows_challenge or self._secret is None:
            return None
        self._knows_challenge = False
        return messages.Login(token=self._secret)
