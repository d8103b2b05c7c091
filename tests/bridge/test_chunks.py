"""Blocks are whole lines, however the bytes arrive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.bookmap_lines import chunkings, pieces
from workbench.bridge.chunks import LineCutter


def lines_of(chunks: list[bytes], cutter: LineCutter) -> list[bytes]:
    """All lines that come out, without the empty ones."""
    return [line for chunk in chunks for line in cutter.cut(chunk).split(b"\n") if line]


def test_the_rest_waits_for_its_end() -> None:
    """Half a line is not a line: a cut number would be a wrong number."""
    cutter = LineCutter()
    assert cutter.cut(b"ab") == b""
    assert cutter.cut(b"c\nde") == b"abc\n"
    assert cutter.waiting == 2
    assert cutter.cut(b"\n") == b"de\n"
    assert cutter.waiting == 0


def test_every_end_of_line_counts() -> None:
    r"""``\n``, ``\r\n`` and a lone ``\r``, the pair also when it comes in two pieces."""
    assert lines_of([b"a\r\nb\rc\nd\r", b"\ne\r\n"], LineCutter()) == [b"a", b"b", b"c", b"d", b"e"]


def test_a_line_that_is_too_long_is_dropped_and_counted_once() -> None:
    """It is not kept for ever, and what follows it is read."""
    cutter = LineCutter(max_line_bytes=10)
    assert lines_of([b"a\n" + b"x" * 8, b"x" * 8, b"x" * 20, b"xx\nb\nc"], cutter) == [b"a", b"b"]
    assert (cutter.overlong, cutter.waiting) == (1, 1)


@given(
    st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", b"\xee\x80\x80"]), max_size=40), chunkings
)
def test_chunks_do_not_matter(parts: list[bytes], lengths: list[int]) -> None:
    """The same bytes give the same lines, in whatever pieces they come."""
    stream = b"".join(parts)
    assert lines_of(pieces(stream, lengths), LineCutter()) == lines_of([stream], LineCutter())
