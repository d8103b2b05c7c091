"""A command to a feed and its answer, without the market: for commands, which begin anew each time.

Reading columns needs numpy, and loading it took half of the time that a way out may take. Nothing here does; no thread
is started and no connection kept up either. A session has :class:`~workbench.feeds.client.FeedClient`.
"""

from __future__ import annotations

import itertools
import secrets
import selectors
import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import msgspec

from workbench.errors import EngineError, FeedError, ProtocolError
from workbench.feeds.target import Target, token_rejected
from workbench.feeds.transport import ConnectionLostError, Transport
from workbench.protocol import limits, messages
from workbench.protocol.decoding import FROM_SERVER, convert, encode, type_of
from workbench.protocol.greeting import Greeting
from workbench.protocol.strict import parse
from workbench.protocol.version import mismatch

CONNECT_TIMEOUT_S: Final = 2.0
ANSWER_S: Final = 10.0
NOT_OURS: Final = "not the bridge I started"

MessageT = TypeVar("MessageT", bound=messages.Message)


class Errand:
    """Connection to a feed of a discovery file, for one command after another.

    Parameters
    ----------
    target : Target
    name : str
        Shown in the engine's list of clients.

    Raises
    ------
    FeedError
        Nothing listens there, it is no feed, it speaks another version, or it does not let us in within 10 s.
    AuthenticationError
        The token was refused, or the other side could not prove that it holds it.

    Notes
    -----
    A context manager. For one thread.
    """

    def __init__(self, target: Target, name: str):
        self._target = target
        self._numbers = itertools.count(1)
        self._transport = Transport.connect(target.uri, CONNECT_TIMEOUT_S)
        try:
            self._greet(name)
        except BaseException:
            self._transport.close()
            raise

    def request(self, message: messages.Message, timeout: float = ANSWER_S) -> messages.Message:
        """Send a command and wait for its answer.

        Raises
        ------
        EngineError
            It was an error, or none came in time (``timeout``).
        FeedError
            The connection was lost: nobody knows whether the command was carried out (``lost``).
        """
        number = next(self._numbers)
        self._send(msgspec.structs.replace(message, request_id=number))

        def is_answer(heard: messages.Message) -> bool:
            return getattr(heard, "request_id", None) == number

        try:
            answer = self._wait_for(is_answer, timeout)
        except ConnectionLostError as lost:
            raise FeedError(
                f"the connection was lost ({lost.reason}): the outcome is not known", code="lost"
            ) from None
        if answer is None:
            raise EngineError(
                f"no answer to {message.__struct_config__.tag} within {timeout:g} s", code="timeout"
            )
        if isinstance(answer, messages.Error):
            raise EngineError(answer.message, code=answer.code)
        return answer

    def __enter__(self) -> Errand:
        return self

    def __exit__(self, *exception: object) -> None:
        self._transport.close()

    def _greet(self, name: str) -> None:
        greeting = Greeting(self._target.secret, self._target.endpoint, name, by_hand=False)
        if greeting.has_secret:
            greeting.begin(secrets.token_bytes(limits.NONCE_BYTES), time.monotonic_ns())
            hello = greeting.hello()
            assert hello is not None, "a feed of a discovery file is always greeted"
            self._send(hello)
            proof = greeting.proof(self._told(messages.Challenge))
            if proof is None:
                raise token_rejected(self._target, f"{NOT_OURS}: it could not prove that it holds the token")
            self._send(proof)
        version = self._told(messages.Welcome).version
        wrong_version = mismatch(peer=version, peer_name="bridge", own_name="workbench")
        if wrong_version is not None:
            raise FeedError(wrong_version, code="version")

    def _told(self, kind: type[MessageT]) -> MessageT:
        """Wait for a message of the greeting."""
        others: list[messages.Message] = []

        def ends_it(message: messages.Message) -> bool:
            others.append(message)
            return isinstance(message, kind | messages.Error)

        try:
            message = self._wait_for(ends_it, ANSWER_S)
        except ConnectionLostError as lost:
            raise FeedError(
                f"{self._target.uri} hung up while we greeted it ({lost.reason})", code="lost"
            ) from None
        if isinstance(message, kind):
            return message
        if isinstance(message, messages.Error):
            refused = message.code == "bad_token"
            raise token_rejected(
                self._target, "it does not accept this token" if refused else f"{NOT_OURS}: {message.message}"
            )
        if any(isinstance(other, messages.Welcome) for other in others):
            raise token_rejected(self._target, f"{NOT_OURS}: it let us in without a challenge")
        raise FeedError(f"{self._target.uri} did not let us in within {ANSWER_S:g} s", code="timeout")

    def _send(self, message: messages.Message) -> None:
        self._transport.send(encode(message))

    def _wait_for(
        self, wanted: Callable[[messages.Message], bool], timeout: float
    ) -> messages.Message | None:
        """First message that is wanted; None if none came in time. ConnectionLostError where none can come."""
        deadline = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self._transport, selectors.EVENT_READ)
            while True:
                for message in self._heard():
                    if wanted(message):
                        return message
                seconds_left = deadline - time.monotonic()
                if seconds_left <= 0:
                    return None
                waits = selectors.EVENT_WRITE if self._transport.wants_write else 0
                selector.modify(self._transport, selectors.EVENT_READ | waits)
                selector.select(seconds_left)

    def _heard(self) -> Iterator[messages.Message]:
        """What has arrived, without market data and what a newer feed may say beyond our words."""
        for text in self._transport.read():
            if not isinstance(text, str):
                continue
            try:
                plain = parse(text)
                if type_of(plain) in FROM_SERVER:
                    yield convert(plain, FROM_SERVER)
            except ProtocolError:
                continue
