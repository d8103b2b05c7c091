"""Bookmap's end of the wire, as fast as a socket takes it: ``bookmap_side.py LINES INSTRUMENT_JSON``.

Standard library only, in a process of its own, so that what it costs is never measured. It takes one add-on, attaches
one instrument, answers requests, settings, orders and cancels, and sends prepared lines when told on its standard input:

``burst N``               all lines, N times, at once
``flow PER_SECOND TICK``  lines at a rate, one send each TICK ms, until ``stop``

It says on its standard output, as JSON: the port, that the add-on has finished its set-up, and every order line
(19, 23) with the monotonic time at which it came: the system's own stamp where it gives one (Linux), for the program
that plays Bookmap shares two cores with the one that is measured, and when it gets to run is no merit or fault of that.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import threading
import time
from pathlib import Path

SEPARATOR = "\ue000"
READ_BYTES = 1 << 16
STAMP = struct.Struct("qq")
SO_TIMESTAMPNS = 35  # of Linux; the socket module has no name for it


class BookmapSide:
    """One add-on, one instrument."""

    def __init__(self, lines: bytes, instrument: list[str]):
        self.data, self.instrument = lines, instrument
        self.alias = instrument[0]
        self.peer = socket.socket()
        self.sending = threading.Lock()  # answers go between two sends, never into the middle of a line
        self.flowing = threading.Event()
        self.orders = 0
        self.came = 0

    def run(self) -> None:
        """Serve until the add-on or the standard input ends."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            say(port=listener.getsockname()[1])
            self.peer, _ = listener.accept()
        self.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform.startswith("linux"):
            self.peer.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.send("1")
        self.send("2", *self.instrument)
        threading.Thread(target=self.listen, daemon=True).start()
        for command in sys.stdin:
            self.obey(command.split())

    def obey(self, words: list[str]) -> None:
        """Do one command."""
        self.flowing.clear()
        if words[0] == "burst":
            with self.sending:
                for _ in range(int(words[1])):
                    self.peer.sendall(self.data)
        elif words[0] == "flow":
            self.flowing = threading.Event()
            self.flowing.set()
            arguments = (self.flowing, int(words[1]), float(words[2]) / 1000)
            threading.Thread(target=self.flow, args=arguments, daemon=True).start()

    def flow(self, flowing: threading.Event, per_second: int, tick: float) -> None:
        """Lines at a steady rate; a late tick is made up for, as Bookmap's unbounded queue does."""
        lines = self.data.splitlines(keepends=True)
        start, position = time.monotonic(), 0
        while flowing.is_set():
            due = int((time.monotonic() - start) * per_second)
            chunk = b"".join(lines[k % len(lines)] for k in range(position, due))
            position = max(position, due)
            with self.sending, contextlib.suppress(ConnectionError):
                self.peer.sendall(chunk)
            time.sleep(tick)

    def listen(self) -> None:
        """Read what the add-on says."""
        rest = b""
        with contextlib.suppress(ConnectionError):
            while data := self.read():
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self.answer(line.decode().split(SEPARATOR), self.came)
        self.flowing.clear()

    def read(self) -> bytes:
        """What came, and when the latest of it did."""
        if not hasattr(self.peer, "recvmsg"):
            data = self.peer.recv(READ_BYTES)
            self.came = time.monotonic_ns()
            return data
        data, stamps, _, _ = self.peer.recvmsg(READ_BYTES, socket.CMSG_SPACE(STAMP.size))
        self.came = time.monotonic_ns()
        for _, kind, stamp in stamps:
            if kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = STAMP.unpack(stamp)
                self.came -= time.time_ns() - (seconds * 1_000_000_000 + nanoseconds)
        return data

    def answer(self, fields: list[str], now: int) -> None:
        """Answer one line as Bookmap does, where it does."""
        match fields[0]:
            case "3":
                self.send("4", fields[2])
            case "13":
                say(attached=True)
            case "14" if fields[2] == "BOOLEAN":
                self.send("15", self.alias, fields[3], "BOOLEAN", "true")
            case "19":
                order = json.loads(fields[1])
                self.orders += 1
                say(type=19, client=order.get("clientId", ""), at=now)
                self.update(f"B{self.orders}", "WORKING", order)
            case "23":
                say(type=23, order=fields[2], at=now)
                self.update(fields[2], "CANCELLED", {})

    def update(self, order_id: str, status: str, order: dict[str, object]) -> None:
        """One UPDATE_ORDER."""
        gone = status == "CANCELLED"
        plain = {
            "instrumentAlias": self.alias, "orderId": order_id, "isBuy": True, "type": "LMT", "filled": 0,
            "unfilled": 0 if gone else order.get("size", 1), "averageFillPrice": 0.0, "duration": "GTC",
            "status": status, "limitPrice": order.get("limitPrice", 0.0), "stopPrice": 0.0,
            "stopTriggered": False, "modificationUtcTime": 0, "isSimulated": True, "isDuplicate": False,
            "statusChanged": True, "doNotIncrease": False,
        }  # fmt: skip
        if "clientId" in order:
            plain["clientId"] = order["clientId"]
        self.send("21", json.dumps(plain))

    def send(self, *fields: str) -> None:
        """Send one line."""
        with self.sending:
            self.peer.sendall((SEPARATOR.join(fields) + "\n").encode())


def say(**facts: object) -> None:
    """Tell whoever started us."""
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    BookmapSide(Path(sys.argv[1]).read_bytes(), json.loads(sys.argv[2])).run()
