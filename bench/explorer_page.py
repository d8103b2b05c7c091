"""The explorer in a real JupyterLab and a headless Chromium: from a key on a slider to the frame that shows the study.

Five million events of a real session, heatmap above. What counts is what a hand waits for: the page's word to the kernel,
the study, its words back, the table and the picture. Wall time, all cores, so run it on a quiet machine.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from typing import Any

from bench.bridge import all_cores
from bench.explorer import CEILING_MS, long_recording, quantile
from bench.harness import Context, goal
from bench.lab import cells
from bench.lab.server import Lab, NotebookPage
from bench.views import chromium

SIGNALS = ("BookImbalance", "OfiMomentum", "LiquidityFade", "VolumeCliff")
WARMING, PRESSES = 3, 12
PANEL = "document.querySelector('.ow-explorer-panel')"
KNOBS = "[...document.querySelectorAll('.ow-knob')]"
EXPLORER = """import workbench as wb
explorer = wb.Explorer(wb.open_recording({path!r}), {signal!r})
explorer"""
FOCUS = f"""name => {{
  delete {PANEL}.dataset.latency;
  {KNOBS}.find((knob) => knob.innerText.startsWith(name)).querySelector("input[type=range]").focus();
}}"""


def run(context: Context) -> dict[str, Any]:
    """Every slider of some signals, one after another."""
    long = long_recording(context)
    presses = PRESSES if context.rounds > 1 else 4
    rows: list[list[str | int]] = []
    medians: dict[str, float] = {}
    with all_cores(), Lab(context.scratch / "lab", chromium()).running() as lab:
        for signal in SIGNALS:
            with lab.page([cells.IMPORT, EXPLORER.format(path=str(long.path), signal=signal)]) as page:
                for slider, waited in turned(page, presses).items():
                    medians[f"{signal}, {slider}"] = statistics.median(waited)
                    rows.append(
                        [signal, slider, round(statistics.median(waited)), round(quantile(waited, 0.9))]
                    )
    slowest = max(medians, key=lambda name: medians[name])
    return {
        "title": "Explorer: in the page",
        "text": (
            f"`wb.Explorer` with its heatmap on {len(long.columns()):,} events in a real JupyterLab, headless Chromium that "
            f"draws with the processor: an arrow key on each slider, {presses} times, from the key to the frame that shows "
            "the new event study and scorecard."
        ),
        "goals": [
            goal(
                f"key to picture, median of the slowest ({slowest})",
                measured=medians[slowest],
                floor=CEILING_MS,
                unit="ms",
                at_most=True,
            )
        ],
        "tables": [
            {
                "caption": "ms from a key to the picture",
                "columns": ["signal", "slider", "median", "90 %"],
                "rows": rows,
            }
        ],
    }


def turned(page: NotebookPage, presses: int) -> dict[str, list[float]]:
    """Times of each slider, ms; the first presses do not count: they read and fill caches."""
    for index in range(2):
        page.done(index)
    page.until(f"Number({PANEL}?.dataset.trials ?? 0) >= 1", 120)
    names = page.page.evaluate(
        f"{KNOBS}.filter((k) => k.querySelector('input[type=range]')).map((k) => k.innerText.split('\\n')[0])"
    )
    times: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        for number in range(WARMING + presses):
            page.page.evaluate(FOCUS, name)
            page.page.keyboard.press("ArrowRight" if number % 4 < 2 else "ArrowLeft")
            with contextlib.suppress(TimeoutError):  # at the end of a slider a key changes nothing
                page.until(f"{PANEL}.dataset.latency > 0", 8)
                if number >= WARMING:
                    times[name].append(float(page.page.evaluate(f"{PANEL}.dataset.latency")))
            time.sleep(0.5)
    return {name: waited for name, waited in times.items() if waited}
