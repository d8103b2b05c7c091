"""Numbers and objects are spelled as Java and Gson spell them."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.testing.spelling import boolean, double, gson, line


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25"),
        (100, "100.0"),
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (1e-5, "1.0E-5"),
        (1.5e-7, "1.5E-7"),
        (9_999_999.5, "9999999.5"),
        (1e7, "1.0E7"),
        (12_345_678, "1.2345678E7"),
        (-12_345_678, "-1.2345678E7"),
        (1e22, "1.0E22"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
    ],
)
def test_doubles_are_javas(value: float, text: str) -> None:
    """Plain from a thousandth up to ten million, with an E outside; always a digit after the point."""
    assert double(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_spelled_double_is_the_same_number(value: float) -> None:
    """Nothing is lost."""
    assert float(double(value)) == value


def test_truth_in_a_line_is_a_digit() -> None:
    """1 and 0, not words."""
    assert (boolean(True), boolean(False)) == ("1", "0")


def test_gson_leaves_nulls_out_and_escapes_html() -> None:
    """The five characters of HTML become escapes; NaN stands bare."""
    assert gson({"a": None, "b": float("nan"), "c": "<a>='&", "d": [1, True, 2.0, None]}) == (
        '{"b":NaN,"c":"\\u003ca\\u003e\\u003d\\u0027\\u0026","d":[1,true,2.0,null]}'
    )


@given(
    st.recursive(
        st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_gson_is_json(value: object) -> None:
    """Whoever reads JSON gets the value back."""
    assert json.loads(gson(value)) == value


def test_what_has_no_json_is_refused() -> None:
    """A set is a mistake of whoever broadcasts it."""
    with pytest.raises(TypeError, match="set"):
        gson({1})


def test_fields_are_joined_by_the_private_character() -> None:
    """U+E000 is three bytes."""
    assert line(8, "A@B", 1) == b"8\xee\x80\x80A@B\xee\x80\x801"
