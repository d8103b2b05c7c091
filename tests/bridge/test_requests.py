"""The data asked for at the start: each type once, and the silent ones by name."""

from __future__ import annotations

import itertools

from tests.support.bookmap_wire import ALIAS, SEPARATOR
from workbench.bridge.lines import Lines
from workbench.bridge.requests import ANSWER_NS, DataRequests


def make() -> DataRequests:
    return DataRequests(ALIAS, itertools.count(1).__next__, 0)


def test_each_type_of_data_is_asked_for_once() -> None:
    """Depth, trades, orders of the market, own orders, positions, balances; a second request would double events."""
    lines = Lines()
    lines.attach(ALIAS)
    asked = [text.decode().split(SEPARATOR) for text in make().lines(lines)]
    assert [fields[3] for fields in asked] == ["8", "5", "18", "22", "28", "27"]
    assert [fields[2] for fields in asked] == ["1", "2", "3", "4", "5", "6"]


def test_what_is_not_confirmed_in_two_seconds_is_named_once() -> None:
    """A refusal never reaches us: silence is its only sign."""
    requests = make()
    for number in (1, 2, 4, 6):
        requests.answered(number)
    assert requests.unanswered == [] and requests.deadline() == ANSWER_NS
    assert requests.on_time(ANSWER_NS - 1) == []
    assert requests.on_time(ANSWER_NS) == ["market by order", "positions"]
    assert requests.on_time(ANSWER_NS + 1) == []
    assert requests.unanswered == ["market by order", "positions"]


def test_a_late_answer_clears_the_name() -> None:
    """Silence was only slowness."""
    requests = make()
    requests.on_time(ANSWER_NS)
    for number in range(1, 7):
        requests.answered(number)
    assert requests.unanswered == []


def test_nothing_is_waited_for_once_all_is_confirmed() -> None:
    """No deadline, and numbers of other requests change nothing."""
    requests = make()
    for number in (*range(1, 7), 99):
        requests.answered(number)
    assert requests.deadline() is None and requests.on_time(ANSWER_NS) == []
