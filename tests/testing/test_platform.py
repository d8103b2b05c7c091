"""Bookmap's side of one add-on, line by line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support import bookmap_tape as tape
from workbench.events import EventBatch, EventKind
from workbench.testing.connection import RESET
from workbench.testing.exchange import FIRST_ORDER_ID
from workbench.testing.platform import Platform

ALIAS = tape.INSTRUMENT.symbol
MARKET = ("8", "5", "18")


def connected(*data: str, finish: bool = True, **options: Any) -> Platform:
    """A platform with the opening book, whose add-on has asked for some data."""
    platform = Platform(tape.INSTRUMENT, **options)
    platform.open_book(tape.batches()[0])
    platform.connect()
    for number, one in enumerate(data):
        say(platform, 3, ALIAS, number, one, "")
    if finish:
        say(platform, 13, ALIAS)
    return platform


def say(platform: Platform, *fields: object) -> None:
    platform.receive("\ue000".join(map(str, fields)))


def told(platform: Platform) -> list[str]:
    lines = b"".join(platform.take()).decode().replace("\ue000", "|")
    return lines.split("\n")[:-1]


def order(platform: Platform, **change: Any) -> None:
    say(platform, 19, json.dumps({"alias": ALIAS, "isBuy": True, "size": 1, "clientId": "c"} | change))


def test_it_speaks_first() -> None:
    """1 and 2 come as soon as somebody is there; 0 is logged only."""
    platform = connected(finish=False)
    first, second = told(platform)
    assert first == "1"
    assert second.startswith(f"2|{ALIAS}|E-mini S&P 500|0|0.25|1.0|1.0|{{")
    say(platform, 0)
    assert told(platform) == []


def test_a_name_that_is_not_known_is_the_word_null() -> None:
    """As Java joins a null."""
    platform = Platform(tape.INSTRUMENT.__class__("A", "0.001", "0.01", features={}), features={})
    platform.connect()
    assert told(platform)[1] == "2|A|null|0|0.001|100.0|1.0|{}"


def test_the_book_comes_once_initialisation_has_ended() -> None:
    """Answers at once; the book as ordinary events without any mark."""
    platform = connected("8", "18", finish=False)
    assert told(platform)[2:] == ["4|0", "4|1"]
    platform.play(tape.batches()[1][:2])
    assert told(platform) == []  # initialize() holds everything up
    say(platform, 13, ALIAS)
    assert sorted(told(platform)) == [
        f"18|{ALIAS}|ASK_NEW|12|401|7",
        f"18|{ALIAS}|BID_NEW|11|400|5",
        f"18|{ALIAS}|BID_NEW|13|399|2",
        f"8|{ALIAS}|0|401|7",
        f"8|{ALIAS}|1|399|2",
        f"8|{ALIAS}|1|400|5",
    ]


def test_the_book_may_come_before_its_answer() -> None:
    """Nothing enforces the order that the README names."""
    platform = connected("8", finish=False, snapshot_before_response=True)
    assert [line[:2] for line in told(platform)[2:]] == ["8|", "8|", "4|"]


def test_what_happens_after_an_early_book_is_sent_too() -> None:
    """Whatever the order: book and changes together are the market."""
    platform = connected("8", finish=False, snapshot_before_response=True)
    platform.play(tape.batches()[1][-1:])
    assert told(platform)[-1] == f"8|{ALIAS}|0|402|9"


def test_no_interval_before_the_end_of_initialisation() -> None:
    """Bookmap's initialize() blocks until 13."""
    platform = connected("8", finish=False)
    platform.interval()
    say(platform, 13, ALIAS)
    assert not [line for line in told(platform) if line.startswith("12|")]


def test_asking_twice_doubles_every_event() -> None:
    """A request adds a listener; none takes it away."""
    platform = connected("8", "8")
    told(platform)
    platform.play(tape.batches()[1][-1:])
    assert told(platform) == [f"8|{ALIAS}|0|402|9"] * 2


def test_a_later_clear_removes_what_was_there() -> None:
    """There is no mark for it on the wire."""
    platform = connected("8", "18")
    told(platform)
    platform.play(EventBatch.of(kind=[EventKind.CLEAR]))
    assert sorted(told(platform)) == [
        f"18|{ALIAS}|CANCEL|11|-1|-1",
        f"18|{ALIAS}|CANCEL|12|-1|-1",
        f"8|{ALIAS}|0|401|0",
        f"8|{ALIAS}|1|400|0",
    ]


def test_one_bad_line_makes_it_deaf_but_not_silent() -> None:
    """Market data goes on; nothing of the add-on is heard, cancels included."""
    platform = connected(*MARKET, "22", trading=True)
    order(platform, limitPrice=99.0)
    told(platform)
    say(platform, 33, ALIAS, "")
    say(platform, 23, ALIAS, FIRST_ORDER_ID, True, "nan")
    say(platform, 33, ALIAS, "hello")
    assert platform.deaf
    assert (platform.messages, [one.is_open for one in platform.exchange.orders.values()]) == ([], [True])
    assert [sent.heard for sent in platform.received[-3:]] == [False] * 3
    platform.interval()
    assert told(platform) == [f"12|{ALIAS}"]
    assert "reader stopped" in platform.log[-1]


@pytest.mark.parametrize(
    "fields", [(33, "ELSEWHERE", "hello"), (3, ALIAS, 1, 99, ""), (3, ALIAS, 1, "depth", "")]
)
def test_an_exception_in_the_event_loop_silences_it(fields: tuple[object, ...]) -> None:
    """A message to an instrument that is not attached, data of an unknown kind."""
    platform = connected(*MARKET)
    told(platform)
    say(platform, *fields)
    assert platform.mute
    platform.interval()
    platform.play(tape.batches()[1])
    assert told(platform) == []


@pytest.mark.parametrize(
    "fields",
    [
        (3, "ELSEWHERE", 1, 8, ""),
        (9, "ELSEWHERE", 1, "n", "PRIMARY", 0.0, 1, 1, "1,2,3", "SOLID", 0),
        (11, "ELSEWHERE", 42, 1.0),
        (11, ALIAS, 42, 1.0),
        (14, "ELSEWHERE", "BOOLEAN", "n", 0, 1),
        (30, "Nobody", "None", False),
    ],
)
def test_what_is_not_known_is_logged_only(fields: tuple[object, ...]) -> None:
    """The add-on hears nothing of it."""
    platform = connected()
    told(platform)
    say(platform, *fields)
    assert told(platform) == []
    assert platform.log
    assert not (platform.deaf or platform.mute)


def test_a_setting_is_told_when_made_and_when_applied() -> None:
    """With its default first; a value that was saved comes back with the next add-on."""
    platform = connected()
    told(platform)
    say(platform, 14, ALIAS, "BOOLEAN", "go", 0, 0)
    platform.apply_setting("go", True)
    assert told(platform) == [f"15|{ALIAS}|go|BOOLEAN|false", f"15|{ALIAS}|go|BOOLEAN|true"]
    platform.connect()
    say(platform, 14, ALIAS, "BOOLEAN", "go", 0, 0)
    assert told(platform)[-1] == f"15|{ALIAS}|go|BOOLEAN|true"


def test_a_setting_that_reloads_sends_nothing() -> None:
    """The module is started anew instead."""
    platform = connected()
    say(platform, 14, ALIAS, "NUMBER", "n", 1, 1.0, 0.0, 5.0, 1.0)
    told(platform)
    platform.apply_setting("n", 2)
    assert platform.reload_wanted
    assert told(platform) == []


def test_a_value_of_another_kind_cannot_be_applied() -> None:
    """The panel has a tick for one and a field for the other."""
    platform = connected()
    say(platform, 14, ALIAS, "BOOLEAN", "go", 0, 0)
    with pytest.raises(TypeError, match="BOOLEAN"):
        platform.apply_setting("go", 1)


def test_a_colour_is_javas_own_text() -> None:
    """Which no client reads."""
    platform = connected()
    say(platform, 14, ALIAS, "COLOR", "paint", 0, "1,2,3")
    told(platform)
    platform.apply_setting("paint", (4, 5, 6))
    assert told(platform) == [f"15|{ALIAS}|paint|COLOR|java.awt.Color[r=4,g=5,b=6]"]


def test_indicator_numbers_go_on_over_add_ons() -> None:
    """From 42 up, for the whole run of the platform."""
    platform = connected()
    told(platform)
    for name in ("one", "two"):
        say(platform, 9, ALIAS, 5, name, "BOTTOM", 0.0, 1, 1, "1,2,3", "DOT", 0)
    said = told(platform)
    platform.connect()
    say(platform, 9, ALIAS, 6, "three", "PRIMARY", 0.0, 1, 1, "1,2,3", "SOLID", 0)
    said += told(platform)
    assert [line for line in said if line.startswith("10|")] == ["10|5|42", "10|5|43", "10|6|44"]


def test_the_interval_repeats_the_position() -> None:
    """Every second of data, marked as a duplicate, once there is one."""
    platform = connected("28", "22", trading=True)
    order(platform)
    told(platform)
    for _ in range(10):
        platform.interval()
    said = told(platform)
    assert said.count(f"12|{ALIAS}") == 10
    assert json.loads(said[-1].removeprefix("28|"))["isDuplicate"] is True


def test_orders_of_an_add_on_that_is_no_strategy_are_ignored() -> None:
    """The jar must be built with the box ticked."""
    platform = connected("22")
    order(platform)
    assert platform.exchange.orders == {}
    assert "not built as a trading strategy" in platform.log[-1]


def test_an_unknown_order_is_logged_only() -> None:
    """Nothing is told."""
    platform = connected("22", trading=True)
    told(platform)
    say(platform, 23, ALIAS, "77", True, "nan")
    assert (told(platform), platform.log[-1]) == ([], "no order '77'")


def test_orders_touched_in_the_middle_of_a_batch_are_told_there() -> None:
    """What happened before stands before, what happened after behind."""
    platform = connected("5", "22", trading=True)
    order(platform, limitPrice=100.25, size=20)
    told(platform)
    prints = EventBatch.of(ts=tape.START_NS, kind=EventKind.TRADE, price=[401, 400, 401], size=1, side=-1)
    platform.play(prints)
    assert [line.split("|")[0] for line in told(platform)] == ["5", "5", "20", "21", "5"]


def test_swallowed_orders_leave_no_trace() -> None:
    """No update ever comes."""
    platform = connected("22", trading=True)
    platform.faults.swallow_orders = True
    told(platform)
    order(platform)
    assert (told(platform), platform.exchange.orders) == ([], {})


def test_rejected_orders_have_no_reason() -> None:
    """The wire has no field for one."""
    platform = connected("22", trading=True)
    platform.faults.reject_orders = True
    told(platform)
    order(platform)
    last = json.loads(told(platform)[-1].removeprefix("21|"))
    assert last["status"] == "REJECTED"
    assert "reason" not in last


@pytest.mark.parametrize(("stage", "updates"), [("send", 0), ("ack", 2), ("fill", 3)])
def test_the_connection_can_be_lost_at_each_stage_of_an_order(stage: Any, updates: int) -> None:
    """The order itself lives on, once."""
    platform = connected("22", trading=True)
    told(platform)
    platform.faults.drop_after = stage
    order(platform)
    out = platform.take()
    assert sum(data.startswith(b"21") for data in out) == updates
    assert out[-1] == RESET
    assert [one.filled for one in platform.exchange.orders.values()] == [1]
    platform.connect()
    assert platform.faults.drop_after is None
    assert len(told(platform)) == 2


def test_reports_can_come_twice() -> None:
    """The same execution again; the update again, marked."""
    platform = connected("22", trading=True)
    told(platform)
    platform.faults.duplicate_reports = True
    order(platform)
    said = told(platform)
    executions = [line for line in said if line.startswith("20|")]
    updates = [json.loads(line.removeprefix("21|")) for line in said if line.startswith("21|")]
    assert len(executions) == 2
    assert len(set(executions)) == 1
    assert [one["isDuplicate"] for one in updates] == [False, True] * 3


def test_reports_can_be_late() -> None:
    """They are kept apart for whoever has a clock."""
    platform = connected("22", trading=True)
    told(platform)
    platform.faults.delay_s = 1.0
    order(platform)
    assert told(platform) == []
    assert len(platform.late) == 4


def test_a_new_add_on_hears_of_open_orders() -> None:
    """When it asks for them."""
    platform = connected("22", trading=True)
    order(platform, limitPrice=99.0)
    platform.connect()
    told(platform)
    say(platform, 3, ALIAS, 1, 22, "")
    say(platform, 13, ALIAS)
    (update,) = (json.loads(line.removeprefix("21|")) for line in told(platform) if line.startswith("21|"))
    assert (update["status"], update["clientId"]) == ("WORKING", "c")


def test_the_last_detach_turns_the_server_off() -> None:
    """7, then 16."""
    platform = connected()
    told(platform)
    platform.detach(last=False)
    assert told(platform) == [f"7|{ALIAS}"]
    platform.detach()
    assert told(platform) == [f"7|{ALIAS}", "16"]
    platform.interval()
    assert told(platform) == []


def test_broadcasts_reach_subscribers_only() -> None:
    """29 for events, 32 for settings."""
    platform = connected()
    platform.offer("P", ["g"])
    told(platform)
    assert not platform.broadcast("P", "g", {})
    say(platform, 30, "P", "g", False)
    assert platform.broadcast("P", "g", {"a": 1})
    assert platform.broadcast("P", "g", {"b": 2}, settings=True)
    assert told(platform)[1:] == ['29|g|{"a":1}', '32|g|{"b":2}']
