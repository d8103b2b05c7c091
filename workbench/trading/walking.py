"""The loop over recorded rows: the book, and which rows concern own orders.

A crossed book is settled as hftbacktest does: the newer quote stands, levels that it passed are out of sight until they
are told anew. One moment's rows may cross in between (bids are listed before asks), and an order that a quote passed
has traded.
"""

from __future__ import annotations

from typing import Final

from workbench.book.jit import part
from workbench.events import Array, EventKind, Flag
from workbench.trading.matching import free, next_level, print_through, quote_through
from workbench.trading.queue_models import BY_ORDER, NEVER_REACHED, THROUGH, ahead_after_move
from workbench.trading.slots import (
    ARRIVED,
    ASK_HIGH,
    ASK_LOW,
    BASE,
    BEST_ASK,
    BEST_BID,
    BID_HIGH,
    BID_LOW,
    FILL_RULE,
    KNOWN,
    LEVELS_PER_TAKE,
    LIVE,
    OUTSIDE,
    QUEUE,
    QUEUED,
    SHARED,
    SIDE,
    TAKEN_ASKS,
    TAKEN_BIDS,
    VENUE_PRICE,
    WATCH_HIGH,
    WATCH_LOW,
    Venue,
)

_DEPTH: Final = int(EventKind.DEPTH)
_TRADE: Final = int(EventKind.TRADE)
_CLEAR: Final = int(EventKind.CLEAR)
_GAP: Final = int(EventKind.GAP)
_SNAPSHOT_END: Final = int(EventKind.SNAPSHOT_END)
_OTC: Final = int(Flag.OTC)


@part
def walk(
    ts: Array,
    kind: Array,
    side: Array,
    price: Array,
    size: Array,
    row: int,
    edge: int,
    levels: Array,
    pages: Array,
    book: Array,
    taken: Array,
) -> int:
    """Follow rows up to time ``edge`` that concern no own order or stop; the row at which to stop, unhandled.

    One flat loop: a helper that takes the book would cost ten times the row, measured.
    """
    base, n = book[BASE], levels.shape[1]
    bid, ask, outside = book[BEST_BID], book[BEST_ASK], book[OUTSIDE]
    bid_low, bid_high, ask_low, ask_high = book[BID_LOW], book[BID_HIGH], book[ASK_LOW], book[ASK_HIGH]
    watch_low, watch_high = book[WATCH_LOW], book[WATCH_HIGH]
    bids_from, bids_to = book[TAKEN_BIDS], book[TAKEN_BIDS + 1]
    asks_from, asks_to = book[TAKEN_ASKS], book[TAKEN_ASKS + 1]
    rows = len(ts)
    while row < rows and ts[row] <= edge:
        what = kind[row]
        if what == _DEPTH:
            at = price[row] - base
            if at < 0 or at >= n:
                outside += 1
                row += 1
                continue
            lots = max(size[row], 0)
            if side[row] > 0:
                if at >= ask_low or bid_low <= at <= bid_high:
                    break
                if bids_from <= at <= bids_to and taken[at] > 0:
                    break
                pages[0, at >> 10] += (lots > 0) - (levels[0, at] > 0)
                levels[0, at] = lots
                if at >= bid:
                    if lots > 0:
                        bid = at
                        if bid >= ask:
                            ask = bid + 1
                            while ask < n:
                                if pages[1, ask >> 10] == 0:
                                    ask = ((ask >> 10) + 1) << 10
                                elif levels[1, ask] > 0:
                                    break
                                else:
                                    ask += 1
                    elif at == bid:
                        bid -= 1
                        while bid >= 0:
                            if pages[0, bid >> 10] == 0:
                                bid = ((bid >> 10) << 10) - 1
                            elif levels[0, bid] > 0:
                                break
                            else:
                                bid -= 1
            elif side[row] < 0:
                if at <= bid_high or ask_low <= at <= ask_high:
                    break
                if asks_from <= at <= asks_to and taken[n + at] > 0:
                    break
                pages[1, at >> 10] += (lots > 0) - (levels[1, at] > 0)
                levels[1, at] = lots
                if at <= ask:
                    if lots > 0:
                        ask = at
                        if ask <= bid:
                            bid = ask - 1
                            while bid >= 0:
                                if pages[0, bid >> 10] == 0:
                                    bid = ((bid >> 10) << 10) - 1
                                elif levels[0, bid] > 0:
                                    break
                                else:
                                    bid -= 1
                    elif at == ask:
                        ask += 1
                        while ask < n:
                            if pages[1, ask >> 10] == 0:
                                ask = ((ask >> 10) + 1) << 10
                            elif levels[1, ask] > 0:
                                break
                            else:
                                ask += 1
        elif what == _TRADE:
            at = price[row] - base
            if (side[row] > 0 and at >= ask_low) or (side[row] < 0 and at <= bid_high):
                break
            if at <= watch_low or at >= watch_high:
                break
        elif what in (_CLEAR, _GAP, _SNAPSHOT_END, QUEUED):
            break
        row += 1
    book[BEST_BID], book[BEST_ASK], book[OUTSIDE] = bid, ask, outside
    return row


@part
def control(kind: int, levels: Array, pages: Array, book: Array) -> None:
    """A row that makes the book known or unknown."""
    if kind == _SNAPSHOT_END:
        book[KNOWN] = 1
        return
    book[KNOWN] = 0
    if kind == _CLEAR:
        for side in range(2):
            for page in range(pages.shape[1]):
                if pages[side, page]:
                    levels[side, page << 10 : (page + 1) << 10] = 0
                    pages[side, page] = 0
        book[BEST_BID], book[BEST_ASK] = -1, levels.shape[1]


@part
def own_row(ts: int, kind: int, side: int, price: int, size: int, flags: int, v: Venue) -> None:
    """A print that reaches own orders, or a row that concerns the whole book."""
    if kind == _TRADE:
        if v.book[KNOWN] and not flags & _OTC:
            print_through(v, ts, side, price, size)
    else:
        control(kind, v.levels, v.pages, v.book)
        if kind == _SNAPSHOT_END:
            _reopened(ts, v)


@part
def queue_row(side: int, price: int, lots: int, since: int, v: Venue) -> None:
    """Lots come to the queue of a level, or leave it; a level with own orders is in the book."""
    at = price - v.book[BASE]
    if 0 <= at < v.queued.shape[1]:
        v.queued[0 if side > 0 else 1, at] += lots
    for i in range(v.counters[LIVE]):
        order, front = v.orders[v.live[i]], v.fronts[v.live[i]]
        if order[SIDE] == side and order[VENUE_PRICE] == price:
            front[0], front[1] = ahead_after_move(front[0], front[1], order[ARRIVED], lots, since)


@part
def set_level(row: int, at: int, lots: int, levels: Array, pages: Array, book: Array) -> None:
    """What :func:`walk` does with a level, for one row."""
    n = levels.shape[1]
    pages[row, at >> 10] += (lots > 0) - (levels[row, at] > 0)
    levels[row, at] = lots
    if row == 0:
        if lots > 0 and at > book[BEST_BID]:
            book[BEST_BID] = at
            if at >= book[BEST_ASK]:
                book[BEST_ASK] = _above(at, levels, pages, n)
        elif lots == 0 and at == book[BEST_BID]:
            book[BEST_BID] = _below(at, levels, pages)
    else:
        if lots > 0 and at < book[BEST_ASK]:
            book[BEST_ASK] = at
            if at <= book[BEST_BID]:
                book[BEST_BID] = _below(at, levels, pages)
        elif lots == 0 and at == book[BEST_ASK]:
            book[BEST_ASK] = _above(at, levels, pages, n)


@part
def _below(at: int, levels: Array, pages: Array) -> int:
    at -= 1
    while at >= 0:
        if pages[0, at >> 10] == 0:
            at = ((at >> 10) << 10) - 1
        elif levels[0, at] > 0:
            break
        else:
            at -= 1
    return at


@part
def _above(at: int, levels: Array, pages: Array, n: int) -> int:
    at += 1
    while at < n:
        if pages[1, at >> 10] == 0:
            at = ((at >> 10) + 1) << 10
        elif levels[1, at] > 0:
            break
        else:
            at += 1
    return at


@part
def _reopened(ts: int, v: Venue) -> None:
    """The book is known again: what it passed meanwhile has traded."""
    book, n = v.book, v.levels.shape[1]
    for row in range(2):  # of levels that are gone nothing is missing any more
        for at in range(book[TAKEN_BIDS + 2 * row], book[TAKEN_BIDS + 2 * row + 1] + 1):
            v.taken[row * n + at] = min(v.taken[row * n + at], v.levels[row, at])
    for i in range(v.counters[LIVE]):
        order, front = v.orders[v.live[i]], v.fronts[v.live[i]]
        if v.counters[QUEUE] == BY_ORDER:
            front[0] -= front[2]
            if front[0] >= NEVER_REACHED:  # it arrived unseen: all who are there now may have been there
                front[0] = v.queued[0 if order[SIDE] > 0 else 1, order[VENUE_PRICE] - book[BASE]]
            front[1] = front[2] = 0.0
        elif v.counters[QUEUE] != THROUGH:  # no more can be ahead than the level shows
            shown = v.levels[0 if order[SIDE] > 0 else 1, order[VENUE_PRICE] - book[BASE]]
            front[0], front[1], front[2] = min(front[0], float(shown)), 0.0, 0.0
    at, seen, shared = book[BEST_BID], 0, v.counters[FILL_RULE] == SHARED
    while at >= 0 and at >= book[ASK_LOW] and seen < LEVELS_PER_TAKE:
        quote_through(v, ts, 1, at + book[BASE], free(v, 1, at) if shared else v.levels[0, at])
        at, seen = next_level(v, 1, at), seen + 1
    at = book[BEST_ASK]
    while at < v.levels.shape[1] and at <= book[BID_HIGH] and seen < LEVELS_PER_TAKE:
        quote_through(v, ts, -1, at + book[BASE], free(v, -1, at) if shared else v.levels[1, at])
        at, seen = next_level(v, -1, at), seen + 1
