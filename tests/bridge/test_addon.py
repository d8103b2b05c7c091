"""The add-on's core: what it asks for, what it hands on, who may make it trade, and that nothing stops it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.bookmap_wire import ALIAS, SEPARATOR, TRADING_TYPES, book, instrument_info, line
from workbench.bridge.addon import Addon, Published
from workbench.bridge.desk import SETTING
from workbench.bridge.facts import describe
from workbench.bridge.watch import STALE_NS
from workbench.events import EventBatch, EventKind, Status
from workbench.protocol import messages
from workbench.protocol.decoding import encode

WALL = 1_767_225_600_000_000_000
SECOND = 1_000_000_000
OTHER = "BTCUSDT@BNF"


class KeptJournal:
    """A journal in memory; may be made to fail."""

    def __init__(self) -> None:
        self.used_ids: dict[str, str] = {}
        self.entries: list[Mapping[str, Any]] = []
        self.fails = False

    def write(self, entries: Iterable[Mapping[str, Any]]) -> None:
        if self.fails:
            raise OSError(28, "No space left on device")
        self.entries += entries


class Bench:
    """An add-on on the table: time stands still unless it is moved."""

    def __init__(self, *, trading: bool = False):
        self.journal = KeptJournal()
        self.addon = Addon(trading=trading, open_journal=lambda symbol: self.journal)
        self.mono = 0
        self.written: list[list[str]] = []
        self.published: list[Published] = []
        self.account: list[messages.AccountMessage] = []
        self.addon.connected()

    def receive(self, *data: bytes, full: bool = False) -> None:
        self.addon.receive(b"".join(data), WALL + self.mono, self.mono, full=full)
        self.go_on()

    def move(self, ns: int) -> None:
        self.mono += ns
        self.addon.on_time(WALL + self.mono, self.mono)
        self.go_on()

    def ask(self, command: messages.Command, owner: str = "one") -> messages.Message:
        answer = self.addon.command(owner, command, WALL + self.mono, self.mono)
        self.go_on()
        return answer

    def go_on(self) -> None:
        data = self.addon.orders_to_send() + self.addon.lines_to_send(WALL + self.mono, self.mono)
        self.written += [text.decode().split(SEPARATOR) for text in data.split(b"\n")[:-1]]
        self.published += self.addon.publications()
        self.account += self.addon.account_messages()

    def of_type(self, number: str) -> list[list[str]]:
        return [fields for fields in self.written if fields[0] == number]

    def stream(self, alias: str = ALIAS) -> EventBatch:
        """Everything published of an instrument; fails at a hole."""
        return EventBatch.concatenate([p.batch for p in self.published if p.instrument.symbol == alias])

    def told(self, kind: type[messages.AccountMessage]) -> list[Any]:
        return [message for message in self.account if isinstance(message, kind)]


def attached(*, trading: bool = False) -> Bench:
    """An add-on with one instrument and its book."""
    bench = Bench(trading=trading)
    bench.receive(line(1), instrument_info(), book())
    for fields in bench.of_type("3"):
        bench.receive(line(4, fields[2]))
    return bench


def armed() -> Bench:
    """An add-on with both locks open."""
    bench = attached(trading=True)
    bench.receive(line(15, ALIAS, SETTING, "BOOLEAN", "true"))
    answer = bench.ask(arm())
    assert isinstance(answer, messages.Trading) and answer.armed
    return bench


def arm(symbol: str = ALIAS) -> messages.Arm:
    return messages.Arm(symbol=symbol, minutes=10.0, max_orders=5, max_size=3.0, request_id=1)


def buy(name: str = "a-1", **more: Any) -> messages.PlaceOrder:
    return messages.PlaceOrder(
        symbol=ALIAS, side="BUY", order_type="LIMIT", quantity=1.0, price=25.0, client_order_id=name, **more
    )


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


# -- locks -----------------------------------------------------------------------------------------------------------


def test_an_order_leaves_when_both_locks_are_open_and_its_journal_is_written() -> None:
    """One line of type 19, after the entry that names its id."""
    bench = armed()
    answer = bench.ask(buy())
    assert isinstance(answer, messages.Order) and answer.status == "PENDING_NEW"
    assert len(bench.of_type("19")) == 1
    assert any(entry.get("client_order_id") == "a-1" for entry in bench.journal.entries)


def test_no_order_leaves_whose_journal_cannot_be_written() -> None:
    """A full disk: the order is refused, and later ones are not affected by it."""
    bench = armed()
    bench.journal.fails = True
    answer = bench.ask(buy())
    assert isinstance(answer, messages.Order) and answer.status == "REJECTED" and not bench.of_type("19")
    bench.journal.fails = False
    bench.ask(buy("a-2"))
    assert len(bench.of_type("19")) == 1


def test_no_order_leaves_without_a_journal() -> None:
    """What cannot be remembered is not sent: the script for orders cannot trade then."""
    bench = Bench(trading=True)
    bench.addon = Addon(trading=True)
    bench.receive(line(1), instrument_info(), book(), line(15, ALIAS, SETTING, "BOOLEAN", "true"))
    assert isinstance(bench.ask(arm()), messages.Error)
    assert isinstance(bench.ask(buy()), messages.Error | messages.Order) and not bench.of_type("19")


def test_the_client_that_armed_takes_its_lock_with_it() -> None:
    """Another client's leaving changes nothing."""
    bench = armed()
    bench.addon.owner_left("two", WALL, bench.mono)
    bench.ask(buy())
    bench.addon.owner_left("one", WALL, bench.mono)
    refused = bench.ask(buy("a-2"), owner="two")
    assert isinstance(refused, messages.Error) and refused.code == "not_armed"
    assert len(bench.of_type("19")) == 1


@pytest.mark.parametrize("value", ["false", "1", "TRUE", "yes", ""])
def test_only_the_word_true_opens_the_lock_in_bookmap(value: str) -> None:
    """Anything else closes it."""
    bench = armed()
    bench.receive(line(15, ALIAS, SETTING, "BOOLEAN", value))
    refused = bench.ask(buy())
    assert isinstance(refused, messages.Error) and not bench.of_type("19")


def test_a_setting_of_another_name_or_instrument_opens_nothing() -> None:
    """A COLOR setting kills the official client; here it is a line like any other."""
    bench = attached(trading=True)
    bench.receive(
        line(15, ALIAS, "Other", "BOOLEAN", "true"),
        line(15, OTHER, SETTING, "BOOLEAN", "true"),
        line(15, ALIAS, SETTING, "STRING", "true"),
        line(15, ALIAS, SETTING, "COLOR", "java.awt.Color[r=1,g=2,b=3]"),
    )
    bench.ask(arm())
    assert isinstance(bench.ask(buy()), messages.Error) and not bench.of_type("19")
    assert bench.addon.translator.bad_lines == 0


def test_detaching_closes_the_lock_and_leaves_orders_unknown() -> None:
    """What became of them nobody knows; coming back does not arm."""
    bench = armed()
    bench.ask(buy())
    bench.receive(line(7, ALIAS))
    assert bench.told(messages.Order)[-1].unknown
    bench.receive(instrument_info(), book(), line(15, ALIAS, SETTING, "BOOLEAN", "true"))
    assert isinstance(bench.ask(buy("a-2")), messages.Error)
    bench.ask(arm())
    again = bench.ask(buy())
    assert len(bench.of_type("19")) == 1, f"sent twice: {again}"


def test_several_instruments_are_disarmed_with_one_word() -> None:
    """Without a symbol DISARM and CANCEL_ALL mean all; an order must name its instrument."""
    bench = armed()
    bench.receive(instrument_info(OTHER), book(OTHER))
    answer = bench.ask(messages.Disarm(request_id=9))
    assert answer == messages.Done(request_id=9)
    refused = bench.ask(messages.CancelOrder(client_order_id="a-1", request_id=10))
    assert isinstance(refused, messages.Error) and refused.code == "unknown_instrument"
    assert isinstance(bench.ask(buy()), messages.Error)


# -- drawings, messages, broadcasts ----------------------------------------------------------------------------------


def test_a_drawing_is_answered_at_once_and_told_when_it_is_drawn() -> None:
    """DONE says that it was taken; DRAWN carries the value that Bookmap got."""
    bench = attached()
    publish = messages.Publish(symbol=ALIAS, indicator="vwap", value=25.125, request_id=3)
    assert bench.ask(publish) == messages.Done(request_id=3)
    assert not bench.told(messages.Drawn)
    bench.receive(line(10, bench.of_type("9")[0][2], 42))
    assert bench.of_type("11") == [["11", ALIAS, "42", "100.5"]]
    (drawn,) = bench.told(messages.Drawn)
    assert (drawn.indicator, drawn.value, drawn.where) == ("vwap", 25.125, "chart")


def test_a_message_names_an_attached_instrument_only() -> None:
    """About any other, Bookmap's sender would die."""
    bench = attached()
    assert isinstance(bench.ask(messages.Notify(symbol=ALIAS, text="absorption")), messages.Done)
    assert bench.of_type("33") == [["33", ALIAS, "absorption"]]
    assert isinstance(bench.ask(messages.Notify(symbol=OTHER, text="x")), messages.Error)
    assert len(bench.of_type("33")) == 1


def test_broadcasts_are_told_with_their_provider() -> None:
    """As account messages, of the one instrument there is."""
    bench = attached()
    bench.ask(messages.Listen(provider="Market Pulse", generator="volume"))
    bench.receive(line(31, '{"Market Pulse":["volume"]}'), line(29, "volume", '{"v":1.5}'))
    providers, event = bench.told(messages.Broadcast)
    assert providers.kind == "providers" and event.provider == "Market Pulse" and event.symbol == ALIAS


@pytest.mark.parametrize(
    "command", [messages.Shutdown(), messages.Record(out="/x"), messages.Replay(action="pause")]
)
def test_a_bridge_belongs_to_bookmap(command: messages.Command) -> None:
    """It cannot be stopped, does not record and has no virtual time."""
    answer = attached().ask(command)
    assert isinstance(answer, messages.Error) and answer.code == "not_supported"


# -- faults ----------------------------------------------------------------------------------------------------------


def test_an_exception_in_our_own_code_costs_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every handler may fail: it is counted and told, and the next line is worked on."""
    bench = attached()

    def fail(*arguments: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(bench.addon.broadcasts, "event", fail)
    bench.receive(line(29, "g", "{}"), line(8, ALIAS, True, 50, 1))
    assert bench.addon.failures.count == 1 and "a bug" in bench.addon.failures.examples[0]
    assert bench.stream().price[-1] == 50


def test_a_command_that_fails_inside_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client learns it; the add-on lives on."""
    bench = attached()

    def fail(*arguments: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(bench.addon.broadcasts, "listen", fail)
    answer = bench.ask(messages.Listen(provider="p", request_id=4))
    assert isinstance(answer, messages.Error) and (answer.code, answer.request_id) == ("internal", 4)


def test_lines_of_outgoing_types_are_never_echoed() -> None:
    """The official client sends them back to Bookmap."""
    bench = attached()
    before = list(bench.written)
    bench.receive(*(line(n, ALIAS, "x") for n in (0, 3, 9, 11, 13, 14, 19, 23, 24, 25, 26, 30, 33)))
    bench.receive(line("socket"), line(-1, "error"), b"\n\r\n", line(99, "x"))
    assert bench.written == before


def test_the_facts_can_be_sent() -> None:
    """Whatever happened, HEALTH is a message that a client can read."""
    bench = armed()
    bench.receive(b"\xff\xfe\n", line(8, ALIAS, True, "NaN", 1), instrument_info("\x07"), line(16))
    facts = describe(bench.addon, WALL, bench.mono)
    assert facts["bad_lines"] == 2 and facts["state"] == "ended"
    encode(messages.Health(ts=0, sources=[facts]))


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


TEXT = st.one_of(st.text(max_size=12), st.sampled_from([ALIAS, "a\n19\ue000{}", "x\r", "\u2028", ""]))
REAL = st.floats(allow_nan=False, allow_infinity=False)
PRICE = st.one_of(st.sampled_from([24.75, 25.0, 25.25]), st.none(), REAL)
NAME = st.one_of(st.sampled_from(["a-1", "a-2", "a-3", "a-4"]), TEXT)
PLACE = st.builds(
    messages.PlaceOrder,
    symbol=st.just(ALIAS),
    side=st.sampled_from(["BUY", "SELL"]),
    order_type=st.sampled_from(["MARKET", "LIMIT", "STOP", "STOP_LIMIT"]),
    quantity=st.sampled_from([1.0, 2.0, 0.5, 1e9]),
    price=PRICE,
    stop_price=PRICE,
    client_order_id=NAME,
    time_in_force=st.one_of(st.sampled_from(["GTC", "IOC"]), TEXT),
    take_profit=st.sampled_from([None, 1.0, 0.3]),
)
GOOD = st.builds(
    messages.PlaceOrder,
    symbol=st.just(ALIAS),
    side=st.sampled_from(["BUY", "SELL"]),
    order_type=st.just("LIMIT"),
    quantity=st.sampled_from([1.0, 2.0]),
    price=st.sampled_from([24.75, 25.0, 25.25]),
    client_order_id=st.sampled_from(["a-1", "a-2", "a-3", "a-4"]),
)
COMMAND = st.one_of(
    GOOD,
    GOOD,
    PLACE,
    st.builds(
        messages.PlaceOrder,
        symbol=TEXT,
        client_order_id=TEXT,
        time_in_force=TEXT,
        side=st.just("BUY"),
        order_type=st.just("MARKET"),
        quantity=st.just(1.0),
    ),
    st.builds(messages.Publish, symbol=st.just(ALIAS), indicator=TEXT, value=REAL),
    st.builds(messages.Notify, symbol=st.one_of(st.just(ALIAS), TEXT), text=TEXT),
    st.builds(messages.Listen, provider=TEXT, generator=TEXT, filtered=st.booleans()),
    st.builds(messages.CancelOrder, symbol=st.just(ALIAS), client_order_id=NAME),
    st.builds(messages.ReplaceOrder, symbol=st.just(ALIAS), client_order_id=NAME, price=PRICE),
    st.builds(messages.CancelAll, symbol=st.one_of(st.just(""), TEXT), flatten=st.booleans()),
    st.builds(
        messages.Arm,
        symbol=st.just(ALIAS),
        minutes=st.floats(0.1, 60),
        max_orders=st.integers(1, 9),
        max_size=st.sampled_from([1.0, 9.0]),
    ),
    st.builds(messages.Disarm, symbol=TEXT, reason=TEXT),
)


@settings(max_examples=100)
@given(commands=st.lists(COMMAND, max_size=15), trading=st.booleans())
def test_with_a_lock_shut_no_command_makes_a_trading_line(
    commands: list[messages.Command], trading: bool
) -> None:
    """Bookmap's lock is shut: whatever clients send, text never adds a line and nothing trades."""
    bench = attached(trading=trading)
    before = len(bench.written)
    for command in commands:
        assert isinstance(bench.ask(command), messages.Message)
    new = bench.written[before:]
    assert {fields[0] for fields in new} <= {"9", "30", "33"}
    assert len(new) <= len(commands)
    assert bench.addon.outgoing.stopped == 0 and bench.addon.failures.count == 0


@settings(max_examples=100)
@given(commands=st.lists(COMMAND, max_size=15))
def test_with_both_locks_open_no_text_adds_a_line(commands: list[messages.Command]) -> None:
    """Each command makes at most one line (a flattening some more), each of a known type."""
    bench = armed()
    before = len(bench.written)
    for command in commands:
        assert isinstance(bench.ask(command), messages.Message)
    new = bench.written[before:]
    assert {fields[0] for fields in new} <= {"9", "30", "33"} | TRADING_TYPES
    assert all(fields[1] == ALIAS for fields in new if fields[0] in ("9", "33", "23", "24", "26"))
    assert bench.addon.failures.count == 0, bench.addon.failures.examples
