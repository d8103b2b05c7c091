"""Files of lines that grow by one whole line at a time, whoever else writes to them."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

_APPEND: Final = (
    os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)


def append_line(path: Path, line: bytes) -> None:
    """Append a line that ends in a newline by one write, synced; a last line that a crash cut off is closed first.

    Raises
    ------
    OSError
        Not all of it could be written.
    """
    descriptor = os.open(path, _APPEND, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        if size:
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            line = line if os.read(descriptor, 1) == b"\n" else b"\n" + line
        if os.write(descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


__all__ = ["append_line"]
