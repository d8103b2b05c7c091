"""What the notebook of the absent page runs: a market of an engine, facts of the kernel, the same market once more."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np

import workbench as wb
from workbench.events import Array

SEED = 7
PAGE_BYTES = resource.getpagesize()


def beside(session: Any) -> tuple[list[Any], Any]:
    """Heatmap and ladder of a session, and the box in which both stand on one screen with two such boxes."""
    views = [wb.Heatmap(session, row_ticks=1, height=400), wb.Ladder(session, rows=24)]
    for view, width in zip(views, ("60%", "39%")):
        view.layout.width = width
    return views, ipywidgets.HBox(views)


def facts(session: Any, views: list[Any]) -> str:
    """What the kernel holds and what it has sent, as JSON behind a word to find it by."""
    resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    columns = session.capture().columns
    told = {
        "resident": resident,
        "event_bytes": columns.nbytes,
        "events": len(columns),
        "gaps": session.health.gaps,
        "lost": session.health.lost,
        "sent": [view._pacing.sent for view in views],
        "held": [len(view._wants) + len(view._acts) for view in views],
    }
    return "FACTS" + json.dumps(told)


def truth(session: Any) -> str:
    """Compare what a closed session has captured with what the same market is when nobody is between."""
    mine = _columns(session)
    twin = wb.simulate(seed=SEED, inline=True)
    twin.advance(f"{(int(mine[0][-1]) - twin.clock.now_ns) / 1e9 + 1:.3f}s")
    theirs = _columns(twin)
    count = len(mine[0])
    same = len(theirs[0]) >= count and all(np.array_equal(a, b[:count]) for a, b in zip(mine, theirs))
    return "TRUTH" + json.dumps({"events": count, "last": int(mine[-1][-1]), "same": same})


def _columns(session: Any) -> list[Array]:
    pieces = list(session.capture().columns.chunks())
    return [np.concatenate(column) for column in zip(*pieces)]
