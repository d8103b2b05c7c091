"""A Bookmap that is none: the platform's side of the add-on wire, for tests and for people without Bookmap.

What it copies, and what of Bookmap is not known, is written down in ``docs/stand-in.md``. It shares no code with the
bridge, so that a misreading of the wire on one side shows on the other.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.testing.faults import Faults
    from workbench.testing.reader import Sent
    from workbench.testing.stand_in import BookmapStandIn
    from workbench.testing.tape import Tape

__all__ = ["BookmapStandIn", "Faults", "Sent", "Tape"]

_HOMES = {"BookmapStandIn": "stand_in", "Faults": "faults", "Sent": "reader", "Tape": "tape"}


def __getattr__(name: str) -> object:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
