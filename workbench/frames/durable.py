"""Writes that survive: exclusive creation, whole writes, typed disk-full, atomic replacement."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Final

from workbench.errors import DiskFullError, RecordingError
from workbench.frames.paths import refuse_link

_NO_ROOM: Final = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
# O_NOFOLLOW and O_CLOEXEC are missing on Windows, O_BINARY everywhere else.
_CREATE: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | os.O_APPEND
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def create(path: Path) -> int:
    """Open a new file for appending, unbuffered; a file or link that is already there is never touched."""
    try:
        return os.open(path, _CREATE, 0o644)
    except FileExistsError:
        raise RecordingError(f"{path} exists", expected="a new file", action="Start a new session") from None
    except OSError as problem:
        raise write_error(path, problem) from problem


def write_whole(descriptor: int, data: bytes | memoryview, path: Path) -> None:
    """Write all of ``data``, in one call unless the system writes short.

    Raises
    ------
    DiskFullError
        No room (also a file-size limit or a quota).
    RecordingError
        Any other failure of the device.
    """
    rest = memoryview(data).cast("B")
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError as problem:
        raise write_error(path, problem) from problem


def write_error(path: Path, problem: OSError) -> RecordingError:
    """Return the typed error for a failed write."""
    reason = f"cannot write {path.name}: {problem.strerror or problem}"
    if problem.errno in _NO_ROOM:
        return DiskFullError(reason, action="Free some space and start a new recording", path=str(path))
    return RecordingError(reason, code="io_error", path=str(path))


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file by new content: after a crash there is the old or the new one, never a mixture."""
    refuse_link(path)
    try:
        descriptor, aside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            write_whole(descriptor, data, path)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        Path(aside).replace(path)
    except OSError as problem:
        raise write_error(path, problem) from problem
    finally:
        if "aside" in locals():
            Path(aside).unlink(missing_ok=True)
    sync_directory(path.parent)


def sync_file(path: Path) -> None:
    """Force a finished file to the device."""
    # Windows flushes only descriptors that may write.
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Force renames and deletions in a directory to the device (Windows has no such call and needs none)."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
