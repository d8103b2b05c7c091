"""From what was read of the socket to whole lines."""

from __future__ import annotations

from typing import Final

MAX_LINE_BYTES: Final = 16 * 2**20
"""A longer line is dropped and counted; nothing Bookmap sends comes near it."""


class LineCutter:
    r"""Cut what is read into blocks of whole lines; the rest waits for more.

    ``\n``, ``\r\n`` and a lone ``\r`` end a line, as on Bookmap's side. Blocks use ``\n`` only, and may hold empty lines.

    Attributes
    ----------
    overlong : int
        Lines that were dropped because of their length.
    """

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self.overlong = 0
        self._max = max_line_bytes
        self._rest = bytearray()
        self._dropping = False

    @property
    def waiting(self) -> int:
        """Bytes of the line that has no end yet."""
        return len(self._rest)

    def cut(self, data: bytes) -> bytes:
        r"""Return all lines that are complete now, each with its ``\n``; empty if none is."""
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = data.rfind(b"\n") + 1
        if end == len(data) and not self._rest and not self._dropping:
            return data
        if not end:
            self._keep(data)
            return b""
        if self._dropping:
            head = data[data.index(b"\n") + 1 : end]
            self._dropping = False
        else:
            head = b"".join((self._rest, memoryview(data)[:end]))  # one copy of what may be a megabyte
            self._rest.clear()
        self._keep(data[end:])
        return head

    def _keep(self, tail: bytes) -> None:
        if self._dropping:
            return
        self._rest += tail
        if len(self._rest) > self._max:
            self._rest.clear()
            self._dropping = True
            self.overlong += 1
