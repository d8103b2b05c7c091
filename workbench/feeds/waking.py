"""A bell between threads: it ends a ``select`` of the thread that owns the sockets."""

from __future__ import annotations

import selectors
import socket


class Bell:
    """Rung by any thread, heard by one. Rings before the owner listens are not lost."""

    def __init__(self) -> None:
        self._out, self._in = socket.socketpair()
        self._out.setblocking(False)
        self._in.setblocking(False)

    def fileno(self) -> int:
        """What to register with a selector, for reading."""
        return self._out.fileno()

    def ring(self) -> None:
        """Wake the owner; after :meth:`close` nothing happens."""
        try:
            self._in.send(b"\0")
        except (BlockingIOError, OSError):
            return  # full: it is awake already; closed: nobody is left to wake

    def silence(self) -> None:
        """Take in the rings so far: the next ``select`` waits for another."""
        try:
            while self._out.recv(4096):
                pass
        except BlockingIOError:
            return

    def wait(self, seconds: float) -> None:
        """Sleep so long, or until it rings."""
        with selectors.DefaultSelector() as selector:
            selector.register(self, selectors.EVENT_READ)
            selector.select(seconds)
        self.silence()

    def close(self) -> None:
        """Free both sockets."""
        self._in.close()
        self._out.close()
