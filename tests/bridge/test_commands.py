"""What clients may ask of a bridge: who may make it trade, what is drawn and said, and that text stays text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.addon_bench import OTHER, WALL, Bench, arm, armed, attached, buy
from tests.support.bookmap_wire import ALIAS, TRADING_TYPES, book, instrument_info, line
from workbench.bridge.addon import Addon
from workbench.bridge.desk import SETTING
from workbench.protocol import messages

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


def test_a_command_that_fails_inside_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client learns it; the add-on lives on."""
    bench = attached()

    def fail(*arguments: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(bench.addon.broadcasts, "listen", fail)
    answer = bench.ask(messages.Listen(provider="p", request_id=4))
    assert isinstance(answer, messages.Error) and (answer.code, answer.request_id) == ("internal", 4)


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
