"""How a benchmark is written here, and the machinery that runs it.

A benchmark is a file ``bench/<name>.py`` with one function::

    def run(context: Context) -> dict

It measures with :meth:`Context.measure` and returns what goes into ``docs/performance.md``::

    {
        "title": "Order book",
        "text": "One or two sentences: the rows, what every case does, what was checked to be equal.",
        "goals": [goal("batch against ROIVectorMarketDepth", measured=6.1, floor=5.0)],
        "tables": [{"caption": "…", "columns": ["case", "M rows/s best", "median"], "rows": [["…", 145.2, 120.1]]}],
    }

``python3 bench/run.py <name>`` runs it in ``.venv-bench``, where the peers of ``requirements.txt`` are installed, merges
the answer into ``results.json`` and renders the document. Numbers and texts only: the answer must survive JSON.

The method, the same for all
    * **CPU seconds**, not wall time: a loaded machine swings wall times two- to threefold.
    * The process is **pinned to one core** and libraries are told to use one thread.
    * **Round-robin**: each round runs every case once, so that a slow moment of the machine hits all alike. Figures are
      the minimum and the median over the rounds; ratios are taken between cases of the same run.
    * Compile and load before measuring: :meth:`Context.measure` calls every case once and throws that time away.
    * Peers do the same work on the same rows, and a benchmark **asserts that the answers are equal** before it measures.
    * Beside each figure stands a **physical bound** (:meth:`Context.copy_bandwidth`, or streaming the input without
      doing the work), because a ratio to a slow peer says little.
    * Real data comes from :attr:`Context.data`; a benchmark that needs it calls :meth:`Context.require` and is left out
      with that reason where it is absent.

Work in child processes (a server, a converter) is measured by the benchmark itself, with ``resource.getrusage`` of the
children, and passed on with :func:`timing`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BINANCE_BTC = "binance/usdm/btcusdt_20240808.gz"


Case = Callable[[], object] | tuple[Callable[[], object], Callable[[Any], object]]


class MissingDataError(Exception):
    """The real data that a benchmark needs is not on this machine."""


@dataclass(frozen=True)
class Timing:
    """CPU seconds of one case over all rounds."""

    best: float
    median: float
    seconds: tuple[float, ...]

    def rate(self, count: int) -> tuple[float, float]:
        """Items per second at the best and at the median round."""
        return count / self.best, count / self.median


def timing(seconds: Sequence[float]) -> Timing:
    """Timing of rounds that were measured elsewhere."""
    return Timing(min(seconds), statistics.median(seconds), tuple(seconds))


def goal(
    name: str, *, measured: float, floor: float, unit: str = "×", at_most: bool = False
) -> dict[str, Any]:
    """One line of the table of goals; ``at_most`` turns the floor into a ceiling."""
    met = measured <= floor if at_most else measured >= floor
    return {
        "goal": name,
        "measured": round(measured, 3),
        "bound": floor,
        "unit": unit,
        "at_most": at_most,
        "met": met,
    }


class Context:
    """What a benchmark is given: where the data is, how often to repeat, and the clock."""

    def __init__(self, data: Path, scratch: Path, rounds: int = 7):
        self.data = data
        self.scratch = scratch
        self.rounds = rounds

    def require(self, relative: str) -> Path:
        """Path of a real data file, or the reason why this benchmark cannot run."""
        path = self.data / relative
        if not path.exists():
            raise MissingDataError(f"needs the real data file {relative} (folder: WORKBENCH_SHARED_DATA)")
        return path

    def measure(self, cases: Mapping[str, Case], rounds: int | None = None) -> dict[str, Timing]:
        """CPU seconds of every case, round-robin, after one call of each that does not count.

        A case is a function, or a pair ``(prepare, work)``: ``work(prepare())``, of which only ``work`` is timed.
        """
        seconds: dict[str, list[float]] = {name: [] for name in cases}
        for number in range(1 + (rounds or self.rounds)):
            for name, case in cases.items():
                prepare, work = case if isinstance(case, tuple) else (None, case)
                argument = () if prepare is None else (prepare(),)
                gc.collect()
                start = time.process_time()
                work(*argument)
                if number:
                    seconds[name].append(time.process_time() - start)
        return {name: timing(values) for name, values in seconds.items()}

    def copy_bandwidth(self, megabytes: int = 256) -> float:
        """Bytes per CPU second that this core copies in memory, read and written bytes counted."""
        import numpy as np

        source = np.ones(megabytes * 131072, np.int64)
        target = np.empty_like(source)
        best = self.measure({"copy": lambda: np.copyto(target, source)}, rounds=5)["copy"].best
        return 2 * source.nbytes / best


def shared_data() -> Path:
    """Folder of real data: ``WORKBENCH_SHARED_DATA``, else ``shared/data`` beside the checkout."""
    return Path(os.environ.get("WORKBENCH_SHARED_DATA") or ROOT.parent / "shared" / "data")


def pin(core: int | None) -> None:
    """Keep this process on one core, where the system can do that."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def main(arguments: Sequence[str]) -> int:
    """Run one benchmark and write its answer: ``harness.py NAME OUTPUT SCRATCH [ROUNDS] [CORE]``."""
    name, output, scratch = arguments[0], Path(arguments[1]), Path(arguments[2])
    rounds = int(arguments[3]) if len(arguments) > 3 else 7
    pin(int(arguments[4]) if len(arguments) > 4 else None)
    sys.path.insert(0, str(ROOT))
    module = importlib.import_module(f"bench.{name}")
    try:
        answer = module.run(Context(shared_data(), scratch, rounds))
    except MissingDataError as error:
        print(f"{name}: left out, {error}", file=sys.stderr)
        return 3
    output.write_text(json.dumps(answer, indent=1, ensure_ascii=False), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
