"""Bookmap's end of an add-on's socket, worked by hand: it starts the script as Bookmap does and sends what a test says.

Small on purpose: what Bookmap itself would do with a line is the stand-in's business.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.support.eventually import PATIENCE_S, eventually

SEPARATOR = "\ue000"
ALIAS = "ESZ6.CME@RITHMIC"
TRADING_TYPES = {"19", "23", "24", "25", "26"}
SCRIPTS = Path(__file__).parents[2] / "workbench" / "bridge" / "scripts"
FEATURES = (
    '{"trading":true,"depth":true,"mbo":true,"brackets":true,"supportedLimitDurations":["GTC","DAY","IOC"]}'
)


def line(*fields: object, ending: str = "\n") -> bytes:
    """One line of fields; True and False as Bookmap spells them."""
    texts = [str(int(f)) if isinstance(f, bool) else str(f) for f in fields]
    return (SEPARATOR.join(texts) + ending).encode()


def instrument_info(
    alias: str = ALIAS,
    *,
    pips: object = 0.25,
    size_multiplier: object = 1.0,
    features: str = FEATURES,
    ending: str = "\n",
) -> bytes:
    """Line that attaches an instrument."""
    return line(2, alias, "null", False, pips, size_multiplier, 50.0, features, ending=ending)


def book(alias: str = ALIAS, *, ending: str = "\n", interval: bool = True) -> bytes:
    """Five levels on each side of 100 and 101 ticks, and the interval after which they are the book.

    Without it the book is complete when it has been quiet; and an instrument that never sent an interval never
    becomes stale, however slow the machine is on which a test sends its orders.
    """
    lines = [line(8, alias, True, 100 - n, 10 + n, ending=ending) for n in range(5)]
    lines += [line(8, alias, False, 101 + n, 20 + n, ending=ending) for n in range(5)]
    return b"".join([*lines, line(12, alias, ending=ending) if interval else b""])


class BookmapWire:
    """Listens, starts the script, keeps every line it sends. A context manager.

    Parameters
    ----------
    directory : Path
        Where the script is copied to, and where discovery files and journals go.
    trading : bool
    environment : Mapping of str to str, optional
        Beside what Bookmap would have.

    Attributes
    ----------
    lines : list of list of str
        What the add-on sent: fields of each line.
    process : Popen
    """

    def __init__(
        self, directory: Path, *, trading: bool = False, environment: Mapping[str, str] | None = None
    ):
        self.directory = directory
        self.lines: list[list[str]] = []
        self.ended = threading.Event()
        self._name = f"workbench_bridge{'_trading' if trading else ''}.py"
        self._environment = dict(environment or {})
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.5)
        self._over = False
        self._reading = threading.Event()
        self._reading.set()

    def __enter__(self) -> BookmapWire:
        self.process = self.start_process(self.port)
        self.socket = self._accept()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._thread = threading.Thread(target=self._read, name="bookmap-wire", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._reading.set()
        self.close()
        self._listener.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)
        self._thread.join(20)
        assert self.process.stdout is not None and self.process.stderr is not None
        self.process.stdout.close()
        self.process.stderr.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def stop_listening(self) -> None:
        """Take no connection any more."""
        self._listener.close()

    def _accept(self) -> socket.socket:
        give_up = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < give_up:
            with contextlib.suppress(TimeoutError):
                return self._listener.accept()[0]
        self.process.kill()
        self._listener.close()
        raise AssertionError(f"the add-on did not connect: {self.process.communicate()[1].decode()}")

    def start_process(self, *arguments: object) -> subprocess.Popen[bytes]:
        """Start the script as Bookmap does: copied beside a folder ``bookmap``, UTF-8 mode asked for in vain."""
        folder = self.directory / "script"
        (folder / "bookmap").mkdir(parents=True, exist_ok=True)
        (folder / "bookmap" / "__init__.py").write_text(
            "raise ImportError('the bundled package was imported')"
        )
        script = folder / "script.py"
        script.write_bytes((SCRIPTS / self._name).read_bytes())
        command = [sys.executable, "-X utf8", str(script), *map(str, arguments)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment()
        )

    def environment(self) -> dict[str, str]:
        """An old code page, and folders of the test's own."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LC_", "LANG"))}
        return kept | {
            "LANG": "C",
            "PYTHONIOENCODING": "cp1252",
            "PYTHONWARNINGS": "error",
            "PYTHONPATH": str(SCRIPTS.parents[2]),
            "WORKBENCH_RUNTIME_DIR": str(self.directory / "run"),
            "WORKBENCH_STATE_DIR": str(self.directory / "state"),
            **self._environment,
        }

    def send(self, *data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(b"".join(data))

    def attach(self, alias: str = ALIAS, *more: bytes) -> None:
        """Accept, attach an instrument, and answer what is asked for once the add-on has asked."""
        self.send(line(1), instrument_info(alias))
        self.wait_for("13", alias)
        self.answer_requests(alias)
        self.send(*(more or [book(alias)]))

    def answer_requests(self, alias: str = ALIAS) -> None:
        """Answer every request for data of an instrument."""
        for fields in self.of_type("3"):
            if fields[1] == alias:
                self.send(line(4, fields[2]))

    def of_type(self, number: str) -> list[list[str]]:
        """Lines of one type so far."""
        return [fields for fields in list(self.lines) if fields[0] == number]

    def wait_for(self, number: str, *fields: str, count: int = 1) -> list[list[str]]:
        """Wait until so many lines of a type have come that begin with these fields; return them."""

        def found() -> list[list[str]]:
            matching = [f for f in self.of_type(number) if f[1 : 1 + len(fields)] == list(fields)]
            return matching if len(matching) >= count else []

        return eventually(found, what=f"{count} line(s) of type {number}, got {list(self.lines)[-20:]}")

    @property
    def traded(self) -> list[list[str]]:
        """Every line that would trade."""
        return [fields for fields in list(self.lines) if fields[0] in TRADING_TYPES]

    def stop_reading(self) -> None:
        """Take nothing more from the socket."""
        self._reading.clear()

    def read_again(self) -> None:
        """Take what has come meanwhile."""
        self._reading.set()

    def close(self) -> None:
        """End the connection in order."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def reset(self) -> None:
        """End the connection with a reset."""
        self._over = True
        self._thread.join(20)  # a socket that a thread still reads from is not closed yet
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _read(self) -> None:
        rest = b""
        while self._reading.wait() and not self._over:
            try:
                if not select.select([self.socket], [], [], 0.05)[0]:
                    continue
                data = self.socket.recv(1 << 16)
            except (OSError, ValueError):  # closed on our side
                data = b""
            if not data:
                break
            *complete, rest = (rest + data).split(b"\n")
            self.lines += [text.decode().split(SEPARATOR) for text in complete]
        self.ended.set()
