"""An add-on that is only a socket: sends what a test wants, keeps what comes."""

from __future__ import annotations

import contextlib
import socket
import threading

REQUESTS = ("8", "5", "18", "22", "28", "27")


class RawAddon:
    """Connected to a stand-in's port, reading on its own thread."""

    def __init__(self, port: int):
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._received = bytearray()
        self.ended = False
        self.reset = False
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> RawAddon:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def say(self, *fields: object) -> None:
        self.send_raw("\ue000".join(map(str, fields)).encode() + b"\n")

    def send_raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def initialise(self, alias: str, requests: tuple[str, ...] = REQUESTS) -> None:
        """Ask for all data and say that this was all."""
        self.say(0)
        for number, data in enumerate(requests):
            self.say(3, alias, number, data, "")
        self.say(13, alias)

    @property
    def raw(self) -> bytes:
        return bytes(self._received)

    @property
    def lines(self) -> list[list[str]]:
        """Whole lines so far, as fields."""
        whole = self.raw.decode().splitlines(keepends=True)
        return [line.rstrip("\r\n").split("\ue000") for line in whole if line.endswith("\n")]

    def of(self, *types: str) -> list[list[str]]:
        """Whole lines of some types."""
        return [line for line in self.lines if line[0] in types]

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            try:
                while data := self._socket.recv(1 << 16):
                    self._received.extend(data)
            except ConnectionResetError:
                self.reset = True
        self.ended = True
