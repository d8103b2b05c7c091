"""Numbers read as words are the numbers that int reads, and nothing else passes."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.bridge.digits import FRONT, Text, word_of

_spelled = st.one_of(
    st.integers(0, 10**20).map(str),
    st.integers(-(2**33), 2**33).map(str),
    st.text("0123456789-+. :/x\x80", max_size=22),
    st.integers(0, 2**64 - 1).map(
        lambda word: word.to_bytes(8, "little").decode("latin-1").replace("\n", "0")
    ),
)


def places(texts: list[str]) -> tuple[Text, np.ndarray, np.ndarray]:
    """Texts one after the other, and where each begins and ends."""
    encoded = [text.encode("latin-1") for text in texts]
    lengths = np.array([len(text) for text in encoded])
    ends = FRONT + np.cumsum(lengths + 1) - 1
    return Text(b"".join(text + b"\n" for text in encoded)), ends - lengths, ends


@given(st.lists(_spelled, min_size=1, max_size=12))
def test_whole_numbers_are_read_as_int_reads_them(texts: list[str]) -> None:
    """One to nineteen digits and nothing else, whatever stands around them."""
    value, good = places(texts)[0].whole(*places(texts)[1:])
    for text, number, is_good in zip(texts, value.tolist(), good.tolist()):
        assert is_good == (re.fullmatch("[0-9]{1,19}", text) is not None)
        assert not is_good or number == int(text)


@given(st.lists(_spelled, min_size=1, max_size=12))
def test_signed_numbers_have_32_bits(texts: list[str]) -> None:
    """One minus before the digits; what does not fit 32 bits is left to others."""
    value, good = places(texts)[0].signed(*places(texts)[1:])
    for text, number, is_good in zip(texts, value.tolist(), good.tolist()):
        fits = re.fullmatch("-?[0-9]{1,19}", text) is not None and -(2**31) <= int(text) < 2**31
        assert is_good == fits
        assert not is_good or number == int(text)


@given(st.lists(st.tuples(_spelled, _spelled), min_size=1, max_size=12))
def test_pairs_are_read_as_int_reads_both(texts: list[tuple[str, str]]) -> None:
    """Short ones in words, all others one by one: both of 32 bits, with one separator between."""
    lines = [b"\xee\x80\x80".join(part.encode("latin-1") for part in pair) + b"\n" for pair in texts]
    ends = FRONT + np.cumsum([len(line) for line in lines]) - 1
    starts = np.concatenate([[FRONT], ends[:-1] + 1])
    values, good = Text(b"".join(lines)).pairs(starts, ends)
    for pair, numbers, is_good in zip(texts, values.T.tolist(), good.tolist()):
        fit = [re.fullmatch("-?[0-9]{1,19}", text) and -(2**31) <= int(text) < 2**31 for text in pair]
        assert not is_good or (all(fit) and numbers == [int(text) for text in pair])
        assert is_good or not all(re.fullmatch("-?[0-9]{1,10}", t) and abs(int(t)) < 2**31 for t in pair)


def test_every_byte_that_is_no_digit_is_seen() -> None:
    """At each of eight places, all 256 bytes."""
    texts = [
        ("1" * place + chr(code) + "2" * (7 - place))
        for place in range(8)
        for code in range(256)
        if chr(code) != "\n"
    ]
    _, good = places(texts)[0].whole(*places(texts)[1:])
    assert good.tolist() == [text.isascii() and text.isdigit() for text in texts]


def test_a_word_is_what_stands_there() -> None:
    """Texts are compared as the words that are read at their places."""
    text = Text(b"BID_NEW~")
    assert text.words[FRONT] == word_of(b"BID_NEW~")
    assert text.between(FRONT, FRONT + 3) == b"BID"
