"""Lines from Bookmap mean what the official client takes them to mean, and nothing else ever escapes."""

from __future__ import annotations

import json
from typing import Any

import bookmap.bookmap as official
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bookmap_lines import ALIAS, info, line, streams
from workbench.bridge import wire


def read(*fields: object) -> wire.Message:
    """Read one line of these fields."""
    return wire.parse(line(*fields))


def test_an_instrument_is_read_with_all_its_fields() -> None:
    """Name, grid and features come as sent; an unknown full name is empty."""
    message = read(2, "A B@C", "Gold", 1, 0.1, 1000.0, 1.0, '{"mbo":true}')
    assert message == wire.InstrumentInfo("A B@C", "Gold", True, 0.1, 1000.0, 1.0, {"mbo": True})
    unknown = wire.parse(info())
    assert isinstance(unknown, wire.InstrumentInfo)
    assert unknown.full_name == ""


def test_features_that_cannot_be_read_are_none() -> None:
    """Features are hints: broken or missing ones do not keep an instrument out."""
    for more in ("{", "[1]", "", "null"):
        message = wire.parse(info(more=more))
        assert isinstance(message, wire.InstrumentInfo)
        assert message.features == {}


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\r"])
def test_every_end_of_line_is_taken(end: bytes) -> None:
    """Windows ends lines with two characters."""
    assert wire.parse(line(4, 7).rstrip(b"\n") + end) == wire.Response(7)


def test_empty_fields_at_the_end_may_be_missing() -> None:
    """Java drops them when it splits, Python keeps them: both spellings mean no ids."""
    fields = (5, ALIAS, "100.0", 2, 0, 1, 1, 0)
    expected = wire.Trade(ALIAS, 100.0, 2, False, True, True, False, "", "")
    assert read(*fields) == read(*fields, "", "") == expected


def test_doubles_come_in_javas_spelling() -> None:
    """Small and large doubles are written with an exponent."""
    message = wire.parse(info(pips="1.0E-5", size_multiplier="1.2345678E7"))
    assert isinstance(message, wire.InstrumentInfo)
    assert (message.pips, message.size_multiplier) == (0.00001, 12345678.0)


@pytest.mark.parametrize(
    "fields",
    [
        (8, ALIAS, "true", 1, 1),
        (8, ALIAS, 1, "1.0", 1),
        (8, ALIAS, 1, "1_0", 1),
        (8, ALIAS, 1, " 1", 1),
        (8, ALIAS, 1, "١", 1),
        (8, ALIAS, 1, 2**31, 1),
        (8, ALIAS, 1, 1, -1),
        (8, "", 1, 1, 1),
        (8, ALIAS, 1, 1),
        (5, ALIAS, "NaN", 1, 0, 0, 0, 0, "", ""),
        (5, ALIAS, "3.0E9", 1, 0, 0, 0, 0, "", ""),
        (18, ALIAS, "BID", "1", 1, 1),
        (18, ALIAS, "BID_NEW", "", 1, 1),
        (18, ALIAS, "REPLACE", "1", 1, -1),
        (4, ""),
        (20, ALIAS, "{"),
        (21, "[]"),
        (21, '{"a":' * 100_000),
        ("x",),
        ("",),
    ],
)
def test_what_is_not_as_it_should_be_is_a_bad_line(fields: tuple[object, ...]) -> None:
    """A bad line is told with its beginning, never guessed at."""
    with pytest.raises(wire.BadLineError) as raised:
        read(*fields)
    assert str(fields[0]) in raised.value.fields["line"]  # type: ignore[operator]
    assert len(raised.value.fields["line"]) <= wire.MAX_QUOTED  # type: ignore[arg-type]


def test_bytes_that_are_no_text_are_a_bad_line() -> None:
    """One such byte kills the official client's reader; here it is one bad line."""
    with pytest.raises(wire.BadLineError, match="xff"):
        wire.parse(b"8\xee\x80\x80\xff\n")


def test_a_colour_setting_is_text() -> None:
    """The official client dies of it."""
    value = "java.awt.Color[r=1,g=2,b=3]"
    assert read(15, ALIAS, "c", "COLOR", value) == wire.SettingChanged(ALIAS, "c", "COLOR", value)


def test_only_the_word_true_opens_a_boolean_setting() -> None:
    """A setting is a lock: everything else leaves it closed."""
    for text, expected in (("true", True), ("false", False), ("1", False), ("True", False), ("", False)):
        assert read(15, ALIAS, "x", "BOOLEAN", text) == wire.SettingChanged(ALIAS, "x", "BOOLEAN", expected)


def test_a_cancel_needs_neither_price_nor_size() -> None:
    """They say -1, and are left out."""
    assert read(18, ALIAS, "CANCEL", "12", -1, -1) == wire.Mbo(ALIAS, "CANCEL", "12", 0, 0)
    assert read(18, ALIAS, "CANCEL", "12") == wire.Mbo(ALIAS, "CANCEL", "12", 0, 0)


def test_numbers_that_are_none_become_nothing() -> None:
    """Gson writes NaN as it is; numbers that could not be written again are as if left out."""
    message = read(
        21, '{"averageFillPrice": NaN, "a": 1e999, "b": -Infinity, "c": 1%s, "d": 2.5}' % ("0" * 30)
    )
    expected = {"averageFillPrice": None, "a": None, "b": None, "c": None, "d": 2.5}
    assert message == wire.OrderUpdate(expected)


def test_json_text_can_be_written_again() -> None:
    """Half a surrogate pair is replaced; a whole one is one character."""
    message = read(29, "gen", r'{"a": "\ud800", "b": "\ud83d\ude00", "\udfff": ["\ud800"]}')
    assert message == wire.Broadcasting("gen", {"a": "?", "b": "\U0001f600", "?": ["?"]})


def test_a_broadcast_may_be_any_json() -> None:
    """Other add-ons send what they like."""
    assert read(29, "gen", "[1, 2]") == wire.Broadcasting("gen", {"value": [1, 2]})
    assert read(32, "gen", '{"a": 1}') == wire.BroadcastSettings("gen", {"a": 1})


def test_providers_come_as_names_or_as_json_in_texts() -> None:
    """The list holds texts only, whatever the package's README says."""
    plain = json.dumps({"Pulse": ["one", '{"name": "two"}', "{broken"], "Odd": "alone"})
    listed = {"Pulse": ["one", {"name": "two"}, "{broken"], "Odd": ["alone"]}
    assert read(31, plain) == wire.Providers(listed)


def test_unknown_types_are_no_bad_lines() -> None:
    """A newer Bookmap may say more; types that we send ourselves mean nothing either."""
    for number in (-1, 6, 19, 99):
        assert read(number, "x", "y") == wire.Other(number)


@given(st.one_of(st.binary(max_size=200), streams))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    """Whatever arrives is a message or a bad line."""
    for text in data.split(b"\n"):
        try:
            wire.parse(text)
        except wire.BadLineError as error:
            assert len(error.fields["line"]) <= wire.MAX_QUOTED  # type: ignore[arg-type]


_fields = st.lists(
    st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.integers().map(str)),
    max_size=11,
)


@given(st.integers(-1, 34), _fields)
def test_no_fields_raise_anything_else(number: int, fields: list[str]) -> None:
    """Known types with any fields are messages or bad lines."""
    try:
        read(number, *fields)
    except wire.BadLineError:
        return


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((8, ALIAS, 1, -3, 7), (ALIAS, True, -3, 7)),
        ((18, ALIAS, "BID_NEW", "77", 5, 6), (ALIAS, "BID_NEW", "77", 5, 6)),
        (
            (5, ALIAS, "7.5", 3, 0, 1, 0, 1, "11", ""),
            (ALIAS, 7.5, 3, False, True, False, True, "11", ""),
        ),
        ((10, 3, 42), (3, 42)),
        ((15, ALIAS, "n", "NUMBER", "2.5"), (ALIAS, "n", "NUMBER", 2.5)),
        ((20, ALIAS, '{"size": 1}'), (ALIAS, {"size": 1})),
    ],
)
def test_lines_mean_what_the_official_client_reads(
    fields: tuple[Any, ...], expected: tuple[Any, ...]
) -> None:
    """The same line gives the same values in both clients."""
    text = line(*fields).decode().rstrip("\n")
    assert tuple(official._get_parameters_from_msg(str(fields[0]), text)) == expected
    message = read(*fields)
    assert tuple(getattr(message, name) for name in type(message).__slots__) == expected  # type: ignore[union-attr]
