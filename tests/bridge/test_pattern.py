"""The quick way and the careful way read the same, and what the quick way does not know it leaves alone."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.support.bookmap_lines import ALIAS, depth, info, interval, line, mbo, streams, trade
from workbench.bridge import wire
from workbench.bridge.pattern import Pattern
from workbench.bridge.rows import Row, Rows, row_of


def read(text: str, alias: str = ALIAS) -> list[Row | str]:
    """Rows and odd lines, in order."""
    out: list[Row | str] = []
    for packed, odd in Pattern(alias).read(text):
        out += zip(*(column.tolist() for column in Rows.packed(packed)))
        out += [odd] if odd else []
    return out


@given(streams)
def test_whatever_is_read_is_what_the_line_means(stream: bytes) -> None:
    """For good, strange and damaged lines alike, each at its place."""
    text = stream.decode("utf-8", "replace")
    lines = [text for text in text.split("\n") if text]
    found = read(text)
    assert len(found) == len(lines)
    for item, line_ in zip(found, lines):
        if isinstance(item, str):
            assert item == line_
            continue
        message = wire.parse(line_.encode())
        assert isinstance(message, wire.MarketMessage)
        assert (message.alias, row_of(message)) == (ALIAS, item)


def test_usual_lines_are_never_odd() -> None:
    """Else the quick way would be the slow one."""
    usual = [
        depth(True, 100, 5),
        depth(False, -3, 0),
        trade("100.0", 3, marks="111"),
        trade("-100.25", 3, is_buy=False, aggressor="6411926041234", passive="a-b"),
        mbo("BID_NEW", 999999999999999999, 999999999, 1),
        mbo("ASK_NEW", 9223372036854775807, -1, 1),
        mbo("REPLACE", "text", 7, 0),
        mbo("CANCEL", 12),
        mbo("CANCEL", "text"),
    ]
    assert not any(isinstance(item, str) for item in read(b"".join(usual).decode()))


def test_other_lines_are_odd() -> None:
    """Reports, announcements, what is rare, and what only looks like an event."""
    lines = [
        info(),
        line(1),
        interval(),
        line(8, ALIAS, "x", 1, 1),
        line(8, ALIAS, 1, 1, "1" * 10),
        line(5, ALIAS, "1.0E7", 1, 0, 0, 0, 0, "", ""),
    ]
    assert read(b"".join(lines).decode()) == [text[:-1].decode() for text in lines]


@pytest.mark.parametrize("alias", ["A", "a.c", "x" * 300, "Ω\ue001É 1:2", "8\x7f", "(+[A-Z]*"])
def test_names_are_compared_whole(alias: str) -> None:
    """A name that differs in one letter, or is shorter or longer, is another instrument; no letter is special."""
    ours = [depth(True, 1, 2, alias=alias), mbo("CANCEL", 3, alias=alias)]
    others = [alias[:-1] + "z", alias + "z", "z" + alias, "abc"]
    theirs = [
        text for name in others for text in (depth(True, 1, 2, alias=name), mbo("CANCEL", 3, alias=name))
    ]
    found = read(b"".join(ours + theirs).decode(), alias)
    assert [isinstance(item, str) for item in found] == [False] * len(ours) + [True] * len(theirs)
