"""Which versions of which kernels a process has: after warming, and after showing all there is to show.

``python -m tests.support.compiled warmed`` or ``… shown`` prints them as JSON.
"""

from __future__ import annotations

import json
import pkgutil
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.eventually import eventually

ROOMS = ("book", "flow", "views")
SAMPLE = Path(__file__).parents[2] / "data" / "sample"


def modules() -> list[ModuleType]:
    """Every module of the rooms in which views and what they show are computed."""
    packages = [import_module(f"workbench.{room}") for room in ROOMS]
    return [
        import_module(found.name)
        for package in packages
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    ]


def versions() -> dict[str, list[str]]:
    """Signatures that each kernel was compiled for; parts of kernels, which Python cannot call, left out."""
    from numba.core.dispatcher import Dispatcher

    return {
        f"{kernel.py_func.__module__}.{kernel.py_func.__name__}": sorted(map(str, kernel.signatures))
        for module in modules()
        for kernel in vars(module).values()
        if isinstance(kernel, Dispatcher) and not kernel.targetoptions.get("no_cpython_wrapper")
    }


def warmed() -> None:
    """Do all that the launcher has done in advance."""
    from workbench import warm

    for part in warm.PARTS:
        assert warm.main([part]) == 0


def shown() -> None:
    """Show every view, live and recorded, and look around in the heatmaps: from events and from pyramids."""
    import workbench as wb
    from workbench.frames.locate import find_recordings
    from workbench.views import scenery

    session = wb.simulate(seed=7, inline=True)
    session.advance("3s")
    for source in (session, wb.open_recording(find_recordings(SAMPLE)[0])):
        _show_views(source)
        _look_around(source)
        with pytest.MonkeyPatch.context() as patch:  # bounds so low that these events are many
            for name in ("FEW_ROWS", "MANY_ROWS"):
                patch.setattr(scenery, name, 10)
            _look_around(source)
    session.close()


def _show_views(source: object) -> None:
    import workbench as wb
    from workbench.views.workspace import VIEWS

    for name in VIEWS:
        view = getattr(wb, name)(source)
        view.picture()
        view.figure()
        view.close()


def _look_around(source: object) -> None:
    import workbench as wb

    for rule in ("max", "last", "mean"):
        heatmap = wb.Heatmap(source, rule=rule)
        eventually(lambda h=heatmap: all(content["exact"] for content in _tiles(h)))
        heatmap.close()


def _tiles(heatmap: object) -> list[dict]:
    found = heatmap._scenery
    tick = (found._capture.book.best_bid or 0) + 1
    look = {
        "id": 1, "left_ms": found.first_ns / 1e6 - 1, "right_ms": found.last_ns / 1e6 + 1, "low": tick - 60,
        "high": tick + 60, "width": 900, "height": 400, "rule": heatmap.settings["rule"],
    }  # fmt: skip
    tiles = [content for content, _ in heatmap._answers(look) if content["k"] == "tile"]
    assert tiles
    return tiles


if __name__ == "__main__":
    {"warmed": warmed, "shown": shown}[sys.argv[1]]()
    print(json.dumps(versions()))
