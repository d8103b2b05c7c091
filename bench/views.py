"""The views in a real JupyterLab and a headless Chromium: frames, delay, bytes, CPU, memory, and zooming a long recording.

Pages are opened one after another, round-robin, each for a window of eight seconds: an empty notebook (the control), a
running market that nobody looks at, the heatmap, the heatmap with a ladder, the workspace. Data to pixel is the time from
``time.time()`` in the kernel just before a message is sent to the end of the animation frame that draws it, on one
machine's clock. Here wall time counts, for frames are wall time: run it on a quiet machine.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

from bench.bridge import all_cores
from bench.harness import BINANCE_BTC, Context, MissingDataError, goal
from bench.lab import cells
from bench.lab.server import Lab, NotebookPage
from bench.storage import imported, tiled
from workbench.frames.recording import Recording, write_recording

ROUNDS = 3
WINDOW_S, SETTLE_S = 8.0, 6.0
LONG_TILES = 44
WARMING, GESTURES = 10, 60
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
CASES = {
    "empty notebook": None,
    "market, no view": None,
    "heatmap": cells.HEATMAP,
    "heatmap and ladder of 60 rows": cells.LADDER,
    "workspace": cells.WORKSPACE,
}
CONTROL, MARKET, HEATMAP, LADDER, WORKSPACE = CASES
ALONE, BESIDE = "by itself", "beside a live heatmap"
ZOOMS = {ALONE: False, BESIDE: True}


@dataclass
class Windows:
    """What was counted of one case over all rounds."""

    fps: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)
    wire: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    rows: int = 0

    def add(self, read: dict[str, Any]) -> None:
        """Take in one window."""
        self.fps.append(read["fps"])
        self.latencies += read["latencies"]
        self.bytes += read["bytes"]
        self.wire.append(read["wire"] / read["seconds"] / 1000)
        self.rates.append(len(read["latencies"]) / read["seconds"])
        self.rows = read["rows"]
        for name, share in read["cpu"].items():
            self.cpu.setdefault(name, []).append(share)

    def part(self, share: float) -> float:
        """Quantile of data to pixel, ms."""
        return quantile(self.latencies, share)


def run(context: Context) -> dict[str, Any]:
    """Windows round-robin, then a long recording."""
    long = long_session(context, LONG_TILES)
    with all_cores(), Lab(context.scratch / "lab", chromium()).running() as lab:
        windows = beside(lab, long, min(context.rounds, ROUNDS))
        count = 12 if context.rounds < ROUNDS else GESTURES
        zooms = {name: zoomed(lab, long, count, beside) for name, beside in ZOOMS.items()}
    return report(windows, zooms, long)


def chromium() -> str:
    """Path of the browser."""
    found = os.environ.get("WORKBENCH_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise MissingDataError("needs Chromium (WORKBENCH_CHROMIUM)")
    return found


def long_session(context: Context, tiles: int) -> Recording:
    """A real session, ``tiles`` times one after another."""
    session = imported(context, [BINANCE_BTC], "binance-futures")
    return write_recording(context.scratch / "long", session.instrument, tiled(session, tiles), source={})


# -- twenty updates a second ----------------------------------------------------------------------------------------
def beside(lab: Lab, long: Recording, rounds: int) -> dict[str, Windows]:
    """Every case once per round, after one of each that does not count: it compiles and fills caches."""
    counted = {name: Windows() for name in CASES}
    for number in range(1 + rounds):
        for name, view in CASES.items():
            with lab.page(
                [cells.CONTROL if name == CONTROL else cells.market(long.path), view or cells.CONTROL]
            ) as page:
                show(page, view)
                read = page.read(WINDOW_S)
            if number:
                counted[name].add(read)
    return counted


def show(page: NotebookPage, view: str | None) -> None:
    """Run both cells; wait until what there is to see is drawn, and a while more."""
    page.done(0)
    page.done(1)
    if view:
        page.until("document.querySelector('.ow-heatmap')?.dataset.drawn > 20")
    time.sleep(SETTLE_S)


# -- zoom and pan -----------------------------------------------------------------------------------------------------
def zoomed(lab: Lab, long: Recording, count: int, live: bool) -> dict[str, list[float]]:
    """Gestures all over a long recording, by itself or below a live heatmap; the first do not count, as elsewhere."""
    market = [cells.market(long.path), cells.HEATMAP] if live else [cells.IMPORT]
    notebook = [*market, cells.LONG.format(path=str(long.path))]
    times: dict[str, list[float]] = {
        "first frame": [], "half": [], "full": [], "half from request": [], "full from request": []
    }  # fmt: skip
    with lab.page(notebook) as page:
        for index in range(len(notebook)):
            page.done(index)
        page.until(
            "[...document.querySelectorAll('.ow-heatmap')].filter(x => x.dataset.frames > 5).length "
            f"=== {1 + live}"
        )
        time.sleep(SETTLE_S)
        for number, gesture in enumerate(gestures(WARMING + count)):
            answer = page.page.evaluate(
                "([number, gesture]) => benchWatch.gesture(number, gesture)", [int(live), gesture]
            )
            if number < WARMING:
                continue
            if answer["first"] is not None:
                times["first frame"].append(answer["first"])
            for tile in answer["tiles"]:
                if tile["stage"] in times:
                    times[tile["stage"]].append(tile["gesture"])
                    times[f"{tile['stage']} from request"].append(tile["request"])
    return times


def gestures(count: int) -> list[dict[str, Any]]:
    """Zooms out to hours and in to seconds, pans by a screen, from the end and from the beginning on."""
    chance = random.Random(7)
    hand: list[dict[str, Any]] = []
    while len(hand) < count:
        end, back, on = chance.choice(
            [("End", "ArrowLeft", "ArrowRight"), ("Home", "ArrowRight", "ArrowLeft")]
        )
        hand.append({"key": end})
        hand.append({"steps": chance.randrange(4, 12), "where": 0.2 + 0.6 * chance.random()})
        hand += [{"key": back}] * chance.randrange(1, 4)
        hand.append({"steps": -chance.randrange(4, 16), "where": 0.2 + 0.6 * chance.random()})
        hand += [{"key": chance.choice([back, on])}]
    return hand[:count]


# -- report -----------------------------------------------------------------------------------------------------------
def quantile(values: list[float], share: float) -> float:
    """Quantile of a list, nan if it is empty."""
    ordered = sorted(values)
    return ordered[int(share * (len(ordered) - 1))] if ordered else float("nan")


def report(
    windows: dict[str, Windows], zooms: dict[str, dict[str, list[float]]], long: Recording
) -> dict[str, Any]:
    """Goals and tables."""
    control = statistics.median(windows[CONTROL].fps)
    base = statistics.median(windows[MARKET].cpu["kernel"])
    heat, hand = windows[HEATMAP], zooms[ALONE]

    def most(name: str, measured: float, bound: float, unit: str) -> dict[str, Any]:
        return goal(name, measured=measured, floor=bound, unit=unit, at_most=True)

    return {
        "title": "Views in JupyterLab",
        "text": (
            f"A real BTCUSDT futures session, going on in the kernel; 20 updates a second, {heat.rows} price rows in the "
            f"heatmap's ring, bubbles on, a page of 1500 × 1400 pixels, software rendering. Each case has {len(heat.fps)} "
            f"windows of {WINDOW_S:g} s, round-robin. Data to pixel: from just before the kernel sends to the end of the frame "
            f"that draws. Zoom and pan: {len(hand['first frame'])} gestures over a recording of {long.count / 1e6:.0f} M "
            "events, from the gesture to the end of the frame that draws the tile; once more while a live heatmap is drawn above it."
        ),
        "goals": [
            goal("heatmap: frames of an empty notebook's", measured=statistics.median(heat.fps) / control, floor=0.95),
            goal("with a ladder of 60 rows", measured=statistics.median(windows[LADDER].fps) / control, floor=0.9),
            most("heatmap: data to pixel, p95", heat.part(0.95), 50, "ms"),
            most("heatmap: an update, mean", statistics.fmean(heat.bytes) / 1000, 2, "kB"),
            most("heatmap: kernel, less the market's", statistics.median(heat.cpu["kernel"]) - base, 5, "% of a core"),
            most("zoom or pan: first frame, median", quantile(hand["first frame"], 0.5), 34, "ms"),
            most("zoom or pan: half tile, median", quantile(hand["half"], 0.5), 60, "ms"),
            most("zoom or pan: full tile, median", quantile(hand["full"], 0.5), 100, "ms"),
        ],
        "tables": [
            {
                "caption": "Windows of 8 s (CPU in % of a core)",
                "columns": ["page", "frames/s", "of control", "p50 ms", "p95 ms", "updates/s", "B/update", "kB/s with headers", "kernel", "server", "browser"],
                "rows": [window_row(name, case, control) for name, case in windows.items()],
            },
            {
                "caption": f"Zoom and pan over {long.count / 1e6:.0f} M events, ms",
                "columns": ["recording", "what", "median", "p95", "longest", "count"],
                "rows": [
                    [name, n, *(round(quantile(t, q), 1) for q in (0.5, 0.95, 1.0)), len(t)]
                    for name, times in zooms.items()
                    for n, t in times.items()
                ],
            },
        ],
    }  # fmt: skip


def window_row(name: str, case: Windows, control: float) -> list[Any]:
    """One page in the table."""
    fps = statistics.median(case.fps)
    sizes = round(statistics.fmean(case.bytes)) if case.bytes else 0
    delays = [round(case.part(q), 1) if case.latencies else "" for q in (0.5, 0.95)]
    cpu = [round(statistics.median(case.cpu[n]), 1) for n in ("kernel", "server", "browser")]
    rate, wire = (round(statistics.median(x), 1) for x in (case.rates, case.wire))
    return [name, round(fps, 1), round(fps / control, 3), *delays, rate, sizes, wire, *cpu]
