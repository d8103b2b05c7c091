"""Rows and messages come in the order of the lines, the same whichever way they are read."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings

from tests.support.bookmap_lines import ALIAS, chunkings, depth, interval, line, pieces, streams
from workbench.bridge import reader as reading
from workbench.bridge import wire
from workbench.bridge.reader import LineReader


def read(chunks: list[bytes], alias: str) -> tuple[list[object], LineReader]:
    """Everything that comes out, one entry per row or message."""
    reader = LineReader()
    reader.expect(alias)
    out: list[object] = []
    for chunk in chunks:
        for piece in reader.read(chunk):
            if isinstance(piece, tuple):
                out += [(piece[0], row) for row in zip(*(column.tolist() for column in piece[1]))]
            else:
                out.append(piece)
    return out, reader


@pytest.mark.parametrize("scan_lines", [0, sys.maxsize])  # as columns; line by line with a pattern
@settings(max_examples=40)  # each reads its stream a few hundred times
@given(stream=streams, lengths=chunkings)
def test_all_ways_and_all_chunkings_agree(stream: bytes, lengths: list[int], scan_lines: int) -> None:
    """Rows, messages, their order, counts and bad lines do not depend on how the bytes come or are read."""
    careful, slow = read([stream], alias="")  # no instrument is expected: every line with care
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "SCAN_LINES", scan_lines)
        for chunks in ([stream], pieces(stream, lengths)):
            fast, quick = read(chunks, ALIAS)
            assert fast == careful
            assert quick.counts == slow.counts
            assert quick.bad_lines == slow.bad_lines
            assert list(quick.examples) == list(slow.examples)


def test_a_bad_line_is_kept_and_the_next_is_read() -> None:
    """F9: nothing ends because of one line."""
    out, reader = read([depth(True, 1, 1) + b"garbage\n" + b"8\xff\n" + depth(True, 2, 2)], ALIAS)
    assert [entry[1][3:] for entry in out] == [(1, 0, 0, 0), (2, 0, 0, 0)]  # type: ignore[index]
    assert reader.bad_lines == 2
    assert "garbage" in reader.examples[0]


def test_lines_are_counted_by_type() -> None:
    """Health tells how many of each came, of unknown types too."""
    stream = depth(True, 1, 1) * 400 + interval() * 3 + line(99) + line(4, 1)
    assert read([stream], ALIAS)[1].counts == read([stream], "")[1].counts == {8: 400, 12: 3, 99: 1, 4: 1}


def test_messages_stand_between_the_rows_of_their_neighbours() -> None:
    """Order is kept through a block that is read as columns."""
    stream = depth(True, 1, 1) * 300 + line(4, 7) + depth(True, 2, 2) * 300
    out, _ = read([stream], ALIAS)
    assert out.index(wire.Response(7)) == 300
    assert len(out) == 601


def test_a_line_without_end_is_counted_bad() -> None:
    """It is dropped, and said so."""
    reader = LineReader()
    assert not list(reader.read(b"x" * (17 * 2**20)))
    assert (reader.bad_lines, reader.waiting) == (1, 0)
    assert "without end" in reader.examples[0]
