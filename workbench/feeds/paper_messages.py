"""Orders of the paper desk as the protocol says them: real units outside, ticks and lots inside."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import msgspec

from workbench.errors import WorkbenchError
from workbench.flow.days import TradingDay
from workbench.instruments import Instrument
from workbench.protocol import messages
from workbench.trading.desk import Desk
from workbench.trading.journal import Executed
from workbench.trading.limits import Limits, TradingState
from workbench.trading.order import Order
from workbench.trading.states import OrderStatus
from workbench.trading.terms import Terms

ACCOUNT: Final = "paper"
MANY: Final = 2**31 - 1
DURATIONS: Final = ["GTC", "DAY", "IOC", "FOK", "GTD"]
TYPES: Final = ["MARKET", "LIMIT", "STOP", "STOP_LIMIT", "TRAILING_STOP"]


def terms_of(command: messages.PlaceOrder, instrument: Instrument, now: int, day: TradingDay) -> Terms:
    """Terms of a command; a ``DAY`` order that names no end lasts until the next day begins.

    Raises
    ------
    OffGridError
        A price or size between two steps of the grid.
    """
    expires = command.expires
    if expires is None and command.time_in_force == "DAY":
        expires = day.after(now)
    follows = command.order_type == "TRAILING_STOP"
    plain = {
        "client_order_id": command.client_order_id,
        "symbol": command.symbol,
        "side": 1 if command.side == "BUY" else -1,
        "lots": instrument.lots(command.quantity),
        "order_type": command.order_type,
        "limit": _ticks(command.price, instrument),
        "stop": _ticks(command.stop_price, instrument),
        "tif": command.time_in_force,
        "expires": expires,
        "post_only": command.post_only,
        "reduce_only": command.reduce_only,
        "take_profit": _ticks(command.take_profit, instrument),
        "stop_loss": _ticks(command.stop_loss, instrument),
        "trail": _ticks(command.trailing, instrument) if follows else None,
        "trailing": 0 if follows or command.trailing is None else instrument.ticks(command.trailing),
        "oco": command.oco,
    }
    # built without checks: what is no order at all is refused by the desk, with its own words
    return Terms(**plain)  # type: ignore[arg-type]


def order_message(order: Order, instrument: Instrument) -> messages.Order:
    """State of an order now; one that was refused before it was sent is ``REJECTED``."""
    terms, status = order.terms, order.status
    average = order.average
    return messages.Order(
        symbol=terms.symbol,
        client_order_id=terms.client_order_id,
        status="REJECTED" if status is OrderStatus.DENIED else str(status),
        side="BUY" if terms.side > 0 else "SELL",
        order_type=terms.order_type,
        quantity=_size(order.lots, instrument),
        filled=_size(order.filled, instrument),
        leaves=_size(order.leaves, instrument),
        ts=order.changed,
        order_id=f"P{order.number + 1}",
        price=_price(order.limit, instrument),
        stop_price=_price(order.stop, instrument),
        avg_price=None if average is None else float(average * Fraction(instrument.tick_size)),
        time_in_force=terms.tif,
        reason=order.reason,
        simulated=True,
        account=ACCOUNT,
        oco=terms.oco,
        trailing=_price(terms.trail, instrument),
        changes=len(order.asked),
    )


def fill_message(record: Executed, order: Order, desk: Desk, instrument: Instrument) -> messages.Fill:
    """One execution."""
    contract = desk.ledger.account.contracts[order.terms.symbol]
    return messages.Fill(
        symbol=order.terms.symbol,
        client_order_id=order.name,
        execution_id=record.execution_id,
        side="BUY" if order.terms.side > 0 else "SELL",
        price=float(instrument.price(record.ticks)),
        size=_size(record.lots, instrument),
        ts=record.ts,
        fee=float(contract.currency(record.fee)),
        liquidity="MAKER" if record.maker else "TAKER",
        order_id=f"P{order.number + 1}",
        simulated=True,
        ts_venue=record.venue_ts,
    )


def position_message(desk: Desk, instrument: Instrument, ts: int) -> messages.Position:
    """The position of a desk's only instrument, valued at the mid."""
    symbol, account = instrument.symbol, desk.ledger.account
    held, contract, marks = account.position(symbol), account.contracts[symbol], desk.marks()
    average = held.average(contract)
    working = [order.terms.side for order in desk.ledger.open_orders(symbol) if not order.held]
    return messages.Position(
        symbol=symbol,
        position=_size(held.lots, instrument),
        ts=ts,
        avg_price=None if average is None else float(average * Fraction(instrument.tick_size)),
        realized=float(account.realized()),
        unrealized=float(account.unrealized(marks)),
        working_buys=working.count(1),
        working_sells=working.count(-1),
        account=ACCOUNT,
    )


def balance_message(desks: list[Desk], cash: str, ts: int) -> messages.Balance:
    """Money of all desks together, which began with the same cash."""
    accounts = [(desk.ledger.account, desk.marks()) for desk in desks]
    gained = [account.equity(marks) - Fraction(account.cash) for account, marks in accounts]
    closed = sum((account.realized() - account.fees() for account, _ in accounts), Fraction(0))
    return messages.Balance(
        currency="",
        cash=float(Fraction(cash) + closed),
        equity=float(Fraction(cash) + sum(gained, Fraction(0))),
        ts=ts,
        realized=float(sum((account.realized() for account, _ in accounts), Fraction(0))),
        unrealized=float(sum((account.unrealized(marks) for account, marks in accounts), Fraction(0))),
        account=ACCOUNT,
    )


def trading_message(desk: Desk, instrument: Instrument, ts: int, day: str) -> messages.Trading:
    """Whether orders would go through: the desk's switch; and when its day begins."""
    ledger = desk.ledger
    state, limits = ledger.switch, ledger.limits
    halted = state is TradingState.HALTED
    return messages.Trading(
        symbol=instrument.symbol,
        ts=ts,
        possible=True,
        permitted=True,
        armed=not halted,
        orders_left=0 if halted else MANY,
        max_size=_size(MANY if limits.size is None else limits.size, instrument),
        max_per_second=0 if limits.per_second is None else limits.per_second,
        supported={
            "order_types": TYPES,
            "supportedLimitDurations": DURATIONS,
            "account": ACCOUNT,
            "state": str(state),
            "limits": _bounds(limits, instrument),
            "day": day,
            "contract": _terms_of_contract(desk, instrument),
        },
        reason="" if state is TradingState.ACTIVE else f"TRADING_{state}: {ledger.reason}",
    )


def _bounds(limits: Limits, instrument: Instrument) -> dict[str, float | None]:
    """Bounds in real units and currency; None: no bound."""
    sizes = {"size": limits.size, "position": limits.position}
    money = {"notional": limits.notional, "daily_loss": limits.daily_loss, "drawdown": limits.drawdown}
    return {
        **{name: None if lots is None else _size(lots, instrument) for name, lots in sizes.items()},
        **{name: None if bound is None else float(bound) for name, bound in money.items()},
        "per_second": limits.per_second,
        "open_orders": limits.open_orders,
    }


def _terms_of_contract(desk: Desk, instrument: Instrument) -> dict[str, str | bool]:
    contract = desk.ledger.account.contracts[instrument.symbol]
    fees = {name: str(getattr(contract, name)) for name in ("maker", "taker", "per_lot")}
    return {**fees, "inverse": contract.inverse}


def change_of(command: messages.ReplaceOrder, instrument: Instrument) -> dict[str, int | None]:
    """New lots and prices of a change, in ticks and lots.

    Raises
    ------
    OffGridError
        A price or size between two steps of the grid.
    """
    lots = None if command.quantity is None else instrument.lots(command.quantity)
    return {
        "lots": lots,
        "limit": _ticks(command.price, instrument),
        "stop": _ticks(command.stop_price, instrument),
    }


def refusal_error(why: str) -> WorkbenchError:
    """The error that a refused command is answered with: its code is the word that the desk begins with."""
    code = why.partition(":")[0]
    return WorkbenchError(why, code=code if code == "too_late" else code.lower())


def with_request(message: messages.Order, request_id: messages.RequestId) -> messages.Order:
    """An order's state as the answer to a command."""
    return msgspec.structs.replace(message, request_id=request_id)


def _ticks(price: float | None, instrument: Instrument) -> int | None:
    return None if price is None else instrument.ticks(price)


def _price(ticks: int | None, instrument: Instrument) -> float | None:
    return None if ticks is None else float(instrument.price(ticks))


def _size(lots: int, instrument: Instrument) -> float:
    return float(instrument.size(lots))
