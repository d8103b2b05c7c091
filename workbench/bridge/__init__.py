"""The add-on that Bookmap starts: Bookmap's line protocol on one side, the feed protocol on the other.

Everything here but ``process`` is a core without sockets, threads or clocks. It is loaded inside Bookmap's process tree,
so it imports nothing heavier than numpy, msgspec and websockets, and each of those only where it is used.

A script for Bookmap's editor is two lines::

    from workbench.bridge import run
    run()
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__all__ = ["run"]

if TYPE_CHECKING:
    from workbench.bridge.process import run


def __getattr__(name: str) -> object:
    """Load ``run`` when it is asked for (PEP 562)."""
    if name in __all__:
        return getattr(importlib.import_module("workbench.bridge.process"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
