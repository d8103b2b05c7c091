"""A strategy is told where its desk lies; what it reads there is the desk."""

from __future__ import annotations

import numpy as np
import pytest
from numba.core.errors import TypingError

import workbench as wb
from workbench.events import EventBatch, EventKind
from workbench.trading import slots
from workbench.trading.matcher import Matcher
from workbench.trading.rows import Rows
from workbench.trading.slots import Desk

ASK, LOTS, AT = 10_004, 6, 77


@wb.kernel_strategy
def tell(d: Desk) -> None:
    """Write down one number of each table, and one of its extents."""
    d.memory[0] = d.counters[slots.NOW]
    d.memory[1] = d.touch[3]
    d.memory[2] = d.levels[1, ASK - d.base[0]] + d.levels.shape[1]
    d.memory[3] = d.base[0]
    d.memory[4] = d.orders[3, slots.PRICE] + len(d.orders)
    d.memory[5] = d.commands[2, slots.NUMBER] + d.commands.shape[1]
    d.memory[6] = d.held[7]
    d.memory[7] = d.delays[-1]
    d.memory[8] = d.params[1]


def told(matcher: Matcher) -> list[float]:
    """What the strategy wrote down at its only step."""
    rows = EventBatch.of(
        ts=[AT, AT],
        kind=[EventKind.DEPTH, EventKind.SNAPSHOT_END],
        side=[-1, 0],
        price=[ASK, 0],
        size=[LOTS, 0],
    )
    matcher.step_every(None)
    matcher.advance(Rows.of(rows), AT, strategy=tell)
    return [float(number) for number in matcher.desk.memory[:9]]


def test_every_field_is_the_desks_own() -> None:
    """The numbers and extents of each, and what a strategy writes is in the desk."""
    matcher = Matcher(entry_ns=np.array([4, 9]), params=(1.5, 2.5), window_ticks=2048)
    d = matcher.desk
    d.orders[3, slots.PRICE], d.commands[2, slots.NUMBER], d.held[7] = 15, 16, 17
    expected = [AT, LOTS, LOTS + 2048, ASK - 1024, 15 + len(d.orders), 16 + slots.COMMAND_SLOTS, 17, 9, 2.5]
    assert told(matcher) == expected


def test_tables_that_grew_are_seen_where_they_are_now() -> None:
    """The desk is laid down anew for each pass of the engine."""
    matcher = Matcher(params=(1.5, 2.5), window_ticks=2048)
    first = len(matcher.desk.orders)
    for number in range(first + 1):
        matcher.submit(AT, 1, 5 + number % 7, 1)
    assert len(matcher.desk.orders) == 2 * first
    assert told(matcher)[4] == matcher.orders[3, slots.PRICE] + 2 * first


def test_a_field_that_is_not_there_is_refused_by_name() -> None:
    """When the strategy is compiled."""
    with pytest.raises(TypingError, match="bids"):

        @wb.kernel_strategy
        def wrong(d: Desk) -> None:
            d.memory[0] = d.bids[0]  # type: ignore[attr-defined]
