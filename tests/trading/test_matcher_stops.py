"""Stops in the matching engine: against the reference engine in any pieces, and rules by hand."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.reference_engine import (
    CLEAR,
    DEPTH,
    GAP,
    SNAPSHOT_END,
    TRADE,
    Command,
    Modify,
    Order,
    Row,
    Stop,
    play,
)
from workbench.events import EventBatch, Flag
from workbench.trading import slots
from workbench.trading.matcher import Matcher
from workbench.trading.rows import Rows

WINDOW = 4096
OPENING: list[Row] = [
    (1, DEPTH, 1, 99, 8),
    (1, DEPTH, 1, 98, 5),
    (1, DEPTH, -1, 101, 6),
    (1, DEPTH, -1, 102, 9),
    (1, SNAPSHOT_END, 0, 0, 0),
]
FILL = [slots.FILL_TS, slots.FILL_ORDER, slots.FILL_PRICE, slots.FILL_SIZE, slots.FILL_MAKER]


def columns(rows: list[Row], flags: int = 0) -> Rows:
    """Rows as columns."""
    ts, kind, side, price, size = (list(column) for column in zip(*rows)) if rows else ([],) * 5
    return Rows.of(EventBatch.of(ts=ts, kind=kind, side=side, price=price, size=size, flags=flags))


class Player:
    """A matcher that is told of rows as time goes on, by one clock or by two alike ones."""

    def __init__(
        self,
        rows: list[Row],
        queue: str = "risk_averse",
        rule: str = "shared",
        entry: tuple[int, ...] = (0,),
        two: bool = False,
    ):
        self.rows, self.two = rows, two
        self.matcher = Matcher(
            queue, fills=rule, entry_ns=np.array(entry), two_clocks=two, window_ticks=WINDOW
        )
        self.done = 0

    def until(self, ts: int) -> Player:
        """All rows up to a time, and what came of them."""
        part = [row for row in self.rows[self.done :] if row[0] <= ts]
        self.done += len(part)
        piece = columns(part)
        self.matcher.advance(piece, ts, piece if self.two else None)
        self.matcher.hear(ts)
        return self

    def carry_out(self, ts: int, what: Command) -> None:
        """One command, after the rows of its time."""
        matcher = self.until(ts).matcher
        if isinstance(what, Order):
            matcher.submit(ts, what.side, what.price, what.leaves, what.tif, what.market)
        elif isinstance(what, Stop):
            order = what.order
            matcher.stop(
                ts, order.side, order.leaves, what.trigger, limit=order.price or None, trail=what.trail
            )
        elif isinstance(what, Modify):
            matcher.modify(ts, what.number, what.price, what.size, what.trigger)
        else:
            matcher.withdraw(ts, what)

    def end(self) -> Matcher:
        """Everything."""
        return self.until(slots.NEVER - 1).matcher


def stop(number: int, side: int, trigger: int, lots: int, limit: int = 0, trail: int = 0) -> Stop:
    """A stop at market, or with a limit."""
    return Stop(Order(number, side, limit, lots, slots.GTC, limit == 0), trigger, trail)


ticks = st.integers(97, 103)
row = st.one_of(
    st.tuples(st.integers(0, 2), st.just(DEPTH), st.sampled_from([1, -1]), ticks, st.integers(0, 9)),
    st.tuples(st.integers(0, 2), st.just(TRADE), st.sampled_from([1, -1, 0]), ticks, st.integers(1, 9)),
    st.tuples(st.integers(0, 2), st.sampled_from([CLEAR, SNAPSHOT_END, GAP]), *[st.just(0)] * 3),
)
sides = st.sampled_from([1, -1])
lots = st.integers(1, 9)
wish = st.one_of(
    st.integers(0, 5),
    st.tuples(st.just("modify"), st.integers(0, 5), ticks, lots, st.sampled_from([0, 0, 98, 102])),
    st.tuples(st.just("order"), sides, ticks, lots, st.integers(0, 3), st.booleans()),
    st.tuples(st.just("stop"), sides, st.integers(0, 4), lots, st.sampled_from([0, 0, 99, 101])),
    st.tuples(st.just("trail"), sides, st.integers(0, 4), lots, st.integers(1, 3)),
)


def scripted(steps: list[tuple[int, object]]) -> list[tuple[int, Command]]:
    """Commands at their times."""
    script: list[tuple[int, Command]] = []
    now, number = 1, 0
    for step, what in steps:
        now += step
        match what:
            case ("order", side, price, size, tif, market):
                script.append((now, Order(number, side, 0 if market else price, size, tif, market)))
                number += 1
            case ("stop" | "trail" as kind, side, away, size, value):
                limit, trail = (value, 0) if kind == "stop" else (0, value)
                script.append((now, stop(number, side, 100 + side * away, size, limit, trail)))
                number += 1
            case ("modify", target, price, size, trigger) if target < number:
                script.append((now, Modify(target, price, size, trigger)))
            case int() if what < number:
                script.append((now, what))
    return script


@settings(max_examples=300)
@given(
    rows=st.lists(row, min_size=5, max_size=40),
    steps=st.lists(st.tuples(st.integers(0, 4), wish), max_size=12),
    queue=st.sampled_from(["risk_averse", "power", "pro_rata"]),
    rule=st.sampled_from(["shared", "partial", "whole"]),
    entry=st.sampled_from([(0,), (3,), (4, 0, 1)]),
    two=st.booleans(),
    cuts=st.lists(st.integers(0, 90), max_size=3),
)
def test_stops_do_what_the_reference_engine_does_in_any_pieces(
    rows: list[tuple[int, int, int, int, int]],
    steps: list[tuple[int, object]],
    queue: str,
    rule: str,
    entry: tuple[int, ...],
    two: bool,
    cuts: list[int],
) -> None:
    """Same fills, ends and triggers on random rows and commands, with one clock and with two."""
    timed, now = list(OPENING), 1
    for step, *rest in rows:
        now += step
        timed.append((now, *rest))  # type: ignore[arg-type]
    script = scripted(steps)
    expected = play(timed, copy.deepcopy(script), queue, rule, entry)
    player = Player(timed, queue, rule, entry, two)
    todo = [*script, *((cut, None) for cut in cuts)]
    for ts, what in sorted(todo, key=lambda item: item[0]):
        if what is None:
            player.until(ts)
        else:
            player.carry_out(ts, what)
    matcher = player.end()
    assert [tuple(r) for r in matcher.fills[:, FILL].tolist()] == expected.engine.fills
    names = dict(enumerate(slots.STATUS_NAMES[s] for s in matcher.orders[:, slots.STATUS].tolist()))
    ends = {n: how for _, n, how in expected.engine.ends} | expected.ends
    assert {n: how for n, how in names.items() if how in ("CANCELED", "EXPIRED", "REJECTED")} == ends
    waiting = {s.order.number: s.trigger for s in expected.held}
    held = {n: int(matcher.orders[n, slots.TRIGGER]) for n, how in names.items() if how == "SUSPENDED"}
    assert held == waiting
    assert matcher.count(slots.HELD) == len(waiting)


def test_a_stop_goes_off_at_the_print_and_takes_after_the_latency() -> None:
    """Bought above: the print at 102 at time 5 sends it, it arrives at 8 and takes 3 of what stands there then."""
    rows = [
        *OPENING,
        (4, TRADE, 1, 101, 1),
        (5, TRADE, 1, 102, 1),
        (6, DEPTH, -1, 101, 0),
        (9, TRADE, 1, 102, 1),
    ]
    player = Player(rows, entry=(3,))
    player.carry_out(2, stop(0, 1, 102, 3))
    assert player.until(4).matcher.orders[0, slots.STATUS] == slots.SUSPENDED
    assert player.until(5).matcher.orders[0, slots.STATUS] == slots.NEW
    matcher = player.end()
    assert matcher.fills[:, FILL].tolist() == [[8, 0, 102, 3, 0]]
    assert matcher.commands[:, slots.COMMAND_SENT].tolist() == [5]


def test_a_stop_with_a_limit_rests_where_the_market_ran_away() -> None:
    """Sold below 99 with a limit of 99: nothing is bid there any more, so it rests and is bought by a print at 99."""
    rows = [
        *OPENING,
        (5, DEPTH, 1, 99, 0),
        (6, TRADE, -1, 98, 5),
        (8, TRADE, 1, 99, 4),
    ]
    player = Player(rows)
    player.carry_out(2, stop(0, -1, 98, 3, limit=99))
    assert player.end().fills[:, FILL].tolist() == [[8, 0, 99, 3, 1]]


def test_a_trailing_stop_follows_prints_and_never_goes_back() -> None:
    """Sold 2 below the highest print: 103 pulls the trigger to 101, 102 leaves it there, 101 sets it off."""
    rows = [*OPENING, (5, TRADE, 1, 103, 1), (6, TRADE, 1, 102, 1), (7, TRADE, -1, 101, 1)]
    player = Player(rows)
    player.carry_out(2, stop(0, -1, 97, 2, trail=2))
    triggers = [int(player.until(ts).matcher.orders[0, slots.TRIGGER]) for ts in (4, 5, 6)]
    assert triggers == [97, 101, 101]
    assert player.end().fills[:, FILL].tolist() == [[7, 0, 99, 2, 0]]


def test_a_print_off_the_book_sets_off_nothing() -> None:
    """Block trades say nothing of the price on the book."""
    player = Player(list(OPENING))
    player.carry_out(2, stop(0, 1, 102, 3))
    block = columns([(5, TRADE, 1, 105, 9)], int(Flag.OTC))
    player.matcher.advance(block, 6)
    assert player.matcher.orders[0, slots.STATUS] == slots.SUSPENDED


def test_a_stop_that_waits_is_taken_back_and_changed_at_once() -> None:
    """Nothing of it is at the venue: no command is sent, and its place is at the desk."""
    player = Player([*OPENING, (5, TRADE, 1, 103, 1), (9, TRADE, 1, 104, 1)], entry=(3,))
    for number, trigger in ((0, 102), (1, 102)):
        player.carry_out(2, stop(number, 1, trigger, 3))
    player.carry_out(3, Modify(1, 0, 2, 104))
    player.carry_out(3, 0)
    order = player.matcher.orders[0]
    assert (order[slots.STATUS], order[slots.CLOSED]) == (slots.CANCELED, 3)
    matcher = player.end()
    assert matcher.fills[:, FILL].tolist() == [[12, 1, 101, 2, 0]]
    assert matcher.commands[:, slots.WHAT].tolist() == [slots.SUBMIT]


def test_a_stop_that_the_market_has_passed_is_refused() -> None:
    """A buy stop below the best ask of 101, and a sell stop above the best bid of 99, would go off at once."""
    matcher = Player(list(OPENING)).until(2).matcher
    refused = [matcher.stop(2, 1, 3, 100), matcher.stop(2, -1, 3, 100)]
    assert matcher.orders[refused, slots.STATUS].tolist() == [slots.REJECTED] * 2
    assert matcher.stop(2, 1, 3, 101) == 2
    assert not matcher.modify(2, 2, 0, 3, 100)
    assert matcher.orders[2, slots.TRIGGER] == 101


@pytest.mark.parametrize(
    ("size", "trigger", "limit", "trail"),
    [(0, 101, None, 0), (1, 0, None, 0), (1, 101, 105, 2), (1, 101, None, -1)],
)
def test_what_is_no_stop_has_no_number(size: int, trigger: int, limit: int | None, trail: int) -> None:
    """No size, no trigger, a trailing stop with a limit, a distance below nothing."""
    matcher = Player(list(OPENING)).until(2).matcher
    assert matcher.stop(2, 1, size, trigger, limit=limit, trail=trail) == -1
    assert len(matcher.orders) == 0


def test_tables_grow_while_stops_go_off() -> None:
    """Five thousand stops that one print sets off need more room than the tables have at first."""
    player = Player([*OPENING, (9, TRADE, 1, 103, 1)], rule="whole")
    player.until(2)
    for _ in range(5000):
        player.matcher.stop(2, 1, 1, 103)
    assert len(player.end().fills) == 5000
