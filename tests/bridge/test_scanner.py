"""The fast way and the careful way read the same, and what the fast way is not sure of it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given

from tests.support.bookmap_lines import ALIAS, depth, info, interval, line, mbo, streams, trade
from workbench.bridge import wire
from workbench.bridge.rows import row_of
from workbench.bridge.scanner import Scanner, Table

USUAL = [
    depth(True, 100, 5),
    depth(False, -3, 0),
    depth(True, 12345678, 87654321),
    depth(True, 123456789, 1),
    depth(False, 1, 2147483647),
    depth(True, -2147483648, 123456789),
    trade("100.0", 3, marks="111"),
    trade("100.5", 3, is_buy=False, aggressor="6411926041234", passive="a-b"),
    mbo("BID_NEW", 9223372036854775807, 2147483647, 1),
    mbo("ASK_NEW", "text", -2147483648, 2),
    mbo("REPLACE", 12, 7, 0),
    mbo("CANCEL", 12),
    interval(),
]


def row(table: Table, index: int) -> tuple[int, ...]:
    """One row of a table."""
    return tuple(int(column[index]) for column in table.rows)


def agrees(table: Table, lines: list[bytes], alias: str) -> None:
    """Every row that is not odd is what its line means, about our instrument."""
    odd = set(table.odd.tolist())
    for index, text in enumerate(lines):
        assert table.line(index) == text
        if index in odd:
            assert table.rows.kind[index] == 0
            continue
        message = wire.parse(text)
        assert isinstance(message, wire.MarketMessage)
        assert message.alias == alias
        assert row(table, index) == row_of(message)


def test_usual_lines_are_never_odd() -> None:
    """Else the fast way would be the slow one."""
    table = Scanner(ALIAS).scan(b"".join(USUAL))
    assert table.odd.tolist() == []
    agrees(table, [text[:-1] for text in USUAL], ALIAS)


@given(streams)
@example(line(18, ALIAS, "BID_NEW", 1, 0, 0).replace(b"NEW", b"NEW\xee"))
@example(line(18, ALIAS, "CANCEL", 1, -1, -1).replace(b"CEL", b"CEL\xee\x80"))
def test_whatever_is_read_is_what_the_line_means(stream: bytes) -> None:
    """For good, strange and damaged lines alike."""
    agrees(Scanner(ALIAS).scan(stream), stream.split(b"\n")[:-1], ALIAS)


@pytest.mark.parametrize(
    "alias", ["A", "BTCUSDT", "BTCUSDT@BNF", "x" * 16, "y" * 300, "Ω\ue001É 1:2", "8\x7f"]
)
def test_names_of_every_length_are_compared_whole(alias: str) -> None:
    """A name that differs in one byte, or is shorter or longer, is another instrument."""
    ours = [depth(True, 1, 2, alias=alias), interval(alias), mbo("CANCEL", 3, alias=alias)]
    others = [alias[:-1] + "z", alias + "z", "z" + alias[1:], alias[:-1] or "zz"]
    theirs = [text for name in others for text in (depth(True, 1, 2, alias=name), interval(name))]
    table = Scanner(alias).scan(b"".join(ours + theirs))
    assert table.odd.tolist() == list(range(len(ours), len(ours) + len(theirs)))


def test_other_lines_are_odd() -> None:
    """Reports, announcements, empty lines and what only looks like an event."""
    lines = [
        info(),
        line(1),
        b"\n",
        line(21, "{}"),
        line(15, ALIAS, "a", "NUMBER", "1.0"),
        line(8, ALIAS, "x", 1, 1),
        line(8, ALIAS, 1, "", 1),
        line(8, ALIAS, 1, 1, ""),
        line(8, ALIAS, 1, 123456789012),
        mbo("CANCEL", 12).replace(b"-1", b"\xff"),
    ]
    assert Scanner(ALIAS).scan(b"".join(lines)).odd.tolist() == list(range(len(lines)))


def test_a_block_of_nothing_is_a_table_of_nothing() -> None:
    """No lines, no rows."""
    assert Scanner(ALIAS).scan(b"").rows.length == 0


def test_many_lines_are_read_at_once() -> None:
    """All prices and sizes of a long block, in order."""
    rng = np.random.default_rng(3)
    prices, sizes = rng.integers(-(10**6), 10**6, 5000), rng.integers(0, 10**9, 5000)
    table = Scanner(ALIAS).scan(b"".join(depth(True, p, s) for p, s in zip(prices, sizes)))
    assert not len(table.odd)
    assert np.array_equal(table.rows.price, prices)
    assert np.array_equal(table.rows.size, sizes)
