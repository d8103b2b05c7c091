"""The socket to one add-on: an unbounded queue out, as Bookmap's is, and whole lines in."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from workbench.testing.reader import LineCutter

_RECEIVE_BYTES: Final = 1 << 16
_LAST_WRITE_S: Final = 1.0
_LINGER_OFF: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)

RESET: Final = b"\0reset"
"""In the queue out: reset the connection when everything before it is written."""


class Connection:
    """Bookmap's end of the connection to an add-on.

    Parameters
    ----------
    sock : socket
    on_lines : callable
        Called with complete lines, on the reader's thread.
    on_end : callable
        Called once, when the other end is gone.
    write_per_line : bool
        One system call for each line, as Bookmap's ``println`` and ``flush``; otherwise as much as there is.
    """

    def __init__(
        self,
        sock: socket.socket,
        on_lines: Callable[[list[str]], None],
        on_end: Callable[[], None],
        *,
        write_per_line: bool = False,
    ):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._on_lines, self._on_end = on_lines, on_end
        self._write_per_line = write_per_line
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._changed = threading.Condition()
        self._running = threading.Event()
        self._running.set()
        self.closed = self._writing = False
        self._threads = [
            threading.Thread(target=work, name=f"bookmap stand-in {name}", daemon=True)
            for name, work in (("reader", self._read), ("writer", self._write))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting_bytes(self) -> int:
        """How much is still to be written."""
        return self._queued_bytes

    def send(self, data: bytes) -> None:
        """Queue whole lines, or :data:`RESET`."""
        with self._changed:
            self._queue.append(data)
            self._queued_bytes += len(data)
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything is written; False if it was not in time, or the connection is gone."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue or self.closed, timeout_s)

    def wait_for_room(self, below_bytes: int, timeout_s: float) -> bool:
        """Wait until less than this is queued."""
        with self._changed:
            return self._changed.wait_for(lambda: self._queued_bytes < below_bytes or self.closed, timeout_s)

    def freeze(self) -> None:
        """Neither read nor write any more, as a Bookmap that hangs; the connection stays open."""
        self._running.clear()

    def thaw(self) -> None:
        """Go on where it stopped."""
        self._running.set()

    def close(self, *, reset: bool = False) -> None:
        """Close at once; ``reset``: with a reset instead of an orderly end."""
        with self._changed:
            if self.closed:
                return
            self.closed = True
            self._changed.notify_all()
            if reset:
                self._changed.wait_for(lambda: not self._writing, _LAST_WRITE_S)
        with contextlib.suppress(OSError):
            if reset:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
            # wakes our own threads, without which the socket would not really close; for a reset without a word to
            # the other end, unless the writer is held up there
            only_read = reset and not self._writing
            self._socket.shutdown(socket.SHUT_RD if only_read else socket.SHUT_RDWR)
        self._socket.close()
        self._running.set()

    def join(self, timeout_s: float) -> None:
        """Wait for both threads, unless called on one of them."""
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout_s)

    def _read(self) -> None:
        cutter = LineCutter()
        with contextlib.suppress(OSError):
            while data := self._socket.recv(_RECEIVE_BYTES):
                self._running.wait()
                lines = cutter.cut(data)
                if lines and not self.closed:
                    self._on_lines(lines)
        self.close()
        self._on_end()

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            while (data := self._next()) is not None:
                if data == RESET:
                    self._writing = False
                    self.close(reset=True)
                    return
                self._put(data)
                with self._changed:
                    self._writing = False
                    self._queue.popleft()
                    self._queued_bytes -= len(data)
                    self._changed.notify_all()
        self.close()

    def _next(self) -> bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._queue) or self.closed)
        self._running.wait()
        with self._changed:
            self._writing = not self.closed
            return None if self.closed else self._queue[0]

    def _put(self, data: bytes) -> None:
        if not self._write_per_line:
            self._socket.sendall(data)
            return
        for one in data.splitlines(keepends=True):
            self._socket.sendall(one)
