"""Every line we make is exactly one line, of a type that is allowed, or it is refused."""

from __future__ import annotations

import json
import math
import queue
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import bookmap as official
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.bridge.lines import DURATIONS, LINE_STYLES, PLACES, LineError, Lines
from workbench.bridge.wire import DATA_TYPES, SEPARATOR, Type

ALIAS = "ESZ6.CME@RITHMIC"


def attached() -> Lines:
    """Lines with one instrument attached."""
    lines = Lines()
    lines.attach(ALIAS)
    return lines


def by_package(send: Callable[[dict[str, object]], object]) -> bytes:
    """The line that the official package would put on the wire."""
    events: queue.Queue[str] = queue.Queue()
    send({"event_queue": events})
    return (events.get_nowait() + "\n").encode()


def by_package_order(**known: object) -> bytes:
    """The official package's line for an order with these optional fields."""
    order = official.OrderSendParameters(ALIAS, True, 2)
    for name, value in known.items():
        setattr(order, name, value)
    return by_package(lambda addon: official.send_order(addon, order))


def test_lines_are_the_official_packages_own() -> None:
    """Byte for byte what Bookmap is used to."""
    made = attached()
    requests = [
        official.subscribe_to_depth,
        official.subscribe_to_trades,
        official.subscribe_to_mbo,
        official.subscribe_to_order_info,
        official.subscribe_to_position_updates,
        official.subscribe_to_balance_updates,
    ]
    for kind, subscribe in zip(DATA_TYPES, requests):
        expected = by_package(lambda addon, subscribe=subscribe: subscribe(addon, ALIAS, 7))
        assert made.request_data(ALIAS, 7, kind) == expected
    pairs = [
        (
            made.boolean_setting(ALIAS, "Allow orders"),
            lambda a: official.add_boolean_settings_parameter(a, ALIAS, "Allow orders", False, False),
        ),
        (made.label(ALIAS, "hello"), lambda a: official.add_label_to_settings(a, ALIAS, "hello")),
        (
            made.register_indicator(ALIAS, 3, "vwap", "PRIMARY", 1.5, (1, 2, 255), "DOT"),
            lambda a: official.register_indicator(a, ALIAS, 3, "vwap", "PRIMARY", (1, 2, 255), "DOT", 1.5),
        ),
        (made.add_point(ALIAS, 42, 1e-7), lambda a: official.add_point(a, ALIAS, 42, 1e-7)),
        (made.cancel(ALIAS, "o1"), lambda a: official.cancel_order(a, ALIAS, "o1")),
        (made.cancel(ALIAS, "o1", False, 5), lambda a: official.cancel_order(a, ALIAS, "o1", False, 5)),
        (made.move(ALIAS, "o1", 100.25), lambda a: official.move_order(a, ALIAS, "o1", 100.25)),
        (
            made.move(ALIAS, "o1", stop_price=99.5),
            lambda a: official.move_order(a, ALIAS, "o1", math.nan, 99.5),
        ),
        (made.resize(ALIAS, "o1", 3), lambda a: official.resize_order(a, ALIAS, "o1", 3)),
        (made.subscribe_generator("P"), lambda a: official.subscribe_to_provider(a, "P")),
        (
            made.subscribe_generator("P", "g", True),
            lambda a: official.subscribe_to_generator(a, "P", "g", True),
        ),
        (made.user_message(ALIAS, "hé"), lambda a: official.send_user_message(a, ALIAS, "hé")),
    ]
    for ours, send in pairs:
        assert ours == by_package(send)
    assert made.client_init() == b"0\n"
    assert made.init_finished(ALIAS) == f"13{SEPARATOR}{ALIAS}\n".encode()


def test_orders_are_the_official_packages_own() -> None:
    """The same fields in the same order, those that are not given left out."""
    made = attached()
    assert made.send_order(ALIAS, True, 2) == by_package_order(duration="GTC")
    everything = made.send_order(ALIAS, True, 2, 100.25, 99.5, "DAY", "c1", 8, 16, 4, "tp", "sl")
    assert everything == by_package_order(
        limit_price=100.25,
        stop_price=99.5,
        take_profit_offset=8,
        stop_loss_offset=16,
        stop_loss_trailing_step=4,
        take_profit_client_id="tp",
        stop_loss_client_id="sl",
        duration="DAY",
        client_id="c1",
    )


def test_exact_prices_are_written_as_numbers() -> None:
    """A decimal is a JSON number, never a text."""
    plain = json.loads(attached().send_order(ALIAS, False, 1, Decimal("0.10")).decode().split(SEPARATOR)[1])
    assert plain["limitPrice"] == 0.1
    assert plain["isBuy"] is False


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x.send_order(ALIAS, 1, 1),
        lambda x: x.send_order(ALIAS, np.True_, 1),
        lambda x: x.send_order(ALIAS, True, 2.5),
        lambda x: x.send_order(ALIAS, True, 3.0),
        lambda x: x.send_order(ALIAS, True, True),
        lambda x: x.send_order(ALIAS, True, np.int64(1)),
        lambda x: x.send_order(ALIAS, True, 0),
        lambda x: x.send_order(ALIAS, True, -1),
        lambda x: x.send_order(ALIAS, True, 2**31),
        lambda x: x.send_order(ALIAS, True, 1, math.nan),
        lambda x: x.send_order(ALIAS, True, 1, None, math.inf),
        lambda x: x.send_order(ALIAS, True, 1, 10**400),
        lambda x: x.send_order(ALIAS, True, 1, Decimal("sNaN")),
        lambda x: x.send_order(ALIAS, True, 1, "100"),
        lambda x: x.send_order(ALIAS, True, 1, duration="gtc"),
        lambda x: x.send_order(ALIAS, True, 1, duration=""),
        lambda x: x.send_order(ALIAS, True, 1, take_profit_offset=0),
        lambda x: x.send_order(ALIAS, True, 1, trailing_step=1.0),
        lambda x: x.send_order(ALIAS, True, 1, client_id="a\nb"),
        lambda x: x.cancel(ALIAS, ""),
        lambda x: x.cancel(ALIAS, 12),
        lambda x: x.cancel(ALIAS, "o", False),
        lambda x: x.cancel(ALIAS, "o", 1, 1),
        lambda x: x.cancel(ALIAS, "o", True, 7.0),
        lambda x: x.move(ALIAS, "o"),
        lambda x: x.move(ALIAS, "o", math.nan),
        lambda x: x.resize(ALIAS, "o", 0),
        lambda x: x.request_data(ALIAS, 1, 6),
        lambda x: x.request_data(ALIAS, 2**63, 8),
        lambda x: x.add_point(ALIAS, 1, math.nan),
        lambda x: x.register_indicator(ALIAS, 1, "n", "TOP", 0.0, (0, 0, 0)),
        lambda x: x.register_indicator(ALIAS, 1, "n", "NONE", 0.0, (0, 0, 256)),
        lambda x: x.register_indicator(ALIAS, 1, "n", "NONE", 0.0, "0,0,0"),
        lambda x: x.register_indicator(ALIAS, 1, "n", "NONE", 0.0, (0, 0, 0), "WAVY"),
        lambda x: x.user_message(ALIAS, ""),
        lambda x: x.user_message(ALIAS, "  "),
        lambda x: x.user_message("other", "hello"),
        lambda x: x.init_finished("other"),
        lambda x: x.subscribe_generator("P", "None"),
        lambda x: x.subscribe_generator(""),
        lambda x: x.subscribe_generator("P", "g", 1),
    ],
)
def test_what_would_mute_or_mislead_bookmap_is_refused(make: Callable[[Any], bytes]) -> None:
    """Each of these has silenced Bookmap's side, or turned a buy into a sell."""
    with pytest.raises(LineError):
        make(attached())


@pytest.mark.parametrize("bad", ["\n", "\r", "\x00", "\x85", "\x9b", "\u2028", "\u2029", "\ue000", "\ud800"])
def test_characters_that_end_or_split_a_line_are_refused(bad: str) -> None:
    """A newline in a text has put an order on the wire."""
    with pytest.raises(LineError, match=f"U\\+{ord(bad):04X}"):
        attached().user_message(ALIAS, f"a{bad}b")


def test_a_detached_instrument_gets_no_lines() -> None:
    """Bookmap's side dies of a message about an instrument it does not know."""
    made = attached()
    made.detach(ALIAS)
    with pytest.raises(LineError, match="not attached"):
        made.user_message(ALIAS, "hello")


_values = st.one_of(
    st.text(max_size=12),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.sampled_from([ALIAS, "GTC", "PRIMARY", "DOT", 1, 8, True, (1, 2, 3)]),
)
_METHODS = {
    "request_data": (Type.REQ_DATA, 3),
    "init_finished": (Type.INIT_FINISHED, 1),
    "boolean_setting": (Type.ADD_SETTING, 3),
    "label": (Type.ADD_SETTING, 2),
    "register_indicator": (Type.REGISTER_INDICATOR, 7),
    "add_point": (Type.ADD_POINT, 3),
    "send_order": (Type.SEND_ORDER, 12),
    "cancel": (Type.CANCEL_ORDER, 4),
    "move": (Type.MOVE_ORDER, 4),
    "resize": (Type.RESIZE_ORDER, 3),
    "subscribe_generator": (Type.SUBSCRIBE_GENERATOR, 3),
    "user_message": (Type.USER_MESSAGE, 2),
}


@given(st.sampled_from(sorted(_METHODS)), st.data())
def test_whatever_is_given_makes_one_line_or_none(method: str, data: st.DataObject) -> None:
    """Any value in any field: one line of the method's own type, or a refusal; nothing else is raised."""
    kind, fields = _METHODS[method]
    first = st.just(ALIAS) if method != "subscribe_generator" else _values
    values = [data.draw(first), *(data.draw(_values) for _ in range(fields - 1))]
    try:
        made = getattr(attached(), method)(*values)
    except LineError:
        return
    text = made.decode()
    assert text.splitlines() == [text.removesuffix("\n")]
    assert text.split(SEPARATOR)[0] == str(int(kind))


@given(st.text(max_size=30), st.text(max_size=30))
def test_texts_come_out_as_they_went_in(name: str, text: str) -> None:
    """Where a line is made, its fields are the given ones."""
    try:
        made = attached().register_indicator(ALIAS, 1, name, "NONE", 0.0, (0, 0, 0))
        said = attached().user_message(ALIAS, text)
        order = attached().send_order(ALIAS, True, 1, client_id=name, stop_loss_client_id=text)
    except LineError:
        return
    assert made.decode()[:-1].split(SEPARATOR)[3] == name
    assert said.decode()[:-1].split(SEPARATOR) == ["33", ALIAS, text]
    plain = json.loads(order.decode().split(SEPARATOR)[1])
    assert (plain.get("clientId", ""), plain.get("stopLossClientId", "")) == (name, text)


def test_the_allowed_words_are_bookmaps() -> None:
    """Sent in lower case, a duration has muted the add-on."""
    assert {"GTC", "GTC_PO", "IOC", "FOK", "DAY"} <= DURATIONS
    assert {
        word for words in (DURATIONS, PLACES, LINE_STYLES) for word in words if not word.isupper()
    } == set()
