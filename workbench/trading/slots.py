"""Where the matching engine keeps what: slots of its arrays, and the numbers that stand for words in them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from numba import types

from workbench.events import Array

NEVER: Final = 1 << 62
"""A time after all others, ns."""

# Book: one array for each book (the venue's, and the one the strategy sees where its clock is another).
BEST_BID: Final = 0  # window index, −1 none
BEST_ASK: Final = 1  # window index, n none
KNOWN: Final = 2
BASE: Final = 3  # tick of window index 0
BID_LOW: Final = 4  # own resting orders lie in [BID_LOW, BID_HIGH] and [ASK_LOW, ASK_HIGH], window indices
BID_HIGH: Final = 5
ASK_LOW: Final = 6
ASK_HIGH: Final = 7
OUTSIDE: Final = 8  # DEPTH rows outside the window, which changed nothing
WATCH_LOW: Final = 9  # prints at or below it, or at or above WATCH_HIGH, concern a stop; window indices
WATCH_HIGH: Final = 10
TAKEN_BIDS: Final = (
    11  # levels from which own orders took lots lie in [TAKEN_BIDS, TAKEN_BIDS + 1] and, on the
)
TAKEN_ASKS: Final = 13  # other side, [TAKEN_ASKS, TAKEN_ASKS + 1]; window indices
BOOK_SLOTS: Final = 15

# Counters and parameters of the engine.
NOW: Final = 0  # time of the last strategy step or command, ns
STEPS: Final = 1
STEP_MODE: Final = 2
STEP_NS: Final = 3
NEXT_STEP: Final = 4
STOP: Final = 5  # step that is under way, NEVER none
ROW: Final = 6
VIEW_ROW: Final = 7
ORDERS: Final = 8  # rows of each table in use
LIVE: Final = 9
COMMAND_HEAD: Final = 10
COMMAND_TAIL: Final = 11
ANSWER_HEAD: Final = 12
ANSWER_TAIL: Final = 13
FILLS: Final = 14
POSITION: Final = 15  # lots, as the strategy knows it
CASH: Final = 16  # ticks × lots, as the strategy knows it
ANSWERED: Final = 17  # answers that were ever given
FILL_RULE: Final = 18
QUEUE: Final = 19
CLOSES: Final = 20  # nothing reaches the venue later, ns: where what was recorded ends
CANCELS: Final = 21
SUBMITS: Final = 22
HELD: Final = 23  # stops that have not gone off
STOPS_CHANGED: Final = 24  # whether what is held, or waits for which price, has changed
COUNTERS: Final = 25

QUEUED: Final = 200
"""Kind of a row that :mod:`workbench.trading.priorities` makes: lots that came to a level, or left it."""

NO_STEPS, CLOCK_STEPS, MOMENT_STEPS = 0, 1, 2
WHOLE, PARTIAL, SHARED = 0, 1, 2
"""Fill rules, see docs/matching.md."""

# Orders, one row each; the row number is the order's number.
SIDE: Final = 0
PRICE: Final = 1  # ticks, as the strategy knows it; of a market order 0
SIZE: Final = 2  # lots, as the strategy knows it
TIF: Final = 3
SENT: Final = 4
ARRIVED: Final = 5
STATUS: Final = 6  # as the strategy knows it
FILLED: Final = 7  # lots, as the strategy knows it
LEAVES: Final = 8  # lots, at the venue
RESTING: Final = 9  # at the venue: 1 resting
CLOSED: Final = 10  # time at which the strategy learnt of the end, 0 while open
MARKET: Final = 11
VENUE_PRICE: Final = 12
VENUE_SIZE: Final = 13
TRIGGER: Final = 14  # ticks, of a stop; 0 of other orders
TRAIL: Final = 15  # ticks at which a trailing stop follows; 0 of others
OVER: Final = 16  # 1: it is taken back as its time is over
UNDER_WAY: Final = 17  # changes that were asked for and not answered
ORDER_SLOTS: Final = 18

GTC, POST_ONLY, IOC, FOK, DAY, GTD = range(6)
TIF_NAMES: Final = ("GTC", "POST_ONLY", "IOC", "FOK", "DAY", "GTD")
"""At the venue ``DAY`` and ``GTD`` are ``GTC``: the desk takes them back when their time has come."""
PENDING_NEW, NEW, PARTIALLY_FILLED, FULLY_FILLED, PENDING_CANCEL = range(5)
CANCELED, EXPIRED, REJECTED, SUSPENDED = range(5, 9)
STATUS_NAMES: Final = (
    "PENDING_NEW",
    "NEW",
    "PARTIALLY_FILLED",
    "FILLED",
    "PENDING_CANCEL",
    "CANCELED",
    "EXPIRED",
    "REJECTED",
    "SUSPENDED",
)

# Commands, all that were ever sent: before COMMAND_HEAD they have reached the venue.
ARRIVES: Final = 0
WHAT: Final = 1
NUMBER: Final = 2
COMMAND_SENT: Final = 3
COMMAND_PRICE: Final = 4  # of an order as it was sent, or as it shall be
COMMAND_SIZE: Final = 5
COMMAND_SLOTS: Final = 6
SUBMIT, CANCEL, MODIFY = 0, 1, 2

# Answers on their way back: ARRIVES, WHAT, NUMBER as above.
ANSWER_PRICE: Final = 3
ANSWER_SIZE: Final = 4
ANSWER_SLOTS: Final = 5
ACKED, FILLED_PART, DONE_CANCELED, DONE_EXPIRED, DONE_REJECTED, CANCEL_REFUSED, MODIFIED, MODIFY_REFUSED = (
    range(8)
)

# Fills, in the order in which the venue made them.
FILL_TS: Final = 0  # at the venue, ns
FILL_KNOWN: Final = 1  # at the strategy, ns
FILL_ORDER: Final = 2
FILL_SIDE: Final = 3
FILL_PRICE: Final = 4
FILL_SIZE: Final = 5
FILL_MAKER: Final = 6
FILL_SLOTS: Final = 7

COMMANDS_PER_STEP: Final = 256
"""Most commands of one strategy step; what goes beyond is refused by number −1."""
LEVELS_PER_TAKE: Final = 2048
"""Most levels that one order takes from."""


class Venue(NamedTuple):
    """All that the venue's side of the engine knows."""

    levels: Array  # (2, window) lots
    pages: Array  # (2, window / 1024) levels in each page
    book: Array
    counters: Array
    orders: Array
    fronts: Array  # (orders, 3) lots ahead; lots printed that its level or queue has not shown yet; of those ahead, lots
    # that the recording has seen filled by what own orders took here
    live: Array  # numbers of resting orders, oldest first
    answers: Array
    fills: Array
    taken: Array  # (2 · window) of each level, bids first, lots that own orders took and that it still shows
    model: Array  # exponent and unit of the queue model
    delays: Array  # of answers, ns, one after another and again from the first
    queued: Array  # (2, window) lots in the queues of the levels, with the model by order


class Desk(NamedTuple):
    """What a kernel strategy sees and writes to, see :mod:`workbench.trading.strategies`."""

    counters: Array
    touch: Array  # bid, bid size, ask, ask size; ticks and lots, size 0 where there is none
    levels: Array
    base: Array
    orders: Array
    commands: Array
    held: Array  # numbers of stops that have not gone off, oldest first
    delays: Array  # of commands, as those of answers
    params: Array
    memory: Array


_I1: Final = types.Array(types.int64, 1, "C")
_I2: Final = types.Array(types.int64, 2, "C")
_F1: Final = types.Array(types.float64, 1, "C")
_F2: Final = types.Array(types.float64, 2, "C")
_PAGES: Final = types.Array(types.int16, 2, "C")
_tuple_type: Final[Any] = types.NamedTuple
VENUE_TYPE: Final[Any] = _tuple_type(
    (_I2, _PAGES, _I1, _I1, _I2, _F2, _I1, _I2, _I2, _I1, _F1, _I1, _I2), Venue
)
DESK_TYPE: Final[Any] = _tuple_type((_I1, _I1, _I2, _I1, _I2, _I2, _I1, _I1, _F1, _F1), Desk)
