"""The mirror of one order that lives in Bookmap: what was asked of it, what was said of it, where it stands.

Bookmap answers nothing; it only tells the state of an order when that changes. What happened is found by comparing:
a report of a working order while we wait for its cancel may have crossed our line on the way, or may mean that the
cancel was refused. It means the latter once Bookmap has said that it was at the cancel, or has been silent for too long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from workbench.bridge.reports import DISCONNECTED, OrderReport
from workbench.instruments import Instrument
from workbench.protocol import messages
from workbench.trading.states import TERMINAL, OrderEvent, OrderStatus, step

_S, _E = OrderStatus, OrderEvent

ANSWER_NS: Final = 2_000_000_000
"""Silence for longer than this is no answer."""

Sizing = Literal["", "total", "remaining"]
"""What a new size means to this platform: nobody says, so it is learned."""

_FOR_CLIENTS: Final = ("RESIZED", "OVERFILL", "LATE_FILL", "CANCEL_REJECTED", "REPLACE_REJECTED")
"""Notes that become the reason of the order."""

_RESTING: Final = frozenset({_S.NEW, _S.PARTIALLY_FILLED, _S.SUSPENDED})


@dataclass(slots=True)
class Change:
    """Another price or size, on its way: what is asked of the order and not yet seen in a report.

    Parameters
    ----------
    prices : dict of str to float
        ``price``, ``stop_price`` that are still to come true.
    lots : int or None
        Quantity wanted, while it is still to come true.
    sent : int
        Size that was sent for it.
    filled : int
        What was filled then.
    """

    prices: dict[str, float] = field(default_factory=dict)
    lots: int | None = None
    sent: int = 0
    filled: int = 0

    @property
    def done(self) -> bool:
        """Whether all of it came true."""
        return not self.prices and self.lots is None

    def compare(self, report: OrderReport) -> tuple[bool, Sizing]:
        """Strike off what this report shows; whether it showed any, and how a size was taken if that shows."""
        shown = [name for name, price in self.prices.items() if getattr(report, name) == price]
        for name in shown:
            del self.prices[name]
        sizing = self._sizing(report) if self.lots is not None else None
        if sizing is not None:
            self.lots = None
        return bool(shown) or sizing is not None, sizing or ""

    def _sizing(self, report: OrderReport) -> Sizing | None:
        if report.total == self.sent:
            return "total" if self.filled else ""
        # Taken as what is left, it was added to what was filled when it arrived.
        if self.sent + max(self.filled, 1) <= report.total <= self.sent + report.filled:
            return "remaining"
        return None


@dataclass(slots=True)
class MirroredOrder:
    """One order; sizes in lots, prices real (the double nearest to the tick)."""

    side: messages.OrderSide
    order_type: str
    quantity: int
    status: OrderStatus
    client_order_id: str = ""
    order_id: str = ""
    filled: int = 0
    price: float | None = None
    stop_price: float | None = None
    avg_price: float | None = None
    duration: str = "GTC"
    reason: str = ""
    unknown: bool = False
    simulated: bool = False
    account: str = ""
    ts: int = 0
    content: str = ""
    """Hash of what was asked for, of orders of ours."""
    resting: OrderStatus = OrderStatus.PENDING_NEW
    """Where it stands but for a cancel or change under way."""
    wants_cancel: bool = False
    """A cancel waits for Bookmap's id of the order."""
    change: Change | None = None
    due: int | None = None
    """When silence means that nothing is known any more; ns of the monotonic clock."""
    said: OrderStatus | None = None
    """What the latest report said."""
    overdue: bool = False
    sizing: Sizing = ""
    """What its latest report taught about sizes."""
    told: messages.Order | None = None
    """What everyone was told of it last."""

    @property
    def open(self) -> bool:
        """Whether it may still trade."""
        return self.status not in TERMINAL

    @property
    def leaves(self) -> int:
        """Lots still working."""
        return max(self.quantity - self.filled, 0) if self.open else 0

    @property
    def name(self) -> str:
        """How clients call it: their id, or ``#`` and Bookmap's."""
        return self.client_order_id or f"#{self.order_id}"

    def happen(self, event: OrderEvent) -> bool:
        """Take a step of the table; False if there is none, and nothing changed."""
        following = step(self.status, event, resting=self.resting)
        if following is None:
            return False
        self.status = following
        if following in _RESTING:
            self.resting = following
        return True

    def ask(self, event: OrderEvent, mono: int) -> None:
        """Note a cancel or a change that was just sent."""
        self.happen(event)
        self.due, self.overdue, self.said = mono + ANSWER_NS, False, None

    def silence(self) -> str:
        """Nothing was heard in time; returns what that is about."""
        about = {_S.PENDING_CANCEL: "the cancel", _S.PENDING_REPLACE: "the change"}.get(
            self.status, "the order"
        )
        self.due, self.overdue, self.unknown = None, True, True
        self.reason = f"UNKNOWN: no answer to {about} within {ANSWER_NS // 10**9} s; it is not sent again"
        return about

    def wish_cancel(self) -> None:
        """Cancel it as soon as Bookmap names it."""
        self.happen(_E.CANCEL)
        self.wants_cancel = True
        self.reason = "the cancel goes when Bookmap has named the order"

    def drop_wish(self, why: str) -> None:
        """The cancel that waited does not go."""
        self.happen(_E.CANCEL_REJECT)
        self.wants_cancel, self.due, self.reason = False, None, f"NOT_CANCELED: {why}"

    def lose(self) -> None:
        """The link is gone: what becomes of an open order is not known."""
        if self.open:
            self.due, self.unknown, self.wants_cancel = None, True, False
            self.reason = "UNKNOWN: the link to Bookmap was lost; look at Bookmap"

    def take(self, report: OrderReport) -> list[str]:
        """Take in a report; returns what is worth an entry in the journal (first word names it)."""
        if report.said == DISCONNECTED or report.status is None:
            return self._no_news(report)
        if report.filled < self.filled and report.status not in TERMINAL:
            return [f"stale_report: filled {report.filled} after {self.filled}"]
        events, notes = self._events(report)
        before = self.status
        for event in events:
            if not self.happen(event):
                self.status = before
                return [f"illegal_transition: {event} while {before}, Bookmap says {report.said}"]
        finished = before in TERMINAL and not notes
        reason = self.reason if finished else _reason(notes, report)
        self._copy(report, notes)
        self.reason = reason
        return notes

    def message(self, instrument: Instrument, request_id: messages.RequestId = None) -> messages.Order:
        """Return the whole state in real units."""
        denied = self.status is _S.DENIED
        return messages.Order(
            symbol=instrument.symbol,
            client_order_id=self.client_order_id,
            status=(_S.REJECTED if denied else self.status).value,
            side=self.side,
            order_type=self.order_type,
            quantity=float(instrument.size(self.quantity)),
            filled=float(instrument.size(self.filled)),
            leaves=float(instrument.size(self.leaves)),
            ts=self.ts,
            order_id=self.order_id,
            price=self.price,
            stop_price=self.stop_price,
            avg_price=self.avg_price,
            time_in_force=self.duration,
            reason=self.reason,
            unknown=self.unknown,
            simulated=self.simulated,
            account=self.account,
            changes=int(self.status is _S.PENDING_REPLACE),
            request_id=request_id,
        )

    def _no_news(self, report: OrderReport) -> list[str]:
        if report.said != DISCONNECTED:
            return [f"unknown_status: {report.said[:40]!r}"]
        if not self.open or self.unknown:
            return []
        self.unknown, self.reason = True, "UNKNOWN: Bookmap says DISCONNECTED"
        return [self.reason]

    def _events(self, report: OrderReport) -> tuple[list[OrderEvent], list[str]]:
        match report.status:
            case _S.NEW | _S.PARTIALLY_FILLED | _S.SUSPENDED:
                return self._at_work(report)
            case _S.FILLED:
                events = [] if self.status is _S.FILLED else [_E.FULL_FILL]
                return self._waking(events), self._late() if events else []
            case _S.CANCELED:
                late = self._late() if report.filled > self.filled else []
                return [_E.FILL if late else _E.CANCELED], late
            case _S.REJECTED:
                return [_E.REJECT], []
            case _S.PENDING_CANCEL:
                return [_E.CANCEL], []
            case _S.PENDING_REPLACE:
                return ([] if self.status is _S.PENDING_CANCEL else [_E.REPLACE]), []
            case _:
                return [_E.SUBMIT], []

    def _late(self) -> list[str]:
        """Note of a fill, where it comes after the end."""
        return ["LATE_FILL: filled after the cancel"] if self.status in {_S.CANCELED, _S.EXPIRED} else []

    def _at_work(self, report: OrderReport) -> tuple[list[OrderEvent], list[str]]:
        """Bookmap says where the order rests: the request under way was answered, or the report crossed it."""
        if self.status is _S.PENDING_CANCEL and not self.wants_cancel and self._answered(_S.PENDING_CANCEL):
            return self._settle(_E.CANCEL_REJECT, report), ["CANCEL_REJECTED: the order still works"]
        if self.status is _S.PENDING_REPLACE and self.change is not None:
            return self._changing(report, self.change)
        if self.status is _S.PENDING_REPLACE and self.said is _S.PENDING_REPLACE:
            return self._settle(_E.REPLACED, report), []  # asked for elsewhere, on the chart
        if self.status in {_S.PENDING_CANCEL, _S.PENDING_REPLACE}:
            return self._meanwhile(report), []
        return self._resting_events(report), []

    def _changing(self, report: OrderReport, change: Change) -> tuple[list[OrderEvent], list[str]]:
        wanted, answered = change.lots, self._answered(_S.PENDING_REPLACE)
        shown, sizing = change.compare(report)
        self.sizing = sizing
        notes = [f"sizing: a new size is the {sizing} of the order"] if sizing else []
        if wanted is not None and change.lots is None and report.total != wanted:
            notes.append(f"RESIZED: to {report.total} lots, {wanted} were asked")
        if change.done:
            return self._settle(_E.REPLACED, report), notes
        if answered and not shown:
            return self._settle(_E.REPLACE_REJECT, report), [
                *notes,
                "REPLACE_REJECTED: the order stands as it did",
            ]
        return self._meanwhile(report), notes

    def _answered(self, pending: OrderStatus) -> bool:
        return self.said is pending or self.overdue

    def _settle(self, event: OrderEvent, report: OrderReport) -> list[OrderEvent]:
        assert report.status is not None
        self.resting = report.status
        return [event]

    def _meanwhile(self, report: OrderReport) -> list[OrderEvent]:
        """The order goes on while a request is under way: its own state stays."""
        assert report.status is not None
        self.resting = report.status
        return [_E.FILL] if report.filled > self.filled else []

    def _resting_events(self, report: OrderReport) -> list[OrderEvent]:
        match report.status:
            case _S.PARTIALLY_FILLED:
                again = self.status is _S.PARTIALLY_FILLED and report.filled == self.filled
                return [_E.ACCEPT] if again else self._waking([_E.FILL])
            case _S.SUSPENDED:
                return [_E.ACCEPT if self.status is _S.SUSPENDED else _E.TRIGGER]
            case _:
                return [_E.TRIGGER if self.status is _S.SUSPENDED else _E.ACCEPT]

    def _waking(self, events: list[OrderEvent]) -> list[OrderEvent]:
        """A fill of a suspended order says that it was triggered, too."""
        return [_E.TRIGGER, *events] if events and self.status is _S.SUSPENDED else events

    def _copy(self, report: OrderReport, notes: list[str]) -> None:
        self._copy_sizes(report, notes)
        self.order_id = self.order_id or report.order_id
        self.price, self.stop_price = report.price, report.stop_price
        self.avg_price = report.avg_price if report.avg_price is not None else self.avg_price
        self.duration = report.duration or self.duration
        self.order_type = report.order_type or self.order_type
        self.simulated, self.account = report.simulated, report.account
        self.ts = report.ts if report.ts is not None else self.ts
        self.unknown, self.said = False, report.status
        if not self._waiting():
            self.due, self.overdue = None, False
        if self.status is not _S.PENDING_REPLACE:
            self.change = None
        self.wants_cancel = self.wants_cancel and self.open

    def _waiting(self) -> bool:
        """Whether silence still means something: a request was sent and Bookmap has not said that it is at it."""
        return self.status in {_S.PENDING_CANCEL, _S.PENDING_REPLACE} and self.said is not self.status

    def _copy_sizes(self, report: OrderReport, notes: list[str]) -> None:
        filled = max(self.filled, report.filled)
        if report.status is _S.FILLED:
            filled = filled or self.quantity
            if filled > self.quantity and report.total > self.quantity:
                notes.append(f"OVERFILL: {filled} of {self.quantity} lots")
            self.quantity = filled
        elif report.status not in TERMINAL and report.total > 0:
            self.quantity = report.total
        self.filled, self.quantity = filled, max(self.quantity, filled)
        if filled and self.resting in {_S.NEW, _S.PENDING_NEW}:
            self.resting = _S.PARTIALLY_FILLED


def mirror(report: OrderReport) -> MirroredOrder:
    """Begin with an order that was placed elsewhere, in whatever state it is."""
    order = MirroredOrder(
        side=report.side,
        order_type=report.order_type,
        quantity=report.total,
        status=report.status or _S.PENDING_NEW,
        client_order_id=report.client_id,
        order_id=report.order_id,
        filled=report.filled,
    )
    if report.status in _RESTING:
        order.resting = report.status
    order.unknown = report.status is None
    order._copy(report, [])
    order.unknown = report.status is None
    return order


def _reason(notes: list[str], report: OrderReport) -> str:
    if report.status is _S.REJECTED:
        return "Bookmap rejected it, without a reason"
    return "; ".join(note for note in notes if note.startswith(_FOR_CLIENTS))
