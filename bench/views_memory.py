"""Memory of pages and kernels under an hour's worth of updates: heatmap and ladder beside a market that nobody looks at.

Counts megabytes, no times: the machine need not be quiet.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

from bench.bridge import all_cores
from bench.harness import Context, goal
from bench.lab import cells
from bench.lab.server import Lab, NotebookPage, until
from bench.views import CASES, LADDER, MARKET, chromium, long_session
from workbench.frames.recording import Recording

UPDATES, SPEED, TILES = 72_000, 12, 44
QUARTERS = (0.25, 0.5, 0.75, 1.0)
LOOKS = 4


def run(context: Context) -> dict[str, Any]:
    """An hour's updates as fast as they are taken; a twentieth of them in a quick run."""
    updates = UPDATES if context.rounds > 2 else UPDATES // 20
    long = long_session(context, TILES)
    with all_cores(), Lab(context.scratch / "lab", chromium()).running() as lab:
        return report(hours(lab, long, updates), updates)


def hours(lab: Lab, long: Recording, updates: int) -> dict[str, list[dict[str, Any]]]:
    """Memory of pages and kernels after each quarter of an hour's updates, of a market with heatmap and ladder and one without."""
    with ExitStack() as pages:
        opened = {name: pages.enter_context(lab.page(hour_cells(long, name))) for name in (MARKET, LADDER)}
        for page in opened.values():
            for index in range(3):
                page.done(index)
        marks: dict[str, list[dict[str, Any]]] = {name: [] for name in opened}
        for share in QUARTERS:
            reached(opened[LADDER], updates * share, updates / 20 / SPEED)
            for name, page in opened.items():
                marks[name].append({"share": share, "heap": least_heap(page), "resident": page.resident()})
    return marks


def least_heap(page: NotebookPage) -> float:
    """MB that stay: the picture of a whole ring, 5 MB, that is being painted anew belongs to nobody a moment later."""
    readings = []
    for _ in range(LOOKS):
        readings.append(page.heap())
        time.sleep(0.7)
    return min(readings)


def hour_cells(long: Recording, name: str) -> list[str]:
    """Cells of a market that runs faster, with or without views."""
    return [
        cells.market(long.path, SPEED),
        cells.FASTER.format(speed=SPEED),
        CASES[name] or cells.CONTROL,
    ]


def reached(page: NotebookPage, updates: float, seconds: float) -> None:
    """Wait for a number of updates that the page has taken."""
    drawn = "Number(document.querySelector('.ow-heatmap').dataset.drawn)"
    until(lambda: page.page.evaluate(drawn) >= updates, 120 + 4 * seconds, f"{updates:.0f} updates")


def growth(memory: dict[str, list[dict[str, Any]]], what: str) -> float:
    """MB by which views made memory grow between a quarter of an hour and an hour, beyond what the market did."""
    with_views, without = ([marks[what] for marks in memory[name]] for name in (LADDER, MARKET))
    return float(with_views[-1] - with_views[0] - (without[-1] - without[0]))


def report(memory: dict[str, list[dict[str, Any]]], updates: int) -> dict[str, Any]:
    """Goals and table."""
    return {
        "title": "Views: memory over an hour",
        "text": (
            f"{updates:,} updates of a heatmap and a ladder of 60 rows (an hour at 20 a second), sent up to {SPEED} times as "
            "fast, while the market goes on as fast; memory of the page after forced collection (the least of "
            f"{LOOKS} readings within three seconds) and resident memory of the "
            "kernel, which holds the events of the market too. Growth: from the first quarter to the end, less what "
            "the same market without views needs in another page at the same time."
        ),
        "goals": [
            goal("growth of the page", measured=growth(memory, "heap"), floor=5, unit="MB", at_most=True),
            goal("growth of the kernel", measured=growth(memory, "resident"), floor=50, unit="MB", at_most=True),
        ],
        "tables": [
            {
                "caption": "MB",
                "columns": ["page", *(f"{what} at {q}" for what in ("page", "kernel") for q in ("¼", "½", "¾", "1"))],
                "rows": [
                    [name, *(round(mark[what], 1) for what in ("heap", "resident") for mark in marks)]
                    for name, marks in memory.items()
                ],
            }
        ],
    }  # fmt: skip
