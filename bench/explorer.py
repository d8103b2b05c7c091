"""The explorer on five million events: from a slider that moves to the words of the new scorecard, marks included.

A real session of the Binance feed, one time after another, is opened as a recording. Every move of a slider makes the
signal anew over all moments, with its study (400 resamplings of every interval), its 95 % bands and its marks; a slider
that asks for more levels than were read before reads all events again, and is bound by nothing but told. Wall time
counts, on one core: who turns a knob waits for it.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.harness import BINANCE_BTC, Context, goal
from bench.storage import imported, tiled
from workbench.frames.recording import Recording, write_recording

TILES = 11
MOVES = 24
CEILING_MS = 200.0
REREADS = "BookImbalance, levels"
SLIDERS = {
    "BookImbalance": ("enter", lambda n: 0.4 + 0.02 * n),
    REREADS: ("levels", lambda n: 1 + n),  # more levels than were read: the events are read again
    "OfiMomentum": ("enter", lambda n: 1.0 + 0.1 * n),
    "OfiMomentum, smoothing": ("half_life_s", lambda n: 0.5 + 0.1 * n),
    "LiquidityFade": ("move_ticks", lambda n: 20.0 + 5.0 * n),
    "VolumeCliff": ("ratio", lambda n: 2.0 + 0.2 * n),
}


def run(context: Context) -> dict[str, Any]:
    """Move one slider after the other."""
    long = long_recording(context)
    rows, medians, first = [], {}, {}
    for name, (parameter, value) in SLIDERS.items():
        opened, waited, events = moved(long, name.split(",")[0], parameter, value)
        medians[name], first[name] = statistics.median(waited), opened
        rows.append(
            [
                name,
                parameter,
                round(medians[name]),
                round(quantile(waited, 0.95)),
                f"{events:,}",
                round(opened),
            ]
        )
    slowest = max((name for name in medians if name != REREADS), key=lambda name: medians[name])
    return {
        "title": "Explorer",
        "text": (
            f"`wb.Explorer` on {len(long.columns()):,} events (a session of BTCUSDT, {TILES} times one after another): a "
            f"slider moves {MOVES} times, each to a value of its own; wall time on one core until the words of the new "
            "event study and scorecard are there and the marks are on their way to the heatmaps. Opening reads the events "
            "once for what the signal looks at; each move of the levels asks for one more, and reads all events again."
        ),
        "goals": [
            goal(
                f"slider to scorecard, median of the slowest ({slowest})",
                measured=medians[slowest],
                floor=CEILING_MS,
                unit="ms",
                at_most=True,
            )
        ],
        "tables": [
            {
                "caption": "ms from a slider's move to the new scorecard",
                "columns": ["signal", "slider", "median", "95 %", "events at the last", "opening"],
                "rows": rows,
            }
        ],
    }


def long_recording(context: Context) -> Recording:
    """Five million events on disk."""
    session = imported(context, [BINANCE_BTC], "binance-futures")
    return write_recording(context.scratch / "long", session.instrument, tiled(session, TILES), source={})


def moved(
    long: Recording, signal: str, parameter: str, value: Callable[[int], float]
) -> tuple[float, list[float], int]:
    """Opening and moves of one slider, ms; the first two moves do not count: they compile and fill caches."""
    import workbench as wb

    start = time.perf_counter()
    explorer = wb.Explorer(long, signal, heatmap=False)
    events = explorer.study.events
    opened = 1e3 * (time.perf_counter() - start)
    waited = []
    for number in range(2 + MOVES):
        start = time.perf_counter()
        list(explorer.panel._answers({"values": {parameter: value(number)}}))
        explorer.panel.finished()
        json.dumps(explorer.panel.words())
        waited.append(1e3 * (time.perf_counter() - start))
        events = explorer.study.events
    explorer.close()
    return opened, waited[2:], events


def quantile(values: list[float], share: float) -> float:
    """Value that so large a share lies below."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
