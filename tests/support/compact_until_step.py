"""Compact copies of a recording, the n-th dying as if killed before its n-th step that touches the disk.

``python -m tests.support.compact_until_step DIRECTORY…`` prints an exit code for each: 9 died, 0 came to the end. The
process forks after its imports, so that thirty deaths cost no thirty starts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.events import EventBatch, EventKind
from workbench.frames.book_index import Books
from workbench.frames.compaction import compact

STEPS = ((os, "fsync"), (os, "write"), (Path, "replace"), (Path, "unlink"))


def main() -> None:
    Books().apply(EventBatch.of(kind=EventKind.CLOCK))  # kernels are loaded once, before forking
    for step, directory in enumerate(sys.argv[1:]):
        child = os.fork()
        if not child:
            die_before(step)
            compact(Path(directory))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def die_before(step: int) -> None:
    left = step

    def dying(genuine: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(9)
            return genuine(*arguments, **options)

        return call

    for owner, name in STEPS:
        setattr(owner, name, dying(getattr(owner, name)))


if __name__ == "__main__":
    main()
