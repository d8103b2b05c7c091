"""The two locks before orders, and the way out of everything at once."""

from __future__ import annotations

import html
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from workbench.errors import WorkbenchError
from workbench.feeds.times import moment_datetime
from workbench.protocol import messages
from workbench.session.line import OUTCOME_UNKNOWN
from workbench.session.order import CLOSED

if TYPE_CHECKING:
    from workbench.session.line import Line

PANIC_S: Final = 1.0
"""For each of the two commands of a panic."""
LIVE: Final = "live"
ALLOW: Final = 'tick "Allow orders from notebooks" in the settings of the workbench add-on in Bookmap'


class TradingState:
    """Whether orders of one instrument would go through: made by :meth:`Session.arm`, always the newest state.

    Orders go only where the feed can trade (:attr:`possible`), the platform's own lock is open (:attr:`permitted`)
    and this side's is (:attr:`armed`).
    """

    def __init__(self, line: Line, symbol: str):
        self._line, self.symbol = line, symbol

    @property
    def _told(self) -> messages.Trading:
        return self._line.account.trading(self.symbol) or messages.Trading(symbol=self.symbol, ts=0)

    @property
    def possible(self) -> bool:
        """Whether the feed can trade at all."""
        return self._told.possible

    @property
    def permitted(self) -> bool:
        """Whether the platform's own lock is open."""
        return self._told.permitted

    @property
    def armed(self) -> bool:
        """Whether this side's lock is open."""
        return self._told.armed

    @property
    def ready(self) -> bool:
        """Whether an order would go through now."""
        told = self._told
        return told.possible and told.permitted and told.armed and self._line.state == LIVE

    @property
    def until(self) -> datetime | None:
        """When this side's lock closes by itself, UTC."""
        return None if self._told.until is None else moment_datetime(self._told.until)

    @property
    def orders_left(self) -> int:
        """How many more orders may be placed."""
        return self._told.orders_left

    @property
    def max_size(self) -> float:
        """Largest size of one order, real units."""
        return self._told.max_size

    @property
    def supported(self) -> dict[str, object]:
        """What the platform says it takes."""
        return dict(self._told.supported)

    @property
    def reason(self) -> str:
        """Why not, or why not any more."""
        return self._told.reason

    @property
    def advice(self) -> str:
        """What to do so that orders go through; empty when they do."""
        if self._line.state != LIVE:
            return f"the session is {self._line.state}: see s.health, and arm() again once it is {LIVE}"
        if not self.possible:
            return "this feed cannot trade: start the workbench's trading add-on in Bookmap"
        if not self.permitted:
            return f"{ALLOW}, then arm() again"
        return "" if self.armed else "arm() opens it"

    def __repr__(self) -> str:
        locks = f"platform={_lock(self.permitted)}, notebook={_lock(self.armed)}"
        bounds = f", {self.orders_left} orders left of up to {self.max_size:g}" if self.ready else ""
        reason = f", reason={self.reason!r}" if self.reason else ""
        advice = f": {self.advice}" if self.advice else ""
        return f"TradingState({self.symbol}, {locks}{bounds}{reason}{advice})"

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"


@dataclass(frozen=True, slots=True)
class PanicReport:
    """What a panic did.

    Parameters
    ----------
    canceled, disarmed : bool
        Whether both commands were confirmed.
    working : int
        Orders that were still open when it ended; a venue may take a moment to confirm.
    seconds : float
    problems : tuple of str
        What could not be done, and why.
    """

    canceled: bool
    disarmed: bool
    working: int = 0
    seconds: float = 0.0
    problems: tuple[str, ...] = ()

    def __repr__(self) -> str:
        facts = [
            "every order taken back" if self.canceled else "cancelling NOT confirmed",
            "disarmed" if self.disarmed else "disarming NOT confirmed",
            *([f"{self.working} still working"] if self.working else []),
            *self.problems,
        ]
        return f"PanicReport({', '.join(facts)})"


def arm(line: Line, symbol: str, minutes: float, max_orders: int, max_size: float) -> TradingState:
    """Ask for this side's lock to be opened.

    Raises
    ------
    WorkbenchError
        Bounds that are none; a source that cannot trade (``read_only``).
    """
    if not minutes > 0 or not max_size > 0 or max_orders < 1:
        raise WorkbenchError(
            f"arm(minutes={minutes!r}, max_orders={max_orders!r}, max_size={max_size!r})",
            expected="minutes and max_size above 0, max_orders at least 1; minutes=0 disarms",
            code="bad_value",
        )
    line.ask(messages.Arm(minutes=minutes, max_orders=max_orders, max_size=max_size, symbol=symbol))
    return TradingState(line, symbol)


def disarm(line: Line, symbol: str, *, everywhere: bool) -> TradingState:
    """Close this side's lock: of one instrument, or of all."""
    line.ask(messages.Disarm(symbol="" if everywhere else symbol))
    return TradingState(line, symbol)


def panic(line: Line) -> PanicReport:
    """Take back every order everywhere, then close this side's lock; never raises."""
    began = time.monotonic()
    problems = [_try(line, command) for command in (messages.CancelAll(), messages.Disarm(reason="panic"))]
    return PanicReport(
        canceled=not problems[0],
        disarmed=not problems[1],
        working=sum(order.status not in CLOSED for order in line.account.orders()),
        seconds=time.monotonic() - began,
        problems=tuple(dict.fromkeys(filter(None, problems))),
    )


def _try(line: Line, command: messages.Command) -> str:
    """Carry out a command; why it was not."""
    try:
        line.ask(command, PANIC_S)
    except WorkbenchError as problem:
        hint = (
            ": it may have been carried out, look in the platform" if problem.code in OUTCOME_UNKNOWN else ""
        )
        return f"{problem.message}{hint}"
    return ""


def _lock(is_open: bool) -> str:
    return "open" if is_open else "closed"
