"""The order desk: decides which orders reach Bookmap, and mirrors what becomes of them.

Nothing here does I/O. Every method takes a :class:`Moment` and returns a :class:`Result`, which the shell carries out in
its order: journal, lines, answers, account.

- No line of a trading type is made unless both locks are open at that moment, cancels included.
- A client order id is sent once, ever. Asked again with the same content, it answers the state it knows; with another
  content it is an error. Ids that earlier processes sent count too (``used_ids``, from the journal).
- Silence for 2 s is UNKNOWN: nothing is sent again, and no new order or change goes until a report of that order comes
  or a client arms anew. Cancels go all the same.
- Every command gets exactly one answer or one error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from workbench.bridge import changing, placing, wire
from workbench.bridge.admission import RefusedError
from workbench.bridge.arming import MAX_MINUTES, MAX_PER_SECOND, MINUTE_NS, Bounds
from workbench.bridge.desk_state import BestPrices, DeskState
from workbench.bridge.lines import LineError
from workbench.bridge.mirror import MirroredOrder
from workbench.bridge.reports import OrderReport, read_execution, read_order, unit_of_time
from workbench.bridge.result import Moment, Result
from workbench.errors import InstrumentError, ProtocolError
from workbench.instruments import Instrument
from workbench.protocol import messages
from workbench.trading.states import OrderEvent

if TYPE_CHECKING:
    from workbench.bridge.lines import Lines

SETTING: Final = "Allow orders from notebooks"
"""Name of the add-on's setting in Bookmap's panel that is the first lock."""

MAX_BAD_KEPT: Final = 1_000
"""Reports without sense that get an entry in the journal; all are counted."""

DeskCommand = messages.OrderCommand | messages.Arm | messages.Disarm
AccountReport = wire.OrderUpdate | wire.Execution | wire.PositionUpdate | wire.BalanceUpdate


class OrderDesk:
    """Orders of one instrument, while it is attached. Disarmed when it is made.

    Parameters
    ----------
    instrument : Instrument
        With the platform's ``features``: what they do not mention is taken as supported.
    lines : Lines
    trading : bool
        False: the add-on was built without trading; every order is answered ``read_only``.
    used_ids : Mapping of str to str, optional
        Client order ids that were sent before, with the hash of their content: they are never sent again.
    best_prices : callable, optional
        Best bid and ask in ticks, None where there is none; to refuse stops that would go off at once.

    Attributes
    ----------
    bad_reports : int
        Reports of Bookmap that could not be understood.
    problem : str
        Why the latest of them could not.
    oddities : int
        Reports that contradict what is known (illegal transitions, late fills, …); each is in the journal.
    """

    def __init__(
        self,
        instrument: Instrument,
        lines: Lines,
        *,
        trading: bool,
        used_ids: Mapping[str, str] | None = None,
        best_prices: BestPrices | None = None,
    ):
        self.instrument = instrument
        self._state = DeskState(
            instrument, lines, trading=trading, used_ids=used_ids or {}, best_prices=best_prices
        )
        self._time_units: set[str] = {"", "ms"}
        self.bad_reports = 0
        self.problem = ""
        self.oddities = 0

    # -- what holds -----------------------------------------------------------------------------------------------

    def is_open(self, now: Moment) -> bool:
        """Whether lines that trade may go now: the question of the last gate before the socket."""
        state = self._state
        return state.possible and state.arming.permitted and state.arming.lasts(now)

    @property
    def used_ids(self) -> dict[str, str]:
        """Every client order id that was ever sent, for the desk that comes after this one."""
        return dict(self._state.used)

    @property
    def executions_waiting(self) -> int:
        """Executions of orders that Bookmap has not told of; they become fills when it does."""
        return self._state.executions.waiting

    def state(self, now: Moment, request_id: messages.RequestId = None) -> messages.Trading:
        """Both locks and the bounds, as everyone is told them."""
        return self._state.trading_message(now, request_id)

    def know(self, used_ids: Mapping[str, str]) -> None:
        """Take in ids that another process sent meanwhile, with their hashes."""
        self._state.used = dict(used_ids) | self._state.used if used_ids else self._state.used

    # -- what happens ---------------------------------------------------------------------------------------------

    def permit(self, on: bool, now: Moment) -> Result:
        """Take the add-on's setting as it was read or changed; off disarms."""
        result = self._begin(now)
        self._state.arming.permit(on)
        self._state.note(result, now, "permitted" if on else "not_permitted")
        return self._finish(result, now)

    def detach(self, now: Moment) -> Result:
        """Take in that the instrument or the link to Bookmap is gone; open orders become unknown."""
        result = self._begin(now)
        self._state.arming.disarm("disarmed: the link to Bookmap is gone")
        self._state.attached = False
        for order in self._state.orders.working():
            order.lose()
            self._state.note(result, now, "link_lost", client_order_id=order.name)
            self._state.tell(result, order)
        return self._finish(result, now)

    def owner_left(self, owner: str, now: Moment) -> Result:
        """Take in that a client has gone; what it armed ends. Its orders stay: a cancel is a decision, too."""
        result = self._begin(now)
        bounds = self._state.arming.bounds
        if bounds is not None and bounds.owner == owner:
            self._disarm("disarmed: the client that armed has gone", now, result)
        return self._finish(result, now)

    def book_is_stale(self, reason: str) -> bool:
        """Refuse new orders and changes for this reason, until it is an empty text; whether that is another one."""
        known, self._state.stale = self._state.stale, reason
        return known != reason

    def command(self, command: DeskCommand, owner: str, now: Moment) -> Result:
        """Carry out what the client ``owner`` asks; the result has exactly one answer or an error."""
        result = self._begin(now)
        try:
            self._carry_out(command, owner, now, result)
        except (RefusedError, LineError, InstrumentError) as refused:
            self._state.note(result, now, "refused", request=type(command).__name__, reason=refused.found)
            result.error = messages.Error(
                code=refused.code, message=refused.message, request_id=command.request_id
            )
        return self._finish(result, now)

    def report(self, message: AccountReport, now: Moment) -> Result:
        """Take in what Bookmap reports; what cannot be understood is counted and kept in the journal."""
        result = self._begin(now)
        try:
            self._take_report(message, now, result)
        except (ProtocolError, OverflowError) as problem:
            self.bad_reports += 1
            self.problem = str(problem)[:400]
            if self.bad_reports <= MAX_BAD_KEPT:
                self._state.note(result, now, "bad_report", reason=self.problem)
        return self._finish(result, now)

    def on_time(self, now: Moment) -> Result:
        """Do what is due: end the arming, call silence UNKNOWN."""
        return self._finish(self._begin(now), now)

    def deadline(self) -> int | None:
        """When :meth:`on_time` is due next, ns of the monotonic clock; None: nothing is."""
        state = self._state
        due = [order.due for order in state.orders.working() if order.due is not None]
        ends = state.arming.deadline()
        if state.arming.closing and not self._cancels_wait():
            return 0
        return min([*due, *([] if ends is None else [ends])], default=None)

    def withdraw(self, result: Result, reason: str, now: Moment) -> Result:
        """Take the new orders and changes of ``result`` back before they were sent: the journal could not be written.

        Returns what is to be done instead, cancels included; there is no use in writing its journal.
        """
        instead = Result(error=result.error, account=list(result.account), answers=list(result.answers))
        instead.lines = [line for line in result.lines if line.startswith(_CANCEL)]
        taken_back = [(name, OrderEvent.REJECT) for name in result.sent]
        taken_back += [(name, OrderEvent.REPLACE_REJECT) for name in result.changed]
        for name, event in taken_back:
            order = placing.withdraw(self._state, name, event, reason, now, instead)
            if order is not None:
                instead.answers = [self._answered_anew(answer, order) for answer in instead.answers]
        return instead

    # -- commands -------------------------------------------------------------------------------------------------

    def _carry_out(self, command: DeskCommand, owner: str, now: Moment, result: Result) -> None:
        if command.symbol and command.symbol != self.instrument.symbol:
            text = f"unknown instrument {command.symbol[:80]!r}; have {self.instrument.symbol!r}"
            raise RefusedError(text, code="unknown_instrument")
        state = self._state
        if isinstance(command, messages.Disarm):
            self._take_disarm(command, now, result)
            return
        state.check_possible()
        match command:
            case messages.Arm():
                self._arm(command, owner, now, result)
            case messages.PlaceOrder():
                placing.place(state, command, owner, now, result)
            case messages.CancelOrder():
                changing.cancel(state, command, now, result)
            case messages.ReplaceOrder():
                changing.change(state, command, owner, now, result)
            case messages.CancelAll():
                changing.cancel_all(state, command, now, result)

    def _arm(self, command: messages.Arm, owner: str, now: Moment, result: Result) -> None:
        lasting = _lasting_ns(command.minutes)
        if command.max_orders < 1:
            raise RefusedError(f"max_orders {command.max_orders} is below 1", code="bad_bounds")
        if not 1 <= command.max_per_second <= MAX_PER_SECOND:
            text = f"max_per_second {command.max_per_second}; 1 to {MAX_PER_SECOND}"
            raise RefusedError(text, code="bad_bounds")
        max_size = placing.bound_lots(self._state, command.max_size)
        bounds = Bounds(owner, now.wall + lasting, now.mono + lasting, max_size, command.max_per_second)
        self._state.arming.arm(bounds, command.max_orders)
        self._state.rate.allow(bounds.per_second)
        self._state.doubtful.clear()
        self._state.note(result, now, "armed", owner=owner, until=bounds.until, per_second=bounds.per_second)
        result.answers.append(self._state.trading_message(now, command.request_id))

    def _take_disarm(self, command: messages.Disarm, now: Moment, result: Result) -> None:
        reason = f"disarmed: {command.reason[:200]}" if command.reason else "disarmed"
        if self._state.arming.open and self._cancels_wait():
            # An order that is on its way cannot be canceled before Bookmap has named it: at most 2 s.
            self._state.arming.wind_down(reason)
            self._state.note(result, now, "disarming", reason=reason)
        else:
            self._disarm(reason, now, result)
        result.answers.append(self._state.trading_message(now, command.request_id))

    def _disarm(self, reason: str, now: Moment, result: Result) -> None:
        if self._state.arming.armed:
            self._state.arming.disarm(reason)
            self._state.note(result, now, "disarmed", reason=reason)

    def _cancels_wait(self) -> bool:
        return any(order.wants_cancel and order.due is not None for order in self._state.orders.working())

    def _answered_anew(self, answer: messages.Message, order: MirroredOrder) -> messages.Message:
        if isinstance(answer, messages.Order) and answer.client_order_id == order.client_order_id:
            return order.message(self.instrument, answer.request_id)
        return answer

    # -- reports --------------------------------------------------------------------------------------------------

    def _take_report(self, message: AccountReport, now: Moment, result: Result) -> None:
        alias = message.alias if isinstance(message, wire.Execution) else message.plain.get("instrumentAlias")
        if alias not in {None, self.instrument.symbol} and not isinstance(message, wire.BalanceUpdate):
            return
        holdings = self._state.holdings
        match message:
            case wire.OrderUpdate():
                self._note_unit(message.plain.get("modificationUtcTime"), now, result)
                self._take_order(read_order(message.plain, self.instrument), now, result)
            case wire.Execution():
                self._note_unit(message.plain.get("time"), now, result)
                execution = read_execution(message.plain, self.instrument)
                order = self._state.orders.by_id(execution.order_id)
                result.account.extend(self._state.executions.take(execution, order, now.wall))
            case wire.PositionUpdate():
                result.account.extend(holdings.position(message.plain, now.wall))
            case wire.BalanceUpdate():
                result.account.extend(holdings.balances(message.plain, now.wall))

    def _take_order(self, report: OrderReport, now: Moment, result: Result) -> None:
        state = self._state
        order = state.orders.of(report)
        if order is None:
            content, taken = state.used.get(report.client_id, ""), report.client_id in state.denied
            order = state.orders.begin(report, content, taken=taken)
            order.ts = order.ts or now.wall
        elif report.duplicate and order.order_id and not order.unknown:
            return
        else:
            self._take_notes(order, order.take(report), now, result)
            order.order_id = order.order_id or report.order_id
        if not order.unknown:
            state.doubtful.discard(id(order))
        if placing.is_flattening(order) and not order.open:
            state.holdings.positions.clear()  # what was told of it may be older than this fill
        changing.send_wished_cancel(state, order, now, result)
        state.tell(result, order)
        result.account.extend(state.executions.release(order, now.wall))

    def _take_notes(self, order: MirroredOrder, notes: list[str], now: Moment, result: Result) -> None:
        if order.sizing:
            self._state.sizing = order.sizing
        for text in notes:
            self.oddities += 1
            self._state.note(result, now, "odd_report", client_order_id=order.name, reason=text)

    def _note_unit(self, time: object, now: Moment, result: Result) -> None:
        unit = unit_of_time(time)
        if unit not in self._time_units:
            self._time_units.add(unit)
            self._state.note(result, now, "time_unit", unit=unit)

    # -- time -----------------------------------------------------------------------------------------------------

    def _begin(self, now: Moment) -> Result:
        """Bring everything up to now first, so that no lock is found open after its time."""
        result, state = Result(), self._state
        was_armed = state.arming.armed
        state.arming.expire(now)
        if was_armed and not state.arming.armed:
            state.note(result, now, "disarmed", reason=state.arming.reason)
        for order in state.orders.working():
            if order.due is not None and now.mono >= order.due:
                self._call_unknown(order, now, result)
        if state.arming.closing and not self._cancels_wait():
            self._disarm(state.arming.reason, now, result)
        return result

    def _call_unknown(self, order: MirroredOrder, now: Moment, result: Result) -> None:
        about = order.silence()
        self._state.doubtful.add(id(order))
        self._state.note(result, now, "unknown", client_order_id=order.name, reason=f"no answer to {about}")
        self._state.tell(result, order)

    def _finish(self, result: Result, now: Moment) -> Result:
        if not self._state.arming.open:
            changing.drop_wishes(self._state, "disarmed before Bookmap had named the order", now, result)
        self._state.tell_trading(result, now)
        return result


_CANCEL: Final = b"%d" % wire.Type.CANCEL_ORDER + wire.SEPARATOR.encode()


def _lasting_ns(minutes: float) -> int:
    if not math.isfinite(minutes) or not 0 < minutes <= MAX_MINUTES:
        text = f"armed for {minutes} minutes; at least a moment, at most {MAX_MINUTES}"
        raise RefusedError(text, code="bad_bounds")
    return max(int(minutes * MINUTE_NS), 1)
