"""The venue's rules for own orders: what rests, what fills, at which price. docs/matching.md says them in words.

These are the rare rows and the commands; the loop over all other rows is :mod:`workbench.trading.walking`.
"""

from __future__ import annotations

from typing import Final

from workbench.book.jit import part
from workbench.trading.queue_models import (
    BY_ORDER,
    NEVER_REACHED,
    PRO_RATA,
    ahead_at_first,
    whole_lots,
)
from workbench.trading.slots import (
    ACKED,
    ANSWER_PRICE,
    ANSWER_SIZE,
    ANSWER_TAIL,
    ANSWERED,
    ARRIVED,
    ARRIVES,
    ASK_HIGH,
    ASK_LOW,
    BASE,
    BEST_ASK,
    BEST_BID,
    BID_HIGH,
    BID_LOW,
    CANCEL_REFUSED,
    DONE_CANCELED,
    DONE_EXPIRED,
    DONE_REJECTED,
    FILL_KNOWN,
    FILL_MAKER,
    FILL_ORDER,
    FILL_PRICE,
    FILL_RULE,
    FILL_SIDE,
    FILL_SIZE,
    FILL_TS,
    FILLED_PART,
    FILLS,
    FOK,
    IOC,
    KNOWN,
    LEAVES,
    LEVELS_PER_TAKE,
    LIVE,
    MARKET,
    MODIFIED,
    MODIFY_REFUSED,
    NEVER,
    NUMBER,
    POST_ONLY,
    QUEUE,
    RESTING,
    SHARED,
    SIDE,
    TAKEN_ASKS,
    TAKEN_BIDS,
    TIF,
    VENUE_PRICE,
    VENUE_SIZE,
    WHAT,
    WHOLE,
    Venue,
)

PAGE_SHIFT: Final = 10


@part
def answer(v: Venue, ts: int, what: int, number: int, price: int, size: int) -> int:
    """Send word to the strategy; the time at which it arrives. Answers never overtake each other."""
    c, at = v.counters, v.counters[ANSWER_TAIL]
    arrives = ts + v.delays[c[ANSWERED] % len(v.delays)]
    c[ANSWERED] += 1
    if at > 0:
        arrives = max(arrives, v.answers[at - 1, ARRIVES])
    v.answers[at, ARRIVES], v.answers[at, WHAT], v.answers[at, NUMBER] = arrives, what, number
    v.answers[at, ANSWER_PRICE], v.answers[at, ANSWER_SIZE] = price, size
    c[ANSWER_TAIL] = at + 1
    return int(arrives)


@part
def fill(v: Venue, ts: int, number: int, price: int, size: int, maker: int) -> None:
    """Fill a part of an order, or the rest of it."""
    order, at = v.orders[number], v.counters[FILLS]
    order[LEAVES] -= size
    known = answer(v, ts, FILLED_PART, number, price, size)
    row = v.fills[at]
    row[FILL_TS], row[FILL_KNOWN], row[FILL_ORDER], row[FILL_SIDE] = ts, known, number, order[SIDE]
    row[FILL_PRICE], row[FILL_SIZE], row[FILL_MAKER] = price, size, maker
    v.counters[FILLS] = at + 1


@part
def settle(v: Venue) -> None:
    """Forget orders that rest no more, and note where the others lie."""
    book, kept = v.book, 0
    book[BID_LOW], book[BID_HIGH], book[ASK_LOW], book[ASK_HIGH] = NEVER, -NEVER, NEVER, -NEVER
    for i in range(v.counters[LIVE]):
        number = v.live[i]
        order = v.orders[number]
        if order[LEAVES] <= 0 or order[RESTING] == 0:
            order[RESTING] = 0
            continue
        v.live[kept] = number
        kept += 1
        at = order[VENUE_PRICE] - book[BASE]
        low, high = (BID_LOW, BID_HIGH) if order[SIDE] > 0 else (ASK_LOW, ASK_HIGH)
        book[low], book[high] = min(book[low], at), max(book[high], at)
    v.counters[LIVE] = kept


@part
def _best_first(v: Venue, side: int, limit: int, after: int) -> int:
    """The next price of own orders on a side that ``limit`` reaches, behind ``after``; NEVER if none."""
    found = NEVER
    for i in range(v.counters[LIVE]):
        order = v.orders[v.live[i]]
        if order[SIDE] == side and order[LEAVES] > 0:
            distance = -side * order[VENUE_PRICE]  # the best price of a side has the least
            if after < distance <= -side * limit and distance < found:
                found = distance
    return found


@part
def print_through(v: Venue, ts: int, aggressor: int, price: int, size: int) -> None:
    """A print at ``price``: own orders on the other side stand before it, at it, or behind it."""
    side, left, after, rule = -aggressor, size, -NEVER, v.counters[FILL_RULE]
    while True:
        distance = _best_first(v, side, price, after)
        if distance == NEVER:
            break
        after, comes, own = distance, left if rule == SHARED else size, 0
        for i in range(v.counters[LIVE]):
            order = v.orders[v.live[i]]
            own += order[LEAVES] if order[SIDE] == side and -side * order[VENUE_PRICE] == distance else 0
        for i in range(v.counters[LIVE]):
            number = v.live[i]
            order = v.orders[number]
            if order[SIDE] != side or -side * order[VENUE_PRICE] != distance or order[LEAVES] <= 0:
                continue
            reached = order[LEAVES]
            if order[VENUE_PRICE] == price:
                reached = _queue_print(v, number, size, own, comes, left if rule == SHARED else size)
            amount = order[LEAVES] if rule == WHOLE and reached > 0 else min(reached, order[LEAVES])
            if order[VENUE_PRICE] == price and rule != WHOLE:
                amount = min(amount, size)
            if rule == SHARED:
                amount = min(amount, left)
            if amount > 0:
                fill(v, ts, number, order[VENUE_PRICE], amount, 1)
                left -= amount
    settle(v)


@part
def _queue_print(v: Venue, number: int, size: int, own: int, comes: int, left: int) -> int:
    """Count a print at an order's price against its queue; the lots that reach the order.

    Of its ``size``, ``comes`` lots come to the level, and ``left`` of them to the order and the others ahead of it: what own
    orders take that stand before it, at a better price or in the same queue, goes past nobody. Whom the recording has seen
    filled by that still stands ahead.
    """
    order, front = v.orders[number], v.fronts[number]
    if v.counters[QUEUE] == PRO_RATA:
        row = 0 if order[SIDE] > 0 else 1
        return int(comes * order[LEAVES] // (v.levels[row, order[VENUE_PRICE] - v.book[BASE]] + own))
    if v.counters[QUEUE] == BY_ORDER:  # who was printed leaves by a row of his own
        ahead, older = front[0] - front[1], front[0] - front[2]
        front[1] = min(front[1] + size, older)
        front[2] = max(max(ahead - left, 0.0) - (older - front[1]), 0.0)
        front[0] = older + front[2]
        return int(max(left - ahead, 0.0))
    front[0] -= left
    front[1] += size
    front[2] = min(front[2] + (size - left), max(front[0], 0.0))
    reached = whole_lots(-front[0])
    if reached > 0 or (left < comes and front[0] <= 0.5):  # half a lot is what rounding has left
        front[0] = front[2] = 0.0
    return reached


@part
def free(v: Venue, side: int, at: int) -> int:
    """Lots of a level that own orders have not taken."""
    row = 0 if side > 0 else 1
    return max(int(v.levels[row, at]) - int(v.taken[row * v.levels.shape[1] + at]), 0)


@part
def take(v: Venue, side: int, at: int, size: int) -> None:
    """Remember that own orders took from a level: so many of the lots that it shows are theirs no more to take."""
    row, low = (0, TAKEN_BIDS) if side > 0 else (1, TAKEN_ASKS)
    v.taken[row * v.levels.shape[1] + at] += size
    v.book[low], v.book[low + 1] = min(v.book[low], at), max(v.book[low + 1], at)


@part
def give_back(v: Venue, row: int, at: int, lots: int) -> None:
    """A level shows so many lots now: what is gone from it is no longer missing."""
    n, low = v.levels.shape[1], TAKEN_BIDS + 2 * row
    taken, book = v.taken[row * n : (row + 1) * n], v.book
    taken[at] = min(taken[at], lots)
    while book[low] <= book[low + 1] and taken[book[low]] == 0:
        book[low] += 1
    while book[low] <= book[low + 1] and taken[book[low + 1]] == 0:
        book[low + 1] -= 1
    if book[low] > book[low + 1]:
        book[low], book[low + 1] = NEVER, -NEVER


@part
def quote_through(v: Venue, ts: int, quote_side: int, price: int, budget: int) -> None:
    """A quote at ``price`` reached or passed own orders of the other side: it would have traded with them."""
    side, left, after, shared = -quote_side, budget, -NEVER, v.counters[FILL_RULE] == SHARED
    while left > 0 or not shared:
        distance = _best_first(v, side, price, after)
        if distance == NEVER:
            break
        after = distance
        for i in range(v.counters[LIVE]):
            number = v.live[i]
            order = v.orders[number]
            if order[SIDE] == side and -side * order[VENUE_PRICE] == distance and order[LEAVES] > 0:
                amount = min(order[LEAVES], left) if shared else order[LEAVES]
                if amount > 0:
                    fill(v, ts, number, order[VENUE_PRICE], amount, 1)
                    left -= amount
                    if shared:
                        take(v, quote_side, price - v.book[BASE], amount)
    settle(v)


@part
def next_level(v: Venue, side: int, at: int) -> int:
    """Window index of the next level behind ``at`` on a side; −1 or n if none."""
    row, step, n = (0, -1, v.levels.shape[1]) if side > 0 else (1, 1, v.levels.shape[1])
    at += step
    while 0 <= at < n:
        if v.pages[row, at >> PAGE_SHIFT] == 0:
            at = (at >> PAGE_SHIFT << PAGE_SHIFT) - 1 if side > 0 else ((at >> PAGE_SHIFT) + 1) << PAGE_SHIFT
        elif v.levels[row, at] > 0:
            return at
        else:
            at += step
    return -1 if side > 0 else n


@part
def _available(v: Venue, side: int, best: int, limit: int, wanted: int) -> int:
    """Lots on a side from its best level to ``limit``, as far as they are wanted."""
    total, at, seen = 0, best, 0
    while (
        0 <= at < v.levels.shape[1]
        and side * at >= side * limit
        and total < wanted
        and seen < LEVELS_PER_TAKE
    ):
        total += free(v, side, at) if v.counters[FILL_RULE] == SHARED else v.levels[0 if side > 0 else 1, at]
        at, seen = next_level(v, side, at), seen + 1
    return total


@part
def _sweep(v: Venue, ts: int, number: int, best: int, limit: int) -> None:
    """Take from level after level, as far as the order reaches."""
    order = v.orders[number]
    side, at, seen, shared = -order[SIDE], best, 0, v.counters[FILL_RULE] == SHARED
    while (
        order[LEAVES] > 0
        and 0 <= at < v.levels.shape[1]
        and side * at >= side * limit
        and seen < LEVELS_PER_TAKE
    ):
        size = free(v, side, at) if shared else v.levels[0 if side > 0 else 1, at]
        amount = min(size, order[LEAVES])
        if amount > 0:
            fill(v, ts, number, at + v.book[BASE], amount, 0)
            if shared:
                take(v, side, at, amount)
        at, seen = next_level(v, side, at), seen + 1


@part
def _end(v: Venue, ts: int, number: int, what: int) -> None:
    v.orders[number, LEAVES] = 0
    answer(v, ts, what, number, 0, 0)


@part
def _rest(v: Venue, ts: int, number: int) -> None:
    order = v.orders[number]
    row = 0 if order[SIDE] > 0 else 1
    standing = v.queued if v.counters[QUEUE] == BY_ORDER else v.levels
    shown = float(standing[row, order[VENUE_PRICE] - v.book[BASE]])
    if not v.book[KNOWN]:  # who stands ahead is seen when the book is known again
        shown = NEVER_REACHED
    v.fronts[number] = 0.0
    v.fronts[number, 0] = ahead_at_first(v.counters[QUEUE], shown)
    order[RESTING] = 1
    v.live[v.counters[LIVE]] = number
    v.counters[LIVE] += 1
    settle(v)
    answer(v, ts, ACKED, number, 0, 0)


@part
def _aggress(v: Venue, ts: int, number: int, best: int) -> None:
    """An order that reaches the other side when it arrives."""
    order, rule = v.orders[number], v.counters[FILL_RULE]
    if order[TIF] == POST_ONLY:
        _end(v, ts, number, DONE_EXPIRED)
        return
    limit = order[VENUE_PRICE] - v.book[BASE]
    if order[MARKET]:
        limit = v.levels.shape[1] if order[SIDE] > 0 else -1
    if rule == WHOLE:
        fill(v, ts, number, best + v.book[BASE], order[LEAVES], 0)
        return
    if order[TIF] == FOK and _available(v, -order[SIDE], best, limit, order[LEAVES]) < order[LEAVES]:
        _end(v, ts, number, DONE_EXPIRED)
        return
    _sweep(v, ts, number, best, limit)
    if order[LEAVES] > 0:
        if order[MARKET] or order[TIF] == IOC or order[TIF] == FOK:
            _end(v, ts, number, DONE_EXPIRED)
        elif rule == SHARED:
            _rest(v, ts, number)
        else:  # as hftbacktest: a rest that stood in the other side's book could not be told from it
            fill(v, ts, number, order[VENUE_PRICE], order[LEAVES], 0)


@part
def arrive(v: Venue, ts: int, number: int) -> None:
    """A new order reaches the venue."""
    order, book = v.orders[number], v.book
    order[ARRIVED] = ts
    if not order[MARKET] and not 0 <= order[VENUE_PRICE] - book[BASE] < v.levels.shape[1]:
        _end(v, ts, number, DONE_REJECTED)
        return
    best = book[BEST_ASK] if order[SIDE] > 0 else book[BEST_BID]
    there = book[KNOWN] and 0 <= best < v.levels.shape[1]
    reaches = there and (order[MARKET] or order[SIDE] * (order[VENUE_PRICE] - book[BASE] - best) >= 0)
    if reaches:
        _aggress(v, ts, number, best)
    elif order[MARKET] or order[TIF] == IOC or order[TIF] == FOK:
        _end(v, ts, number, DONE_EXPIRED)
    else:
        _rest(v, ts, number)


@part
def withdraw(v: Venue, ts: int, number: int) -> None:
    """A cancel reaches the venue."""
    if v.orders[number, RESTING] == 0:
        answer(v, ts, CANCEL_REFUSED, number, 0, 0)
        return
    v.orders[number, RESTING] = 0
    settle(v)
    _end(v, ts, number, DONE_CANCELED)


@part
def replace(v: Venue, ts: int, number: int, price: int, size: int) -> None:
    """A change of price or size reaches the venue; what grows or moves is a new arrival."""
    order, at = v.orders[number], price - v.book[BASE]
    if order[RESTING] == 0 or not 0 <= at < v.levels.shape[1]:
        answer(v, ts, MODIFY_REFUSED, number, 0, 0)
        return
    left = size - (order[VENUE_SIZE] - order[LEAVES])
    if left <= 0:  # what is filled is all that was wanted
        order[VENUE_SIZE] -= order[LEAVES]
        order[VENUE_PRICE], order[LEAVES], order[RESTING] = price, 0, 0
        settle(v)
        answer(v, ts, MODIFIED, number, price, order[VENUE_SIZE])
        return
    stays = price == order[VENUE_PRICE] and size <= order[VENUE_SIZE]
    order[VENUE_PRICE], order[VENUE_SIZE], order[LEAVES] = price, size, left
    answer(v, ts, MODIFIED, number, price, size)
    if not stays:
        order[RESTING] = 0
        settle(v)
        arrive(v, ts, number)
