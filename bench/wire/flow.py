"""A real session as Bookmap's lines, and the processes that send and receive them."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.events import EventBatch, EventKind, Flag, Instrument
from workbench.frames.recording import Recording

HERE = Path(__file__).resolve().parent
ALIAS = "BTCUSDT@BNF"
INTERVAL_NS = 100_000_000
MARKET_KINDS = (EventKind.DEPTH, EventKind.TRADE)


@dataclass(frozen=True)
class Flow:
    """Lines of one session, and the events that they say.

    Parameters
    ----------
    path : Path
        File of the lines.
    lines, size : int
        How many, and their bytes.
    events : EventBatch
        The depth and trade events among them, in order.
    instrument : list of str
        Fields of INSTRUMENT_INFO.
    """

    path: Path
    lines: int
    size: int
    events: EventBatch
    instrument: list[str]

    @classmethod
    def of(cls, recording: Recording, path: Path) -> Flow:
        """Depth, trades, and the interval of 0.1 s, spelled as Java spells them."""
        events = market_rows(EventBatch.concatenate(recording.batches()))
        texts = list(spelled(events))
        data = "".join(texts).encode()
        path.write_bytes(data)
        return cls(path, len(texts), len(data), events, described(recording.instrument))


def market_rows(batch: EventBatch) -> EventBatch:
    """Depth and trades alone, numbered from 0."""
    return EventBatch.trusted(batch.where(np.isin(batch.kind, MARKET_KINDS))[1], 0)


def spelled(events: EventBatch) -> Iterator[str]:
    """One line per event, and one for each tenth of a second."""
    join = "\ue000".join
    interval = join(("12", ALIAS)) + "\n"
    due = int(events.ts[0]) + INTERVAL_NS
    columns = (events.ts, events.kind, events.side, events.price, events.size, events.flags)
    for ts, kind, side, price, size, flags in zip(*(column.tolist() for column in columns)):
        while ts >= due:
            yield interval
            due += INTERVAL_NS
        bid = "1" if side > 0 else "0"
        if kind == EventKind.DEPTH:
            yield join(("8", ALIAS, bid, str(price), str(size))) + "\n"
            continue
        marks = ("1" if flags & flag else "0" for flag in (Flag.OTC, Flag.EXEC_START, Flag.EXEC_END))
        otc, first, last = marks
        yield join(("5", ALIAS, java_double(price), str(size), otc, bid, first, last, "", "")) + "\n"


def java_double(value: int) -> str:
    """Double.toString of a whole number below ten million."""
    assert abs(value) < 10_000_000
    return f"{value}.0"


def described(instrument: Instrument) -> list[str]:
    """Fields of INSTRUMENT_INFO; sizes are multiplied on the wire."""
    multiplier = str(round(1 / instrument.lot_size)) + ".0"
    return [ALIAS, instrument.symbol, "1", str(instrument.tick_size), multiplier, "1.0", '{"trading":true}']


class Program:
    """A process that talks to us in lines; ended with the block it is used in."""

    def __init__(self, *command: object, environment: dict[str, str] | None = None):
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(os.environ, **(environment or {})),
            text=True,
        )
        self.pid = self._process.pid
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.strip())

    def read(self, timeout: float = 120) -> str:
        """Next line it says."""
        try:
            return self._lines.get(timeout=timeout)
        except queue.Empty:
            said = f"{self._process.args!r} said nothing (exit code {self._process.poll()})"
            raise RuntimeError(said) from None

    def facts(self) -> dict[str, Any]:
        """Next line it says, as JSON."""
        plain: dict[str, Any] = json.loads(self.read())
        return plain

    def said(self) -> list[dict[str, Any]]:
        """Everything it has said since, as JSON."""
        return [json.loads(self._lines.get()) for _ in range(self._lines.qsize())]

    def tell(self, text: str) -> None:
        """One line on its standard input."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(text + "\n")
            self._process.stdin.flush()

    def cpu_seconds(self) -> float:
        """CPU time of all its threads so far: the POSIX clock of another process, as Linux numbers it."""
        return time.clock_gettime(~self.pid << 3 | 2)


def bookmap_side(flow: Flow) -> Program:
    """Whoever plays Bookmap, in a process of its own."""
    return Program(sys.executable, "-S", HERE / "bookmap_side.py", flow.path, json.dumps(flow.instrument))


def receiving(flow: Flow, program: str, *arguments: object) -> float:
    """CPU seconds that a program of this folder spends on one session; it says what it got."""
    with bookmap_side(flow) as side:
        port = side.facts()["port"]
        with Program(sys.executable, HERE / program, port, *arguments) as receiver:
            while not side.facts().get("attached"):
                pass
            start = receiver.cpu_seconds()
            side.tell("burst 1")
            assert receiver.read() == "done"
            seconds = receiver.cpu_seconds() - start
            check(receiver.facts(), flow)
    return seconds


def check(said: dict[str, Any], flow: Flow) -> None:
    """What a receiver says it got is what was sent: lines, and the sums of sides, prices and sizes; or bytes."""
    events = flow.events
    sums = [int((events.side > 0).sum()), int(events.price.sum(dtype=np.int64)), int(events.size.sum())]
    expected = {"events": flow.lines, "sums": sums, "lines": flow.lines, "bytes": flow.size}
    for name, value in said.items():
        assert value == expected[name], (name, value, expected[name])
