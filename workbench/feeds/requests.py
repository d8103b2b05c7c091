"""Commands that wait for their answer."""

from __future__ import annotations

import itertools
from concurrent.futures import Future, InvalidStateError

import msgspec

from workbench.errors import EngineError
from workbench.protocol import messages

Answer = Future[messages.Message]


class Requests:
    """Numbers commands, and hands each answer to whoever waits for it. Safe from any thread."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[messages.RequestId, Answer] = {}

    def register(self, message: messages.Message) -> tuple[messages.Message, Answer]:
        """Return the message with a number of its own, and its answer to come."""
        number = next(self._numbers)
        answer: Answer = Future()
        self._waiting[number] = answer
        answer.add_done_callback(lambda _: self._waiting.pop(number, None))
        return msgspec.structs.replace(message, request_id=number), answer

    def settle(self, message: messages.Message) -> bool:
        """Hand on an answer; whether somebody waited for it."""
        answer = self._waiting.get(getattr(message, "request_id", None))
        if answer is not None:
            _finish(answer, message)
        return answer is not None

    def refuse(self, answer: Answer, problem: Exception) -> None:
        """Let one waiter know that its command could not be sent."""
        _finish(answer, problem)

    def refuse_all(self, problem: Exception) -> None:
        """Let every waiter know that no answer will come."""
        for answer in list(self._waiting.values()):
            _finish(answer, problem)


def wait_for(answer: Answer, message: messages.Message, timeout: float) -> messages.Message:
    """Wait for the answer to a message.

    Raises
    ------
    EngineError
        It was an error, or none came in time.
    FeedError
        The connection was lost before.
    """
    try:
        reply = answer.result(timeout)
    except TimeoutError:
        answer.cancel()
        name = message.__struct_config__.tag
        raise EngineError(f"no answer to {name} within {timeout:g} s", code="timeout") from None
    if isinstance(reply, messages.Error):
        raise EngineError(reply.message, code=reply.code)
    return reply


def _finish(answer: Answer, outcome: messages.Message | Exception) -> None:
    try:
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
    except InvalidStateError:
        return  # answered already, or nobody waits any more
