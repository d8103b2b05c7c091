"""Time in the matching engine: rows, commands on their way, answers on their way back, and steps of a strategy.

A step at time T sees all rows with ``ts`` ≤ T and all answers that arrived by T. A command sent at T reaches the venue
at T plus the entry latency, after the rows of that very time and before the next.
"""

from __future__ import annotations

import functools
from typing import Any, Final

from numba import types

from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, U2_COLUMN, kernel, part
from workbench.events import Array, EventKind, Flag
from workbench.trading.borrowing import borrowed
from workbench.trading.matching import arrive, give_back, quote_through, replace, withdraw
from workbench.trading.passing import STRATEGY, address_of
from workbench.trading.queue_models import ahead_after_change
from workbench.trading.sending import set_off, settle_stops
from workbench.trading.slots import (
    ACKED,
    ANSWER_HEAD,
    ANSWER_PRICE,
    ANSWER_SIZE,
    ANSWER_TAIL,
    ARRIVES,
    ASK_LOW,
    BASE,
    BEST_ASK,
    BEST_BID,
    BID_HIGH,
    CANCEL_REFUSED,
    CANCELED,
    CASH,
    CLOCK_STEPS,
    CLOSED,
    CLOSES,
    COMMAND_HEAD,
    COMMAND_PRICE,
    COMMAND_SIZE,
    COMMAND_TAIL,
    COMMANDS_PER_STEP,
    DESK_TYPE,
    DONE_CANCELED,
    DONE_REJECTED,
    EXPIRED,
    FILLED,
    FILLED_PART,
    FILLS,
    FULLY_FILLED,
    HELD,
    KNOWN,
    LEVELS_PER_TAKE,
    LIVE,
    MODIFIED,
    MODIFY,
    MODIFY_REFUSED,
    MOMENT_STEPS,
    NEVER,
    NEW,
    NEXT_STEP,
    NOW,
    NUMBER,
    ORDERS,
    OVER,
    PARTIALLY_FILLED,
    PENDING_CANCEL,
    PENDING_NEW,
    POSITION,
    PRICE,
    QUEUE,
    QUEUED,
    REJECTED,
    ROW,
    SIDE,
    SIZE,
    STATUS,
    STEP_MODE,
    STEP_NS,
    STEPS,
    STOP,
    STOPS_CHANGED,
    SUBMIT,
    UNDER_WAY,
    VENUE_PRICE,
    VENUE_TYPE,
    VIEW_ROW,
    WHAT,
    Desk,
    Venue,
)
from workbench.trading.walking import control, own_row, queue_row, set_level, walk

DONE: Final = 0
NEEDS_ROOM: Final = 1

_DEPTH: Final = int(EventKind.DEPTH)
_TRADE: Final = int(EventKind.TRADE)
_OTC: Final = int(Flag.OTC)


@part
def deliver(d: Desk, answers: Array, now: int) -> None:
    """Take in the answers that have arrived."""
    c = d.counters
    while c[ANSWER_HEAD] < c[ANSWER_TAIL] and answers[c[ANSWER_HEAD], ARRIVES] <= now:
        row = answers[c[ANSWER_HEAD]]
        c[ANSWER_HEAD] += 1
        order, what = d.orders[row[NUMBER]], row[WHAT]
        if what == ACKED:
            if order[STATUS] == PENDING_NEW:
                order[STATUS] = NEW
        elif what == FILLED_PART:
            order[FILLED] += row[ANSWER_SIZE]
            c[POSITION] += order[SIDE] * row[ANSWER_SIZE]
            c[CASH] -= order[SIDE] * row[ANSWER_SIZE] * row[ANSWER_PRICE]
            if order[FILLED] == order[SIZE]:
                order[STATUS], order[CLOSED] = FULLY_FILLED, row[ARRIVES]
            elif order[STATUS] != PENDING_CANCEL:
                order[STATUS] = PARTIALLY_FILLED
        elif what == CANCEL_REFUSED:
            if order[STATUS] == PENDING_CANCEL and order[FILLED] == order[SIZE]:
                order[STATUS], order[CLOSED] = FULLY_FILLED, row[ARRIVES]
            elif order[STATUS] == PENDING_CANCEL:
                order[STATUS] = PARTIALLY_FILLED if order[FILLED] > 0 else NEW
        elif what == MODIFIED:
            order[PRICE], order[SIZE] = row[ANSWER_PRICE], row[ANSWER_SIZE]
            order[UNDER_WAY] -= 1
            if order[FILLED] == order[SIZE] and order[STATUS] != PENDING_CANCEL:
                order[STATUS], order[CLOSED] = FULLY_FILLED, row[ARRIVES]
        elif what == MODIFY_REFUSED:
            order[UNDER_WAY] -= 1
        else:
            ends = REJECTED if what == DONE_REJECTED else EXPIRED
            order[STATUS] = CANCELED if what == DONE_CANCELED and order[OVER] == 0 else ends
            order[CLOSED] = row[ARRIVES]
    if c[ANSWER_HEAD] == c[ANSWER_TAIL]:
        c[ANSWER_HEAD] = c[ANSWER_TAIL] = 0


@part
def look(d: Desk, view: Array) -> None:
    """Show the best prices of the book that the strategy sees."""
    n, touch = d.levels.shape[1], d.touch
    touch[:] = 0
    if view[KNOWN]:
        if view[BEST_BID] >= 0:
            touch[0], touch[1] = view[BEST_BID] + view[BASE], d.levels[0, view[BEST_BID]]
        if view[BEST_ASK] < n:
            touch[2], touch[3] = view[BEST_ASK] + view[BASE], d.levels[1, view[BEST_ASK]]


@part
def _next_stop(c: Array, until: int, ts: Array, row: int) -> int:
    if c[STOP] != NEVER:
        return int(c[STOP])
    stop = NEVER
    if c[STEP_MODE] == CLOCK_STEPS:
        stop = c[NEXT_STEP]
    elif c[STEP_MODE] == MOMENT_STEPS and row < len(ts):
        stop = ts[row]
    return int(stop) if stop <= until else NEVER


@part
def _next_arrival(c: Array, commands: Array, until: int) -> int:
    arrives = commands[c[COMMAND_HEAD], ARRIVES] if c[COMMAND_HEAD] < c[COMMAND_TAIL] else NEVER
    return int(arrives) if arrives <= min(until, c[CLOSES]) else NEVER


@kernel(types.void(DESK_TYPE, types.int64[:, ::1], types.int64, types.int64[::1]))
def hear(d: Desk, answers: Array, now: int, view: Array) -> None:
    """Answers that have arrived by ``now``, and the book of that time."""
    deliver(d, answers, now)
    look(d, view)


_ROWS = (I8_COLUMN, U1_COLUMN, I1_COLUMN, I4_COLUMN, I8_COLUMN)
_SIGNATURE: Any = types.int64(
    *_ROWS,
    U2_COLUMN,
    I8_COLUMN,
    *_ROWS,
    U2_COLUMN,
    types.int64,
    VENUE_TYPE,
    DESK_TYPE,
    types.int16[:, ::1],
    types.int64[::1],
    types.boolean,
    types.FunctionType(STRATEGY),
)


def _compiled(by_order: bool) -> Any:
    """The engine with or without rows of queues: the mere branch for them costs the others a fifth of the time."""

    def advance(
        ts: Array,
        kind: Array,
        side: Array,
        price: Array,
        size: Array,
        flags: Array,
        since: Array,
        view_ts: Array,
        view_kind: Array,
        view_side: Array,
        view_price: Array,
        view_size: Array,
        view_flags: Array,
        until: int,
        v: Venue,
        d: Desk,
        view_pages: Array,
        view: Array,
        two_books: bool,
        strategy: Any,
    ) -> int:
        """Take in all rows; handle commands and steps whose time is ``until`` or before.

        ``view_…`` are the same rows by the strategy's clock where it has another than the venue's (``two_books``).
        Returns NEEDS_ROOM where a table is full: call it again with larger ones.
        """
        v = Venue(
            borrowed(v.levels),
            borrowed(v.pages),
            borrowed(v.book),
            borrowed(v.counters),
            borrowed(v.orders),
            borrowed(v.fronts),
            borrowed(v.live),
            borrowed(v.answers),
            borrowed(v.fills),
            borrowed(v.taken),
            borrowed(v.model),
            borrowed(v.delays),
            borrowed(v.queued),
        )
        d = Desk(
            v.counters,
            borrowed(d.touch),
            borrowed(d.levels),
            borrowed(d.base),
            v.orders,
            borrowed(d.commands),
            borrowed(d.held),
            borrowed(d.delays),
            borrowed(d.params),
            borrowed(d.memory),
        )
        ts, kind, side, price, size = (
            borrowed(ts),
            borrowed(kind),
            borrowed(side),
            borrowed(price),
            borrowed(size),
        )
        view_ts, view_pages, view = borrowed(view_ts), borrowed(view_pages), borrowed(view)
        desk = address_of(d)
        c = v.counters
        commands, pages, levels, book = d.commands, v.pages, v.levels, v.book
        orders, fronts, live, model, taken = v.orders, v.fronts, v.live, v.model, v.taken
        # A row, command or step adds at most so much; numbers, not tables, are compared at each of them.
        fills_room, answers_room = len(v.fills) - LEVELS_PER_TAKE - 4, len(v.answers) - LEVELS_PER_TAKE - 4
        orders_room, commands_room = len(orders) - COMMANDS_PER_STEP, len(commands) - COMMANDS_PER_STEP
        while True:
            if c[FILLS] + c[LIVE] >= fills_room or c[ANSWER_TAIL] + c[LIVE] >= answers_room:
                return NEEDS_ROOM
            if c[ORDERS] >= orders_room or c[COMMAND_TAIL] + c[HELD] >= commands_room:
                return NEEDS_ROOM
            stop = _next_stop(c, until, view_ts, c[VIEW_ROW] if two_books else c[ROW])
            c[STOP] = stop
            if c[STOPS_CHANGED]:
                settle_stops(d, view)
            if two_books:  # first what is seen: prints that set off stops make commands
                row = c[VIEW_ROW]
                while True:
                    row = walk(
                        view_ts,
                        view_kind,
                        view_side,
                        view_price,
                        view_size,
                        row,
                        stop,
                        d.levels,
                        view_pages,
                        view,
                        v.taken,
                    )
                    if row == len(view_ts) or view_ts[row] > stop:
                        break
                    if view_kind[row] == _TRADE:
                        if c[HELD] > 0 and not view_flags[row] & _OTC:
                            set_off(d, view, view_ts[row], view_price[row])
                    else:
                        control(view_kind[row], d.levels, view_pages, view)
                    row += 1
                c[VIEW_ROW] = row
            while True:  # the venue, up to the step
                arrives = _next_arrival(c, commands, until)
                edge = min(stop, arrives)
                row = c[ROW]
                while True:
                    row = walk(ts, kind, side, price, size, row, edge, levels, pages, book, taken)
                    c[ROW] = row
                    if row == len(ts) or ts[row] > edge:
                        break
                    if c[FILLS] + c[LIVE] >= fills_room or c[ANSWER_TAIL] + c[LIVE] >= answers_room:
                        return NEEDS_ROOM
                    if kind[row] == _DEPTH:
                        way, lots = int(side[row]), max(size[row], 0)
                        rank, at = (0 if way > 0 else 1), price[row] - book[BASE]
                        before = levels[rank, at]
                        set_level(rank, at, lots, levels, pages, book)
                        if taken[rank * levels.shape[1] + at] > lots:
                            give_back(v, rank, at, lots)
                        for i in range(c[LIVE]):
                            number = live[i]
                            if orders[number, SIDE] == way and orders[number, VENUE_PRICE] == price[row]:
                                traded, kept = fronts[number, 1], fronts[number, 2]
                                ahead = fronts[number, 0] - kept
                                ahead = kept + ahead_after_change(
                                    c[QUEUE], model[0], model[1], ahead, traded, float(before), float(lots)
                                )
                                fronts[number, 0], fronts[number, 1] = ahead, 0.0
                                fronts[number, 2] = min(kept, max(ahead, 0.0))
                        crossed = at >= book[ASK_LOW] if way > 0 else at <= book[BID_HIGH]
                        if crossed and lots > 0 and book[KNOWN]:
                            quote_through(v, ts[row], way, price[row], lots - before)
                        row += 1
                        c[ROW] = row
                        continue
                    if by_order and kind[row] == QUEUED:
                        queue_row(side[row], price[row], size[row], since[row], v)
                        row += 1
                        c[ROW] = row
                        continue
                    own_row(ts[row], kind[row], side[row], price[row], size[row], flags[row], v)
                    if c[HELD] > 0 and kind[row] == _TRADE and not two_books and not flags[row] & _OTC:
                        set_off(d, view, ts[row], price[row])
                        arrives = _next_arrival(c, commands, until)
                        edge = min(stop, arrives)
                    row += 1
                    c[ROW] = row
                if arrives == NEVER or arrives > stop:
                    break
                if c[FILLS] + c[LIVE] >= fills_room or c[ANSWER_TAIL] + c[LIVE] >= answers_room:
                    return NEEDS_ROOM
                number = commands[c[COMMAND_HEAD], NUMBER]
                what = commands[c[COMMAND_HEAD], WHAT]
                if what == SUBMIT:
                    arrive(v, arrives, number)
                elif what == MODIFY:
                    at_price, size_now = (
                        commands[c[COMMAND_HEAD], COMMAND_PRICE],
                        commands[c[COMMAND_HEAD], COMMAND_SIZE],
                    )
                    replace(v, arrives, number, at_price, size_now)
                else:
                    withdraw(v, arrives, number)
                c[COMMAND_HEAD] += 1
            if stop == NEVER:
                return DONE
            if c[ANSWER_HEAD] < c[ANSWER_TAIL]:
                deliver(d, v.answers, stop)
            look(d, view)
            c[NOW] = stop
            c[STEPS] += 1
            c[NEXT_STEP] = stop + c[STEP_NS]
            c[STOP] = NEVER
            strategy(desk)

    advance.__name__ = advance.__qualname__ = (
        "advance_by_order" if by_order else "advance"
    )  # one file of the cache each
    return kernel(_SIGNATURE)(advance)


advance: Final = _compiled(False)


@functools.cache
def advance_by_order() -> Any:
    """:data:`advance` with queues of single orders; compiled or loaded when it is first needed."""
    return _compiled(True)
