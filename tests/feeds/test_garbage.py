"""Old objects are looked at only when a connection has ended."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import weakref

from workbench.feeds import garbage

SPARED = """\
import gc
from workbench.feeds.garbage import spare_old_objects
spare_old_objects()
gc.callbacks.append(lambda phase, info: phase == "start" and info["generation"] == 2 and print("all"))
kept = [[i] for i in range(300_000)]
print(len(kept))
"""


def test_growing_rings_are_never_walked_through():
    """300 000 new objects that stay bring about no full collection; without the setting they would."""
    ran = subprocess.run(
        [sys.executable, "-c", SPARED], capture_output=True, text=True, timeout=120, check=True
    )
    assert ran.stdout.split()[0] == "300000"  # the interpreter looks at everything when it ends
    usual = SPARED.replace("spare_old_objects()\ngc", "gc")
    ran = subprocess.run(
        [sys.executable, "-c", usual], capture_output=True, text=True, timeout=120, check=True
    )
    assert ran.stdout.split()[0] == "all"


class Node:
    """Something that may hold itself."""


def test_what_a_connection_leaves_behind_is_collected_soon(monkeypatch):
    """A cycle is gone after the moment in which connections are taken apart."""
    monkeypatch.setattr(garbage, "COLLECT_S", 0.001)
    node = Node()
    node.itself = node
    watched = weakref.ref(node)
    del node

    async def until_gone() -> None:
        garbage.collect_soon()
        while watched() is not None:
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(until_gone(), 60))
