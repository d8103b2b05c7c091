"""When old objects are looked at for garbage, in processes that nobody may wait for.

The ring of a stream holds 100 000s of small objects that live for minutes. Python's collector walks through all of them
each time their number has grown by a quarter: 10–40 ms in which no event is read and no order leaves (measured: the
longest waits of orders were these). Nothing in the rings is a cycle, so they are freed without it. Cycles come from
connections that end; so that is when everything is looked at.
"""

from __future__ import annotations

import asyncio
import gc
from typing import Final

COLLECT_S: Final = 1.0
"""A connection is taken apart within so long."""
_MIDDLE: Final = 2
"""Young collections to one of the middle generation: half a millisecond each, where ten make it 2.5 ms (measured)."""
_NEVER: Final = 2**31 - 1


def spare_old_objects() -> None:
    """From now on look at young objects only, and never again at what is there."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(gc.get_threshold()[0], _MIDDLE, _NEVER)


def collect_soon() -> None:
    """Look at everything once, when what has just ended in this event loop is taken apart."""
    asyncio.get_running_loop().call_later(COLLECT_S, gc.collect)
