"""Who acts when: the planted participants of one market, their truth, and their state for checkpoints."""

from __future__ import annotations

import copy
from typing import Final, TypeAlias

import numpy as np

from workbench.events import COLUMNS, IntArray
from workbench.feeds.simulator.participant import Draws, Hands, Script
from workbench.feeds.simulator.planted import Planted
from workbench.feeds.simulator.planting import Plants
from workbench.feeds.simulator.scripts_hiders import Absorption, Iceberg, SyntheticIceberg
from workbench.feeds.simulator.scripts_showers import Layering, Spoofing, Wall
from workbench.feeds.simulator.scripts_takers import StopRun, Sweep
from workbench.feeds.simulator.state import Market

_SCRIPTS: Final[dict[str, type[Script]]] = {
    "iceberg": Iceberg,
    "synthetic_iceberg": SyntheticIceberg,
    "stop_run": StopRun,
    "sweep": Sweep,
    "absorption": Absorption,
    "spoofing": Spoofing,
    "layering": Layering,
    "wall": Wall,
}
NEVER: Final = 1 << 62
PlanterState: TypeAlias = tuple[list[int], list[int], list[Script], list[Planted]]


class Planter:
    """Lets planted participants act in a market when their time has come.

    Parameters
    ----------
    market : Market
    plants : sequence of Plant
    key : int
        Seed of the market.
    start_ns : int
    """

    def __init__(self, market: Market, plants: Plants, key: int, start_ns: int):
        self._hands = Hands(market)
        self._plants, self._key, self._start_ns = tuple(plants), key, start_ns
        self._done = [0] * len(self._plants)
        self._due = [self._time_of(i) for i in range(len(self._plants))]
        self._at_work: list[Script] = []
        self._records: list[Planted] = []

    @property
    def next_ns(self) -> int:
        """Time of the next act."""
        return min([*self._due, *(script.next_ns for script in self._at_work)], default=NEVER)

    def act(self, now_ns: int) -> IntArray:
        """Let everybody act whose time it is; every earlier action of the market has been done. The rows written."""
        self._hands.now = now_ns
        self._begin(now_ns)
        for script in self._at_work:
            if script.next_ns <= now_ns:
                script.act(self._hands)
                self._records += script.records
                script.records = []
        self._at_work = [script for script in self._at_work if not script.is_over]
        return np.concatenate([np.empty((0, len(COLUMNS)), np.int64), *self._hands.written()])

    def planted(self, until_ns: int) -> list[Planted]:
        """Events that ended by a time."""
        return [record for record in self._records if record.end_ns <= until_ns]

    def saved(self) -> PlanterState:
        """State, for :meth:`restore`."""
        return list(self._done), list(self._due), copy.deepcopy(self._at_work), list(self._records)

    def restore(self, state: PlanterState) -> None:
        """Go back to a saved state."""
        self._done, self._due, self._at_work, self._records = copy.deepcopy(state)

    def _begin(self, now_ns: int) -> None:
        for i, plant in enumerate(self._plants):
            if self._due[i] <= now_ns:
                draws = Draws(self._key, i, self._done[i])
                self._at_work.append(_SCRIPTS[plant.kind](plant, draws, now_ns))
                self._done[i] += 1
                self._due[i] = self._time_of(i)

    def _time_of(self, i: int) -> int:
        plant, n = self._plants[i], self._done[i]
        first = self._start_ns + max(plant.at, 1)
        if n == 0 or plant.every == 0:
            return first if n == 0 else NEVER
        quarter = plant.every // 4
        return first + n * plant.every + Draws(self._key, i, n, 1).between(-quarter, quarter)
