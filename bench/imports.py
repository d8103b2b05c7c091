"""Imports: what ``import workbench`` costs, and what it must not load until it is asked for."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import Any

from bench.harness import ROOT, Context, Timing, goal, timing

HEAVY = ("pandas", "numba", "plotly", "ipywidgets", "pyarrow")
CASES = {
    "python, nothing imported": "pass",
    "import numpy": "import numpy",
    "import workbench": "import workbench",
    "import polars": "import polars",
    "import pandas": "import pandas",
    "import hftbacktest": "import hftbacktest",
    "import bookmap": "import bookmap",
}


def run(context: Context) -> dict[str, Any]:
    """CPU time of fresh interpreters, round-robin; bytecode is there."""
    loaded = json.loads(
        python(f"import sys, json, workbench; print(json.dumps([n for n in {HEAVY} if n in sys.modules]))")
    )
    for code in CASES.values():
        seconds(code)
    rounds = [{name: seconds(code) for name, code in CASES.items()} for _ in range(context.rounds)]
    timings = {name: timing([each[name] for each in rounds]) for name in CASES}
    return report(timings, loaded)


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout


def seconds(code: str) -> float:
    """CPU seconds of a child, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    python(code)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def report(timings: dict[str, Timing], loaded: list[str]) -> dict[str, Any]:
    bare = timings["python, nothing imported"]
    rows = [
        [name, round(1000 * (t.best - bare.best), 1), round(1000 * (t.median - bare.median), 1)]
        for name, t in timings.items()
        if t is not bare
    ]
    ours = timings["import workbench"]
    return {
        "title": "Imports",
        "text": (
            f"CPU time of a fresh interpreter less that of an empty one ({1000 * bare.best:.0f} ms). "
            "The bound of any package that works on arrays is numpy itself."
        ),
        "goals": [
            goal(
                "import workbench",
                measured=1000 * (ours.best - bare.best),
                floor=100.0,
                unit="ms",
                at_most=True,
            ),
            goal(
                f"of {', '.join(HEAVY)} loaded", measured=len(loaded), floor=0, unit="packages", at_most=True
            ),
        ],
        "tables": [{"caption": "Milliseconds of CPU", "columns": ["case", "best", "median"], "rows": rows}],
    }
