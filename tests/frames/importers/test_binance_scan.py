"""The byte scanner reads exactly what the plain parser reads, or hands the line over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.binance import T0
from workbench.errors import ImportFailedError
from workbench.frames.importers import binance_scan as scan
from workbench.frames.importers.binance_plain import PlainParser
from workbench.frames.importers.binance_tables import DEPTH, KIND, TICKER, TRADE, Tables
from workbench.frames.importers.files import FinerGridError

PATH = Path("capture")
DECIMALS = 3
number = st.integers(0, 10**15)
price = st.decimals(0, 10**6, places=2).map(str)
size = st.one_of(
    st.decimals(0, 10**4, places=3).map(str), st.sampled_from(["0", "0.000", "1", "007.5", "1e2"])
)
levels = st.lists(st.tuples(price, size).map(list), max_size=4)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A message of any stream: keys in any order, white space, unknown keys, other symbols."""
    kind = draw(
        st.sampled_from(["depth@0ms", "depth", "trade", "bookTicker", "depth20", "aggTrade", "kline_1m"])
    )
    data: dict[str, Any] = {"s": draw(st.sampled_from(["BTCUSDT", "BTCUSDT", "ETHUSDT"]))}
    if kind.startswith("depth"):
        data |= {"e": "depthUpdate", "E": draw(number), "U": draw(number), "u": draw(number)}
        data |= {"b": draw(levels), "a": draw(levels)} | draw(
            st.fixed_dictionaries({}, optional={"pu": number, "T": number})
        )
    elif kind == "trade":
        data |= {"e": "trade", "E": draw(number), "T": draw(number), "t": draw(number), "p": draw(price)}
        data |= {"q": draw(size), "m": draw(st.booleans())}
        data |= draw(
            st.fixed_dictionaries({}, optional={"X": st.sampled_from(["MARKET", "ADL"]), "M": st.booleans()})
        )
    else:
        data |= {"u": draw(number), "b": draw(price), "B": draw(size), "a": draw(price), "A": draw(size)}
    data |= draw(
        st.dictionaries(st.sampled_from(["x", "note", "é", "Z"]), st.one_of(number, st.text(max_size=5)))
    )
    shuffled = dict(draw(st.permutations(list(data.items()))))
    separators = draw(st.sampled_from([(",", ":"), (",", ":"), (", ", ": ")]))
    outer = {"stream": f"btcusdt@{kind}", "data": shuffled}
    if draw(st.integers(0, 9)) == 0:
        outer = dict(reversed(outer.items()))
    text = json.dumps(outer, separators=separators, ensure_ascii=draw(st.booleans()))
    return f"{T0 + draw(st.integers(0, 10**9))} {text}\n".encode()


def plain(lines: list[bytes]) -> Tables:
    """All lines by the plain parser."""
    room, counts = Tables.of_capacity(sum(map(len, lines)) + 1000), np.zeros(3, np.int64)
    parser = PlainParser(PATH, "BTCUSDT", DECIMALS)
    for line in lines:
        parser.parse(line.rstrip(b"\n"), 1, room, counts)
    return room.first(counts)


def scanned(lines: list[bytes]) -> tuple[Tables, int]:
    """All lines by the scanner, and how many it handed over."""
    text = b"".join(lines)
    buffer = np.frombuffer(text, np.uint8)
    room, counts = Tables.of_capacity(len(text) + 1000), np.zeros(3, np.int64)
    parser = PlainParser(PATH, "BTCUSDT", DECIMALS)
    symbol = np.frombuffer(b'"BTCUSDT"', np.uint8)
    at = handed = 0
    while at < len(text):
        at, status = scan.scan(
            buffer,
            at,
            len(text),
            symbol,
            np.array([8, DECIMALS]),
            room.lines,
            room.prices,
            room.sizes,
            room.sides,
            room.tickers,
            counts,
        )
        if status == scan.HAND_OVER:
            handed += 1
            end = text.index(b"\n", at)
            parser.parse(text[at:end], 1, room, counts)
            at = end + 1
    return room.first(counts), handed


def outcome(read: Any, lines: list[bytes]) -> Any:
    """Tables as lists, or the refusal."""
    try:
        tables = read(lines)
    except (ImportFailedError, FinerGridError) as error:
        return type(error).__name__
    tables = tables[0] if isinstance(tables, tuple) else tables
    return [getattr(tables, name).tolist() for name in ("lines", "prices", "sizes", "sides", "tickers")]


NAMELESS = (
    b'1700000000000000000 {"stream":"btcusdt@trade","data":{"s":"BTCUSDT","e":"trade","T":1000,"t":10000000,'
    b'"p":"1000000.00","q":"0","m":true,"M":false,""":0}}\n'
)


@given(st.lists(messages(), min_size=1, max_size=6))
def test_scanner_equals_plain_parser(lines: list[bytes]) -> None:
    """Whatever the order of keys, white space or unknown keys, both fill the same tables or refuse alike."""
    assert outcome(scanned, lines) == outcome(plain, lines)


@given(messages(), st.data())
@example(b'1700000000000000000 {"stream":"btcusdt@trade","data":{}}\n', None)
@example(NAMELESS, None)
def test_scanner_equals_plain_parser_on_damage(line: bytes, data: st.DataObject | None) -> None:
    """A byte changed or lost anywhere never makes the scanner read something else than the plain parser."""
    if data is not None:
        at = data.draw(st.integers(0, len(line) - 2))
        byte = data.draw(
            st.sampled_from([b"", b'"', b",", b"0", b"}", b" ", b"\\", b"e", b"-", b".", b"[", b"\x01"])
        )
        line = line[:at] + byte + line[at + 1 :]
    assert outcome(scanned, [line]) == outcome(plain, [line])


def test_plain_messages_are_not_handed_over() -> None:
    """Messages as the exchange spells them are read by the scanner itself."""
    lines = [
        (
            b'1700000000000000001 {"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1,"T":2,"s":"BTCUSDT",'
            b'"U":3,"u":4,"pu":2,"b":[["1.50","2.000"]],"a":[]}}\n'
        ),
        (
            b'1700000000000000002 {"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":9,"p":"1.5",'
            b'"q":"2","b":88,"a":50,"T":7,"m":true,"M":true}}\r\n'
        ),
        (
            b'1700000000000000003 {"stream":"btcusdt@bookTicker","data":{"u":4,"s":"BTCUSDT","b":"1","B":"2","a":"3",'
            b'"A":"4"}}\n'
        ),
    ]
    tables, handed = scanned(lines)
    assert handed == 0
    assert tables.lines[:, KIND].tolist() == [DEPTH, TRADE, TICKER]
    assert tables.prices.tolist() == [150_000_000, 150_000_000]
    assert tables.sizes.tolist() == [2000, 2000]
    assert tables.sides.tolist() == [1, -1]
    assert tables.tickers.tolist() == [[2, 4, 100_000_000, 2000, 300_000_000, 4000]]
