"""What notebooks of the browser tests run: a small seeded market paced by wall clock in a thread of the kernel.

Not the simulator: its kernels take long to compile on a machine that has never run them, and a page would wait for it.
"""

from __future__ import annotations

import threading
import time

import numpy as np

from tests.support.shown import Shown
from workbench.events import Array, EventBatch, EventKind, Instrument

START_NS = 1_700_000_000_000_000_000
STEP_NS = 5_000_000
DEPTH = 40
BASE_TICK = 20_000


class Wanderer:
    """Mid that wanders, forty levels a side with a few walls, a trade each 50 ms; a function of seed and step."""

    def __init__(self, seed: int = 7):
        self.chance = np.random.default_rng(seed)
        self.walls = self.chance.integers(BASE_TICK - 60, BASE_TICK + 60, 12)
        self.mid = BASE_TICK
        self.step = 0
        self.sequence = 0

    def advance(self, until_ns: int) -> list[EventBatch]:
        """Events up to a time."""
        batches = [] if self.sequence else [self._batch(START_NS, [EventKind.CLEAR, EventKind.SNAPSHOT_END])]
        while START_NS + (self.step + 1) * STEP_NS <= until_ns:
            self.step += 1
            batches.append(self._move(START_NS + self.step * STEP_NS))
        return batches

    def _move(self, ts: int) -> EventBatch:
        old = self.mid
        if self.step % 20 == 0:
            self.mid += int(self.chance.integers(-1, 2))
        places = np.concatenate([self.chance.integers(1, DEPTH, 6), [0, 0]])
        side = np.array([1, -1] * 4)
        price = np.where(side > 0, self.mid - places, self.mid + 1 + places)
        size = self.chance.integers(5, 60, 8) + 400 * np.isin(price, self.walls)
        gone = np.arange(min(old, self.mid) + 1, max(old, self.mid) + 1)
        crossed = np.full(len(gone), 1 if self.mid < old else -1)
        columns = [
            np.concatenate(pair) for pair in ((crossed, side), (gone, price), (np.zeros(len(gone)), size))
        ]
        kind = np.full(len(columns[0]), EventKind.DEPTH)
        if self.step % 10 == 0:
            kind, columns = self._with_trade(kind, columns)
        return self._batch(ts, kind, *columns)

    def _with_trade(self, kind: Array, columns: list[Array]) -> tuple[Array, list[Array]]:
        aggressor = int(self.chance.choice([1, -1]))
        trade = (aggressor, self.mid + (aggressor > 0), int(self.chance.geometric(0.1)))
        return np.append(kind, EventKind.TRADE), [np.append(c, v) for c, v in zip(columns, trade)]

    def _batch(
        self, ts: int, kind: Array | list[int], side: object = 0, price: object = 0, size: object = 0
    ) -> EventBatch:
        batch = EventBatch.of(self.sequence, ts=ts, kind=kind, side=side, price=price, size=size)
        self.sequence = batch.next_sequence
        return batch


def running_market(head_s: float = 60.0, symbol: str = "WANDER", seed: int = 7) -> Shown:
    """Market that has run for ``head_s`` seconds and goes on until its state is no longer ``live``."""
    shown = Shown(Instrument(symbol, "0.25"))
    source = Wanderer(seed)
    _advance(shown, source, START_NS + round(head_s * 1e9))
    threading.Thread(target=_pace, args=(shown, source), daemon=True).start()
    return shown


def _advance(shown: Shown, source: Wanderer, until_ns: int) -> None:
    for batch in source.advance(until_ns):
        shown.captured.apply(batch)
    shown.clock.now_ns = until_ns


def _pace(shown: Shown, source: Wanderer) -> None:
    base, start = shown.clock.now_ns, time.monotonic_ns()
    while shown.state == "live":
        time.sleep(0.04)
        _advance(shown, source, base + time.monotonic_ns() - start)
