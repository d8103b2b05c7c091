"""Risk: why an order may not go. Pure questions to the ledger and the market; the desk asks them and writes down the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import msgspec

from workbench.trading import groups
from workbench.trading.contracts import Contract
from workbench.trading.ledger import Ledger
from workbench.trading.limits import SECOND_NS, TradingState
from workbench.trading.order import Order
from workbench.trading.terms import Terms


class Market(msgspec.Struct):
    """What the desk knows of the market of one instrument.

    Parameters
    ----------
    ts : int, ns
        When the newest event arrived.
    bid, ask, last : int, ticks, optional
    gap_since : int, ns, optional
        When the feed got a hole; None: it is whole.
    """

    ts: int
    bid: int | None = None
    ask: int | None = None
    last: int | None = None
    gap_since: int | None = None

    @property
    def half_ticks(self) -> int | None:
        """Twice the mid; twice the last price while a side is empty."""
        if self.bid is not None and self.ask is not None:
            return self.bid + self.ask
        return None if self.last is None else 2 * self.last


def refusal(ledger: Ledger, market: Market | None, terms: Terms, now: int, clicked: int | None = None) -> str:
    """Why these terms are refused now, beginning with a code word and with the numbers; an empty text: they are not.

    Parameters
    ----------
    ledger : Ledger
    market : Market or None
        None: nothing was heard of the instrument.
    terms : Terms
    now : int, ns
    clicked : int, ns, optional
        When a person asked.
    """
    return (
        _switch_refusal(ledger, terms)
        or _click_refusal(ledger, now, clicked)
        or _book_refusal(ledger, market, now)
        or rate_refusal(ledger, now)
        or _size_refusal(ledger, terms.lots)
        or _reduce_refusal(ledger, terms)
        or _count_refusal(ledger)
        or _price_refusal(ledger, market, terms)
        or position_refusal(ledger, market, terms)
        or crossing_refusal(ledger, terms.symbol, terms.side, terms.limit)
    )


def change_refusal(ledger: Ledger, market: Market | None, order: Order, terms: Terms, now: int) -> str:
    """Why an order may not have these values now; ``terms`` are its own with the new lots and prices."""
    return (
        _switch_refusal(ledger, terms, beside=order)
        or _book_refusal(ledger, market, now)
        or rate_refusal(ledger, now)
        or _size_refusal(ledger, terms.lots)
        or _reduce_refusal(ledger, terms, beside=order)
        or _price_refusal(ledger, market, terms)
        or position_refusal(ledger, market, terms, beside=order)
        or crossing_refusal(ledger, terms.symbol, terms.side, terms.limit)
    )


def rate_refusal(ledger: Ledger, now: int) -> str:
    """Why one more order or change is too many now."""
    limits = ledger.limits
    for bound, seconds in ((limits.per_second, 1), (limits.per_minute, 60)):
        within = sum(0 <= now - ts < seconds * SECOND_NS for ts in ledger.sent)  # a sought clock goes back
        if bound is not None and within >= bound:
            return f"RATE_LIMIT_EXCEEDED: {within} in {seconds} s; at most {bound}"
    return ""


def position_refusal(ledger: Ledger, market: Market | None, terms: Terms, beside: Order | None = None) -> str:
    """Why the position would be too large if everything on this side were executed."""
    symbol, side, limits = terms.symbol, terms.side, ledger.limits
    own = max(terms.lots - (beside.filled if beside is not None else 0), 0)
    reducing, key = groups.reducing(ledger, symbol, side, beside), groups.group_of(terms)
    if terms.reduce_only:
        own = max(own, reducing.pop(key, 0))
    added = own + working(ledger, symbol, side, beside) + sum(reducing.values())
    reached = ledger.account.position(symbol).lots * side + added
    if limits.position is not None and reached > limits.position:
        return f"POSITION_LIMIT_EXCEEDED: {reached} lots with all orders executed; at most {limits.position}"
    if limits.notional is None:
        return ""
    half = 2 * terms.limit if terms.limit is not None else market.half_ticks if market else None
    if half is None:
        return "NOTIONAL_UNKNOWN: no price is known to value the order with"
    value = _value(ledger.account.contracts[symbol], half) * max(reached, 0)
    if value > Fraction(limits.notional):
        return (
            f"NOTIONAL_EXCEEDS_LIMIT: {float(value):.2f} with all orders executed; at most {limits.notional}"
        )
    return ""


def crossing_refusal(ledger: Ledger, symbol: str, side: int, limit: int | None) -> str:
    """Why a limit would trade with an own order."""
    if limit is None:
        return ""
    for order in ledger.open_orders(symbol):
        price = order.limit
        if order.terms.side == -side and not order.held and price is not None:
            prices = [price, *(c.limit for c in order.asked if c.limit is not None)]
            if any((limit - p) * side >= 0 for p in prices):
                text = ledger.account.contracts[symbol].price_text
                return f"SELF_CROSS: a limit of {text(2 * limit)} would meet the own order {order.name!r} at {text(2 * price)}"
    return ""


def working(ledger: Ledger, symbol: str, side: int, beside: Order | None = None) -> int:
    """Lots of a side that may still be executed and are not bound to reduce."""
    return sum(
        order.exposed() * side
        for order in ledger.open_orders(symbol)
        if order is not beside and order.terms.side == side and not order.terms.reduce_only
    )


def loss(ledger: Ledger, marks: Mapping[str, int]) -> str:
    """Why the money lost says that positions may only be reduced; an empty text: it does not."""
    equity, limits = ledger.account.equity(marks), ledger.limits
    for code, since, bound in (
        ("DAILY_LOSS_LIMIT", ledger.day_start, limits.daily_loss),
        ("DRAWDOWN_LIMIT", ledger.peak, limits.drawdown),
    ):
        lost = Fraction(since) - equity
        if bound is not None and lost >= Fraction(bound):
            return f"{code}: {float(lost):.2f} lost from {float(Fraction(since)):.2f}; at most {bound}"
    return ""


def _switch_refusal(ledger: Ledger, terms: Terms, beside: Order | None = None) -> str:
    if ledger.switch is TradingState.HALTED:
        return f"TRADING_HALTED: {ledger.reason}"
    if ledger.switch is TradingState.ACTIVE or terms.reduce_only:
        return ""
    held = ledger.account.position(terms.symbol).lots
    filled = beside.filled if beside is not None else 0
    after = working(ledger, terms.symbol, terms.side, beside) + terms.lots - filled
    if held * terms.side < 0 and after <= abs(held):
        return ""
    return f"TRADING_REDUCING: position {held}, {after} lots against it; {ledger.reason}"


def _click_refusal(ledger: Ledger, now: int, clicked: int | None) -> str:
    bound = ledger.limits.stale_click_ns
    if clicked is None or bound is None or now - clicked <= bound:
        return ""
    return f"STALE_CLICK: {(now - clicked) / SECOND_NS:.1f} s old; at most {bound / SECOND_NS:g} s"


def _book_refusal(ledger: Ledger, market: Market | None, now: int) -> str:
    bound = ledger.limits.stale_book_ns
    if market is None:
        return "" if bound is None else "STALE_BOOK: nothing was heard of this instrument yet"
    if market.gap_since is not None:
        return f"STREAM_RECONCILING: a gap for {(now - market.gap_since) / SECOND_NS:.1f} s"
    if bound is None or now - market.ts <= bound:
        return ""
    return f"STALE_BOOK: {(now - market.ts) / SECOND_NS:.1f} s old; at most {bound / SECOND_NS:g} s"


def _size_refusal(ledger: Ledger, lots: int) -> str:
    bound = ledger.limits.size
    if bound is None or lots <= bound:
        return ""
    return f"QUANTITY_EXCEEDS_LIMIT: {lots} lots; at most {bound}"


def _reduce_refusal(ledger: Ledger, terms: Terms, beside: Order | None = None) -> str:
    if not terms.reduce_only:
        return ""
    left = terms.lots - (beside.filled if beside is not None else 0)
    mates = ledger.mates(terms) if beside is None else groups.others(ledger, beside)
    alike = (mate for mate in mates if mate.open and mate.terms.reduce_only and mate.terms.side == terms.side)
    if any(left <= mate.leaves for mate in alike):
        return ""
    room = groups.reducible(ledger, terms.symbol, terms.side, beside)
    if left <= room:
        return ""
    held = ledger.account.position(terms.symbol).lots
    return f"REDUCE_ONLY_WOULD_INCREASE: {left * terms.side:+d} lots at a position of {held}, {room} are left to reduce"


def _count_refusal(ledger: Ledger) -> str:
    bound, count = ledger.limits.open_orders, len(ledger.open_orders())
    if bound is None or count < bound:
        return ""
    return f"OPEN_ORDERS_LIMIT_EXCEEDED: {count} open; at most {bound}"


def _price_refusal(ledger: Ledger, market: Market | None, terms: Terms) -> str:
    half = market.half_ticks if market is not None else None
    if half is None or market is None:
        return ""
    text = ledger.account.contracts[terms.symbol].price_text
    for what, price in (("price", terms.limit), ("stop price", terms.stop)):
        if price is None:
            continue
        away, limits = abs(2 * price - half), ledger.limits
        if limits.band_ticks is not None and away > 2 * limits.band_ticks:
            return f"PRICE_BAND: {what} {text(2 * price)} is {away / 2:g} ticks from the mid {text(half)}; at most {limits.band_ticks}"
        if limits.band_percent is not None and 100 * away > limits.band_percent * half:
            return f"PRICE_BAND: {what} {text(2 * price)} is {100 * away / half:.2f} % from the mid {text(half)}; at most {limits.band_percent} %"
    return _stop_refusal(market, terms, text)


def _stop_refusal(market: Market, terms: Terms, text: Callable[[int], str]) -> str:
    if terms.stop is None:
        return ""
    code, stop = "STOP_ON_WRONG_SIDE", text(2 * terms.stop)
    if terms.side > 0 and market.ask is not None and terms.stop < market.ask:
        return f"{code}: a buy stop at {stop} below the best ask {text(2 * market.ask)} would go off at once"
    if terms.side < 0 and market.bid is not None and terms.stop > market.bid:
        return f"{code}: a sell stop at {stop} above the best bid {text(2 * market.bid)} would go off at once"
    return ""


def _value(contract: Contract, half_ticks: int) -> Fraction:
    return contract.currency(abs(contract.exact_worth(half_ticks)))
