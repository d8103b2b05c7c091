"""The matching engine as an object: recorded rows and commands in, fills and answers out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import Array, EventKind
from workbench.trading import queue_models, slots, stepping
from workbench.trading.rows import Rows as Rows
from workbench.trading.slots import Desk, Venue
from workbench.trading.strategies import rest_idle
from workbench.trading.strategy_reach import memory, parameters

if TYPE_CHECKING:
    from workbench.trading.priorities import Priorities

WINDOW_TICKS: Final = 1 << 23
FILL_RULES: Final = ("whole", "partial", "shared")
_FIRST_ROOM: Final = 4096


class QueueModel(NamedTuple):
    """How a resting order advances in its queue.

    Parameters
    ----------
    name : str
        One of :data:`workbench.trading.queue_models.EVERY`.
    exponent : float, optional
        Of the power models.
    unit : float, optional
        Real size of a lot: the logarithmic models depend on it.
    """

    name: str = "risk_averse"
    exponent: float = 3.0
    unit: float = 1.0


class Matcher:
    """Own orders against a recorded or live stream of events.

    Parameters
    ----------
    queue : QueueModel or str, optional
    entry_ns, response_ns : int or int64 array, ns, optional
        Time that a command takes to the venue, and an answer back; the delays of an array follow each other, and again
        from the first. Order is kept: nothing overtakes what was sent before.
    fills : str, optional
        ``"shared"``: never more than was traded or quoted, shared among own orders. ``"partial"`` and ``"whole"``:
        hftbacktest's two exchange models.
    two_clocks : bool, optional
        Rows reach the strategy later than they happen: :meth:`advance` takes them twice.
    params : sequence of float, optional
        Parameters of a kernel strategy.
    window_ticks : int, optional
        Prices that the book holds, centred on the first level that is told.

    Notes
    -----
    Pure: the same rows and commands give the same fills, in any cut. Times are the rows' ``ts``. All quantities are
    ticks and lots. docs/matching.md has the rules.
    """

    def __init__(
        self,
        queue: QueueModel | str = "risk_averse",
        *,
        entry_ns: int | Array = 0,
        response_ns: int | Array = 0,
        fills: str = "shared",
        two_clocks: bool = False,
        params: Any = (),
        window_ticks: int = WINDOW_TICKS,
    ):
        model = QueueModel(queue) if isinstance(queue, str) else queue
        _check(model.name, queue_models.EVERY, "queue model")
        knobs: list[tuple[str, object]] = [("exponent", model.exponent), ("unit", model.unit)]
        for name, value in knobs:
            if not (isinstance(value, int | float) and 0 < value < float("inf")):
                raise WorkbenchError(f"a queue model with {name}={value!r}", expected="a number above 0")
        _check(fills, FILL_RULES, "fill rule")
        window = -(-window_ticks // 1024) * 1024
        self._two = two_clocks
        self._venue = _new_venue(window, model, _delays(response_ns))
        self._priorities = _priorities() if model.name == queue_models.EXACT else None
        self._view = (
            (np.zeros((2, window), np.int64), np.zeros((2, window >> 10), np.int16), self._venue.book.copy())
            if two_clocks
            else (self._venue.levels, self._venue.pages, self._venue.book)
        )
        c = self._venue.counters
        c[slots.FILL_RULE], c[slots.QUEUE] = FILL_RULES.index(fills), queue_models.EVERY.index(model.name)
        self._desk = Desk(
            c,
            np.zeros(4, np.int64),
            self._view[0],
            np.zeros(1, np.int64),
            self._venue.orders,
            np.zeros((_FIRST_ROOM, slots.COMMAND_SLOTS), np.int64),
            np.zeros(_FIRST_ROOM, np.int64),
            _delays(entry_ns),
            parameters(params),
            memory(),
        )
        self._placed = False

    @property
    def desk(self) -> Desk:
        """What a strategy sees."""
        return self._desk

    def step_every(self, interval_ns: int | None, first_ns: int = slots.NEVER) -> None:
        """Call the strategy at a fixed clock, or with None at every moment of the rows.

        The clock's first step is ``first_ns``; by default one interval after the first row to come.
        """
        c = self._venue.counters
        c[slots.STEP_MODE] = slots.MOMENT_STEPS if interval_ns is None else slots.CLOCK_STEPS
        c[slots.STEP_NS] = interval_ns or 0
        c[slots.NEXT_STEP] = first_ns

    def close_at(self, ts: int) -> None:
        """Let nothing reach the venue after a time (ns): what was recorded ends there."""
        self._venue.counters[slots.CLOSES] = ts

    def step_never(self) -> None:
        """Call the strategy no more."""
        self._venue.counters[slots.STEP_MODE] = slots.NO_STEPS

    def advance(
        self, rows: Rows, until: int, view: Rows | None = None, strategy: Callable[[Desk], None] = rest_idle
    ) -> None:
        """Take in rows, and handle what is due by ``until``.

        Parameters
        ----------
        rows : Rows
            In time order.
        until : int, ns
            No row with this time or an earlier one will come any more: commands and steps up to it are due.
        view : Rows, optional
            The rows by the strategy's clock, with ``two_clocks``.
        strategy : kernel strategy, optional
        """
        since = rows.ts
        if self._priorities is not None:
            rows, since = self._priorities.follow(rows)
        seen = rows if view is None else view
        c = self._venue.counters
        self._place(rows)
        if not len(rows.ts) and not len(seen.ts) and self._rests(until):
            return
        if c[slots.NEXT_STEP] == slots.NEVER and c[slots.STEP_MODE] == slots.CLOCK_STEPS and len(rows.ts):
            c[slots.NEXT_STEP] = min(rows.ts[0], seen.ts[0]) + c[slots.STEP_NS]
        c[slots.ROW] = c[slots.VIEW_ROW] = 0
        _, pages, book = self._view
        advance = stepping.advance if self._priorities is None else stepping.advance_by_order()
        while advance(
            *rows[:6], since, *seen[:6], until, self._venue, self._desk, pages, book, self._two, strategy
        ):
            self._grow()

    def submit(
        self, now: int, side: int, price: int, size: int, tif: int = slots.GTC, market: bool = False
    ) -> int:
        """Send an order at time ``now``; its number."""
        self._make_room()
        self._venue.counters[slots.NOW] = now
        return int(_asking().submit_now(self._desk, side, price, size, tif, int(market)))

    def stop(
        self,
        now: int,
        side: int,
        size: int,
        trigger: int,
        *,
        limit: int | None = None,
        trail: int = 0,
        tif: int = slots.GTC,
    ) -> int:
        """Leave a stop with the desk at time ``now``; its number, −1 where it makes no sense.

        It goes off by the first later print at ``trigger`` (ticks) or through it, then has a ``limit`` or none, and
        follows prints at a distance of ``trail`` ticks, if any. Time must have come to ``now``: prints that are behind set
        off nothing, and a stop beyond the best price that was last heard of is ``REJECTED``.
        """
        if limit is not None and limit < 1:
            return -1
        self._make_room()
        self._venue.counters[slots.NOW] = now
        number = int(_asking().stop_now(self._desk, side, size, trigger, limit or 0, trail))
        if number >= 0:
            self._desk.orders[number, slots.TIF] = tif
        return number

    def cancel(self, now: int, number: int) -> bool:
        """Ask for the end of an order; whether there was anything to ask for."""
        self._make_room()
        self._venue.counters[slots.NOW] = now
        return bool(_asking().cancel_now(self._desk, number))

    def expire(self, now: int, number: int) -> None:
        """Take back an order whose time has come; a stop that waits ends as ``EXPIRED``."""
        self._check_number(number)
        self._make_room()
        self._venue.counters[slots.NOW] = now
        _asking().expire_now(self._desk, number)

    def withdraw(self, now: int, number: int) -> None:
        """Send a cancel whatever is known of the order: the venue answers."""
        self._check_number(number)
        self._make_room()
        self._venue.counters[slots.NOW] = now
        _asking().withdraw_now(self._desk, number)

    def newest(self, number: int) -> tuple[int, int]:
        """Price (ticks) and whole size (lots) that an order has, or will have when all changes under way have arrived."""
        order = self.orders[number]
        if order[slots.UNDER_WAY]:
            for sent in reversed(self.commands):
                if sent[slots.NUMBER] == number and sent[slots.WHAT] == slots.MODIFY:
                    return int(sent[slots.COMMAND_PRICE]), int(sent[slots.COMMAND_SIZE])
        return int(order[slots.PRICE]), int(order[slots.SIZE])

    def modify(self, now: int, number: int, price: int | None, size: int | None, trigger: int = 0) -> bool:
        """Send a change of price (ticks) and whole size (lots) whatever is known of the order: the venue answers.

        What is None is as in :meth:`newest`. A stop that has not gone off changes at once, its ``trigger`` (ticks) where one
        is given; False where it may not.
        """
        self._check_number(number)
        if price is None or size is None:
            newest = self.newest(number)
            price, size = newest[0] if price is None else price, newest[1] if size is None else size
        self._make_room()
        self._venue.counters[slots.NOW] = now
        return bool(_asking().change_now(self._desk, number, price, size, trigger))

    def hear(self, now: int) -> None:
        """Take in the answers that have arrived by ``now``, and look at the book."""
        self._venue.counters[slots.NOW] = now
        stepping.hear(self._desk, self._venue.answers, now, self._view[2])

    def heard(self, now: int) -> Array:
        """Take in answers as :meth:`hear` does, and return them: int64, shape (n, ANSWER_SLOTS), oldest first."""
        c = self._venue.counters
        answers = self._venue.answers[c[slots.ANSWER_HEAD] : c[slots.ANSWER_TAIL]]
        arrived = answers[answers[:, slots.ARRIVES] <= now].copy()
        self.hear(now)
        return arrived

    def shrink(self, number: int, lots: int) -> int:
        """Make a resting order smaller at the venue, in its place in the queue; how many lots it lost."""
        order = self._venue.orders[number]
        lost = int(min(lots, order[slots.LEAVES] - 1)) if order[slots.RESTING] else 0
        lost = max(lost, 0)
        order[slots.SIZE] -= lost
        order[slots.VENUE_SIZE] -= lost
        order[slots.LEAVES] -= lost
        return lost

    def resend(self, other: Matcher) -> None:
        """Send all commands of another engine at their times, whatever fills here; before the first row.

        Parameters
        ----------
        other : Matcher
            With the same latencies: what it sent arrives when it arrived there.
        """
        while len(self._desk.orders) < len(other._desk.orders) or len(self._desk.commands) < len(
            other._desk.commands
        ):
            self._grow()
        orders, c = other.orders, self._venue.counters
        mine = self._venue.orders[: len(orders)]
        for slot in (slots.SIDE, slots.TIF, slots.SENT, slots.MARKET, slots.TRIGGER, slots.TRAIL, slots.OVER):
            mine[:, slot] = orders[:, slot]
        first = other.commands[other.commands[:, slots.WHAT] == slots.SUBMIT]
        sent = first[:, slots.NUMBER]
        kept = np.setdiff1d(np.arange(len(orders)), sent)  # stops that never went off: they are as they ended
        mine[kept] = orders[kept]
        mine[sent[:, None], [slots.PRICE, slots.VENUE_PRICE]] = first[:, [slots.COMMAND_PRICE]]
        mine[sent[:, None], [slots.SIZE, slots.VENUE_SIZE, slots.LEAVES]] = first[:, [slots.COMMAND_SIZE]]
        self._desk.commands[: len(other.commands)] = other.commands
        c[slots.ORDERS], c[slots.COMMAND_TAIL] = len(orders), len(other.commands)
        c[slots.SUBMITS], c[slots.CANCELS] = other.count(slots.SUBMITS), other.count(slots.CANCELS)

    @property
    def commands(self) -> Array:
        """All commands that were sent, oldest first, int64, shape (n, COMMAND_SLOTS)."""
        return self._desk.commands[: self._venue.counters[slots.COMMAND_TAIL]]

    @property
    def known(self) -> bool:
        """Whether the book is known: not within a gap."""
        return bool(self._venue.book[slots.KNOWN])

    @property
    def fills(self) -> Array:
        """Fills in the order in which the venue made them, int64, shape (n, FILL_SLOTS)."""
        return self._venue.fills[: self._venue.counters[slots.FILLS]]

    @property
    def orders(self) -> Array:
        """Orders by number, int64, shape (n, ORDER_SLOTS)."""
        return self._venue.orders[: self._venue.counters[slots.ORDERS]]

    def count(self, slot: int) -> int:
        """One of the engine's counters, see :mod:`workbench.trading.slots`."""
        return int(self._venue.counters[slot])

    @property
    def outside(self) -> int:
        """Levels told outside the window, which are not in the book."""
        return int(self._venue.book[slots.OUTSIDE])

    def _rests(self, until: int) -> bool:
        """Whether nothing is due by a time but rows."""
        c = self._venue.counters
        head = c[slots.COMMAND_HEAD]
        waits = head == c[slots.COMMAND_TAIL] or self._desk.commands[head, slots.ARRIVES] > until
        return bool(waits and c[slots.STEP_MODE] == slots.NO_STEPS and not c[slots.STOPS_CHANGED])

    def _place(self, rows: Rows) -> None:
        if self._placed:
            return
        levels = np.flatnonzero(rows.kind == EventKind.DEPTH)
        if len(levels):
            self._placed = True
            window, first = self._venue.levels.shape[1], int(rows.price[levels[0]])
            # Most markets fit into a window that starts at 0, and a window that does is never in the way of a fall.
            base = 0 if 0 <= first < window // 2 else first - window // 2
            self._venue.book[slots.BASE] = self._view[2][slots.BASE] = self._desk.base[0] = base
            self._venue.counters[slots.STOPS_CHANGED] = 1

    def _check_number(self, number: int) -> None:
        if not 0 <= number < self._venue.counters[slots.ORDERS]:
            raise WorkbenchError(
                f"order {number}", expected=f"a number from 0 to {self._venue.counters[slots.ORDERS] - 1}"
            )

    def _make_room(self) -> None:
        c, d = self._venue.counters, self._desk
        sent = c[slots.COMMAND_TAIL] + c[slots.HELD]
        if c[slots.ORDERS] + 2 > len(d.orders) or sent + 2 > len(d.commands):
            self._grow()

    def _grow(self) -> None:
        v, d = self._venue, self._desk
        orders = _doubled(v.orders)
        self._venue = v._replace(
            orders=orders,
            fronts=_doubled(v.fronts),
            live=_doubled(v.live),
            answers=_doubled(v.answers),
            fills=_doubled(v.fills),
        )
        self._desk = d._replace(orders=orders, commands=_doubled(d.commands), held=_doubled(d.held))


def _asking() -> Any:
    """Kernels for plain Python; a compiled strategy's first result does not wait for them."""
    from workbench.trading import asking

    return asking


def _priorities() -> Priorities:
    """Queues of single orders, loaded where there are any."""
    from workbench.trading.priorities import Priorities

    return Priorities()


def _new_venue(window: int, model: QueueModel, delays: Array) -> Venue:
    book, counters = np.zeros(slots.BOOK_SLOTS, np.int64), np.zeros(slots.COUNTERS, np.int64)
    book[slots.BEST_BID], book[slots.BEST_ASK] = -1, window
    book[[slots.BID_LOW, slots.ASK_LOW, slots.WATCH_HIGH, slots.TAKEN_BIDS, slots.TAKEN_ASKS]] = slots.NEVER
    book[[slots.BID_HIGH, slots.ASK_HIGH, slots.WATCH_LOW]] = -slots.NEVER
    book[[slots.TAKEN_BIDS + 1, slots.TAKEN_ASKS + 1]] = -slots.NEVER
    counters[[slots.STOP, slots.NEXT_STEP, slots.CLOSES]] = slots.NEVER
    return Venue(
        np.zeros((2, window), np.int64),
        np.zeros((2, window >> 10), np.int16),
        book,
        counters,
        np.zeros((_FIRST_ROOM, slots.ORDER_SLOTS), np.int64),
        np.zeros((_FIRST_ROOM, 3)),
        np.zeros(_FIRST_ROOM, np.int64),
        np.zeros((_FIRST_ROOM, slots.ANSWER_SLOTS), np.int64),
        np.zeros((_FIRST_ROOM, slots.FILL_SLOTS), np.int64),
        np.zeros(2 * window, np.int64),
        np.array([model.exponent, model.unit]),
        delays,
        np.zeros((2, window if model.name == queue_models.EXACT else 1), np.int64),
    )


def _delays(value: int | Array) -> Array:
    delays = np.atleast_1d(np.asarray(value, np.int64)).copy()
    if delays.ndim != 1 or not len(delays) or delays.min() < 0:
        raise WorkbenchError(f"latency of {value!r:.40} ns", expected="0 ns or more")
    return delays


def _doubled(table: Array) -> Array:
    return np.concatenate([table, np.zeros_like(table)])


def _check(value: str, known: tuple[str, ...], what: str) -> None:
    if value not in known:
        raise WorkbenchError(f"{what} {value!r}", expected=f"one of {', '.join(known)}")
