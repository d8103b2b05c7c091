"""Bookmap's lines, written independently of what reads them, and strategies for good and damaged ones."""

from __future__ import annotations

from hypothesis import strategies as st

SEPARATOR = "\ue000"
ALIAS = "ESZ6.CME@RITHMIC"


def line(*fields: object) -> bytes:
    """One line, as Java's ``println`` sends it on Linux."""
    return (SEPARATOR.join(str(field) for field in fields) + "\n").encode()


def info(alias: str = ALIAS, pips: object = 0.25, size_multiplier: object = 1.0, more: str = "{}") -> bytes:
    """An instrument that is attached."""
    return line(2, alias, "null", 0, pips, size_multiplier, 50.0, more)


def depth(is_bid: bool, price: int, size: int, alias: str = ALIAS) -> bytes:
    """New total size at a level."""
    return line(8, alias, int(is_bid), price, size)


def trade(
    price: object, size: int, is_buy: bool = True, aggressor: str = "", passive: str = "", marks: str = "011"
) -> bytes:
    """One print; ``marks``: off-book, first and last of an execution."""
    otc, start, end = marks
    return line(5, ALIAS, price, size, otc, int(is_buy), start, end, aggressor, passive)


def mbo(action: str, order_id: object, price: int = -1, size: int = -1, alias: str = ALIAS) -> bytes:
    """One order enters, changes or leaves."""
    return line(18, alias, action, order_id, price, size)


def interval(alias: str = ALIAS) -> bytes:
    """A tenth of a second has passed."""
    return line(12, alias)


_prices = st.one_of(st.integers(-30, 30), st.integers(-(2**31), 2**31 - 1))
_sizes = st.one_of(st.integers(0, 9), st.integers(0, 2**31 - 1))
_ids = st.one_of(
    st.integers(1, 20).map(str),
    st.integers(0, 2**64).map(str),
    st.sampled_from(["", "007", "a-b", "Ω", "9223372036854775807", "9223372036854775808", "\ue001"]),
)
_ticks = st.one_of(
    _prices.map(lambda ticks: f"{ticks}.0"),
    st.floats(-1e6, 1e6).map(lambda price: f"{price:.3f}"),
    st.sampled_from(["1.2345678E7", "-1.0E-5", "NaN", "Infinity", "5", ".0", "-.0", "1_0.0", "20512.5"]),
)
_bits = st.sampled_from("01")
_market_lines = st.one_of(
    st.builds(lambda *f: line(8, ALIAS, *f), _bits, _prices, _sizes),
    st.builds(lambda *f: line(5, ALIAS, *f), _ticks, _sizes, _bits, _bits, _bits, _bits, _ids, _ids),
    st.builds(
        lambda *f: line(18, ALIAS, *f),
        st.sampled_from(["BID_NEW", "ASK_NEW", "REPLACE"]),
        _ids,
        _prices,
        _sizes,
    ),
    st.builds(lambda number: mbo("CANCEL", number), _ids),
    st.just(interval()),
)
_other_lines = st.sampled_from(
    [
        b"\n",
        line(1),
        line(99, "what"),
        line(4, 7),
        depth(True, 5, 6, alias="other"),
        interval("other"),
        line(8, ALIAS, 2, 5, 6),
        line(8, ALIAS, 1, "+5", 6),
        line(8, ALIAS, 1, 5, -6),
        line(8, ALIAS, 1, 5, 6, ""),
        line(18, ALIAS, "CANCEL", "12"),
        line(5, ALIAS, "5.0", 1, 0, 1, 1, 1),
        line(5, ALIAS, "5.0", 1, "", "11", 1, 1, "", ""),
        info(pips=0.5),
        line(7, ALIAS),
    ]
)


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """A market line with a few bytes replaced, put in or taken out."""
    text = bytearray(draw(_market_lines))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text) - 1))
        new = draw(
            st.sampled_from([b"", b"\xee", b"\x80", b"-", b"0", b"9", b"\n", b"\xff", b" ", b"\xee\x80\x80"])
        )
        text[at : at + draw(st.integers(0, 1))] = new
    return bytes(text) + b"\n"


streams = st.lists(st.one_of(_market_lines, _market_lines, _other_lines, _damaged()), max_size=40).map(
    b"".join
)
"""Any mixture of lines: most are good events of one instrument."""
chunkings = st.lists(st.integers(1, 400), min_size=1, max_size=8)
"""Lengths of the pieces in which a stream arrives, over and over."""


def pieces(stream: bytes, lengths: list[int]) -> list[bytes]:
    """Cut a stream into pieces of these lengths, over and over."""
    cut, begin, turn = [], 0, 0
    while begin < len(stream):
        length = lengths[turn % len(lengths)]
        cut.append(stream[begin : begin + length])
        begin, turn = begin + length, turn + 1
    return cut
