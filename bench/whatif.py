"""What-if on five million events: from a slider that moves to the new picture.

A real session of the Binance feed, one time after another, is opened as a recording; a quoting strategy runs over all of
it at each move. Wall time counts, on one core: who turns a knob waits for it.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from bench.explorer import long_recording, quantile
from bench.harness import Context, goal

MOVES = 20
CEILING_MS = 300.0
SLIDERS = {
    "latency_ms": lambda n: 1.0 + 0.5 * n,
    "taker": lambda n: 0.1 * (n + 1),
    "queue": lambda n: ("power", "risk_averse", "log", "touch")[n % 4],
}


def run(context: Context) -> dict[str, Any]:
    """Move one slider after the other."""
    import workbench as wb
    from workbench.lab.example_strategies import quote_touch

    long = long_recording(context)
    start = time.perf_counter()
    view = wb.WhatIf(quote_touch, long, params=[10, 100])
    opened = 1e3 * (time.perf_counter() - start)
    rows, medians = [], []
    for name, value in SLIDERS.items():
        waited = []
        for number in range(2 + MOVES):
            start = time.perf_counter()
            view.choose(**{name: value(number)})
            waited.append(1e3 * (time.perf_counter() - start))
        medians.append(statistics.median(waited[2:]))
        rows.append([name, round(medians[-1]), round(quantile(waited[2:], 0.95))])
    fills = view.result.fills.height
    view.close()
    return {
        "title": "What-if",
        "text": (
            f"`wb.WhatIf` on {long.count:,} events (a session of BTCUSDT, one time after another), a compiled strategy that "
            f"quotes both sides every 100 ms ({fills:,} fills): wall time on one core from a slider's move until the "
            f"backtest was run again, its equity worked out and its picture drawn. Opening took {opened:,.0f} ms."
        ),
        "goals": [
            goal(
                "slider to picture, slowest median",
                measured=max(medians),
                floor=CEILING_MS,
                unit="ms",
                at_most=True,
            )
        ],
        "tables": [
            {
                "caption": "ms from a slider's move to the new picture",
                "columns": ["slider", "median", "95 %"],
                "rows": rows,
            }
        ],
    }
