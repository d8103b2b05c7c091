"""The two locks before orders, and the way out of everything at once."""

from __future__ import annotations

import html
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from workbench.errors import WorkbenchError
from workbench.feeds.requests import Answer, wait_for
from workbench.frames.moments import to_datetime
from workbench.protocol import messages
from workbench.session.line import OUTCOME_UNKNOWN
from workbench.session.order import CLOSED

if TYPE_CHECKING:
    from workbench.session.line import Line

PANIC_S: Final = 1.0
"""For all of a panic."""
MAX_PER_SECOND: Final = 5
"""Orders and changes in any second, and forty times as many in any minute, unless :func:`arm` is told otherwise."""
SETTLE_S: Final = 0.2
"""How long word of a cancel may come after the answer to the command."""
NOT_ARMED: Final = "not_armed"
NOT_CANCELED: Final = "NOT_CANCELED"
LIVE: Final = "live"
SETTING: Final = "Allow orders from notebooks"
NEEDED: Final = 'orders need a platform behind the feed, wb.connect("bookmap")'
ALLOW: Final = f'tick "{SETTING}" in the settings of the workbench add-on in Bookmap and press "Apply"'


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
        is_open = told.possible and told.permitted and told.armed and not told.reason
        return is_open and told.orders_left > 0 and self._line.state == LIVE

    @property
    def until(self) -> datetime | None:
        """When this side's lock closes by itself, UTC."""
        return None if self._told.until is None else to_datetime(self._told.until)

    @property
    def orders_left(self) -> int:
        """How many more orders may be placed."""
        return self._told.orders_left

    @property
    def max_size(self) -> float:
        """Largest size of one order, real units."""
        return self._told.max_size

    @property
    def max_per_second(self) -> int:
        """Most orders and changes in any second; a minute takes forty times as many."""
        return self._told.max_per_second

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
        if not self._line.takes_orders:
            return f"nobody takes orders on {self._line.source}: {NEEDED}"
        if self._line.state != LIVE:
            return f"the session is {self._line.state}: see s.health, and arm() again once it is {LIVE}"
        if not self.possible:
            return "this feed cannot trade: start the workbench's trading add-on in Bookmap"
        if not self.permitted:  # the locks may be opened in either order
            return f"{ALLOW}: that is all, this side is armed" if self.armed else f"{ALLOW}, and arm()"
        if not self.armed:
            return "arm() opens it"
        return "" if self.orders_left > 0 else "all orders of this arming are used: arm() again"

    @property
    def is_paper(self) -> bool:
        """Whether orders go to the workbench's own paper desk: its lock is open from the start."""
        return self._told.supported.get("account") == "paper"

    def __repr__(self) -> str:
        if self.is_paper:
            bounds = f"each of at most {self.max_size:g}, as PaperTerms(limits=…) has it"
            return (
                f"TradingState({self.symbol}, paper, {bounds if self.ready else self.reason or self.advice})"
            )
        locks = f"platform={_lock(self.permitted)}, notebook={_lock(self.armed)}"
        bounds = f", {self.orders_left} orders left, each of at most {self.max_size:g}" if self.ready else ""
        reason = f", reason={self.reason!r}" if self.reason and SETTING not in self.reason else ""
        advice = f": {self.advice}" if self.advice else ""
        return f"TradingState({self.symbol}, {locks}{bounds}{reason}{advice})"

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"


@dataclass(frozen=True, slots=True)
class PanicReport:
    """What a panic did.

    Parameters
    ----------
    canceled : bool
        Whether every open order was asked to be taken back, as far as this session was told.
    disarmed : bool
        Whether this side's lock is confirmed to be closed.
    working : int
        Orders that were still open when it ended; a venue may take a moment to confirm.
    unknown : int
        How many of those are of unknown fate: nothing says whether they still work.
    unsent : int
        For how many of those no cancel is known to have gone.
    reason : str
        Why none went.
    state : str
        Of the session: one that is not live does not know what is open.
    seconds : float
    problems : tuple of str
        What could not be done, and why.
    """

    canceled: bool
    disarmed: bool
    working: int = 0
    unknown: int = 0
    unsent: int = 0
    reason: str = ""
    state: str = LIVE
    seconds: float = 0.0
    problems: tuple[str, ...] = ()

    def __repr__(self) -> str:
        doubt = self.unknown and self.unknown != self.unsent
        facts = [
            self._cancels(),
            *([f"{self.unknown} of them unknown: look in the platform"] if doubt else []),
            "disarmed" if self.disarmed else "disarming NOT confirmed",
            *self.problems,
        ]
        return f"PanicReport({', '.join(facts)})"

    def _cancels(self) -> str:
        """What is known of the cancels, and never more than that."""
        if self.unsent:
            return f"NO cancel was sent for {self.unsent} of {self.working} open orders ({self.reason})"
        if not self.canceled:
            return f"cancelling NOT confirmed, {self.working} open"
        if self.working:
            return f"all asked to be taken back, {self.working} still open"
        if self.state != LIVE:
            return f"no open order is known, but the session is {self.state}: look in the platform"
        return "every order taken back"


def arm(
    line: Line,
    symbol: str,
    minutes: float | None = None,
    max_orders: int | None = None,
    max_size: float | None = None,
    max_per_second: int = MAX_PER_SECOND,
) -> TradingState:
    """Ask for this side's lock to be opened.

    On paper the bounds are those of its terms: what is left out here is filled in only because the words want it.

    Raises
    ------
    WorkbenchError
        Bounds that are none, or are left out where a platform takes the orders; a source that cannot trade
        (``read_only``).
    """
    state = TradingState(line, symbol)
    if state.is_paper:
        minutes = 1.0 if minutes is None else minutes
        max_orders = 1 if max_orders is None else max_orders
        max_size = 1.0 if max_size is None else max_size
    if minutes is None or max_orders is None or max_size is None:
        raise WorkbenchError(
            f"arm(minutes={minutes!r}, max_orders={max_orders!r}, max_size={max_size!r})",
            expected="all three: how long, how many orders, and of what size at most",
            code="bad_value",
        )
    if not minutes > 0 or not max_size > 0 or max_orders < 1:
        raise WorkbenchError(
            f"arm(minutes={minutes!r}, max_orders={max_orders!r}, max_size={max_size!r})",
            expected="minutes and max_size above 0, max_orders at least 1; minutes=0 disarms",
            code="bad_value",
        )
    if not 1 <= max_per_second <= 100:
        raise WorkbenchError(
            f"arm(max_per_second={max_per_second!r})", expected="1 to 100; 5 unless given", code="bad_value"
        )
    line.ask(
        messages.Arm(
            minutes=minutes,
            max_orders=max_orders,
            max_size=max_size,
            max_per_second=max_per_second,
            symbol=symbol,
        )
    )
    return state


def disarm(line: Line, symbol: str, *, everywhere: bool) -> TradingState:
    """Close this side's lock: of one instrument, or of all."""
    line.ask(messages.Disarm(symbol="" if everywhere else symbol))
    return TradingState(line, symbol)


def panic(line: Line) -> PanicReport:
    """Take back every order everywhere, then close this side's lock; never raises.

    Both commands are sent before the first answer is waited for: a slow engine keeps neither from the platform.
    """
    began = time.monotonic()

    def left() -> float:
        stands_still = line.place == "inline"  # what has not come yet comes only as its clock is moved
        return 0.0 if stands_still else max(began + PANIC_S - time.monotonic(), 0.0)

    before = line.account.orders()
    commands = (messages.CancelAll(), messages.Disarm(reason="panic"))
    sent = [(command, _begin(line, command)) for command in commands]
    refused, not_disarmed = (_outcome(command, answer, left()) for command, answer in sent)
    if refused is None:  # sent and taken; venues need a moment
        line.account.wait(lambda: all(order.unknown for order in _working(line)), left())
    # word that a cancel went out takes another way than the answer
    line.account.wait(lambda: not _untouched(line, before), min(left(), SETTLE_S))
    working = _working(line)
    unsent = _unsent(line, before, refused)
    return PanicReport(
        canceled=refused is None and not unsent,
        disarmed=not_disarmed is None,
        working=len(working),
        unknown=sum(order.unknown for order in working),
        unsent=len(unsent),
        reason=_why_unsent(unsent, refused) if unsent else "",
        state=line.state,
        seconds=time.monotonic() - began,
        problems=tuple(dict.fromkeys(_told(p) for p in (refused, not_disarmed) if p is not None)),
    )


def _working(line: Line) -> list[messages.Order]:
    return [order for order in line.account.orders() if order.status not in CLOSED]


def _untouched(line: Line, before: list[messages.Order]) -> list[messages.Order]:
    """Open orders of which nothing was told since: one that is being taken back changes its status."""
    known = {id(order) for order in before}
    return [order for order in _working(line) if id(order) in known]


def _unsent(line: Line, before: list[messages.Order], refused: WorkbenchError | None) -> list[messages.Order]:
    """Open orders for which no cancel is known to have gone."""
    if refused is not None:
        return [] if refused.code in OUTCOME_UNKNOWN else _untouched(line, before)
    return [order for order in _untouched(line, before) if order.unknown] + [
        order for order in _working(line) if order.reason.startswith(NOT_CANCELED) and not order.unknown
    ]


def _why_unsent(unsent: list[messages.Order], refused: WorkbenchError | None) -> str:
    if refused is not None:
        if refused.code == NOT_ARMED:
            return "not armed: arm() and panic() again, or take them back in the platform"
        return "take them back in the platform"
    if unsent[0].unknown:
        return "unknown since the bridge restarted or was lost: look in Bookmap"
    return unsent[0].reason


def _begin(line: Line, command: messages.Command) -> Answer | WorkbenchError:
    try:
        return line.begin(command)
    except WorkbenchError as problem:
        return problem


def _outcome(
    command: messages.Command, answer: Answer | WorkbenchError, timeout_s: float
) -> WorkbenchError | None:
    """Wait for the answer to a command; why it was not carried out."""
    try:
        if isinstance(answer, WorkbenchError):
            raise answer
        wait_for(answer, command, timeout_s)
    except WorkbenchError as problem:
        return problem
    return None


def _told(problem: WorkbenchError) -> str:
    hint = ": it may have been carried out, look in the platform" if problem.code in OUTCOME_UNKNOWN else ""
    return f"{problem.message}{hint}"


def _lock(is_open: bool) -> str:
    return "open" if is_open else "closed"
