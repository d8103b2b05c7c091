"""Strict JSON: every way to be wrong has its own code."""

from __future__ import annotations

import json

import hypothesis.strategies as st
import pytest
from hypothesis import given

from workbench.errors import ProtocolError
from workbench.protocol.limits import MAX_MESSAGE_BYTES
from workbench.protocol.strict import parse


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("hello", "bad_json", "bad_json at byte 0"),
        ('{"ü": x}', "bad_json", "bad_json at byte 7"),
        ("", "bad_json", "bad_json at byte 0"),
        ("[1]", "bad_json", "a list as message"),
        ("3", "bad_json", "a int as message"),
        ('{"price": NaN}', "non_finite", "non_finite field=price"),
        ('{"price": -Infinity}', "non_finite", "non_finite field=price"),
        ('{"price": 1e400}', "non_finite", "non_finite field=price"),
        ('{"a": [[1e400]]}', "non_finite", "non_finite field=a"),
        ('{"n": 9223372036854775808}', "out_of_range", "out_of_range field=n"),
        ('{"n": -9223372036854775809}', "out_of_range", "out_of_range field=n"),
        ('{"a": {"n": 99999999999999999999}}', "out_of_range", "out_of_range field=n"),
        ('{"n": ' + "9" * 5000 + "}", "bad_json", "bad_json"),
        ("[" * 100_000, "too_deep", "too_deep"),
        ('{"a":' * 17 + "1" + "}" * 17, "too_deep", "more than 16"),
        ('{"a": 1, "a": 2}', "duplicate_key", "duplicate key 'a'"),
        ('{"a" :1, "a":2}', "duplicate_key", "duplicate key 'a'"),
        ('{"b": {"a": 1, "a": 2}}', "duplicate_key", "duplicate key 'a'"),
        ('{"a": "\\ud800"}', "bad_text", "lone surrogate"),
        ('{"a": "\ud800"}', "bad_text", "lone surrogate"),
        ('{"a": "' + "x" * MAX_MESSAGE_BYTES + '"}', "too_big", "at most 1048576"),
    ],
)
def test_wrong_text_is_named(text: str, code: str, words: str) -> None:
    """What is wrong has a code, and the message says where."""
    with pytest.raises(ProtocolError, match=words) as caught:
        parse(text)
    assert caught.value.code == code


def test_borders_are_allowed() -> None:
    """Sixteen levels, the ends of int64, colons and brackets in texts are fine."""
    deep = '{"a":' * 16 + "1" + "}" * 16
    assert parse(deep)["a"]
    assert parse('{"n": 9223372036854775807, "m": -9223372036854775808}')["n"] == 2**63 - 1
    assert parse('{"s": "a:b[[[[[[[[[[[[[[[[[[[[{\\"", "t": {}}')["t"] == {}


@given(st.text(max_size=200))
def test_any_text_raises_protocol_error_only(text: str) -> None:
    """Text that is no message is refused, never anything worse."""
    try:
        assert isinstance(parse(text), dict)
    except ProtocolError:
        return


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), _VALUES, max_size=4))
def test_proper_messages_come_back(plain: dict[str, object]) -> None:
    """Strictness costs nothing: every proper object is read as any parser reads it."""
    assert parse(json.dumps(plain)) == plain
