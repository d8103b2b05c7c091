"""Where a running strategy sits in a session: what it hears of its orders, how it sends them, and when it steps.

Inline, the clock that moves by hand stops at each step. Through the engine, a thread of its own follows the rows that the
reader thread brings: it takes a step when the first row after it is there, as a backtest does.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

from workbench.errors import WorkbenchError
from workbench.feeds.requests import wait_for
from workbench.protocol import messages
from workbench.session.line import OUTCOME_UNKNOWN

if TYPE_CHECKING:
    from workbench.feeds.requests import Answer
    from workbench.frames.capture import Capture
    from workbench.instruments import Instrument
    from workbench.session.line import Line

LOOK_S: Final = 0.25
JOIN_S: Final = 10.0
ENDED: Final = frozenset({"ended", "closed"})
"""States of a session in which nothing comes any more."""
NOT_SENT: Final = frozenset({"not_armed", "read_only", "disconnected", "closed", "not_connected"})
"""Codes that say of every order to come what they say of one."""

_log = logging.getLogger("workbench.session")


class Steps(Protocol):
    """A strategy that acts at times of its own.

    Attributes
    ----------
    due_ns : int, ns
        When it acts next.
    """

    due_ns: int

    def step(self) -> None:
        """Act: all rows up to ``due_ns`` are there."""

    def fail(self, problem: BaseException) -> None:
        """Take notice that it acts no more."""


class Seat:
    """A place for one strategy on one instrument; made by ``s.orders.seat()``.

    Parameters
    ----------
    line : Line
    capture : Capture
    prefix : str
        Of the names of its orders.

    Attributes
    ----------
    refused : dict of str to str
        Orders that were never sent, and why.
    unchanged : deque of str
        Orders of which a change was refused, once for each; whoever counts takes them out.
    problem : WorkbenchError or None
        Why no order of it can be sent any more.
    """

    def __init__(self, line: Line, capture: Capture, prefix: str):
        self._line, self.capture, self._prefix = line, capture, prefix
        self._orders_read = len(line.account.order_log())
        self._fills_read = len(line.account.fills())
        self._thread: _StepThread | None = None
        self.refused: dict[str, str] = {}
        self.unchanged: deque[str] = deque()
        self.problem: WorkbenchError | None = None

    @property
    def instrument(self) -> Instrument:
        """What it trades."""
        return self.capture.instrument

    @property
    def now_ns(self) -> int:
        """The session's time."""
        return self._line.now_ns

    @property
    def has_ended(self) -> bool:
        """Whether no row will come any more, unless time is moved."""
        return self._line.state in ENDED

    @property
    def facts(self) -> dict[str, Any]:
        """What the other end says that it takes."""
        told = self._line.account.trading(self.instrument.symbol)
        return {} if told is None else dict(told.supported)

    def check_ready(self) -> None:
        """Refuse where orders would go nowhere.

        Raises
        ------
        WorkbenchError
            A lock is closed (``not_armed``), nobody takes orders (``read_only``), or no row comes any more (``ended``).
        """
        if self.has_ended:
            raise WorkbenchError(
                f"{self._line.source} is {self._line.state}: no row comes any more, and a strategy acts with the rows",
                action="Go back with s.clock.seek(…), or open it anew",
                code="ended",
            )
        told = self._line.account.trading(self.instrument.symbol)
        if told is None or not told.possible:
            raise WorkbenchError(
                f"read_only: no orders can be placed on {self._line.source}", code="read_only"
            )
        if not (told.permitted and told.armed):
            raise WorkbenchError(
                f"not_armed: {told.reason or 'orders are not allowed now'}",
                action="Call s.arm(minutes=…, max_orders=…, max_size=…) first",
                code="not_armed",
            )

    def name(self, number: int) -> str:
        """Client order id of its ``number``-th order."""
        return f"{self._prefix}.{number}"

    def send(self, command: messages.OrderCommand) -> None:
        """Send a command and wait for nothing.

        Raises
        ------
        WorkbenchError
            It was not sent.
        """
        if self.problem is not None:
            raise self.problem
        answer = self._line.begin(command)
        answer.add_done_callback(lambda done: self._answered(command, done))

    def news(self) -> tuple[list[messages.Order], list[messages.Fill]]:
        """What was told of orders and fills since the last call, of all orders of the session."""
        orders, fills = (
            self._line.account.order_log(self._orders_read),
            self._line.account.fills(self._fills_read),
        )
        self._orders_read += len(orders)
        self._fills_read += len(fills)
        return orders, fills

    def start(self, steps: Steps) -> None:
        """Let it act from now on."""
        attach = getattr(self._line, "attach", None)
        if attach is not None:
            attach(steps)
        else:
            self._thread = _StepThread(self._line, self.capture, steps)

    def stop(self, steps: Steps) -> None:
        """Let it act no more; when this returns, it does nothing."""
        detach = getattr(self._line, "detach", None)
        if detach is not None:
            detach(steps)
        elif self._thread is not None:
            self._thread.stop()

    def _answered(self, command: messages.OrderCommand, answer: Answer) -> None:
        try:
            wait_for(answer, command, 0.0)
        except WorkbenchError as problem:
            if problem.code in NOT_SENT:
                self.problem = problem
            if problem.code in OUTCOME_UNKNOWN:
                return
            if isinstance(command, messages.PlaceOrder):
                self.refused[command.client_order_id] = problem.found
            elif isinstance(command, messages.ReplaceOrder):
                self.unchanged.append(command.client_order_id)


class _StepThread:
    """Calls a strategy's steps as rows come."""

    def __init__(self, line: Line, capture: Capture, steps: Steps):
        self._line, self._capture, self._steps = line, capture, steps
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="workbench-strategy", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._is_stopping = True
        if threading.current_thread() is not self._thread:
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                if self._is_due():
                    self._steps.step()
                elif self._line.state in ENDED:
                    return
                else:
                    self._line.wait(lambda: self._is_stopping or self._is_due(), LOOK_S)
        except Exception as problem:  # noqa: BLE001 - a strategy may raise anything; whoever stops it is told
            _log.warning("a strategy on %s ended: %r", self._line.source, problem)
            self._steps.fail(problem)

    def _is_due(self) -> bool:
        return self._capture.last_ts > self._steps.due_ns
