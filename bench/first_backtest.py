"""The first result: from a fresh process to the summary of a backtest, and from an edited strategy to the next one.

Real rows (BTCUSDT futures) as a recording; CPU seconds of a process that begins with nothing but compiled caches on disk.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.harness import BINANCE_BTC, ROOT, Context, goal, timing

OURS = """
import json, sys, time
import workbench as wb
from workbench.trading.strategies import best_ask, best_bid, cancel, is_open, position, quoted, submit

TEXT = '''
def quote(d):
    if quoted(d):
        for k in range(2):
            side, price = (1, best_bid(d)) if k == 0 else (-1, best_ask(d))
            number = int(d.memory[k]) - 1
            if is_open(d, number):
                if d.orders[number, 1] != price:
                    cancel(d, number)
            elif side * position(d) < MOST:
                d.memory[k] = submit(d, side, price, 1, 1, 0) + 1
'''

def result(most):
    exec(TEXT.replace("MOST", str(most)), globals())
    return wb.backtest(wb.kernel_strategy(quote), recording).summary()

recording = wb.open_recording(sys.argv[1])
result(100)
first = time.process_time()  # of the whole process, its start included
edited = int(sys.argv[2])
if edited:
    result(edited)
print(json.dumps([first, time.process_time() - first]))
"""


def run(context: Context) -> dict[str, Any]:
    """Fresh processes, one after another; the first, which fills the caches, does not count."""
    import workbench as wb

    recording = wb.import_recording(
        context.require(BINANCE_BTC), format="binance-futures", out=context.scratch
    )
    path = Path(recording.path)
    fresh = [fresh_seconds(path) for _ in range(context.rounds + 1)][1:]
    edits = [edited_seconds(path, time.time_ns()) for _ in range(context.rounds)]
    first, edited = timing(fresh), timing(edits)
    return {
        "title": "First backtest",
        "text": f"{recording.count:,} events of a real BTCUSDT futures feed, a compiled strategy that quotes both sides: CPU "
        "seconds of a fresh process from its start to the summary, and in the same process from an edited text of the "
        "strategy, never compiled before, to the next summary.",
        "goals": [
            goal("fresh process, caches warm", measured=first.median, floor=1.5, unit="s", at_most=True),
            goal("edited strategy", measured=edited.median, floor=1.0, unit="s", at_most=True),
        ],
        "tables": [
            {
                "caption": "CPU seconds",
                "columns": ["case", "best", "median"],
                "rows": [
                    ["fresh process, caches warm", first.best, first.median],
                    ["edited strategy", edited.best, edited.median],
                ],
            }
        ],
    }


def fresh_seconds(path: Path) -> float:
    """CPU seconds, user and system, from the start of a child to its first result."""
    return child(path, 0)[0]


def edited_seconds(path: Path, edited: int) -> float:
    """CPU seconds of the second backtest of a child, after an edit."""
    return child(path, edited)[1]


def child(path: Path, edited: int) -> list[float]:
    """What a child measured."""
    told = subprocess.run(
        [sys.executable, "-c", OURS, str(path), str(edited)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    ).stdout
    return [float(seconds) for seconds in json.loads(told)]
