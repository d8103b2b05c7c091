"""The ways out while a cell blocks: the panel's panic in a real page, and ``workbench flatten``.

A session on paper in an engine process, a panel, and a cell that sleeps for as long as it takes. What counts is the time
from the hand (the page's own stamp of the press; the start of the command) until the engine has told somebody else, a
second session in this process, that the switch is off or the position is closed. Wall time, all cores.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.bridge import all_cores
from bench.explorer import quantile
from bench.harness import Context, goal
from bench.lab.server import Lab, NotebookPage
from bench.views import chromium

CEILING_MS = 250.0
SYMBOL = "ES-SIM"
MARKET = """import workbench as wb
s = wb.simulate(seed=7)
s.until(predicate=lambda s: s.book.valid and len(s.trades) > 20)"""
BLOCK = "import time\ntime.sleep(3600)"
STAMP = """() => document.addEventListener(
  'pointerdown', (event) => (window.pressedAt = performance.timeOrigin + event.timeStamp), true)"""
WHY = "(document.querySelector('.ow-why')?.innerText ?? '')"


def run(context: Context) -> dict[str, Any]:
    """Panic and flatten, one after another, with a position each time."""
    presses = 20 if context.rounds > 1 else 3
    home = context.scratch / "lab"
    with (
        all_cores(),
        Lab(home, chromium()).running() as lab,
        lab.page([MARKET, "wb.Ticket(s)", BLOCK]) as page,
    ):
        begin(page)
        with watching(str(home / "run")) as session:
            panics = [panicked(page, session) for _ in range(presses)]
            commands = [flattened(page, session) for _ in range(presses)]
    rows = [
        [name, round(statistics.median(waited)), round(quantile(waited, 0.9)), round(max(waited))]
        for name, waited in (("panic on a panel", panics), ("workbench flatten", commands))
    ]
    return {
        "title": "Ways out while a cell blocks",
        "text": (
            "A market on paper in its engine, `wb.Ticket` in a real JupyterLab, and a cell that sleeps: from the press, or the "
            f"start of the command's process, until another session has heard that it is done. {presses} times each."
        ),
        "goals": [
            goal(f"{row[0]}, median", measured=float(row[1]), floor=CEILING_MS, unit="ms", at_most=True)
            for row in rows
        ],
        "tables": [
            {
                "caption": "ms from the hand to the effect",
                "columns": ["way", "median", "90 %", "longest"],
                "rows": rows,
            }
        ],
    }


def begin(page: NotebookPage) -> None:
    """Run the market and the panel, then the cell that blocks."""
    page.done(0)
    page.done(1)
    page.until(f"/orders go through/.test({WHY})")
    page.page.evaluate(STAMP)
    page.run(2)
    page.until("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'")


@contextmanager
def watching(runtime: str) -> Iterator[Any]:
    """Another session on the same engine."""
    os.environ["WORKBENCH_RUNTIME_DIR"] = runtime
    import workbench as wb

    with wb.simulate(seed=7) as session:
        session.until(predicate=lambda s: s.book.valid)
        yield session


def panicked(page: NotebookPage, session: Any) -> float:
    """Milliseconds from the press until the switch is off; it is on again afterwards."""
    bought(page, session)
    heard = heard_when(lambda: not session.orders.trading(SYMBOL).armed)
    page.page.click(".ow-deal-root button:has-text('panic')")
    took = heard() - float(page.page.evaluate("window.pressedAt"))
    page.page.click(".ow-arm")
    page.until(f"/orders go through/.test({WHY})")
    return took


def flattened(page: NotebookPage, session: Any) -> float:
    """Milliseconds from the start of the command until nothing is held."""
    bought(page, session)
    heard = heard_when(lambda: held(session) == 0)
    begun = time.time() * 1e3
    subprocess.run([sys.executable, "-m", "workbench", "flatten"], check=True, capture_output=True)
    return heard() - begun


def bought(page: NotebookPage, session: Any) -> None:
    """Hold something, and let something rest."""
    time.sleep(1.2)  # a desk takes five orders a second
    order = session.orders.buy(1)
    session.orders.buy(1, limit=session.book.best_bid - 10)
    order.wait("FILLED")


def held(session: Any) -> float:
    """Position, real units."""
    rows = session.positions["position"].to_list()
    return float(rows[-1]) if rows else 0.0


def heard_when(done: Callable[[], bool]) -> Callable[[], float]:
    """Wait for something beside this thread; the answer waits for it and gives the time in ms."""
    found: list[float] = []

    def look() -> None:
        end = time.monotonic() + 60
        while not done() and time.monotonic() < end:
            time.sleep(0.001)
        found.append(time.time() * 1e3)

    thread = threading.Thread(target=look)
    thread.start()

    def answer() -> float:
        thread.join()
        return found[0]

    return answer
