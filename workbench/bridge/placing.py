"""New orders: what stands between a command and a line of type 19."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from fractions import Fraction
from typing import Final

import msgspec

from workbench.bridge.admission import (
    MAX_LOTS,
    STOP_LOSS_SUFFIX,
    TAKE_PROFIT_SUFFIX,
    RefusedError,
    Ticket,
    admit,
    check_client_order_id,
    check_stop_side,
)
from workbench.bridge.desk_state import DeskState
from workbench.bridge.lines import LineError
from workbench.bridge.mirror import ANSWER_NS, MirroredOrder
from workbench.bridge.order_journal import MARKET, SENT
from workbench.bridge.result import Moment, Result
from workbench.protocol import messages
from workbench.trading.states import OrderEvent, OrderStatus

FLATTEN_PREFIX: Final = "flatten-"
MAX_DENIED: Final = 1_000
"""Refused orders whose answer is kept, for whoever asks again."""


def content_hash(command: messages.PlaceOrder) -> str:
    """Short hash of what an order says, whoever asks for it and how often."""
    plain = msgspec.to_builtins(msgspec.structs.replace(command, request_id=None))
    told = {k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in plain.items()}
    return hashlib.blake2b(json.dumps(told, sort_keys=True).encode("ascii"), digest_size=8).hexdigest()


def place(state: DeskState, command: messages.PlaceOrder, owner: str, now: Moment, result: Result) -> None:
    """Send a new order, or say why not.

    Raises
    ------
    RefusedError
        Misuse that makes no order: the id is used for another one, or a lock is closed.
    """
    content = content_hash(command)
    if _answer_known(state, command, content, result):
        return
    state.check_armed_by(owner)
    try:
        ticket = admit(command, state.instrument)
        check_bounds(state, ticket.lots, now)
        state.check_path()
        if ticket.stop is not None:
            check_stop_side(ticket, *state.best_prices())
        send(state, command, ticket, now, result)
    except (RefusedError, LineError) as refused:
        _deny(state, command, content, refused.found, now, result)


def check_bounds(state: DeskState, lots: int, now: Moment) -> None:
    """Refuse what is more than was armed, or too much at once.

    Raises
    ------
    RefusedError
    """
    arming = state.arming
    if lots > arming.max_size:
        most = state.instrument.size(arming.max_size)
        raise RefusedError(f"MAX_SIZE: {state.instrument.size(lots)} of at most {most} an order")
    if arming.orders_left < 1:
        raise RefusedError("MAX_ORDERS: all orders of this arming are used; arm again")
    refusal = state.rate.refusal(now.mono)
    if refusal:
        raise RefusedError(refusal)


def send(state: DeskState, command: messages.PlaceOrder, ticket: Ticket, now: Moment, result: Result) -> None:
    """Make the line of a checked order, and everything that goes with it.

    Raises
    ------
    LineError
        A field that must not be sent; nothing is.
    """
    line = _line(state, command.client_order_id, ticket)
    order = _order(state, command, ticket, now)
    order.due = now.mono + ANSWER_NS
    state.used[order.client_order_id] = order.content
    state.arming.orders_left -= 1
    state.rate.count(now.mono)
    state.note(
        result,
        now,
        SENT,
        client_order_id=order.client_order_id,
        hash=order.content,
        order=msgspec.to_builtins(msgspec.structs.replace(command, request_id=None)),
    )
    result.afterwards.append(
        lambda: state.entry(
            now, MARKET, client_order_id=order.client_order_id, best=list(state.best_prices())
        )
    )
    result.lines.append(line)
    result.sent.append(order.client_order_id)
    state.answer(result, order, command.request_id)


def flatten(state: DeskState, now: Moment, result: Result) -> None:
    """Close the known position with market orders, none larger than armed, each counted as an order.

    Orders that are being canceled may still fill meanwhile; whoever flattens looks at the position afterwards. What was
    flattened is not known any more: doing it again waits for Bookmap to tell the position.

    Raises
    ------
    RefusedError
        The position is not known, or is in several accounts (the wire names none), or the bounds do not allow it.
    """
    held = {account: lots for account, lots in state.holdings.positions.items() if lots}
    if not state.holdings.positions:
        raise RefusedError("POSITION_UNKNOWN: Bookmap has not told the position; nothing was flattened")
    if len(held) > 1:
        raise RefusedError("SEVERAL_ACCOUNTS: close each of them in Bookmap; nothing was flattened")
    for lots in held.values():
        _flatten(state, lots, now, result)
    state.holdings.positions.clear()


def is_flattening(order: MirroredOrder) -> bool:
    """Whether an order is one of :func:`flatten`."""
    return order.client_order_id.startswith(FLATTEN_PREFIX)


def withdraw(
    state: DeskState, name: str, event: OrderEvent, reason: str, now: Moment, result: Result
) -> MirroredOrder | None:
    """An order, or a change of one, was not sent after all."""
    order = state.orders.named(name)
    if order is None or not order.happen(event):
        return None
    order.change = None
    order.reason, order.due = f"NOT_SENT: {reason}", None
    state.note(result, now, "withdrawn", client_order_id=name, reason=reason)
    state.tell(result, order)
    return order


def _flatten(state: DeskState, position: int, now: Moment, result: Result) -> None:
    most, size = state.arming.max_size, abs(position)
    parts = [most] * (size // most) + ([size % most] if size % most else [])
    if len(parts) > state.arming.orders_left:
        raise RefusedError(
            f"MAX_ORDERS: flattening takes {len(parts)}, {state.arming.orders_left} are left; nothing was flattened"
        )
    refusal = state.rate.refusal(now.mono, len(parts))
    if refusal:
        raise RefusedError(f"{refusal}; flattening takes {len(parts)} orders, nothing was flattened")
    numbers = (n for n in itertools.count() if f"{FLATTEN_PREFIX}{now.wall}-{n}" not in state.used)
    for number, lots in zip(numbers, parts):  # a clock that stands, or was set back, makes no name twice
        command = messages.PlaceOrder(
            symbol=state.alias,
            side="SELL" if position > 0 else "BUY",
            order_type="MARKET",
            quantity=float(state.instrument.size(lots)),
            client_order_id=f"{FLATTEN_PREFIX}{now.wall}-{number}",
        )
        ticket = Ticket(position < 0, lots, None, None, command.time_in_force, None, None, None)
        unasked = Result(journal=result.journal, lines=result.lines, account=result.account, sent=result.sent)
        send(state, command, ticket, now, unasked)


def _line(state: DeskState, client_order_id: str, ticket: Ticket) -> bytes:
    instrument = state.instrument
    return state.lines.send_order(
        state.alias,
        ticket.is_buy,
        ticket.lots,
        limit_price=None if ticket.limit is None else float(instrument.price(ticket.limit)),
        stop_price=None if ticket.stop is None else float(instrument.price(ticket.stop)),
        duration=ticket.duration,
        client_id=client_order_id,
        take_profit_offset=ticket.take_profit,
        stop_loss_offset=ticket.stop_loss,
        trailing_step=ticket.trailing,
        take_profit_client_id="" if ticket.take_profit is None else client_order_id + TAKE_PROFIT_SUFFIX,
        stop_loss_client_id="" if ticket.stop_loss is None else client_order_id + STOP_LOSS_SUFFIX,
    )


def _order(state: DeskState, command: messages.PlaceOrder, ticket: Ticket, now: Moment) -> MirroredOrder:
    instrument = state.instrument
    order = MirroredOrder(
        side=command.side,
        order_type=command.order_type,
        quantity=ticket.lots,
        status=OrderStatus.INITIALIZED,
        client_order_id=command.client_order_id,
        price=None if ticket.limit is None else float(instrument.price(ticket.limit)),
        stop_price=None if ticket.stop is None else float(instrument.price(ticket.stop)),
        duration=ticket.duration,
        ts=now.wall,
        content=content_hash(command),
    )
    order.happen(OrderEvent.SUBMIT)
    return order


def _answer_known(state: DeskState, command: messages.PlaceOrder, content: str, result: Result) -> bool:
    """Answer for an id that was there before; it never makes a second order."""
    name = command.client_order_id
    known, denied = state.orders.named(name), state.denied.get(name)
    if known is None and denied is None and name not in state.used:
        return False
    used_for = state.used.get(name) or (known.content if known is not None else denied[0] if denied else "")
    if used_for != content or name.startswith("#"):
        text = f"DUPLICATE_ID_DIFFERENT_ORDER: {name[:40]!r} is used for another order; take a new id"
        raise RefusedError(text, code="duplicate_id")
    if denied is not None:
        result.answers.append(msgspec.structs.replace(denied[1], request_id=command.request_id))
    else:
        state.answer(result, known or _lost_order(state, command), command.request_id)
    return True


def _lost_order(state: DeskState, command: messages.PlaceOrder) -> MirroredOrder:
    """An order that an earlier process sent and Bookmap has not spoken of since."""
    reason = "UNKNOWN: sent before the add-on was started anew; look at Bookmap, it is not sent again"
    try:
        ticket = admit(command, state.instrument)
    except RefusedError as problem:  # on the grid of today; that says nothing of what was sent then
        raise RefusedError(reason, code="unknown_outcome") from problem
    order = _order(state, command, ticket, Moment(0, 0))
    order.unknown, order.reason = True, reason
    return order


def _deny(
    state: DeskState, command: messages.PlaceOrder, content: str, reason: str, now: Moment, result: Result
) -> None:
    name = command.client_order_id
    order = _refused(state, command, reason, now)
    state.note(result, now, "refused", client_order_id=name[:40], hash=content, reason=reason)
    result.answers.append(msgspec.structs.replace(order, request_id=command.request_id))
    try:
        check_client_order_id(name)
    except RefusedError:
        return  # no name to keep it under, or to tell it by
    state.denied[name] = (content, order)
    if len(state.denied) > MAX_DENIED:
        del state.denied[next(iter(state.denied))]
    result.account.append(order)


def _refused(state: DeskState, command: messages.PlaceOrder, reason: str, now: Moment) -> messages.Order:
    """Return an order that never left, as it was asked for; numbers that no message can hold are left out."""
    return messages.Order(
        symbol=state.alias,
        client_order_id=command.client_order_id,
        status=OrderStatus.REJECTED.value,
        side=command.side,
        order_type=command.order_type,
        quantity=_finite(command.quantity) or 0.0,
        filled=0.0,
        leaves=0.0,
        ts=now.wall,
        price=_finite(command.price),
        stop_price=_finite(command.stop_price),
        time_in_force=command.time_in_force,
        reason=reason,
    )


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def bound_lots(state: DeskState, max_size: float) -> int:
    """Lots of the largest order allowed, rounded down.

    Raises
    ------
    RefusedError
    """
    if not math.isfinite(max_size) or max_size <= 0:
        raise RefusedError(f"max_size {max_size}", code="bad_bounds")
    lots = int(Fraction(repr(float(max_size))) / Fraction(state.instrument.lot_size))
    if lots < 1:
        text = f"max_size {max_size} is less than the smallest order, {state.instrument.lot_size}"
        raise RefusedError(text, code="bad_bounds")
    return min(lots, MAX_LOTS)
