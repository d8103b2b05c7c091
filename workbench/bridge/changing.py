"""Orders that are there already: cancels, one or a batch, and changes of price and size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from workbench.bridge.admission import MAX_LOTS, RefusedError, whole_lots, whole_ticks
from workbench.bridge.desk_state import DeskState
from workbench.bridge.lines import LineError
from workbench.bridge.mirror import Change, MirroredOrder
from workbench.bridge.placing import flatten, is_flattening
from workbench.bridge.reports import WITH_LIMIT, WITH_STOP
from workbench.bridge.result import Moment, Result
from workbench.protocol import messages
from workbench.trading.states import OrderEvent, OrderStatus

_DAY_S: Final = 86_400
_CHANGEABLE: Final = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.SUSPENDED})


def cancel(state: DeskState, command: messages.CancelOrder, now: Moment, result: Result) -> None:
    """Take one order back; an order that Bookmap has not named yet, as soon as it has.

    Raises
    ------
    RefusedError
        No such order, it is finished, or a lock is closed.
    """
    order = find(state, command.client_order_id)
    check_open(order)
    state.check_locks()
    send_cancels(state, [order], now, result)
    state.answer(result, order, command.request_id)


def cancel_all(state: DeskState, command: messages.CancelAll, now: Moment, result: Result) -> None:
    """Take back all orders, or those that are named, as one batch; then ``flatten``, which ends the arming.

    Orders from the chart count as well. What is known and open is canceled also when another part is refused.

    Raises
    ------
    RefusedError
        A lock is closed; a named order is not known; the position cannot be flattened.
    """
    names = command.client_order_ids
    found = [state.orders.named(name) for name in dict.fromkeys(names)] if names else state.orders.working()
    orders = [order for order in found if order is not None and order.open]
    flattening = any(is_flattening(order) for order in state.orders.working())
    if orders or command.flatten:
        state.check_locks()
    send_cancels(state, orders, now, result)
    for order in orders:
        state.tell(result, order)
    if command.flatten:
        _flatten_and_close(state, flattening, now, result)
    unknown = [name for name in names if state.orders.named(name) is None]
    if unknown:
        text = f"unknown_order: {unknown[0][:40]!r}; the others of the batch were taken back"
        raise RefusedError(text, code="unknown_order")
    result.answers.append(messages.Done(request_id=command.request_id))


def change(state: DeskState, command: messages.ReplaceOrder, owner: str, now: Moment, result: Result) -> None:
    """Give an order other prices or another quantity (the whole of it, with what is filled).

    Raises
    ------
    RefusedError
        Nothing was sent; the order stands as it did.
    LineError
    """
    order = find(state, command.client_order_id)
    check_open(order)
    state.check_armed_by(owner)
    wanted = _wanted(state, order, command)
    if wanted.done:
        state.answer(result, order, command.request_id)
        return
    _check_change(state, order, wanted, now)
    lines = list(_change_lines(state, order, wanted))
    order.change = wanted
    order.ask(OrderEvent.REPLACE, now.mono)
    state.rate.count(now.mono)
    plain = msgspec.to_builtins(msgspec.structs.replace(command, request_id=None))
    state.note(result, now, "change", client_order_id=order.name, order_id=order.order_id, change=plain)
    result.lines.extend(lines)
    result.changed.append(order.name)
    state.answer(result, order, command.request_id)


def find(state: DeskState, name: str) -> MirroredOrder:
    """Return the order of this name.

    Raises
    ------
    RefusedError
    """
    order = state.orders.named(name)
    if order is not None:
        return order
    if name in state.denied:
        raise RefusedError(f"too_late (REJECTED): {state.denied[name][1].reason}", code="too_late")
    if name in state.used:
        text = (
            f"unknown_order: {name!r} was sent before the add-on was started anew, Bookmap has not named it"
        )
        raise RefusedError(text, code="unknown_order")
    raise RefusedError(f"unknown_order: {name[:40]!r}", code="unknown_order")


def check_open(order: MirroredOrder) -> None:
    """Refuse to touch what is finished.

    Raises
    ------
    RefusedError
    """
    if not order.open:
        raise RefusedError(f"too_late ({order.status} {clock(order.ts)})", code="too_late")


def clock(ns: int) -> str:
    """Return the time of day, UTC, of a time in ns: ``12:03:04.123``."""
    seconds, rest = divmod(ns, 10**9)
    minutes, second = divmod(seconds % _DAY_S, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{rest // 10**6:03d}"


def send_cancels(state: DeskState, orders: list[MirroredOrder], now: Moment, result: Result) -> None:
    """Cancel orders: those that Bookmap has named now, as one batch if there are several, the others later."""
    orders = [order for order in orders if not _being_canceled(order)]
    for order in orders:
        if not order.order_id:
            order.wish_cancel()
            state.note(result, now, "cancel_waits", client_order_id=order.name)
    _send_batch(state, [order for order in orders if _can_be_named(state, order)], now, result)


def _send_batch(state: DeskState, orders: list[MirroredOrder], now: Moment, result: Result) -> None:
    batch = None
    if len(orders) > 1:
        state.batches += 1
        batch = state.batches
    for order in orders:
        end = order is orders[-1]  # the platform holds a batch back until the cancel that ends it
        result.lines.append(state.lines.cancel(state.alias, order.order_id, end, batch))
        order.wants_cancel = False
        order.ask(OrderEvent.CANCEL, now.mono)
        state.note(result, now, "cancel", client_order_id=order.name, order_id=order.order_id, batch=batch)


def send_wished_cancel(state: DeskState, order: MirroredOrder, now: Moment, result: Result) -> None:
    """Bookmap has named an order whose cancel waits for that."""
    if not order.wants_cancel or not order.order_id or not order.open:
        return
    if not state.trading or not state.arming.open:
        order.drop_wish("disarmed before Bookmap had named the order")
        state.note(result, now, "cancel_dropped", client_order_id=order.name)
        return
    if _can_be_named(state, order):
        _send_batch(state, [order], now, result)
    else:
        order.drop_wish(order.reason)


def drop_wishes(state: DeskState, why: str, now: Moment, result: Result) -> None:
    """Cancels that wait for an order's id will not go any more."""
    for order in state.orders.working():
        if order.wants_cancel:
            order.drop_wish(why)
            state.note(result, now, "cancel_dropped", client_order_id=order.name)
            state.tell(result, order)


def _being_canceled(order: MirroredOrder) -> bool:
    """Whether a cancel is under way; one that was never answered may be sent again, other than an order."""
    return order.status is OrderStatus.PENDING_CANCEL and (order.wants_cancel or not order.unknown)


def _can_be_named(state: DeskState, order: MirroredOrder) -> bool:
    if not order.order_id:
        return False
    try:
        state.lines.cancel(state.alias, order.order_id)
    except LineError as problem:
        order.reason = f"NOT_CANCELED: Bookmap's id of it cannot be sent: {problem.found}"
        return False
    return True


def _flatten_and_close(state: DeskState, flattening: bool, now: Moment, result: Result) -> None:
    try:
        if flattening:  # twice the same position would be one the other way round
            raise RefusedError("FLATTENING: an earlier flatten is still at work; look at the position first")
        flatten(state, now, result)
    finally:
        state.arming.wind_down("disarmed: flattened")


def _wanted(state: DeskState, order: MirroredOrder, command: messages.ReplaceOrder) -> Change:
    change = Change(filled=order.filled)
    for name, allowed in (("price", WITH_LIMIT), ("stop_price", WITH_STOP)):
        price = getattr(command, name)
        if price is None:
            continue
        if order.order_type not in allowed:
            raise RefusedError(f"{name.upper()}_NOT_ALLOWED: a {order.order_type} order has none")
        real = float(state.instrument.price(whole_ticks(name, price, state.instrument)))
        if real != getattr(order, name):
            change.prices[name] = real
    if command.quantity is not None:
        lots = whole_lots(command.quantity, state.instrument)
        if lots != order.quantity:
            change.lots = lots
            change.sent = lots - order.filled if state.sizing == "remaining" else lots
    return change


def _check_change(state: DeskState, order: MirroredOrder, wanted: Change, now: Moment) -> None:
    if order.status not in _CHANGEABLE or order.unknown or not order.order_id:
        doubt = ", its fate unknown" if order.unknown else ""
        raise RefusedError(
            f"NOT_NOW: the order is {order.status}{doubt}; change it when Bookmap has answered"
        )
    state.check_path()
    refusal = state.rate.refusal(now.mono)
    if refusal:
        raise RefusedError(refusal)
    if wanted.lots is not None:
        _check_quantity(state, order, wanted.lots)


def _check_quantity(state: DeskState, order: MirroredOrder, lots: int) -> None:
    size = state.instrument.size
    if lots <= order.filled:
        raise RefusedError(
            f"QUANTITY_BELOW_FILLED: {size(order.filled)} are filled already; cancel it instead"
        )
    # Until the platform has shown how it takes a new size, the larger meaning counts against the bound.
    worst = lots if state.sizing == "total" else lots + order.filled
    if worst > state.arming.max_size or worst > MAX_LOTS:
        raise RefusedError(f"MAX_SIZE: {size(worst)} of at most {size(state.arming.max_size)} an order")


def _change_lines(state: DeskState, order: MirroredOrder, wanted: Change) -> Iterable[bytes]:
    if wanted.prices:
        prices = {"price": order.price, "stop_price": order.stop_price} | wanted.prices
        limit = prices["price"] if order.order_type in WITH_LIMIT else None
        stop = prices["stop_price"] if order.order_type in WITH_STOP else None
        yield state.lines.move(state.alias, order.order_id, limit, stop)
    if wanted.lots is not None:
        yield state.lines.resize(state.alias, order.order_id, wanted.sent)
