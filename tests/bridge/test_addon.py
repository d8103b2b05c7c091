"""The add-on's core: what it asks for, what it watches, and that nothing stops it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.addon_bench import SECOND, WALL, Bench, armed, attached, buy
from tests.support.bookmap_wire import ALIAS, TRADING_TYPES, book, instrument_info, line
from tests.support.desk_floor import update
from workbench.bridge.desk import SETTING
from workbench.bridge.facts import describe
from workbench.bridge.watch import STALE_NS
from workbench.events import EventKind, Status
from workbench.protocol import messages

# -- attaching -------------------------------------------------------------------------------------------------------


def test_the_first_line_is_the_greeting() -> None:
    """Type 0 before anything else."""
    bench = Bench()
    bench.go_on()
    assert bench.written == [["0"]]


def test_an_instrument_is_asked_for_once_and_then_released() -> None:
    """Six requests, each type once, then 13: Bookmap waits for it with a lock over all add-ons."""
    bench = attached()
    assert [fields[0] for fields in bench.written] == ["0", *["3"] * 6, "13"]
    assert sorted(int(fields[3]) for fields in bench.of_type("3")) == [5, 8, 18, 22, 27, 28]
    assert len({fields[2] for fields in bench.of_type("3")}) == 6


def test_the_script_for_orders_also_registers_its_setting_off() -> None:
    """The lock in Bookmap's panel: a tick box with default 0, no reload, before the requests."""
    bench = attached(trading=True)
    assert [fields[0] for fields in bench.written] == ["0", "14", "14", *["3"] * 6, "13"]
    assert bench.of_type("14")[0] == ["14", ALIAS, "BOOLEAN", SETTING, "0", "0"]


def test_an_instrument_that_comes_again_is_asked_for_again() -> None:
    """A rewound replay: one round of requests per attachment, with numbers of its own."""
    bench = attached()
    bench.receive(instrument_info(), book())
    assert len(bench.of_type("3")) == 12 and len(bench.of_type("13")) == 2
    assert len({fields[2] for fields in bench.of_type("3")}) == 12


@pytest.mark.parametrize("pips", ["0.0", "NaN", "-0.25", "Infinity"])
def test_an_instrument_that_cannot_be_served_is_released_too(pips: str) -> None:
    """Without 13 Bookmap would hang; nothing is asked for, and the reason can be read."""
    bench = Bench()
    bench.receive(line(1), instrument_info(pips=pips), book())
    assert [fields[0] for fields in bench.written] == ["0", "13"]
    assert list(bench.addon.refused) == [ALIAS] and not bench.published and not bench.addon.attached


def test_an_alias_that_fits_on_no_line_is_not_answered() -> None:
    """A control character cannot be sent back; the add-on lives on."""
    bench = Bench()
    bench.receive(line(1), instrument_info("a\x07b"), instrument_info())
    assert list(bench.addon.attached) == [ALIAS]


def test_attached_and_detached_in_one_read_leaves_nothing() -> None:
    """Lines about an instrument that is gone would be errors on Bookmap's side."""
    bench = Bench()
    bench.receive(line(1), instrument_info(), line(7, ALIAS))
    assert bench.written == [["0"]] and not bench.addon.attached


def test_detached_instruments_end_their_stream_and_take_no_commands() -> None:
    """CLEAR and ENDED; the numbers go on when it comes back."""
    bench = attached()
    bench.receive(line(7, ALIAS))
    assert bench.stream().kind[-2:].tolist() == [EventKind.CLEAR, EventKind.STATUS]
    assert bench.stream().size[-1] == Status.ENDED
    answer = bench.ask(messages.Notify(symbol=ALIAS, text="hello"))
    assert isinstance(answer, messages.Error) and answer.code == "unknown_instrument"
    bench.receive(instrument_info(), book())
    assert EventKind.SNAPSHOT_END in bench.stream().kind[-2:]


def test_another_tick_belongs_to_the_events_after_it() -> None:
    """Events are handed on with the instrument as it was when they came."""
    bench = attached()
    before = len(bench.published)
    bench.receive(line(7, ALIAS), instrument_info(pips=0.5), book())
    ticks = [str(p.instrument.tick_size) for p in bench.published[before:]]
    assert ticks[0] == "0.25" and ticks[-1] == "0.5" and sorted(ticks) == ticks


@pytest.mark.parametrize(
    "closing",
    [
        line(15, ALIAS, SETTING, "BOOLEAN", "false"),
        line(7, ALIAS),
        line(7, ALIAS) + instrument_info() + book(),
        line(16),
    ],
)
def test_a_cancel_does_not_leave_behind_a_lock_that_the_same_read_shut(closing: bytes) -> None:
    """Bookmap names an order whose cancel waits, and shuts the lock, detaches or ends: not one line of orders goes."""
    bench = armed()
    bench.ask(buy())
    bench.ask(messages.CancelOrder(client_order_id="a-1", symbol=ALIAS, request_id=2))
    assert [fields[0] for fields in bench.written if fields[0] in TRADING_TYPES] == ["19"]
    bench.receive(line(21, json.dumps(update(instrumentAlias=ALIAS))), closing)
    assert not bench.of_type("23")


# -- watching --------------------------------------------------------------------------------------------------------


def test_requests_without_an_answer_are_named() -> None:
    """After two seconds, in the log and in the facts."""
    bench = Bench()
    bench.receive(line(1), instrument_info())
    for fields in bench.of_type("3")[1:]:
        bench.receive(line(4, fields[2]))
    bench.move(2 * SECOND)
    assert bench.addon.log() == [f"{ALIAS}: Bookmap did not confirm the request for depth"]
    facts = describe(bench.addon, WALL, bench.mono)
    assert facts["instruments"][ALIAS]["unanswered"] == ["depth"]


def test_silence_makes_a_stream_stale_and_an_interval_makes_it_live() -> None:
    """One STATUS row each; new orders are refused in between."""
    bench = armed()
    bench.move(STALE_NS)
    assert bench.stream().size[-1] == Status.STALE
    refused = bench.ask(buy())
    assert isinstance(refused, messages.Order) and refused.status == "REJECTED"
    assert refused.reason.startswith("STALE_BOOK")
    bench.receive(line(12, ALIAS))
    last = bench.stream()[len(bench.stream()) - 3 :]
    assert last.kind.tolist() == [EventKind.STATUS, EventKind.CLOCK, EventKind.STATUS]
    assert last.size.tolist()[::2] == [Status.STALE, Status.LIVE]
    assert isinstance(bench.ask(buy("a-2")), messages.Order) and len(bench.of_type("19")) == 1


def test_no_order_goes_on_a_book_of_two_seconds_ago() -> None:
    """Fault 50: 1.5 s after the last interval orders are refused, and everyone is told why until one comes."""
    bench = armed()
    bench.receive(line(12, ALIAS))
    bench.mono += 3 * SECOND // 2
    assert bench.ask(buy()).status == "PENDING_NEW"  # type: ignore[attr-defined]
    bench.mono += 1
    refused = bench.ask(buy("a-2"))
    assert isinstance(refused, messages.Order) and refused.reason.startswith("STALE_BOOK")
    assert bench.told(messages.Trading)[-1].reason.startswith("STALE_BOOK")
    bench.receive(line(12, ALIAS))
    assert bench.told(messages.Trading)[-1].reason == ""
    assert len(bench.of_type("19")) == 1


def test_orders_are_refused_while_we_are_behind() -> None:
    """More than a thousand events wait in the socket: what the trader sees is old."""
    bench = armed()
    depth = [line(8, ALIAS, True, 90 - n % 50, n) for n in range(1_500)]
    bench.receive(*depth, full=True)
    refused = bench.ask(buy())
    assert isinstance(refused, messages.Order) and refused.reason.startswith("STALE_BOOK")
    assert describe(bench.addon, WALL, bench.mono)["backlog"]["degraded"]
    bench.receive(line(12, ALIAS))
    assert isinstance(bench.ask(buy("a-2")), messages.Order)
    assert len(bench.of_type("19")) == 1


def test_orders_are_refused_on_what_was_not_read_yet() -> None:
    """A process that was stopped finds the market of its absence in the socket: no order goes before that is read."""
    bench = armed()
    bench.addon.found_waiting(1 << 16, bench.mono, WALL + bench.mono + SECOND, bench.mono + SECOND)
    refused = bench.ask(buy())
    assert isinstance(refused, messages.Order) and refused.reason.startswith("STALE_BOOK")
    bench.receive(line(12, ALIAS))
    assert bench.ask(buy("a-2")).status == "PENDING_NEW"  # type: ignore[attr-defined]
    assert len(bench.of_type("19")) == 1


def test_deadlines_are_met_when_time_is_moved_to_them() -> None:
    """A shell that sleeps until the deadline finds it later afterwards, and ends up with none of the past."""
    bench = armed()
    for _ in range(20):
        deadline = bench.addon.deadline()
        if deadline is None:
            break
        assert deadline >= bench.mono
        bench.move(deadline - bench.mono)
        assert (after := bench.addon.deadline()) is None or after > deadline


# -- faults ----------------------------------------------------------------------------------------------------------


def test_a_read_that_fails_is_a_gap_and_no_book_after_it_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are never lost in silence, whatever fails; the add-on lives on."""
    bench = attached()
    translator = bench.addon.translator
    with monkeypatch.context() as patch:
        patch.setattr(translator, "_take", lambda *_: 1 / 0)
        bench.receive(line(8, ALIAS, True, 50, 1))
    bench.receive(line(8, ALIAS, True, 51, 1))
    stream = bench.stream()
    assert (stream.kind[-2], stream.size[-2], stream.price[-1]) == (EventKind.GAP, -1, 51)
    assert not translator.markets[ALIAS].book_state().valid
    bench.receive(instrument_info(), line(8, ALIAS, True, 51, 1), line(12, ALIAS))
    assert translator.markets[ALIAS].book_state().valid


def test_an_exception_in_our_own_code_costs_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every handler may fail: it is counted and told, and the next line is worked on."""
    bench = attached()

    def fail(*arguments: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(bench.addon.broadcasts, "event", fail)
    bench.receive(line(29, "g", "{}"), line(8, ALIAS, True, 50, 1))
    assert bench.addon.failures.count == 1 and "a bug" in bench.addon.failures.examples[0]
    assert bench.stream().price[-1] == 50


def test_reports_without_sense_are_counted_and_told() -> None:
    """An order without a side, a position that is no number, an execution of nobody: facts and notes say so."""
    bench = attached(trading=True)
    bench.receive(line(21, json.dumps(update(instrumentAlias=ALIAS, isBuy=1))))
    bench.receive(line(28, json.dumps({"instrumentAlias": ALIAS, "position": "7"})))
    bench.receive(
        line(20, ALIAS, json.dumps({"orderId": "9", "executionId": "e", "size": 1, "price": 25.0, "time": 1}))
    )
    facts = describe(bench.addon, WALL, bench.mono)
    told = facts["instruments"][ALIAS]
    assert (told["bad_reports"], told["executions_waiting"]) == (2, 1)
    assert "isBuy 1" in facts["notes"][-2] and "position '7'" in facts["notes"][-1]


def test_lines_of_outgoing_types_are_never_echoed() -> None:
    """The official client sends them back to Bookmap."""
    bench = attached()
    before = list(bench.written)
    bench.receive(*(line(n, ALIAS, "x") for n in (0, 3, 9, 11, 13, 14, 19, 23, 24, 25, 26, 30, 33)))
    bench.receive(line("socket"), line(-1, "error"), b"\n\r\n", line(99, "x"))
    assert bench.written == before


FIELD = st.one_of(
    st.sampled_from(
        ["8", "5", "18", "2", "7", "12", "15", "21", "29", "31", ALIAS, "1", "0", "true", "{}", SETTING]
    ),
    st.text(max_size=8),
    st.integers(-(2**65), 2**65).map(str),
    st.just('{"instrumentAlias":"' + ALIAS + '","orderId":"1","status":"WORKING"}'),
)
LINE = st.one_of(
    st.lists(FIELD, min_size=1, max_size=8).map(lambda fields: line(*fields)),
    st.binary(max_size=40).map(lambda data: data + b"\n"),
)


@settings(max_examples=100)
@given(lines=st.lists(LINE, max_size=20))
def test_nothing_bookmap_sends_stops_the_add_on(lines: list[bytes]) -> None:
    """Any lines: no exception, no trading line, numbers without holes, and good lines after them still count."""
    bench = attached(trading=True)
    bench.receive(*lines)
    bench.move(SECOND)
    if ALIAS in bench.addon.attached:
        bench.receive(line(8, ALIAS, True, 77, 5))
        assert bench.stream().price[-1] == 77
    assert not TRADING_TYPES & {fields[0] for fields in bench.written}
    assert bench.addon.failures.count == 0, bench.addon.failures.examples
    assert np.all(np.diff(bench.stream().ts) >= 0)
