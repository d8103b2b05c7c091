"""Bookmap's reader takes what Java takes, and does not survive the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.testing.reader import NO_TYPE, ConversionError, LineCutter, convert, leniently, order_request

ORDER: dict[str, Any] = {"alias": "A", "isBuy": True, "size": 1}


def fields(text: str) -> str:
    return text.replace("|", "\ue000")


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("0", (0, ())),
        ("3|A|7|8|", (3, ("A", 7, "8"))),
        ("9|A|1|n|PRIMARY|0.0|1|1|1,2,3|SOLID|0", None),
        ("11|A|42|1e-07", (11, ("A", 42, 1e-7))),
        ("13|A", (13, ("A",))),
        ("14|A|BOOLEAN|n|0|1", (14, ("A", "BOOLEAN", "n", False, True))),
        ("14|A|NUMBER|n|1|1.0|0.0|5.0|0.5", None),
        ("14|A|LABEL|n|0|0", (14, ("A", "LABEL", "n", False))),
        ("23|A|o|True|nan", (23, ("A", "o", True, None))),
        ("23|A|o|false|7", (23, ("A", "o", False, 7))),
        ("26|A|o|+5", (26, ("A", "o", 5))),
        ("30|P|None|False", (30, ("P", "None", False))),
        ("33|A|two words", (33, ("A", "two words"))),
    ],
)
def test_good_lines_are_typed(text: str, typed: tuple[int, tuple[Any, ...]] | None) -> None:
    """Each field has the type that Bookmap's converter gives it."""
    read = convert(fields(text))
    assert typed is None or read == typed


@pytest.mark.parametrize(
    "text",
    [
        "",  # an empty line, as a heartbeat would be
        "second line of a message",
        "99|A",
        "33|A|",  # Java's split drops the empty end
        "33|A",
        "3|A||8",
        "3|A|1.0|8",
        "9|A|1|n|TOP|0.0|1|1|1,2,3|SOLID|0",
        "9|A|1|n|PRIMARY|0.0|1|1|1,2,3|solid|0",
        "9|A|1|n|PRIMARY|0.0|1|1|red|SOLID|0",
        "11|A|42|nan",
        "11|A|42|inf",
        "11|A|42|None",
        "11|A|4.2|1.0",
        "14|A|BOOLEAN|n|0|",
        "14|A|NUMBER|n|0|1.0",
        "14|A|CHOICE|n|0|1",
        "19|",
        "19|{",
        "19|[]",
        "23|A|o|True|7.0",
        "23|A|o|True|2147483648",
        "24|A|o|inf|nan",
        "26|A|o|3.0",
        "26|A|o|nan",
        "26|A|o| 3",
        "26|A|o|1_0",
    ],
)
def test_one_of_these_ends_the_reader(text: str) -> None:
    """Spec 6.1: empty ends, words for numbers, unknown names."""
    with pytest.raises(ConversionError):
        convert(fields(text))


@pytest.mark.parametrize(
    "change",
    [
        {"duration": "gtc"},
        {"duration": "GTX"},
        {"limitPrice": float("nan")},
        {"limitPrice": float("inf")},
        {"size": "2.5"},
        {"size": True},
        {"isBuy": None},
        {"alias": None},
        {"takeProfitOffset": "x"},
    ],
)
def test_bad_orders_end_the_reader(change: dict[str, Any]) -> None:
    """Unknown durations in any case of letters, prices that are none."""
    with pytest.raises(ConversionError):
        order_request(json.dumps(ORDER | change))


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"isBuy": 1}, "is_buy", False),
        ({"isBuy": "TRUE"}, "is_buy", True),
        ({"size": 2.5}, "size", 2),
        ({"size": 3.0}, "size", 3),
        ({"duration": None}, "duration", "GTC"),
        ({"limitPrice": 1}, "limit_price", 1.0),
    ],
)
def test_orders_are_read_gsons_way(change: dict[str, Any], field: str, value: object) -> None:
    """A number for a side is a sell, and fractions of a size are cut off, without a word."""
    assert getattr(order_request(json.dumps(ORDER | change)), field) == value


@given(st.text())
def test_any_text_is_converted_or_refused(text: str) -> None:
    """Nothing but the one error comes out."""
    try:
        number, _ = convert(text)
    except ConversionError:
        return
    assert number in (0, 3, 9, 11, 13, 14, 19, 23, 24, 25, 26, 30, 33)


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"))), st.data())
def test_lines_are_cut_like_javas_however_they_arrive(lines: list[str], data: st.DataObject) -> None:
    """LF, CRLF and a lone CR end a line, wherever the bytes are cut."""
    ends = data.draw(
        st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=len(lines), max_size=len(lines))
    )
    stream = "".join(a + b for a, b in zip(lines, ends)).encode()
    expected = stream.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]
    cutter, cut = LineCutter(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        cut += cutter.cut(stream[:size])
        stream = stream[size:]
    assert cut == expected


def test_bytes_that_are_no_text_are_replaced() -> None:
    """Java's reader puts U+FFFD there and goes on."""
    assert LineCutter().cut(b"33\xff\n") == ["33\ufffd"]


def test_what_was_sent_can_be_seen_whatever_it_is() -> None:
    """Fields as they are, a type only where there is one."""
    assert leniently(fields("33|A|"), heard=False).fields == ("A", "")
    assert leniently("oops", heard=True).type == NO_TYPE
    assert leniently(fields('19|{"size":1}'), heard=True).plain == {"size": 1}
