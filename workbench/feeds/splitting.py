"""The bytes of a WebSocket, cut into whole frames, of which plain binary messages need no further parsing.

Nearly everything a feed sends is a binary message in one frame. The library takes 7 µs for each, at high rates as much
as all the rest of a small frame's way; here it is a look at two to ten bytes. Everything else (text, control frames,
fragments, masks, reserved bits, messages beyond the limit) goes to the library untouched, frame by frame, so that rules
and failures stay its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

PLAIN_BINARY: Final = 0x82
"""First byte of a binary message in one frame, no extension (RFC 6455, 5.2)."""
_FIN: Final = 0x80
_CONTROL: Final = 0x08


class Splitter:
    """Cuts what a server sends, from the first byte after the handshake on.

    Parameters
    ----------
    max_bytes : int
        Longer messages are left to the library, which refuses them.
    """

    def __init__(self, max_bytes: int):
        self._max_bytes = max_bytes
        self._rest = b""
        self._in_message = self._left_alone = False

    def split(self, data: bytes) -> Iterator[tuple[bool, bytes]]:
        """Cut the bytes that came, and what was left before them.

        Yields
        ------
        is_message : bool
        piece : bytes
            The content of a plain binary message, or bytes for the library.
        """
        data = self._rest + data if self._rest else data
        at, size = 0, len(data)
        self._rest = b""
        while at + 2 <= size and not self._left_alone:
            start, length = _extent(data, at)
            if length > self._max_bytes:
                self._left_alone = (
                    True  # the library fails on the head of this frame; nothing after it matters
                )
                break
            end = start + length
            if end > size:
                break
            first = data[at]
            is_plain = first == PLAIN_BINARY and not self._in_message
            if not first & _CONTROL:
                self._in_message = not first & _FIN
            yield is_plain, data[start if is_plain else at : end]
            at = end
        if self._left_alone:
            yield False, data[at:]
        else:
            self._rest = data[at:]


def _extent(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of the frame at ``at`` begins, and its length; a cut head gives an end beyond the data."""
    code = data[at + 1]
    if code < 126:
        return at + 2, code
    if code == 126:
        return at + 4, int.from_bytes(data[at + 2 : at + 4], "big")
    if code == 127:
        return at + 10, int.from_bytes(data[at + 2 : at + 10], "big")
    return at, 1 << 63  # masked: a server must not
