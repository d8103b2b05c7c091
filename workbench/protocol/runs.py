"""Neighbouring frames as one: many small frames that arrived together cost what one large frame costs.

The columns are joined as bytes, before anything is decoded or checked; the joined frame says exactly what its parts
said. A run that does not decode holds a bad frame, and is taken apart again by whoever asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from workbench.events import COLUMNS, ROW_BYTES
from workbench.protocol.codec import CONTIGUOUS_HEAD, HEADER, frame_layout

MAX_RUN_ROWS: Final = 65_536
_WIDTHS: Final = tuple(column.dtype.itemsize for column in COLUMNS)
_ALONE: Final = (-1, -1, -1)


def runs(messages: Iterable[str | bytes]) -> Iterator[str | list[bytes]]:
    """Group messages: frames of one stream whose numbers follow each other are a run.

    Parameters
    ----------
    messages : iterable of str or bytes
        WebSocket messages in the order in which they arrived.

    Yields
    ------
    str or list of bytes
        A text message, or a run of frames for :func:`join_run`, of about :data:`MAX_RUN_ROWS` rows at most. What is no
        frame of consecutive rows is a run of its own.
    """
    run: list[bytes] = []
    rows, follower = 0, (-1, -1)
    for message in messages:
        stream, first, following = _ALONE if isinstance(message, str) else _span(message)
        if run and (stream < 0 or (stream, first) != follower or rows >= MAX_RUN_ROWS):
            yield run
            run, rows = [], 0
        if isinstance(message, str):
            yield message
            continue
        run.append(message)
        rows += following - first
        follower = (stream, following)
    if run:
        yield run


def _span(message: bytes) -> tuple[int, int, int]:
    """Stream, first and next number of a frame of consecutive rows that skips no number."""
    if not message.startswith(CONTIGUOUS_HEAD) or len(message) < HEADER.size:
        return _ALONE
    _, _, _, _, stream, count, first, following, _ = HEADER.unpack_from(message)
    if not count or first + count != following or len(message) < count * ROW_BYTES:
        return _ALONE
    return (stream, first, following) if len(message) == frame_layout(count)[1] else _ALONE


def join_run(run: list[bytes]) -> bytes:
    """One frame of what the frames of a run of :func:`runs` say; its send time is the last one's."""
    counts = [int.from_bytes(frame[12:16], "little") for frame in run]
    layouts = [frame_layout(count)[0] for count in counts]
    rows = sum(counts)
    head, last = HEADER.unpack_from(run[0]), HEADER.unpack_from(run[-1])
    parts = [HEADER.pack(*head[:5], rows, head[6], *last[7:])]
    for k, width in enumerate(_WIDTHS):
        starts = [offsets[k] for offsets in layouts]
        parts += [frame[at : at + width * count] for frame, at, count in zip(run, starts, counts)]
        parts.append(bytes(-width * rows % 8))
    return b"".join(parts)
