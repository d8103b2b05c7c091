"""One market as a stream: rows that wait to be handed out, sequence numbers, and checkpoints to seek by."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.events import COLUMNS, EventBatch, IntArray
from workbench.feeds.simulator.entry import found_market, run, snapshot
from workbench.feeds.simulator.planted import Planted
from workbench.feeds.simulator.planter import Planter, PlanterState
from workbench.feeds.simulator.planting import Plants
from workbench.feeds.simulator.profiles import Profile
from workbench.feeds.simulator.state import OUT_ROWS, Market, State, empty_market, restore, saved

CHECKPOINT_NS: Final = 60_000_000_000
MOST_CHECKPOINTS: Final = 8
"""A checkpoint is at most 6.5 MB; when there are too many, every other one is forgotten."""


class MarketStream:
    """One market, its rows that wait to be handed out, its sequence numbers and its checkpoints."""

    def __init__(self, profile: Profile, seed: int, intensity: float, start_ns: int, plants: Plants = ()):
        self._market = empty_market(profile, seed, profile.pace * intensity)
        self._market["quiet"] = int(bool(plants))
        self._planter = Planter(self._market, plants, seed, start_ns)
        found_market(self._market, profile.start_ticks, start_ns)
        self._start_ns = start_ns
        self._every_ns = CHECKPOINT_NS
        self._checkpoints: dict[int, tuple[State, PlanterState]] = {start_ns: self._state()}
        self._made_ns = start_ns - 1
        self._next_sequence = 0
        self._waiting = _snapshot_rows(self._market, start_ns)
        self.reached_ns = start_ns

    def take(self, until_ns: int, limit: int | None) -> list[EventBatch]:
        """Hand out rows up to a time, at most ``limit`` of them."""
        parts: list[IntArray] = []
        count = 0
        while limit is None or count < limit:
            if not len(self._waiting):
                if self._made_ns >= until_ns:
                    break
                self._waiting = self._generate(until_ns)
            ready = int(np.searchsorted(self._waiting[:, 0], until_ns, side="right"))
            ready = ready if limit is None else min(ready, limit - count)
            if ready == 0 and len(self._waiting):
                break
            parts.append(self._waiting[:ready])
            self._waiting = self._waiting[ready:]
            count += ready
        return [self._batch(parts)] if count else []

    def drained(self, until_ns: int) -> bool:
        """Whether every row up to a time has been handed out."""
        return self._made_ns >= until_ns and (not len(self._waiting) or int(self._waiting[0, 0]) > until_ns)

    def planted(self, until_ns: int) -> list[Planted]:
        """Events of planted participants that ended by a time."""
        return self._planter.planted(until_ns)

    def seek(self, ts_ns: int) -> None:
        """Bring the market to just before a time, and queue the snapshot of its book."""
        if int(self._market["ts"]) >= ts_ns:
            usable = max(at for at in self._checkpoints if at <= ts_ns)
            state, planter_state = self._checkpoints[usable]
            restore(self._market, state)
            self._planter.restore(planter_state)
            self._made_ns = usable - 1
        while self._made_ns < ts_ns - 1:
            self._generate(ts_ns - 1)
        self._waiting = _snapshot_rows(self._market, ts_ns)
        self.reached_ns = ts_ns

    def _generate(self, until_ns: int) -> IntArray:
        """Make the next rows; stops at the next checkpoint and when the buffer is full."""
        newest = max(self._checkpoints)
        due_ns = newest + self._every_ns
        edge_ns = min(until_ns, due_ns - 1) if self._made_ns < due_ns else until_ns
        act_ns = self._planter.next_ns
        edge_ns = min(edge_ns, act_ns)
        rows = run(self._market, edge_ns)
        made = _written(self._market, rows)
        full = rows >= OUT_ROWS
        self._made_ns = int(made[-1, 0]) - 1 if full else edge_ns
        if not full and edge_ns == act_ns:
            made = np.concatenate([made, self._planter.act(act_ns)])
        if not full and edge_ns == due_ns - 1:
            self._keep_checkpoint(due_ns)
        return made

    def _keep_checkpoint(self, at_ns: int) -> None:
        self._checkpoints[at_ns] = self._state()
        if len(self._checkpoints) > MOST_CHECKPOINTS:
            self._every_ns *= 2
            self._checkpoints = {
                at: state
                for at, state in self._checkpoints.items()
                if (at - self._start_ns) % self._every_ns == 0
            }

    def _state(self) -> tuple[State, PlanterState]:
        return saved(self._market), self._planter.saved()

    def _batch(self, parts: list[IntArray]) -> EventBatch:
        rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
        columns = tuple(np.ascontiguousarray(rows[:, i], c.dtype) for i, c in enumerate(COLUMNS))
        batch = EventBatch.trusted(columns, self._next_sequence)
        self._next_sequence += len(rows)
        self.reached_ns = int(rows[-1, 0])
        return batch


def _snapshot_rows(market: Market, ts_ns: int) -> IntArray:
    return _written(market, snapshot(market, ts_ns))


def _written(market: Market, rows: int) -> IntArray:
    written: IntArray = market["out"][:rows].copy().view(np.int64).reshape(rows, len(COLUMNS))
    return written
